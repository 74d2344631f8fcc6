"""Owns the part that mpremote does: the token's MicroPython by its raw REPL. Knows what to say, not when."""

import os
import time
import zlib
from binascii import b2a_base64, crc32
from collections.abc import Callable

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from tools.firmware.image import BLOCK_BYTES, HEADER_BYTES, Image
from tools.flash.line import Line
from tools.flash.mistakes import Mistake

_BAUD = 115200
_BACK_S = 60.0  # until a board that was reset answers again: two starts, a signature, the copy of an image
_WORK_S = 60.0  # a signature, and an erase for each block
_TRY_S = 4
_TURN_S = 10  # until a token takes the next piece of a program: an erase, or a busy hub, may lie between
_NUDGE_S = 0.3  # the product can be stopped for 2.5 s after a start, and what comes before the start is lost
_RAW = b"raw REPL; CTRL-B to exit"
_WBITS = -10
_TRUTHS = {"True": "1", "False": "0"}


class Token:
    """A board with the base on it. Use as a context manager; every wait has a deadline."""

    def __init__(self, port: str, line: Line) -> None:
        self._port = port
        self._line = line
        self._link = self._connect()

    def __enter__(self) -> "Token":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._link.close()
        except OSError:
            pass  # the cable is out

    def _connect(self) -> SerialTransport:
        deadline = time.monotonic() + _BACK_S
        last: BaseException = TransportError("could not enter raw repl")
        while time.monotonic() < deadline:
            try:
                # mpremote must know a pty by its name: the links of a test, or of udev, hide it.
                link = SerialTransport(os.path.realpath(self._port), baudrate=_BAUD, timeout=_TURN_S)
            except (OSError, TransportError) as error:
                last = error
                time.sleep(0.2)
                continue
            try:
                self._line.tap(link.serial)
                self._nudge(link, deadline)
                # Without a soft reset: that would be a start, and an image on trial has few.
                link.enter_raw_repl(soft_reset=False, timeout_overall=_TRY_S)
                return link
            except (OSError, TransportError) as error:
                last = error
                link.close()
        raise last

    def _nudge(self, link: SerialTransport, deadline: float) -> None:
        heard = b""
        while _RAW not in heard:
            if time.monotonic() > deadline:
                raise TransportError("could not enter raw repl")
            link.serial.write(b"\r\x03\x01")
            time.sleep(_NUDGE_S)
            heard = (heard + link.serial.read(link.serial.in_waiting))[-1000:]

    # -- words

    def do(self, code: str, wait_s: float = 20) -> None:
        self._link.exec_raw_no_follow(code)
        self._answer(wait_s)

    def ask(self, expression: str, wait_s: float = 20) -> str:
        """What the token prints for an expression."""
        self._link.exec_raw_no_follow(f"print(repr({expression}))")
        return self._answer(wait_s)

    def _answer(self, wait_s: float) -> str:
        output, failed = self._link.follow(wait_s)
        if failed:
            raise TransportExecError(1, failed.decode(errors="replace"))
        lines = output.decode(errors="replace").strip().splitlines()  # what the token logs comes before the answer
        return lines[-1] if lines else ""

    def ask_numbers(self, expression: str, wait_s: float = 20) -> list[int]:
        """Whole numbers or truths, one or a row of them."""
        return _numbers(self.ask(expression, wait_s))

    # -- the way of a token

    def provision_settings(self, files: dict[str, bytes]) -> None:
        """Write the token's own settings, whole: a file under another name first."""
        for name, data in files.items():
            self._link.fs_writefile(f"/config/{name}.new", data)
            self.do(f"import os\nos.rename('/config/{name}.new', '/config/{name}')")

    def install(self, installer: str, image: Image, tell: Callable[[float], None]) -> None:
        """Send the image to the slot that does not run; blocks that are there already are not sent again."""
        self.do(installer)
        self.do(f"import slots\ni=Install(slots.here(),{image.board!r})")
        there = self._refusable(f"i.begin({image.head!r})")
        blocks = _blocks(image)
        self.do(
            "from binascii import a2b_base64 as b\nfrom io import BytesIO as B\nfrom deflate import DeflateIO as D,RAW"
        )
        for number, block in enumerate(blocks):
            block += b"\xff" * (BLOCK_BYTES - len(block))
            if number >= len(there) or there[number] != crc32(block):
                self.do(f"i.write({number},D(B(b({packed(block)!r})),RAW,{-_WBITS}).read())")
            tell((number + 1) / len(blocks))
        self._refusable("i.finish()")

    def _refusable(self, expression: str) -> list[int]:
        try:
            answer = self.ask(expression, _WORK_S)
        except TransportExecError as error:
            last = error.error_output.strip().splitlines()[-1]
            if "ImageError" in last:
                raise Mistake("refused_image", found=last.partition(": ")[2]) from None
            raise
        return _numbers(answer) if answer[:1] == "[" else []

    def restart(self) -> None:
        """Start the chip anew and come back before the product runs."""
        self._link.exec_raw_no_follow("import machine\nmachine.reset()")
        time.sleep(0.1)
        self.close()
        self._link = self._connect()

    def release(self) -> None:
        """Start the chip anew, for good."""
        self._link.exec_raw_no_follow("import machine\nmachine.reset()")
        time.sleep(0.1)
        self.close()

    def running(self) -> tuple[int, bool] | None:
        """(firmware version, True if it stays) of the image that runs, or None."""
        self.do("import slots\ns=slots.here()\nc=s.current()")
        if self.ask("c is not None and s.mapped_is(c.digest)") != "True":
            return None
        version, kept = self.ask_numbers("(s.header(c.slot)[0],c.kept)")
        return version, bool(kept)


def packed(block: bytes) -> bytes:
    """A block as it goes over the cable: deflated in a window that a token has room for, base64."""
    work = zlib.compressobj(9, wbits=_WBITS)
    return b2a_base64(work.compress(block) + work.flush(), newline=False)


def install_bytes(image: Image) -> int:
    """About how many bytes a whole install sends, for the station's plan."""
    overhead = 60  # the words around a block, and raw-paste's own
    return sum(len(packed(block)) + overhead for block in _blocks(image)) + 3 * HEADER_BYTES


def _blocks(image: Image) -> list[bytes]:
    return [image.payload[at : at + BLOCK_BYTES] for at in range(0, len(image.payload), BLOCK_BYTES)]


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.strip("()[]").split(",")]
    try:
        return [int(_TRUTHS.get(part, part)) for part in parts if part]
    except ValueError:
        raise Mistake("no_micropython") from None
