"""Owns recordings as a token would have kept them: sightings into emask.exposure, evidence out, window by window."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from emask import rule as rules
from emask import sighting
from emask.exposure import Exposure
from tools.exposure import data

_BASE_MINUTE = 20_660 * 1440 + 720  # noon of a day: recordings have no date that matters
_BLOCK = 5
REF_DBM = -80
MINUTES = data.WINDOW_S // 60


@dataclass(frozen=True)
class Window:
    """One 5-minute window of a directed pair. levels: dBm of the samples, as if sent with 0 dBm. evidence: what the
    token's engine makes of it. near: the median of the true distances is within 2 m, None if there is none."""

    recording: str
    receiver: str
    sender: str
    number: int
    levels: tuple[int, ...]
    evidence: tuple[int, int | None, int]
    near: bool | None
    distance_m: float | None

    @property
    def pair(self) -> tuple[str, str, str]:
        return self.recording, self.receiver, self.sender


def windows(recording: data.Recording, rule: rules.Rule) -> list[Window]:
    """Every window in which a level was heard, with the evidence under this rule."""
    end = _BASE_MINUTE + int(recording.length_s // 60) + 1
    found: list[Window] = []
    for receiver, samples in data.grouped(recording.samples, lambda s: (s.receiver,)).items():
        senders = list(data.grouped(samples, lambda s: (s.sender,)).items())
        engine = _engine([own for _, own in senders], rule)
        for number, ((sender,), own) in enumerate(senders):
            found += _of_pair(recording.name, receiver[0], sender, own, engine.evidence(number, _BASE_MINUTE, end))
    return found


def _of_pair(
    name: str, receiver: str, sender: str, samples: list[data.Sample], evidence: dict[int, tuple[int, int | None, int]]
) -> Iterator[Window]:
    for (number,), inside in data.grouped(samples, lambda s: (int(s.t_s // data.WINDOW_S),)).items():
        seen = evidence.get(_BASE_MINUTE // _BLOCK + number)
        levels = tuple(s.rssi - (s.tx_dbm or 0) for s in inside if s.rssi is not None)
        if seen is None or not levels:
            continue
        metres = [s.distance_m for s in inside if s.distance_m is not None]
        far = statistics.median(metres) if metres else None
        yield Window(name, receiver, sender, number, levels, seen, None if far is None else far <= data.NEAR_M, far)


def _engine(senders: list[list[data.Sample]], rule: rules.Rule) -> Exposure:
    """The engine of one receiver; the records are its senders."""
    engine = Exposure(rule)
    heard = [list(sightings(samples)) for samples in senders]
    for record, found in enumerate(heard):
        for minute, tx_dbm, levels in found:
            engine.hit(record, minute // 15, minute, tx_dbm, levels)
    for take in (engine.context.hear, engine.context.compare):
        for found in heard:
            for minute, _, levels in found:
                take(minute, levels)
    return engine


def sightings(samples: list[data.Sample]) -> Iterator[tuple[int, int, bytes]]:
    """(UTC minute, TX power in dBm, 8 bytes of levels) of one identifier for each quarter of an hour."""
    for (quarter,), inside in data.grouped(samples, lambda s: (int(s.t_s // 900),)).items():
        best: dict[int, int] = {}
        for sample in inside:
            minute = int(sample.t_s // 60) % 15
            code = sighting.level_code(127 if sample.rssi is None else sample.rssi)
            best[minute] = max(code, best.get(minute, 0))
        levels = bytearray(8)
        for minute, code in best.items():
            levels[minute >> 1] |= code << 4 * (minute & 1)
        sent = [s.tx_dbm for s in inside if s.tx_dbm is not None]
        yield _BASE_MINUTE + quarter * 15, round(statistics.median(sent)) if sent else 0, bytes(levels)
