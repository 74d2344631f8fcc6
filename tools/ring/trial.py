# A life of the flash ring beside a plain list of what it acknowledged: says what is wrong after a cut.
from __future__ import annotations

import random
import struct
from collections.abc import Callable

from emask import spec
from emask.cells import LASTING, StoreError, places
from emask.pool import StoreFull
from emask.store import Store
from tools.ring.dual.flashmodel import Flash, PowerCut

FIRST_DAY = 20000
KEEP_DAYS, KEEP_KEY_DAYS = 3, 2
_SINGLE = (spec.STATE, spec.ALERT, spec.LISTINFO, spec.TRUST, spec.REVOKED, spec.COMPACTED)
_SIZES = {
    spec.SIGHTING: spec.SIGHTING_BYTES,
    spec.HEARD: spec.HEARD_BYTES,
    spec.KEY: spec.KEY_BYTES,
    spec.ANCHOR: 15,
    spec.STATE: 54,
    spec.ALERT: 10,
    spec.LISTINFO: 42,
    spec.TRUST: 100,
    spec.REVOKED: 112,
    spec.COMPACTED: 0,
}
_WEIGHTS = {
    spec.HEARD: 40,
    spec.SIGHTING: 25,
    spec.COMPACTED: 6,
    spec.STATE: 6,
    spec.KEY: 3,
    spec.ANCHOR: 3,
    spec.ALERT: 2,
    spec.LISTINFO: 4,
    spec.TRUST: 1,
    spec.REVOKED: 1,
    "day": 5,
    "sleep": 2,
    "restart": 2,
}

Record = tuple[int, bytes]


class Wrong(Exception):
    """The store broke its promise; the text says which."""


class Life:
    """A store, what was done to it, and what it must therefore hold.

    acked: records by kind, in order, that were acknowledged and not destroyed since; flying: the one that was not.
    """

    def __init__(self, flash: Flash, seed: int) -> None:
        self.flash = flash
        self.random = random.Random(seed)
        self.slot = FIRST_DAY * spec.SLOTS_PER_DAY
        self.acked: dict[int, list[Record]] = {kind: [] for kind in _SIZES}
        self.flying: tuple[int, Record] | None = None
        self.purging = False
        self.purged_day = 0
        self.gone: list[bytes] = []
        self.number = self.fulls = self.slow_mounts = 0
        self.cold = True
        self.store: Store

    # -- doing

    def boot(self) -> None:
        """Mount; the power may fail in it."""
        self.store = Store(self.flash, self.flash.block_bytes)
        self.slow_mounts += not self.store.mount(self.cold)
        self.cold = True

    def step(self) -> None:
        """One random operation."""
        what = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        if isinstance(what, int):
            self.append(what)
        elif what == "day":
            self.next_day()
        else:
            self.cold = what == "restart"
            self.boot()

    def payload(self, kind: int) -> bytes:
        """Bytes that occur once in a life: kind, day and number, then anything, also what looks blank."""
        self.number += 1
        size = _SIZES[kind]
        lead = struct.pack("<BHI", 0xE0 | kind, self.slot // spec.SLOTS_PER_DAY, self.number)
        fill = self.random.choice([b"\xff", b"\0", self.random.randbytes(size)])
        return (lead + fill * size)[:size]

    def append(self, kind: int) -> None:
        record = (self.slot, self.payload(kind))
        self.flying = (kind, record)
        try:
            self.store.append(kind, *record)
        except StoreFull:
            self.fulls += 1
        else:
            self.acked[kind].append(record)
        self.flying = None
        if kind == spec.COMPACTED:
            self.slot += 1

    def next_day(self) -> None:
        """The day changes, and what is too old is purged."""
        day = self.slot // spec.SLOTS_PER_DAY + 1
        self.slot = day * spec.SLOTS_PER_DAY + self.random.randrange(40)
        self.purge()

    def purge(self) -> None:
        day = self.slot // spec.SLOTS_PER_DAY
        self.purging = True
        while not self.store.purge(day, KEEP_DAYS, KEEP_KEY_DAYS, 2):
            pass
        self.purging = False
        for kind, days in ((spec.SIGHTING, KEEP_DAYS), (spec.HEARD, KEEP_DAYS), (spec.KEY, KEEP_KEY_DAYS)):
            first = (day - days) * spec.SLOTS_PER_DAY
            self.gone += [payload for slot, payload in self.acked[kind] if slot < first]
            self.acked[kind] = [record for record in self.acked[kind] if record[0] >= first]

    # -- judging

    def after_cut(self) -> None:
        """Mount again, finish what was interrupted, and judge."""
        self.boot()
        flying, self.flying = self.flying, None
        if flying:
            self._land(*flying)
        if self.purging:
            self.purge()
        self.judge()

    def _land(self, kind: int, record: Record) -> None:
        # The record in flight may be there or not.
        found = list(self.store.read(kind))
        if found and found[-1] == record:
            self.acked[kind].append(record)
            if kind == spec.COMPACTED:
                self.slot += 1

    def judge(self) -> None:
        """Raises Wrong if the store does not hold what it must, or holds what it must not."""
        read = self.store.read
        _same("sightings", list(read(spec.SIGHTING)), self.acked[spec.SIGHTING])
        done = self.acked[spec.COMPACTED][-1][0] if self.acked[spec.COMPACTED] else 0
        waiting = [record for record in self.acked[spec.HEARD] if record[0] > done]
        _same("minutes", list(read(spec.HEARD, done + 1)), waiting)
        self.acked[spec.HEARD] = self.acked[spec.HEARD][-400:]
        for kind in _SINGLE:
            last = self.store.latest(kind)
            _same(f"last of kind {kind}", [last] if last else [], self.acked[kind][-1:])
            self.acked[kind] = self.acked[kind][-1:]
        rest = places(LASTING, self.flash.block_bytes) - 24
        for kind, most in ((spec.KEY, rest // 8), (spec.ANCHOR, rest // 4)):
            there = list(read(kind))
            known = self.acked[kind] = self.acked[kind][-2 * rest :]
            _same(f"kind {kind}", there[-most:], known[-max(1, min(most, len(known))) :])
            _same(f"older of kind {kind}", [record for record in there if record not in known], [])
        image = bytes(self.flash.data)
        for payload in self.gone[-60:]:
            if payload[:12] in image:
                raise Wrong("a destroyed record is still in the image")

    def goes_on(self) -> None:
        """The store takes more, and holds it after another start."""
        for kind in (spec.SIGHTING, spec.HEARD, spec.STATE):
            self.append(kind)
        self.boot()
        self.judge()


def _same(what: str, found: list, wanted: list) -> None:
    if found != wanted:
        lost = [record for record in wanted if record not in found]
        alien = [record for record in found if record not in wanted]
        raise Wrong(f"{what}: {len(wanted)} wanted, {len(found)} there, {len(lost)} lost, {len(alien)} alien")


def until_cut(life: Life, steps: int, watch: Callable[[], None] | None = None) -> bool:
    """Up to so many steps; True if the power failed."""
    try:
        for _ in range(steps):
            life.step()
            if watch:
                watch()
    except PowerCut:
        life.flash.power = None
        return True
    return False


__all__ = ("FIRST_DAY", "KEEP_DAYS", "Life", "Record", "StoreError", "Wrong", "until_cut")
