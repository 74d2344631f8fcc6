# What a token kept, read from its flash image after a run with the token's own code. Shows no key and no identifier.
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emask import alert, clock, match, sighting, spec, store
from tools import lists
from tools.bench.flash import BLOCK
from tools.rule import Rule


class ImageDevice:
    """A copy of one partition of a flash image as an extended block device; the image itself stays as it is."""

    def __init__(self, image: Path, offset: int, size: int) -> None:
        self._data = bytearray(image.read_bytes()[offset : offset + size])

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        at = block * BLOCK + offset
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: bytes, offset: int = 0) -> None:
        at = block * BLOCK + offset
        self._data[at : at + len(buf)] = buf

    def save(self, image: Path, offset: int) -> None:
        """Put the copy back into an image, of a token that does not run."""
        with image.open("r+b") as file:
            file.seek(offset)
            file.write(self._data)

    def ioctl(self, command: int, argument: int = 0) -> int:
        if command == 6:
            self._data[argument * BLOCK : (argument + 1) * BLOCK] = b"\xff" * BLOCK
        return {4: len(self._data) // BLOCK, 5: BLOCK}.get(command, 0)


@dataclass(frozen=True)
class Kept:
    """sightings: how many; heard: adverts in them; first_s, last_s: UTC seconds they span; alert_day: None if no
    alert.
    """

    sightings: int
    adverts: int
    alert_day: int | None
    near_minutes: int | None
    damaged: int


def read(image: Path, offset: int, size: int, published: lists.ListFile | None = None) -> Kept:
    """near_minutes: minutes near to the list's records, by the token's own matching, whatever the rule's length."""
    kept = store.Store(ImageDevice(image, offset, size))
    kept.mount()
    records = [sighting.unpack(payload) for _, payload in kept.read(spec.SIGHTING, 0, 0xFFFFFFFF)]
    whole = [record for record in records if record is not None]
    found = kept.latest(spec.ALERT)
    known = alert.unpack(found[1]) if found else None
    near = _near_minutes(kept, published) if published else None
    return Kept(len(whole), sum(record[4] for record in whole), known[0] if known else None, near, kept.damaged)


def _near_minutes(kept: store.Store, published: lists.ListFile) -> int:
    rule = Rule(*published.header.rule)
    found = _minutes(kept, published, rule)
    if found:
        return found
    below = _minutes(kept, published, rule._replace(minutes=1))  # which takes one identifier for a contact
    return min(below, rule.minutes - 1)


def _minutes(kept: store.Store, published: lists.ListFile, rule: Rule) -> int:
    anchors = clock.Anchors([payload for _, payload in kept.read(spec.ANCHOR, 0, 0xFFFFFFFF)])
    matcher = match.Matcher(published.header._replace(rule=rule), kept, anchors)
    for _ in matcher.run(lambda: iter(published.records())):
        pass
    return matcher.exposure.decided[1] if matcher.exposure.decided else 0
