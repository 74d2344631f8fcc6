# One VM process and the two pipes to it: frames out, frames in, restart. Knows no meaning of an operation.
from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tools.bench.engine import BenchError

_REQUEST = struct.Struct("<IBI")
POSTED = 0x80  # added to an operation that gets no answer
_REPLY = struct.Struct("<IhqH")
_EVENT = struct.Struct("<HBq")
_RENEW_BOOTS = 2_000  # a process grows with its boots
_HANG_S = 30.0  # of the process's own time without a word: a loop that calls nothing. A busy machine hangs nobody
_SILENT_S = 900.0  # of anybody's time
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")

_START = "import sys; sys.argv[0] = 'micropython'; from micropython import main; sys.exit(main())"


class VmGone(Exception):
    """The process ended or hung."""


class Vm:
    """request() waits for what the VM asks; answer() lets it go on."""

    def __init__(self, runner: Path, heap_kib: int, stdout: Path) -> None:
        self._runner, self._heap_kib, self._stdout = runner, heap_kib, stdout
        self._output = stdout.open("wb")
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._boots = 0
        self.asked = 0
        self.running_since: float | None = None
        self._start()

    def _start(self) -> None:
        in_vm, self._to_vm = os.pipe()
        self._from_vm, out_vm = os.pipe()
        command = [
            sys.executable,
            "-I",
            "-c",
            _START,
            "-X",
            f"heapsize={self._heap_kib}k",
            str(self._runner),
            str(in_vm),
            str(out_vm),
        ]
        self._process = subprocess.Popen(
            command, pass_fds=(in_vm, out_vm), stdout=self._output, stderr=self._output, stdin=subprocess.DEVNULL
        )
        os.close(in_vm)
        os.close(out_vm)
        self._pending = b""
        HangWatch.watch(self)
        self._begun = False  # the boot prompt is not read yet: processes start side by side
        self.running_since = time.monotonic()

    @property
    def fd(self) -> int:
        """Readable when request() has something to read."""
        return self._from_vm

    def request(self) -> tuple[int, int, bytes]:
        """(operation, CPU time charged in us, payload). Raises VmGone."""
        data = self._pending
        while len(data) < 9 or len(data) < 9 + _REQUEST.unpack_from(data)[0]:
            more = os.read(self._from_vm, 65536)
            if not more:
                raise VmGone("the process ended")
            data += more
        self.running_since = None
        length, op, charged = _REQUEST.unpack_from(data)
        self._pending = data[9 + length :]
        return op, charged, data[9 : 9 + length]

    def answer(self, errno: int, local_us: int, events: list[tuple[int, int, bytes]], result: bytes) -> None:
        parts = []
        for kind, t_us, payload in events:
            parts.append(_EVENT.pack(len(payload), kind, t_us))
            parts.append(payload)
        parts.append(result)
        body = b"".join(parts)
        if not self._begun:
            self._begin()
        self.running_since = time.monotonic()
        self.asked += 1
        try:
            os.write(self._to_vm, _REPLY.pack(len(body), errno, local_us, len(events)) + body)
        except BrokenPipeError as error:
            raise VmGone("the process ended") from error

    def _begin(self) -> None:
        self._begun = True
        try:
            self.request()
        except VmGone:
            raise BenchError(f"the VM does not start; {self._stdout} says why") from None

    def renew(self, boots: int) -> None:
        """At a boot: start a new process now and then."""
        self._boots += 1
        if self._boots > _RENEW_BOOTS:
            self.restart()

    def restart(self) -> None:
        self._stop()
        self._boots = 0
        self._start()

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)

    def used_s(self) -> float:
        """Processor time of the process, by Linux's proc(5): fields 14 and 15 of stat."""
        process = self._process
        try:
            fields = Path(f"/proc/{process.pid if process else 0}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            return 0.0
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def _stop(self) -> None:
        HangWatch.forget(self)
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            os.close(self._to_vm)
            os.close(self._from_vm)

    def close(self) -> None:
        self._stop()
        self._output.close()


class HangWatch:
    """One thread that kills a VM which has said nothing for too long, so that the read ends."""

    _vms: dict[Vm, tuple[float, float]] = {}  # since when it has been silent, and what it had used by then
    _thread: threading.Thread | None = None
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def watch(cls, vm: Vm) -> None:
        cls._vms[vm] = (0.0, 0.0)
        if cls._thread is None:
            cls._thread = threading.Thread(target=cls._look, daemon=True)
            cls._thread.start()

    @classmethod
    def forget(cls, vm: Vm) -> None:
        cls._vms.pop(vm, None)

    @classmethod
    def _look(cls) -> None:
        while True:
            cls.sleep(1.0)
            now = time.monotonic()
            for vm, (since, used_s) in list(cls._vms.items()):
                running = vm.running_since
                if running is None:
                    continue
                if running != since:
                    cls._vms[vm] = (running, vm.used_s())
                elif vm.used_s() - used_s > _HANG_S or now - since > _SILENT_S:
                    vm.kill()
