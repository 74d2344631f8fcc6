# The bench's clock: runs events in the order of their time, waits for the VMs, draws seeded chance.
# Knows no radio and no board.
from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.bench.log import EventLog

if TYPE_CHECKING:
    from tools.bench.medium import Medium
    from tools.bench.node import Node


class BenchError(Exception):
    """The bench can't go on; the text says what to do."""


class OpError(Exception):
    """Answers a VM's operation with an errno."""

    def __init__(self, errno: int) -> None:
        super().__init__(f"errno {errno}")
        self.errno = errno


class Timer:
    """A planned call; cancel() makes it never happen."""

    __slots__ = ("args", "fn")

    def __init__(self, fn: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.fn: Callable[..., None] | None = fn
        self.args = args

    def cancel(self) -> None:
        self.fn = None


class Engine:
    """Virtual time in microseconds since the scenario's start. Same seed and same calls, same run."""

    def __init__(self, seed: int, log: EventLog) -> None:
        self.seed = seed
        self.now_us = 0
        self.log = log
        self.nodes: dict[str, Node] = {}
        self.medium: Medium
        self._heap: list[tuple[int, int, Timer]] = []
        self._count = 0

    def rng(self, *names: object) -> random.Random:
        """A random stream of its own for these names: what one part draws doesn't move another."""
        text = "/".join(str(name) for name in (self.seed, *names))
        return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))

    def at(self, when_us: int, fn: Callable[..., None], *args: Any) -> Timer:
        """Plan fn(*args) for when_us (never before now)."""
        timer = Timer(fn, args)
        self._count += 1
        heapq.heappush(self._heap, (max(int(when_us), self.now_us), self._count, timer))
        return timer

    def step(self, until_us: int) -> bool:
        """Run the next event not later than until_us. False: there is none, and the clock stands at until_us."""
        heap = self._heap
        while heap and heap[0][0] <= until_us:
            when, _, timer = heapq.heappop(heap)
            fn = timer.fn
            if fn is None:
                continue
            self.now_us = when
            fn(*timer.args)
            return True
        self.now_us = max(self.now_us, until_us)
        return False

    def run(self, until_us: int) -> None:
        while self.step(until_us):
            pass

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()
        self.log.close()
