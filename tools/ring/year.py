# A year of usual days on the flash ring: what is programmed and erased, and how even the wear is. Prints nothing.
from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from emask import spec
from emask.store import Store
from tools.ring.dual.flashmodel import Flash

FIRST_DAY = 20000
BLOCKS = 240
BEARS = 100_000  # erases, by the data sheet
SIGHTINGS_A_DAY = 840
MINUTES_EACH = 6  # of a sighting, on average
# The two budgets: payload, kind, slot and check.
SIGHTING_BUDGET = spec.SIGHTING_BYTES + 4
MINUTE_BUDGET = spec.HEARD_BYTES + 4


@dataclass(frozen=True)
class Year:
    """sightings, minutes: records written; wear: erases of each block."""

    days: int
    sightings: int
    minutes: int
    programmed_bytes: int
    wear: list[int]
    mount_reads: int
    bad_blocks: int

    def facts(self) -> dict[str, float | int]:
        own = self.sightings * SIGHTING_BUDGET + self.minutes * MINUTE_BUDGET
        most = max(self.wear)
        return {
            "days": self.days,
            "sightings": self.sightings,
            "heard_minutes": self.minutes,
            "bytes_per_sighting": SIGHTING_BUDGET,
            "bytes_per_heard_minute": MINUTE_BUDGET,
            "bytes_programmed": self.programmed_bytes,
            "programmed_to_budgets": round(self.programmed_bytes / own, 4),
            "erases_most": most,
            "erases_least": min(self.wear),
            "wear_most_to_least": round(most / max(1, min(self.wear)), 4),
            "years_at_100000_erases": round(BEARS / most * self.days / 365),
            "mount_reads": self.mount_reads,
        }


def text(year: Year) -> str:
    """Lines for people."""
    facts = year.facts()
    return "\n".join(
        (
            f"{year.days} days: {year.sightings} sightings, {year.minutes} heard minutes, state and keys beside them, "
            f"{BLOCKS} blocks.",
            f"Budgets: {MINUTE_BUDGET} bytes per heard minute, {SIGHTING_BUDGET} bytes per sighting. Programmed: "
            f"{year.programmed_bytes} bytes, {facts['programmed_to_budgets']} of the budgets (aim 1.15).",
            f"Erases of a block: {facts['erases_least']} to {facts['erases_most']}, "
            f"{facts['wear_most_to_least']} between them (aim after a year 1.1). At that rate {BEARS} erases last "
            f"{facts['years_at_100000_erases']} years.",
            f"The next mount took {year.mount_reads} reads (aim 10).",
        )
    )


def live(days: int, seed: int, tell: Callable[[int], None] | None = None) -> Year:
    """Days of 12 busy hours; minutes merged at each slot's end, state saved, a purge a day, a key a week."""
    chance = random.Random(seed)
    flash = Flash(BLOCKS)
    store = Store(flash)
    store.mount()
    counts = [0, 0]
    for day in range(FIRST_DAY, FIRST_DAY + days):
        _day(store, day, chance, counts)
        if tell:
            tell(day - FIRST_DAY + 1)
    flash.reads = 0
    Store(flash).mount()
    return Year(days, counts[0], counts[1], flash.programmed, flash.erases, flash.reads, store.bad_blocks)


def _day(store: Store, day: int, chance: random.Random, counts: list[int]) -> None:
    first = day * spec.SLOTS_PER_DAY
    while not store.purge(day, spec.RETENTION_DAYS, spec.RETENTION_DAYS):
        pass
    if day % 7 == 0:
        store.append(spec.KEY, first, chance.randbytes(spec.KEY_BYTES))
    store.append(spec.ANCHOR, first, chance.randbytes(15))
    for slot in range(first + 28, first + 76):
        people = round(chance.gauss(SIGHTINGS_A_DAY / 48, 4))
        for _ in range(max(0, people)):
            for _ in range(chance.randint(1, 2 * MINUTES_EACH - 1)):
                store.append(spec.HEARD, slot, chance.randbytes(spec.HEARD_BYTES))
                counts[1] += 1
            counts[0] += 1
        for _ in range(max(0, people)):
            store.append(spec.SIGHTING, slot, chance.randbytes(spec.SIGHTING_BYTES))
        store.append(spec.COMPACTED, slot, b"")
        store.append(spec.STATE, slot, chance.randbytes(54))
