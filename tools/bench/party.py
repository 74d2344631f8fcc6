# What a recording itself says of contacts: minutes near by distance, and by the token's own engine if every minute's
# recorded level had been heard. Knows no token.
from __future__ import annotations

import statistics
from dataclasses import dataclass

from emask import sighting
from emask.exposure import Exposure
from tools import rule as rules
from tools.bench.recording import Recording
from tools.exposure import judge

_SLOT_MIN = 15
_ADVERTS = 6  # in a token's window


@dataclass(frozen=True)
class Contact:
    """One person beside the case. minutes_near, minutes_known: by distance. minutes_strong: by the recorded levels, as
    a perfect receiver's engine counts them; mean_dbm: their mean over all minutes known, None if unheard."""

    person: str
    minutes_near: float
    minutes_known: float
    minutes_strong: int
    mean_dbm: float | None


def contacts(recording: Recording, receiver: str, rule: rules.Rule, start_utc_s: float) -> dict[str, Contact]:
    """The receiver's contact with each other person. start_utc_s: when the recording begins. Levels are taken as sent
    with 0 dBm."""
    others = [person for person in recording.people if person != receiver]
    levels = {other: _levels(recording, receiver, other) for other in others}
    strong = _strong(list(levels.values()), rule, int(start_utc_s) // 60)
    found = {}
    for other, minutes in zip(others, strong, strict=True):
        near_s, known_s = recording.near_s(receiver, other)
        heard = list(levels[other].values())
        mean = statistics.fmean(heard) if heard else None
        found[other] = Contact(other, near_s / 60, known_s / 60, minutes, mean)
    return found


def _levels(recording: Recording, receiver: str, sender: str) -> dict[int, float]:
    """Minute of the recording -> strongest level in dBm, as a window of six adverts would have it on average."""
    found = {}
    lift_db = _expected_strongest(recording.residuals_db)
    for minute in range(int(recording.length_s) // 60 + 1):
        level = recording.level_dbm(receiver, sender, minute * 60.0)
        if level is not None:
            found[minute] = level + lift_db
    return found


def _expected_strongest(residuals_db: list[float], adverts: int = _ADVERTS) -> float:
    """Mean of the largest of `adverts` draws from these residuals."""
    ordered = sorted(residuals_db)
    count = len(ordered)
    return sum(r * (((at + 1) / count) ** adverts - (at / count) ** adverts) for at, r in enumerate(ordered))


def _strong(levels: list[dict[int, float]], rule: rules.Rule, start_min: int) -> list[int]:
    """Minutes that count, for each sender of one receiver."""
    kept = [_sightings(of_sender, start_min) for of_sender in levels]
    everybody = [one for of_sender in kept for one in of_sender]
    found = []
    for of_sender in kept:
        engine = Exposure(rule._replace(minutes=1))
        for minute, adverts, packed in of_sender:
            engine.hit(0, minute // _SLOT_MIN, minute, 0, adverts, packed)
        for _ in engine.run(lambda part: everybody):
            pass
        found.append(engine.decided[1] if engine.decided else 0)
    return found


def _sightings(levels: dict[int, float], start_min: int) -> list[tuple[int, int, bytes]]:
    """(first UTC minute, adverts, 8 bytes of levels) for each slot in which the sender was heard."""
    slots: dict[int, dict[int, int]] = {}
    for minute, level in levels.items():
        slot, number = divmod(start_min + minute, _SLOT_MIN)
        slots.setdefault(slot, {})[number] = sighting.level_code(round(level))
    return [(slot * _SLOT_MIN, _ADVERTS * len(codes), judge.packed(codes)) for slot, codes in slots.items()]
