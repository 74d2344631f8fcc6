"""Owns the study behind the sighting record: what a few bytes per identifier and slot can still say. Prints nothing.

Each layout writes a slot of samples into the fields that its bytes allow, quantized as they would be, and reads them
back as one view per minute. From these views every layout is judged alike: three features of a 5-minute window (mean,
strongest, log of the count), a logistic fit, the AUC for "was within 2 m" on what the fit has not seen.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emask import sighting
from tools.exposure import data, stats

SLOT_MINUTES = 15
_WINDOW_MINUTES = data.WINDOW_S // 60
_ROUNDS = 200
_VERSION_1 = "whole slot"
_ALIGNMENTS_MIN = (0, 2, 5, 7, 10, 12)  # where the recording begins within a slot

# minute of the slot -> its levels in dBm
Minutes = dict[int, list[int]]
# minute -> (mean level, strongest level, adverts)
Views = dict[int, tuple[float, float, float]]


@dataclass(frozen=True)
class Layout:
    """One candidate: its bytes in all, 22 of them the lead, identifier, segment, first minute and TX power."""

    name: str
    size: int
    what: str
    read: Callable[[Minutes], Views]


@dataclass(frozen=True)
class Window:
    """One 5-minute window of a directed pair: features as one layout gives them, and the truth."""

    pair: tuple[str, str]
    features: tuple[float, ...]
    near: bool


def _flat(minutes: Minutes) -> list[int]:
    return [level for levels in minutes.values() for level in levels]


def _spread(minutes: Sequence[int], mean: float, strongest: float, count: float) -> Views:
    return {minute: (mean, strongest, count / len(minutes)) for minute in minutes}


def _count_code(count: int) -> float:
    """A count in four bits: exact to 4, then by steps of about 1.4; as it reads back."""
    return float(min((c for c in COUNTS), key=lambda c: (abs(c - count), c)))


COUNTS = (0, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181)


def _all(minutes: Minutes) -> Views:
    return {m: (statistics.fmean(v), float(max(v)), float(len(v))) for m, v in minutes.items()}


def _whole(minutes: Minutes) -> Views:
    every = _flat(minutes)
    return _spread(list(minutes), round(statistics.fmean(every)), max(every), len(every))


def _whole_without_minutes(minutes: Minutes) -> Views:
    every = _flat(minutes)
    span = range(min(minutes), max(minutes) + 1)
    return _spread(span, round(statistics.fmean(every)), max(every), len(every))


def _median(minutes: Minutes) -> Views:
    every = _flat(minutes)
    return _spread(list(minutes), round(statistics.median(every)), max(every), len(every))


def _histogram(minutes: Minutes) -> Views:
    """Four bins of 2 bytes, as national apps cut them (55, 63, 73 dB), moved by 20 dB to these phones' levels."""
    every = _flat(minutes)
    middles = (-70, -79, -87, -95)
    counts = [0, 0, 0, 0]
    for level in every:
        counts[sum(level < edge for edge in (-75, -83, -91))] += 1
    mean = sum(c * m for c, m in zip(counts, middles, strict=True)) / len(every)
    return _spread(list(minutes), mean, next(m for c, m in zip(counts, middles, strict=True) if c), len(every))


