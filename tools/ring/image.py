# What a partition image of the flash ring holds: blocks, records by kind and day, damage. Shows no content of a record.
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from emask import cells, spec

BLOCK = 4096
STATES = {
    cells.ROOT: "root",
    cells.LASTING: "lasting",
    cells.MINUTES: "minutes",
    cells.SIGHTINGS: "sightings",
    cells.CLEAN: "clean",
    cells.DIRTY: "to be erased",
    cells.BAD: "bad",
}
KINDS = {
    spec.SIGHTING: "sightings",
    spec.HEARD: "minutes",
    spec.KEY: "keys",
    spec.ANCHOR: "anchors",
    spec.STATE: "states",
    spec.COMPACTED: "merged slots",
    spec.ALERT: "alerts",
    spec.LISTINFO: "list states",
    spec.TRUST: "trust",
    spec.REVOKED: "revocations",
}


class _Image:
    """The bytes as a block device that can only be read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readblocks(self, block: int, buf: Any, offset: int) -> None:
        at = block * BLOCK + offset
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: bytes, offset: int) -> None:
        raise OSError("an image is only read")

    def ioctl(self, command: int, argument: int) -> int:
        return len(self._data) // BLOCK if command == 4 else 0


@dataclass
class Block:
    """One block. erases: -1 if unknown; day: UTC day of its records, 0 if they are of many; blank: never written."""

    number: int
    state: str
    erases: int
    sequence: int = 0
    day: int = 0
    records: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    blank: bool = False


@dataclass
class Found:
    """All of an image."""

    blocks: list[Block]
    spare_bytes: int

    @property
    def whole(self) -> bool:
        """Whether there is a ring in it, and nothing in it is damaged."""
        return self.is_ring and not self.damaged

    @property
    def is_ring(self) -> bool:
        return any(block.sequence for block in self.blocks)

    @property
    def damaged(self) -> int:
        return sum(block.damaged for block in self.blocks)

    def days(self) -> dict[int, Counter[str]]:
        """Records of sightings and minutes by UTC day."""
        found: dict[int, Counter[str]] = {}
        for block in self.blocks:
            if block.state in ("minutes", "sightings"):
                found.setdefault(block.day, Counter()).update(block.records)
        return dict(sorted(found.items()))

    def facts(self) -> dict[str, Any]:
        states = Counter("never used" if block.blank else block.state for block in self.blocks)
        erases = [block.erases for block in self.blocks if block.erases >= 0]
        return {
            "ring": self.is_ring,
            "blocks": len(self.blocks),
            "states": dict(states),
            "records": dict(sum((block.records for block in self.blocks), Counter())),
            "days": {str(day): dict(records) for day, records in self.days().items()},
            "damaged": self.damaged,
            "bad_blocks": states["bad"],
            "erases_most": max(erases, default=0),
            "erases_least": min(erases, default=0),
            "spare_bytes": self.spare_bytes,
            "each_block": [
                {
                    "block": block.number,
                    "state": block.state,
                    "erases": block.erases,
                    "sequence": block.sequence,
                    "day": block.day,
                    "records": dict(block.records),
                    "damaged": block.damaged,
                }
                for block in self.blocks
            ],
        }


def look(data: bytes) -> Found:
    """Read an image, whatever it is; bytes after the last whole block are left out."""
    device = cells.Blocks(_Image(data), BLOCK)
    return Found([_block(device, data, number) for number in range(device.count)], len(data) % BLOCK)


def _block(device: cells.Blocks, data: bytes, number: int) -> Block:
    erases, state, sequence, slot, _ = device.header(number)
    block = Block(number, STATES[state], -1 if erases is None else erases, sequence)
    block.blank = state == cells.DIRTY and not data[number * BLOCK : (number + 1) * BLOCK].strip(b"\xff")
    if state not in (cells.ROOT, cells.LASTING, cells.MINUTES, cells.SIGHTINGS):
        return block
    block.day = slot // spec.SLOTS_PER_DAY if state in (cells.MINUTES, cells.SIGHTINGS) else 0
    head = cells.Head(device, state, number, sequence, slot)
    head.end = head.limit
    before = device.damaged
    for _, kind, _, _ in head.records():
        block.records["entries" if state == cells.ROOT else KINDS.get(kind, f"kind {kind}")] += 1
    block.damaged = device.damaged - before
    return block


def text(found: Found) -> str:
    """Lines for people."""
    facts = found.facts()
    lines = [f"{facts['blocks']} blocks of {BLOCK} bytes: " + _listed(facts["states"])]
    if not found.is_ring:
        return "\n".join([*lines, "No block of a flash ring is in it."])
    lines += [f"Records: {_listed(facts['records'])}", "", "UTC day     records"]
    for day, records in found.days().items():
        lines.append(f"{_date(day)}  {_listed(records)}")
    lines += ["", "block  state         erases  sequence  records"]
    for block in found.blocks:
        if block.blank:
            continue
        erases = "?" if block.erases < 0 else str(block.erases)
        damage = f", {block.damaged} damaged" if block.damaged else ""
        lines.append(
            f"{block.number:5}  {block.state:12}  {erases:>6}  {block.sequence:8}  {_listed(block.records)}{damage}"
        )
    lines += ["", f"Damaged records: {facts['damaged']}. Bad blocks: {facts['bad_blocks']}."]
    lines.append(f"Erases of a block: {facts['erases_least']} to {facts['erases_most']}.")
    if found.spare_bytes:
        lines.append(f"{found.spare_bytes} bytes after the last whole block were left out.")
    return "\n".join(lines)


def _listed(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _date(day: int) -> str:
    if day * spec.SLOTS_PER_DAY < 1_000_000 or day > 60_000:
        return "undated   "
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
