"""Owns what is counted and overheard on a board's port: bytes both ways, a chip's complaint. Knows no protocol."""

from typing import Any

from tools.flash.mistakes import Mistake, explain

_COMPLAINT = b"rownout"  # "Brownout detector was triggered": ESP-IDF prints it, and starts anew


class Line:
    """One board's cable, over all connections of a way: tap() each port object that is opened."""

    def __init__(self) -> None:
        self.sent = self.received = 0
        self._last = b""
        self._weak = False

    def tap(self, port: Any) -> None:
        """Count what goes through a pyserial port from now on."""
        write, read = port.write, port.read

        def counted_write(data: bytes) -> Any:
            self.sent += len(data)
            return write(data)

        def counted_read(size: int = 1) -> bytes:
            data = read(size)
            self._hear(data)
            return data

        port.write, port.read = counted_write, counted_read

    def _hear(self, data: bytes) -> None:
        self.received += len(data)
        self._last = (self._last + data)[-200:]
        self._weak = self._weak or _COMPLAINT in self._last

    def explain(self, error: BaseException) -> Mistake:
        """The Mistake that an exception means, given what the chip said meanwhile."""
        told = explain(error)
        vague = ("no_answer", "no_micropython", "unplugged", "unknown")
        return Mistake("brown_out") if self._weak and told.code in vague else told
