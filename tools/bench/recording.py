# A DP-3T recording (sqlite) as links: burst medians, lines between them, residuals, distances. Knows no bench.
from __future__ import annotations

import bisect
import math
import sqlite3
import statistics
from collections import defaultdict
from contextlib import closing
from pathlib import Path

_BURST_GAP_S = 30.0  # samples further apart belong to two bursts
_HOLD_S = 150.0  # a level is held this long before the first burst and after the last
_MAX_GAP_S = 600.0  # no link across a longer silence
NEAR_M = 2.0


class RecordingError(Exception):
    """The file is not a DP-3T recording; the text says what is wrong."""


class Series:
    """Burst medians over time with a line between them. times_s rising; spans_s: first and last sample of each
    burst.
    """

    def __init__(self, samples: list[tuple[float, float]]) -> None:
        bursts = _bursts(sorted(samples))
        self.times_s = [statistics.fmean(t for t, _ in burst) for burst in bursts]
        self.medians = [statistics.median(v for _, v in burst) for burst in bursts]
        self.spans_s = [(burst[0][0], burst[-1][0]) for burst in bursts]
        self.residuals = [v - m for burst, m in zip(bursts, self.medians, strict=True) for _, v in burst]

    def at(self, t_s: float) -> float | None:
        """The value at t_s, None where the recording says nothing."""
        times = self.times_s
        after = bisect.bisect_right(times, t_s)
        if after == 0:
            return self.medians[0] if self.spans_s[0][0] - t_s <= _HOLD_S else None
        if after == len(times):
            return self.medians[-1] if t_s - self.spans_s[-1][1] <= _HOLD_S else None
        if self.spans_s[after][0] - self.spans_s[after - 1][1] > _MAX_GAP_S:
            return self._near_edge(after, t_s)
        share = (t_s - times[after - 1]) / (times[after] - times[after - 1])
        return self.medians[after - 1] * (1 - share) + self.medians[after] * share

    def _near_edge(self, after: int, t_s: float) -> float | None:
        """In a gap too long to bridge: held at its two edges only."""
        if t_s - self.spans_s[after - 1][1] <= _HOLD_S:
            return self.medians[after - 1]
        return self.medians[after] if self.spans_s[after][0] - t_s <= _HOLD_S else None

    def in_burst(self, t_s: float) -> bool:
        after = bisect.bisect_right(self.spans_s, (t_s + 1.0, float("inf")))
        return after > 0 and self.spans_s[after - 1][1] >= t_s - 1.0


def _bursts(samples: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    bursts: list[list[tuple[float, float]]] = []
    for sample in samples:
        if bursts and sample[0] - bursts[-1][-1][0] <= _BURST_GAP_S:
            bursts[-1].append(sample)
        else:
            bursts.append([sample])
    return bursts


class Recording:
    """levels: (receiver, sender) -> Series of dBm; distances: unordered pair -> Series of metres; seconds from its
    first sample.
    """

    def __init__(self, path: Path) -> None:
        rows = _rows(path)
        self.start_s = min(row[2] for row in rows)
        self.length_s = max(row[2] for row in rows) - self.start_s
        levels: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        distances: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        silent: set[tuple[tuple[str, str], int]] = set()
        told: set[tuple[tuple[str, str], int]] = set()
        for receiver, sender, t, rssi, distance in rows:
            if rssi != 127:
                levels[receiver, sender].append((t - self.start_s, rssi))
            minute = _pair(receiver, sender), int(t - self.start_s) // 60
            (silent if distance is None else told).add(minute)
            if distance is not None:
                distances[_pair(receiver, sender)].append((t - self.start_s, distance))
        self.levels = {pair: Series(samples) for pair, samples in levels.items()}
        self.distances = {pair: Series(samples) for pair, samples in distances.items()}
        self._unknown = silent - told  # pair and minute in which they were heard, and how far away is missing
        self.residuals_db = [r for pair in sorted(self.levels) for r in self.levels[pair].residuals]
        self.people = sorted({name for row in rows for name in row[:2]}, key=lambda n: (len(n), n))

    def level_dbm(self, receiver: str, sender: str, t_s: float) -> float | None:
        series = self.levels.get((receiver, sender))
        return series.at(t_s) if series else None

    def in_burst(self, receiver: str, sender: str, t_s: float) -> bool:
        series = self.levels.get((receiver, sender))
        return series.in_burst(t_s) if series else False

    def distance_m(self, a: str, b: str, t_s: float) -> float | None:
        """Distance of a pair, None where the recording says nothing: there it is outside every score."""
        pair = _pair(a, b)
        series = self.distances.get(pair)
        if series is None or (pair, int(t_s) // 60) in self._unknown:
            return None
        return series.at(t_s)

    def near_s(self, a: str, b: str, near_m: float = NEAR_M) -> tuple[int, int]:
        """(seconds within near_m, seconds for which the distance is known) of a pair, on a one-second grid."""
        values = [self.distance_m(a, b, t) for t in range(int(self.length_s) + 1)]
        known = [v for v in values if v is not None]
        return sum(v <= near_m for v in known), len(known)


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def _rows(path: Path) -> list[tuple[str, str, float, int, float | None]]:
    if not path.is_file():
        raise RecordingError(f"{path}: no such file; name a DP-3T sqlite recording")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            rows = db.execute(
                "SELECT receiver_id, transmitter_id, timestamp, rssi, ground_truth_distance FROM results ORDER BY "
                "timestamp, db_id"
            ).fetchall()
    except sqlite3.Error as error:
        raise RecordingError(f"{path}: not a DP-3T recording ({error})") from error
    if not rows:
        raise RecordingError(f"{path}: the recording holds no sample")
    for number, row in enumerate(rows, 1):
        if not _is_sample(*row):
            raise RecordingError(f"{path}: sample {number} is damaged")
    return rows


def _is_sample(receiver: object, sender: object, t: object, rssi: object, distance: object) -> bool:
    """Types and ranges of one row: SQLite keeps whatever was written."""
    return (
        isinstance(receiver, str)
        and isinstance(sender, str)
        and isinstance(t, int | float)
        and math.isfinite(t)
        and isinstance(rssi, int)
        and -127 <= rssi <= 127
        and (distance is None or (isinstance(distance, int | float) and 0 <= distance < math.inf))
    )