def _thirds(minutes: Minutes, mean_step: int | None) -> Views:
    views: Views = {}
    for third in range(3):
        part = {m: v for m, v in minutes.items() if min(2, (m - min(minutes)) // 5) == third}
        if not part:
            continue
        every = _flat(part)
        strongest = max(every)
        below = min(15, round((strongest - statistics.fmean(every)) / (mean_step or 1)))
        mean = strongest - below * mean_step if mean_step else float(strongest)
        count = _count_code(len(every)) if mean_step else len(part)
        views.update(_spread(list(part), mean, strongest, count))
    return views


def _minute_means(minutes: Minutes) -> Views:
    """Each minute's mean in steps of 4 dB; the slot's strongest and count as they are."""
    strongest, count = max(_flat(minutes)), len(_flat(minutes))
    levels = {m: _coded(statistics.fmean(v)) for m, v in minutes.items()}
    top = max(levels.values())
    return {m: (level, strongest if level == top else level, count / len(minutes)) for m, level in levels.items()}


def _minute_strongest(minutes: Minutes) -> Views:
    """Each minute's strongest in steps of 4 dB, by the token's own code; the slot's count as it is."""
    count = min(255, len(_flat(minutes)))
    levels = {m: float(sighting.level_dbm(sighting.level_code(max(v)))) for m, v in minutes.items()}
    return {m: (level, level, count / len(minutes)) for m, level in levels.items()}


def _coded(level: float) -> float:
    return float(sighting.level_dbm(sighting.level_code(round(level))))


LAYOUTS = (
    Layout("every sample", 0, "the bound: nothing is left out", _all),
    Layout("whole slot", 28, "count, strongest, mean, 16 minute bits: version 1", _whole),
    Layout("whole slot, median", 28, "the same with the median for the mean", _median),
    Layout("whole slot, no minutes", 27, "count, strongest, mean, length", _whole_without_minutes),
    Layout("four bins", 32, "a histogram of 4 counts, 16 minute bits", _histogram),
    Layout("thirds, strongest", 27, "strongest of each 5 minutes, 16 minute bits", lambda m: _thirds(m, None)),
    Layout("thirds", 30, "strongest, mean, count of each 5 minutes, 16 minute bits", lambda m: _thirds(m, 1)),
    Layout("minutes, mean", 32, "mean of each minute in 4 dB, strongest, count", _minute_means),
    Layout("minutes, strongest", 32, "strongest of each minute in 4 dB, mean, count: version 2", _minute_strongest),
)


def windows(recording: data.Recording, layout: Layout, begin_min: int) -> list[Window]:
    """All windows of a recording that begins `begin_min` minutes into a slot, as the layout lets them be seen."""
    known = [s for s in recording.samples if s.rssi is not None]
    found = []
    for pair, samples in data.grouped(known, lambda s: (s.receiver, s.sender)).items():
        views = _views(samples, layout, begin_min)
        for (number,), inside in data.grouped(samples, lambda s: (int(s.t_s // data.WINDOW_S),)).items():
            distances = [s.distance_m for s in inside if s.distance_m is not None]
            first = begin_min + number * _WINDOW_MINUTES
            seen = [views[m] for m in range(first, first + _WINDOW_MINUTES) if m in views]
            if distances and seen:
                near = statistics.median(distances) <= data.NEAR_M
                found.append(Window((pair[0], pair[1]), _features(seen), near))
    return found


def _views(samples: list[data.Sample], layout: Layout, begin_min: int) -> Views:
    slots: dict[int, Minutes] = {}
    for sample in samples:
        if sample.rssi is not None:
            minute = begin_min + int(sample.t_s // 60)
            slots.setdefault(minute // SLOT_MINUTES, {}).setdefault(minute % SLOT_MINUTES, []).append(sample.rssi)
    return {
        slot * SLOT_MINUTES + minute: view
        for slot, minutes in slots.items()
        for minute, view in layout.read(minutes).items()
    }


def _features(seen: list[tuple[float, float, float]]) -> tuple[float, ...]:
    count = sum(view[2] for view in seen)
    mean = sum(view[0] * view[2] for view in seen) / count
    return mean, max(view[1] for view in seen), math.log(max(count, 0.1))


STEPS = 4 * len(LAYOUTS)  # calls of tick in a study

# Windows and their scores by fits on other recordings, of all recordings and alignments.
Scored = list[tuple[list[Window], stats.Array]]


def study(recordings: Sequence[data.Recording], tick: Callable[[], None] = lambda: None) -> list[dict]:
    """One row per layout: AUC by event (fit on the other recordings) and by person (fit without the pair's two), the
    error of a pair's minutes by event, the AUC's gain over version 1 with its 95 % interval, and the same thinned to a
    token's schedule; each the mean over recordings and alignments.
    """
    rows: list[dict] = [{"layout": one.name, "bytes": one.size or None, "what": one.what} for one in LAYOUTS]
    for label, sets in (("full", recordings), ("thinned", [data.thinned(r) for r in recordings])):
        scored = []
        for layout, row in zip(LAYOUTS, rows, strict=True):
            scored.append(_judge(sets, layout, label, row))
            tick()
        old = scored[[layout.name for layout in LAYOUTS].index(_VERSION_1)]
        for new, row in zip(scored, rows, strict=True):
            row[f"{label}_gain"] = None if new is old else _gain(new, old)
            tick()
    return rows


def _judge(sets: Sequence[data.Recording], layout: Layout, label: str, row: dict) -> Scored:
    by_event: Scored = []
    by_person: list[float | None] = []
    for begin_min in _ALIGNMENTS_MIN:
        tables = [windows(r, layout, begin_min) for r in sets]
        by_event += _by_event(tables)
        by_person += _by_person(tables)
    row[f"{label}_by_event"] = _mean([stats.auc(scores, _table(rows)[1]) for rows, scores in by_event])
    row[f"{label}_by_person"] = _mean(by_person)
    row[f"{label}_minutes_mae"] = _mean([_minutes_mae(rows, scores) for rows, scores in by_event])
    return by_event


def _gain(new: Scored, old: Scored) -> list[float] | None:
    """95 % interval of the mean gain in AUC by event, people drawn anew."""
    sizes = np.cumsum([len(rows) for rows, _ in new])[:-1]
    pairs = [window.pair for rows, _ in new for window in rows]
    truths = [_table(rows)[1] for rows, _ in new]

    def measure(weights: stats.Array) -> float | None:
        gains = []
        for (_, a), (_, b), near, w in zip(new, old, truths, np.split(weights, sizes), strict=True):
            better, worse = stats.weighted_auc(a, near, w), stats.weighted_auc(b, near, w)
            if better is not None and worse is not None:
                gains.append(better - worse)
        return statistics.fmean(gains) if gains else None

    return stats.bootstrap(pairs, measure, _ROUNDS, 1)


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return round(statistics.fmean(known), 4) if known else None


def _table(rows: list[Window]) -> tuple[stats.Array, np.ndarray]:
    return np.array([w.features for w in rows], float), np.array([w.near for w in rows], bool)


def _by_event(tables: list[list[Window]]) -> Scored:
    """Each recording's windows with the scores of a fit on the others."""
    found: Scored = []
    for index, unseen in enumerate(tables):
        rest = [w for at, t in enumerate(tables) if at != index for w in t]
        if rest and unseen:
            found.append((unseen, stats.Logistic(*_table(rest))(_table(unseen)[0])))
    return found


def _minutes_mae(rows: list[Window], scores: stats.Array) -> float:
    """Mean error of the minutes within 2 m of a directed pair, each window counted by its probability."""
    gaps: dict[tuple[str, str], float] = {}
    for window, score in zip(rows, scores, strict=True):
        gap = _WINDOW_MINUTES * (1 / (1 + math.exp(-score)) - window.near)
        gaps[window.pair] = gaps.get(window.pair, 0.0) + gap
    return statistics.fmean(abs(gap) for gap in gaps.values())


def _by_person(tables: list[list[Window]]) -> list[float | None]:
    """Within each recording: people in five groups, each pair scored by a fit that saw neither group of its two."""
    found = []
    for rows in tables:
        names = sorted({name for w in rows for name in w.pair}, key=lambda n: (len(n), n))
        group = {name: index % 5 for index, name in enumerate(names)}
        scores = np.zeros(len(rows))
        features, near = _table(rows)
        pairs = np.array([[group[w.pair[0]], group[w.pair[1]]] for w in rows])
        for one in range(5):
            for other in range(one, 5):
                held = (np.sort(pairs, axis=1) == (one, other)).all(axis=1)
                fit = ~np.isin(pairs, (one, other)).any(axis=1)
                if held.any() and near[fit].any() and not near[fit].all():
                    scores[held] = stats.Logistic(features[fit], near[fit])(features[held])
        found.append(stats.auc(scores, near))
    return found
