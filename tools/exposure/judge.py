"""Owns recordings as a token would have kept them: sightings into emask.encounter, evidence out, window by window."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emask import sighting
from emask.context import BLOCKS, MORE, Context
from emask.encounter import Encounter
from tools import rule as rules
from tools.exposure import data

BASE_MINUTE = 20_660 * 1440 + 720  # noon of a day: recordings have no date that matters
_PART = 240
REF_DBM = -80
MINUTES = data.WINDOW_S // 60


@dataclass(frozen=True)
class Sighting:
    """What a token keeps of one identifier in a quarter of an hour; minute: UTC, of the first level."""

    minute: int
    tx_dbm: int
    adverts: int
    levels: bytes


@dataclass(frozen=True)
class Window:
    """One 5-minute window of a directed pair. levels: dBm of the samples, as if sent with 0 dBm. evidence: what the
    token's engine makes of it. near: the median of the true distances is within 2 m, None if there is none."""

    recording: str
    receiver: str
    sender: str
    number: int
    levels: tuple[int, ...]
    evidence: tuple[int, int]
    near: bool | None
    distance_m: float | None

    @property
    def pair(self) -> tuple[str, str, str]:
        return self.recording, self.receiver, self.sender


def windows(recording: data.Recording, rule: rules.Rule) -> list[Window]:
    """Every window in which a level was heard, with the evidence under this rule."""
    found: list[Window] = []
    for receiver, samples in data.grouped(recording.samples, lambda s: (s.receiver,)).items():
        senders = list(data.grouped(samples, lambda s: (s.sender,)).items())
        seen = evidence([list(sightings(own)) for _, own in senders], rule)
        for ((sender,), own), of_sender in zip(senders, seen, strict=True):
            found += _of_pair(recording.name, receiver[0], sender, own, of_sender)
    return found


def _of_pair(
    name: str, receiver: str, sender: str, samples: list[data.Sample], seen: dict[int, tuple[int, int]]
) -> Iterator[Window]:
    for (number,), inside in data.grouped(samples, lambda s: (int(s.t_s // data.WINDOW_S),)).items():
        of_window = seen.get(BASE_MINUTE // MINUTES + number)
        levels = tuple(s.rssi - (s.tx_dbm or 0) for s in inside if s.rssi is not None)
        if of_window is None or not levels:
            continue
        metres = [s.distance_m for s in inside if s.distance_m is not None]
        far = statistics.median(metres) if metres else None
        near = None if far is None else far <= data.NEAR_M
        yield Window(name, receiver, sender, number, levels, of_window, near, far)


def evidence(senders: Sequence[Sequence[Sighting]], rule: rules.Rule) -> list[dict[int, tuple[int, int]]]:
    """{block since the epoch: evidence} of each sender, as one receiver's engine has it."""
    found: list[dict[int, tuple[int, int]]] = [{} for _ in senders]
    for part in sorted({minute // _PART for own in senders for one in own for minute in (one.minute, one.minute + 15)}):
        context = Context(part)
        for own in senders:
            for one in own:
                context.hear(one.minute, one.adverts, one.levels)
        for own, of_sender in zip(senders, found, strict=True):
            encounter = Encounter(rule, context)
            for one in own:
                encounter.add(part, one.minute, one.tx_dbm, False, one.adverts, one.levels)
            for at in range(BLOCKS):
                seen = encounter.evidence(MORE + at)
                if seen is not None:
                    of_sender[part * BLOCKS + at] = seen
    return found


def sightings(samples: list[data.Sample]) -> Iterator[Sighting]:
    """What a token would keep of one sender, for each quarter of an hour."""
    for (quarter,), inside in data.grouped(samples, lambda s: (int(s.t_s // 900),)).items():
        best: dict[int, int] = {}
        for sample in inside:
            minute = int(sample.t_s // 60) % 15
            code = sighting.level_code(127 if sample.rssi is None else sample.rssi)
            best[minute] = max(code, best.get(minute, 0))
        sent = [s.tx_dbm for s in inside if s.tx_dbm is not None]
        sent_dbm = round(statistics.median(sent)) if sent else 0
        yield Sighting(BASE_MINUTE + quarter * 15, sent_dbm, min(255, len(inside)), packed(best))


def packed(codes: dict[int, int]) -> bytes:
    """The 8 bytes of levels of a sighting; codes: minute of the sighting -> 4 bits."""
    return sum(code << 4 * minute for minute, code in codes.items()).to_bytes(8, "little")
