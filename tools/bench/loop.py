# An asyncio loop on the bench's clock, for the kiosk's Python: waiting runs the engine. Knows no kiosk.
from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from tools.bench.engine import Engine

_FOREVER_US = 1 << 62


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


class BenchLoop(asyncio.SelectorEventLoop):
    """asyncio in virtual time: loop.time() is the engine's clock in seconds."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.woken = False
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.engine.now_us / 1e6

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        self.woken = True
        return super().call_soon(callback, *args, context=context)
