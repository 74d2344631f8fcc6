# Who can touch whom, and how islands that can't are played side by side: while one waits for a VM, another goes on.
# Knows no event's meaning. What happens on an island does not depend on how many are played at a time.
from __future__ import annotations

import os
import select
from collections.abc import Iterable, Sequence

from tools.bench.engine import Engine, Island

Pair = tuple[str, str]


def usual_jobs() -> int:
    """As many VMs as there are cores, and one more while the bench itself waits."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def groups(names: Sequence[str], joined: Iterable[Pair], together: Iterable[str]) -> list[list[str]]:
    """Names in groups that no pair crosses, in the order of their first names; without the group of `together`."""
    group = {name: [name] for name in names}
    keep = list(together)
    for a, b in (*joined, *zip(keep, keep[1:], strict=False)):
        ours, theirs = group[a], group[b]
        if ours is not theirs:
            ours.extend(theirs)
            group.update(dict.fromkeys(theirs, ours))
    found = {id(members): members for members in group.values()}
    return [members for members in found.values() if not keep or keep[0] not in members]


def play(engine: Engine, islands: Sequence[Island], until_us: int, jobs: int) -> None:
    """Play each of the islands to until_us, at most `jobs` of them at a time."""
    rest = iter(islands)
    poll = select.poll()
    waiting: dict[int, Island] = {}
    before = engine.here
    while True:
        while len(waiting) < jobs and (island := next(rest, None)):
            _go_on(engine, island, until_us, poll, waiting)
        if not waiting:
            break
        for fd, _ in poll.poll():
            poll.unregister(fd)
            island = waiting.pop(fd)
            engine.enter(island)
            engine.heed()
            _go_on(engine, island, until_us, poll, waiting)
    engine.enter(before)


def _go_on(engine: Engine, island: Island, until_us: int, poll: select.poll, waiting: dict[int, Island]) -> None:
    """Play an island until it has to wait for a VM, or to its end."""
    engine.enter(island)
    while not island.asking:
        if not engine.event(until_us):
            return
    fd = island.asking.vm.fd
    poll.register(fd, select.POLLIN)
    waiting[fd] = island
