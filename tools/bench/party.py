# What a recording itself says of contacts: minutes near by distance, by level, and the level that fits a distance.
# Knows no token.
from __future__ import annotations

import statistics
from dataclasses import dataclass

from tools.bench.recording import NEAR_M, Recording

_SLOT_S = 900
_LEVELS_DBM = range(-100, -50)


@dataclass(frozen=True)
class Contact:
    """One person beside the case. minutes_near, minutes_known: by distance. minutes_strong: by the recorded level as a
    perfect receiver would have written it down, slot by slot; mean_dbm: that level over all minutes known."""

    person: str
    minutes_near: float
    minutes_known: float
    minutes_strong: int
    mean_dbm: float | None


def contact(recording: Recording, receiver: str, case: str, near_db: float, start_utc_s: float) -> Contact:
    """start_utc_s: when the recording begins, for the boundaries of the slots. Levels are taken as sent with 0 dBm."""
    near_s, known_s = recording.near_s(receiver, case)
    slots: dict[int, list[float]] = {}
    for minute in range(int(recording.length_s) // 60 + 1):
        level = recording.level_dbm(receiver, case, minute * 60.0)
        if level is not None:
            slots.setdefault(int(start_utc_s + minute * 60) // _SLOT_S, []).append(level)
    strong = sum(len(levels) for levels in slots.values() if round(statistics.fmean(levels)) >= -near_db)
    every = [level for levels in slots.values() for level in levels]
    return Contact(receiver, near_s / 60, known_s / 60, strong, statistics.fmean(every) if every else None)


def fit_near_db(recording: Recording) -> int:
    """The attenuation (dB, senders taken as 0 dBm) that best tells minutes within 2 m from others on this recording:
    the greatest difference between the shares of near and of far minutes at or above the level (Youden's J)."""
    near: list[float] = []
    far: list[float] = []
    for (receiver, sender), series in sorted(recording.levels.items()):
        for t_s in range(0, int(recording.length_s), 60):
            level = series.at(t_s)
            distance = recording.distance_m(receiver, sender, t_s)
            if level is not None and distance is not None:
                (near if distance <= NEAR_M else far).append(level)
    return -max(_LEVELS_DBM, key=lambda level: (_share(near, level) - _share(far, level), level))


def _share(levels: list[float], least: float) -> float:
    return sum(level >= least for level in levels) / max(1, len(levels))
