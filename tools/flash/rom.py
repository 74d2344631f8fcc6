"""Owns the part of a board's way that esptool does: what chip it is, and writing the base. Knows no MicroPython."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from esptool.cmds import attach_flash, detect_chip, detect_flash_size, erase_region, reset_chip, run_stub, write_flash
from esptool.logger import TemplateLogger, log
from serial import serial_for_url

from tools.firmware.bundle import Bundle
from tools.flash.line import Line
from tools.flash.mistakes import Mistake

Tell = Callable[[float], None]
DATA_START, DATA_END = 0x230000, 0x3F6000  # slots, settings, sightings, lists: empty on a new token
_FLASH_BYTES = 4 << 20
_LOCKS = ("SECURE_BOOT_EN", "SECURE_DOWNLOAD_ENABLE")


@dataclass(frozen=True)
class Seen:
    """What the bootloader says of a board. mac: for recognising it within a batch, never recorded."""

    chip: str
    mac: str


class _Quiet(TemplateLogger):
    """esptool's messages go nowhere, its progress to `tell`, weighted by the bytes of each file."""

    def __init__(self) -> None:
        self.tell: Tell = lambda share: None
        self.before = 0
        self.total = 1
        self._last = 0

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", bar_length: int = 30
    ) -> None:
        if cur_iter < self._last:
            self.before += self._last
        self._last = cur_iter
        self.tell(min(1.0, (self.before + cur_iter) / self.total))

    def print(self, *args: Any, **kwargs: Any) -> None: ...
    def note(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...
    def stage(self, finish: bool = False) -> None: ...
    def set_verbosity(self, verbosity: str) -> None: ...


class Rom:
    """A board in its ROM bootloader, from connecting to leaving. reset: how to get there, as esptool calls it."""

    def __init__(self, port: str, line: Line, bundle: Bundle, baud: int, reset: str = "default-reset") -> None:
        self._bundle = bundle
        self._baud = baud
        self._log = _Quiet()
        log.set_logger(self._log)
        self._port = serial_for_url(port, 115200, exclusive=True)
        line.tap(self._port)
        self._esp = detect_chip(self._port, connect_mode=reset, connect_attempts=3)

    def look(self) -> Seen:
        """Check chip and locks; Mistake if the board can't become a token."""
        if self._bundle.chip != self._esp.CHIP_NAME:
            raise Mistake("wrong_chip", wanted=self._bundle.chip, found=self._esp.CHIP_NAME)
        if self._bundle.chip != "ESP32":  # the first ESP32's ROM can't tell
            flags = self._esp.get_security_info()
            locks = [name for name in _LOCKS if flags["parsed_flags"][name]]
            locks += ["flash encryption"] if bin(flags["flash_crypt_cnt"]).count("1") % 2 else []
            if locks:
                raise Mistake("locked", found=", ".join(locks))
        return Seen(self._esp.CHIP_NAME, ":".join(f"{byte:02x}" for byte in self._esp.read_mac()))

    def write(self, erase: bool, tell: Tell) -> None:
        """Write and verify the base; erase: a board without data worth keeping."""
        self._esp = run_stub(self._esp)
        if not self._is_pty():
            self._esp.change_baud(self._baud)
        attach_flash(self._esp)
        size = detect_flash_size(self._esp) or "an unknown size"
        if not size.endswith("MB") or int(size[:-2]) << 20 < _FLASH_BYTES:
            raise Mistake("small_flash", found=size)
        if erase:
            erase_region(self._esp, DATA_START, DATA_END - DATA_START)
        self._log.tell = tell
        self._log.total = sum(part.size for part in self._bundle.parts)
        write_flash(self._esp, [(part.offset, str(part.path)) for part in self._bundle.parts], compress=True)

    def _is_pty(self) -> bool:
        return os.path.realpath(self._port.port).startswith("/dev/pts/")

    def leave(self) -> None:
        """Let the chip start what is in its flash, and give the port back."""
        try:
            reset_chip(self._esp, "hard-reset")
        finally:
            self.close()

    def close(self) -> None:
        self._port.close()
