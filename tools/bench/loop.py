# asyncio loops on the bench's clock, for the kiosk's Python: waiting runs the engine, as fast as it goes or at the pace
# of true time. Knows no kiosk.
from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any

from tools.bench.engine import Engine

_FOREVER_US = 1 << 62
_LONGEST_WAIT_S = 0.5


class _Selector(selectors.SelectSelector):
    """Instead of sleeping, runs the engine until the loop has something to do."""

    loop: BenchLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        engine = self.loop.engine
        until = _FOREVER_US if timeout is None else engine.now_us + round(timeout * 1e6)
        self.loop.woken = False
        while not self.loop.woken and (timeout is None or timeout > 0):
            if not engine.step(until):
                break
        if timeout is None and not self.loop.woken:
            raise RuntimeError("the bench has nothing left to do and the loop waits for ever")
        return []


class _PacedSelector(selectors.DefaultSelector):
    """Runs the engine as far as true time has come, and looks after sockets meanwhile."""

    loop: PacedLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        loop, engine = self.loop, self.loop.engine
        until = _FOREVER_US if timeout is None else engine.now_us + round(timeout * 1e6)
        loop.woken = False
        while True:
            due = min(loop.due_us(), until)
            moved = engine.step(due)
            if loop.woken or not moved and engine.now_us >= until:
                return super().select(0)
            found = super().select(0 if moved else self._wait_s(until))
            if found:
                return found

    def _wait_s(self, until: int) -> float:
        """Seconds of true time until the engine or the loop has something to do."""
        loop = self.loop
        planned = loop.engine.next_us()
        ahead_us = min(until, _FOREVER_US if planned is None else planned) - loop.due_us()
        return min(max(ahead_us / 1e6 / loop.pace, 0.0), _LONGEST_WAIT_S)


class BenchLoop(asyncio.SelectorEventLoop):
    """asyncio in virtual time: loop.time() is the engine's clock in seconds."""

    def __init__(self, engine: Engine, selector: _Selector | _PacedSelector | None = None) -> None:
        self.engine = engine
        self.woken = False
        selector = selector or _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.engine.now_us / 1e6

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        self.woken = True
        return super().call_soon(callback, *args, context=context)


class PacedLoop(BenchLoop):
    """asyncio in true time times `pace`, with sockets, for a person at a page; late if the bench is."""

    def __init__(self, engine: Engine, pace: float = 1.0) -> None:
        self.pace = pace
        self._began_us, self._began_s = engine.now_us, time.monotonic()
        super().__init__(engine, _PacedSelector())

    async def skip(self, seconds: float) -> None:
        """So much of the bench's time, as fast as the bench goes."""
        self._began_us += round(seconds * 1e6)
        await asyncio.sleep(seconds)

    def due_us(self) -> int:
        """How far the bench's clock may have come by now."""
        return self._began_us + round((time.monotonic() - self._began_s) * 1e6 * self.pace)
