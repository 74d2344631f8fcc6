"""Owns a board on the desk for tests: a serial port (a pty) with a ROM bootloader and then MicroPython behind it.

The bootloader is that of the package esp32-mock-bootloader, MicroPython the real VM, the flash one file that both use.
desk.py LINK IMAGE [--chip C] [--mac N] [--unplug BYTES] [--fault F]: LINK becomes a link to the port. With --unplug the
cable comes out after so many bytes from the station, and goes in again a second later.
"""

import argparse
import errno
import os
import pty
import select
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from esp32_mock_bootloader import registers, server  # noqa: E402

from tests.flash import faults  # noqa: E402

FLASH_BYTES = 4 << 20
_SYNC = b"\xc0\x00\x08\x24\x00"
_NUDGE = b"\r\x03"  # mpremote; the bootloader's frames begin otherwise
_POWER, _HARD, _SOFT = 1, 2, 5
_OUT_S = 1.0


class Unplugged(Exception):
    """The cable came out."""


class Port:
    """One pty under a stable name; counts what the station sends and is pulled out after `unplug` bytes."""

    def __init__(self, link: Path, unplug: int | None):
        self._link = link
        self._unplug = unplug
        self._seen = 0
        self.master = -1
        self.held = b""  # read already, and given back
        self.plug()

    def plug(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        new = self._link.with_suffix(".new")
        new.symlink_to(os.ttyname(slave))
        os.replace(new, self._link)
        os.close(slave)

    def pull(self):
        os.close(self.master)
        self._link.unlink()
        time.sleep(_OUT_S)
        self.plug()

    def keep(self, data: bytes):
        """Give bytes back, to be read next."""
        self.held = data

    def read(self, wait_s: float) -> bytes | None:
        """Bytes, b"" if nothing came, None if nobody has the port open."""
        if self.held:
            data, self.held = self.held, b""
            return data
        if not select.select([self.master], [], [], wait_s)[0]:
            return b""
        try:
            data = os.read(self.master, 4096)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            time.sleep(0.005)
            return None
        self._seen += len(data)
        if self._unplug is not None and self._seen > self._unplug:
            self._unplug = None
            self.pull()
            raise Unplugged
        return data

    def write(self, data: bytes):
        try:
            while data:
                data = data[os.write(self.master, data) :]
        except OSError:
            pass  # nobody reads


class RomSide:
    """What the mock's session wants of a connection. Ends when the station closes the port, or asks for a reset."""

    def __init__(self, port: Port):
        self._port = port
        self._open = False

    def set_timeout(self, timeout):
        self._wait_s = timeout

    def recv(self, size):
        data = self._port.read(self._wait_s)
        if data is None:
            if self._open:
                return b""
            raise TimeoutError
        if not data:
            raise TimeoutError
        if data.startswith(_NUDGE):  # it closed the port and opened it again before anybody looked
            self._port.keep(data)
            return b""
        self._open = True
        return data

    def sendall(self, data):
        self._port.write(data)

    def close(self):
        pass

    def ignore_eof_for_disconnect(self):
        return False

    def abort_empty_session(self):
        return False


class Board:
    """ROM until the station goes away, then MicroPython until somebody speaks the bootloader's language."""

    def __init__(self, port: Port, image: Path, chip: str, folders: list[str]):
        self._port = port
        self._image = image
        self._chip = chip
        self._folders = folders

    def live(self):
        while True:
            try:
                self._rom()
                self._micropython()
            except Unplugged:
                continue

    def _rom(self):
        flash = server.FlashImage()
        flash.data[:] = self._image.read_bytes()
        try:
            side = RomSide(self._port)
            while not server.handle_client(side, threading.Event(), self._chip, flash=flash):
                pass
        finally:
            self._image.write_bytes(bytes(flash.data))

    def _micropython(self):
        cause, raw = _POWER, False
        while True:
            code = self._start(cause, raw)
            if code is None:
                return
            print(f"start cause={cause} ended={code}", flush=True)
            cause, raw = (_SOFT, True) if code == 10 else (_HARD, False)
            if code == 12:
                self._asleep()
                return

    def _asleep(self):
        # The product runs: nobody answers until the station resets the chip, which it can't do over a pty.
        data = b""
        while _SYNC not in data:
            data += self._port.read(0.05) or b""
        self._port.keep(data[data.index(_SYNC) :])

    def _start(self, cause: int, raw: bool) -> int | None:
        vm = Path(sys.executable).with_name("micropython")
        command = [str(vm), "-X", "heapsize=2m", str(HERE / "vm" / "board_vm.py"), str(self._image)]
        process = subprocess.Popen(
            [*command, str(cause), str(int(raw)), *self._folders],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, bufsize=0,
        )  # fmt: skip
        try:
            return self._pump(process)
        finally:
            process.kill()
            process.wait()

    def _pump(self, process) -> int | None:
        out = process.stdout.fileno()
        while True:
            ready = select.select([out, self._port.master], [], [], 0.05)[0]
            if out in ready:
                data = os.read(out, 4096)
                if not data:
                    return process.wait()
                self._port.write(data)
            if self._port.held or self._port.master in ready:
                data = self._port.read(0) or b""
                if _SYNC in data:
                    self._port.keep(data)
                    return None
                if data:
                    process.stdin.write(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("link", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--chip", default="esp32c3")
    parser.add_argument("--mac", type=int, default=1)
    parser.add_argument("--unplug", type=int)
    parser.add_argument("--fault", choices=[*faults.FAULTS, *faults.SAYS])
    parser.add_argument("--folders", default="")
    given = parser.parse_args()
    faults.FAULTS.get(given.fault, lambda: None)()
    registers.mac_bytes_for_chip = lambda chip: bytes.fromhex("240ac4") + given.mac.to_bytes(3, "big")
    if not given.image.exists():
        given.image.write_bytes(b"\xff" * FLASH_BYTES)
    if given.fault in faults.SAYS:
        faults.mute(Port(given.link, None), faults.SAYS[given.fault])
    Board(Port(given.link, given.unplug), given.image, given.chip, given.folders.split(":")).live()


if __name__ == "__main__":
    main()
