# The bench's clock: runs events in the order of their time, island by island, and draws seeded chance.
# Knows no radio and no board, and not which nodes can touch each other.
from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.bench.log import EventLog

if TYPE_CHECKING:
    from tools.bench.air import Air
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
    """A planned call for an owner; cancel() makes it never happen."""

    __slots__ = ("args", "fn", "owner")

    def __init__(self, owner: str, fn: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.owner = owner
        self.fn: Callable[..., None] | None = fn
        self.args = args

    def cancel(self) -> None:
        self.fn = None


class Island:
    """Owners (nodes, kiosks) who can touch nobody else for now: a clock, an air and plans of their own."""

    def __init__(self, now_us: int = 0) -> None:
        self.now_us = now_us
        self.plans: list[tuple[int, int, Timer]] = []
        self.planned = 0
        self.asking: Node | None = None  # its VM runs, and nothing else here may happen before it waits
        self.air: Air
        self.records: list[dict[str, Any]] = []  # logged, not yet written

    def plan(self, when_us: int, timer: Timer) -> None:
        self.planned += 1
        heapq.heappush(self.plans, (max(int(when_us), self.now_us), self.planned, timer))


class Engine:
    """Virtual time in microseconds since the scenario's start. Same seed and same calls, same run.

    At first all is one island; islands.py divides. now_us, at() and the log are those of the island that is played.
    """

    def __init__(self, seed: int, log: EventLog) -> None:
        self.seed = seed
        self.log = log
        self.nodes: dict[str, Node] = {}
        self.medium: Medium
        self.main = self.here = Island()  # main: the island of the kiosks, and of whoever has no other
        self._of: dict[str, Island] = {}  # owners elsewhere

    @property
    def now_us(self) -> int:
        return self.here.now_us

    def rng(self, *names: object) -> random.Random:
        """A random stream of its own for these names: what one part draws doesn't move another."""
        text = "/".join(str(name) for name in (self.seed, *names))
        return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))

    def at(self, owner: str, when_us: int, fn: Callable[..., None], *args: Any) -> Timer:
        """Plan fn(*args) for when_us (never before now) in the island of its owner: a name, "" for nobody's."""
        timer = Timer(owner, fn, args)
        self.whose(owner).plan(when_us, timer)
        return timer

    def next_us(self) -> int | None:
        """When the next event of the island that is played is planned, or None."""
        plans = self.here.plans
        while plans and plans[0][2].fn is None:
            heapq.heappop(plans)
        return plans[0][0] if plans else None

    def ask(self, node: Node) -> None:
        """The node's VM was answered: before anything else happens here it says what it wants next."""
        self.here.asking = node

    def event(self, until_us: int) -> bool:
        """Run the next event not later than until_us. False: there is none, and the clock stands at until_us."""
        here = self.here
        plans = here.plans
        while plans and plans[0][0] <= until_us:
            when, _, timer = heapq.heappop(plans)
            fn = timer.fn
            if fn is None:
                continue
            here.now_us = when
            fn(*timer.args)
            return True
        here.now_us = max(here.now_us, until_us)
        return False

    def step(self, until_us: int) -> bool:
        """As event(), and serve the VM that it set going until it waits."""
        here = self.here
        if not self.event(until_us):
            return False
        while here.asking:
            self.heed()
        return True

    def heed(self) -> None:
        """Hear what the VM wants that runs here; waits for it."""
        node, self.here.asking = self.here.asking, None
        if node:
            node.asked()

    def run(self, until_us: int) -> None:
        while self.step(until_us):
            pass

    # Islands

    def enter(self, island: Island) -> None:
        """From now on this island is played."""
        self.here = island
        self.log.held = island.records if self._of else None

    @contextmanager
    def inside(self, owner: str) -> Iterator[None]:
        """Do something to an owner from outside, in its island."""
        before = self.here
        self.enter(self.whose(owner))
        try:
            yield
        finally:
            self.enter(before)

    def whose(self, owner: str) -> Island:
        return self._of.get(owner, self.main)

    def islands(self) -> list[Island]:
        return list(dict.fromkeys((self.main, *self._of.values())))

    def regroup(self, groups: Sequence[Sequence[str]]) -> None:
        """Divide anew, all islands being at the same time: who is in none of the groups is in the main island."""
        old = self.islands()
        self.flush()
        plans = [(when, number, timer) for island in old for when, number, timer in island.plans if timer.fn]
        plans.sort(key=lambda plan: (*plan[:2], plan[2].owner))
        self.main = Island(self.here.now_us)
        self._of = {}
        for group in groups:
            self._of.update(dict.fromkeys(group, Island(self.here.now_us)))
        for when, _, timer in plans:
            self.whose(timer.owner).plan(when, timer)
        self.medium.regroup(old, self.islands(), self.whose)
        self.enter(self.main)

    def flush(self) -> None:
        """Write what the islands logged, in the order of time."""
        islands = self.islands()
        self.log.write(heapq.merge(*(island.records for island in islands), key=lambda record: record["t_us"]))
        for island in islands:
            island.records.clear()

    def close(self) -> None:
        self.flush()
        for node in self.nodes.values():
            node.close()
        self.log.close()
