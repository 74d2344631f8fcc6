"""Owns how well methods decide on recordings: windows, pairs, intervals by bootstrap over people. Prints nothing."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools import rule as rules
from tools.exposure import bound, data, judge, methods, stats

_CALIBRATION_BINS = 8
MEASURES = ("auc", "precision", "recall", "minutes_mae", "pair_precision", "pair_recall")


@dataclass(frozen=True)
class Pair:
    """One directed pair over a whole recording. rule_minutes: 15, or half of what the recording lasts if shorter."""

    recording: str
    receiver: str
    sender: str
    true_minutes: float
    minutes: float
    rule_minutes: float


@dataclass
class Table:
    """All windows and pairs as one method judges them, as arrays."""

    method: methods.Method
    scores: stats.Array
    said: np.ndarray
    near: np.ndarray
    pairs: list[Pair]

    def __post_init__(self) -> None:
        self.errors = np.array([abs(p.minutes - p.true_minutes) for p in self.pairs])
        self.pair_truth = np.array([p.true_minutes >= p.rule_minutes for p in self.pairs], bool)
        self.pair_said = np.array([p.minutes >= p.rule_minutes for p in self.pairs], bool)


def pairs(windows: Sequence[judge.Window], method: methods.Method) -> list[Pair]:
    """Minutes within 2 m of each directed pair: true ones, and by the method; each window stands for five."""
    last: dict[str, int] = {}
    for window in windows:
        last[window.recording] = max(last.get(window.recording, 0), window.number + 1)
    found: dict[tuple[str, str, str], list[judge.Window]] = {}
    for window in windows:
        found.setdefault(window.pair, []).append(window)
    return [
        Pair(
            *pair,
            sum(judge.MINUTES * bool(w.near) for w in own),
            sum(method.minutes(w) for w in own),
            min(15.0, judge.MINUTES * last[pair[0]] / 2),
        )
        for pair, own in found.items()
    ]


def table(windows: Sequence[judge.Window], method: methods.Method) -> Table:
    """The method's judgement of windows with a known distance."""
    return Table(
        method,
        np.array([method.score(w) for w in windows], float),
        np.array([method.near(w) for w in windows], bool),
        np.array([w.near for w in windows], bool),
        pairs(windows, method),
    )


def measures(judged: Table, windows: stats.Array, of_pairs: stats.Array) -> dict[str, float | None]:
    """All measures, each window and pair counted by its weight."""
    found = {"auc": stats.weighted_auc(judged.scores, judged.near, windows)}
    found["precision"], found["recall"] = _weighted(judged.said, judged.near, windows)
    found["minutes_mae"] = _divided(float(judged.errors @ of_pairs), float(of_pairs.sum()))
    found["pair_precision"], found["pair_recall"] = _weighted(judged.pair_said, judged.pair_truth, of_pairs)
    return found


def _weighted(said: np.ndarray, truth: np.ndarray, weights: stats.Array) -> tuple[float | None, float | None]:
    right = float(weights[said & truth].sum())
    return _divided(right, float(weights[said].sum())), _divided(right, float(weights[truth].sum()))


def _divided(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def recall_at(judged: Table, precision: float | None, weights: stats.Array) -> float | None:
    """The most recall that some threshold gives at no less than this precision."""
    near = float(weights[judged.near].sum())
    if precision is None or not near:
        return None
    order = np.argsort(-judged.scores, kind="stable")
    values = judged.scores[order]
    ends = np.flatnonzero(np.r_[values[1:] != values[:-1], True])
    hits = np.cumsum(np.where(judged.near[order], weights[order], 0.0))[ends]
    every = np.cumsum(weights[order])[ends]
    good = hits >= precision * every - 1e-9
    return float(hits[good].max() / near) if (good & (every > 0)).any() else 0.0


class Draws:
    """Weights for windows and pairs when people are drawn anew; people of one name are one person."""

    def __init__(self, windows: Sequence[judge.Window], of_pairs: Sequence[Pair], rounds: int, seed: int) -> None:
        names = sorted({n for w in windows for n in (w.receiver, w.sender)})
        at = {name: index for index, name in enumerate(names)}
        self._windows = np.array([(at[w.receiver], at[w.sender]) for w in windows])
        self._pairs = np.array([(at[p.receiver], at[p.sender]) for p in of_pairs])
        generator = np.random.default_rng(seed)
        self._draws = [
            np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names)).astype(float)
            for _ in range(rounds)
        ]

    def __iter__(self):
        for drawn in self._draws:
            yield tuple(drawn[rows[:, 0]] * drawn[rows[:, 1]] for rows in (self._windows, self._pairs))


def evaluate(
    recordings: Sequence[data.Recording],
    rule: rules.Rule,
    baselines: Sequence[methods.Method],
    rounds: int = 300,
    seed: int = 1,
    tick: Callable[[], None] = lambda: None,
) -> dict:
    """The whole result as a plain dict: at the full rate on top, the same under `thinned`. See docs/EXPOSURE."""
    full = _at_rate(recordings, rule, baselines, rounds, seed, tick)
    thin = _at_rate([data.thinned(r, seed) for r in recordings], rule, baselines, rounds, seed, tick)
    about = [
        {
            "name": r.name,
            "samples": len(r.samples),
            "skipped_rows": r.skipped,
            "people": len(r.people),
            "minutes": round(r.length_s / 60, 1),
            "without_rssi": sum(s.rssi is None for s in r.samples),
            "without_distance": sum(s.distance_m is None for s in r.samples),
        }
        for r in recordings
    ]
    how = {"rule": rule._asdict(), "bootstrap": {"rounds": rounds, "seed": seed}}
    return {**full, "thinned": thin, "recordings": about, **how}


class EvaluationError(Exception):
    """Nothing in the recordings can be judged; the text says why."""


def known(recordings: Sequence[data.Recording], rule: rules.Rule) -> list[judge.Window]:
    """All windows with a level and a true distance; EvaluationError if there is none."""
    found = [w for r in recordings for w in judge.windows(r, rule) if w.near is not None]
    if not found:
        raise EvaluationError("no 5-minute window has both a level and a true distance")
    return found


def _at_rate(
    recordings: Sequence[data.Recording],
    rule: rules.Rule,
    baselines: Sequence[methods.Method],
    rounds: int,
    seed: int,
    tick: Callable[[], None],
) -> dict:
    windows = known(recordings, rule)
    judged = [table(windows, m) for m in (methods.Engine(rule), *baselines)]
    found = _summed(judged, Draws(windows, judged[0].pairs, rounds, seed), tick)
    found["calibration"] = calibration(windows, methods.Engine(rule))
    found["oracle_auc"] = _round(bound.oracle_auc(windows))
    found["per_recording"] = {}
    for recording in recordings:
        own = [w for w in windows if w.recording == recording.name]
        if own:
            tables = [table(own, m) for m in (methods.Engine(rule), *baselines)]
            found["per_recording"][recording.name] = _summed(tables, Draws(own, tables[0].pairs, rounds, seed), tick)
    return found


def _summed(judged: list[Table], draws: Draws, tick: Callable[[], None]) -> dict:
    """Engine's measures on top, the baselines' beside them, intervals, and the gain over the best baseline."""
    engine, others = judged[0], judged[1:]
    ones = np.ones(len(engine.near)), np.ones(len(engine.pairs))
    plain = [measures(one, *ones) for one in judged]
    best = max(range(len(others)), key=lambda i: plain[1 + i]["auc"] or 0.0)
    spread: list[dict[str, list[float]]] = [{m: [] for m in MEASURES} for _ in judged]
    gains: dict[str, list[float]] = {"auc": [], "recall": []}
    for weights in draws:
        drawn = [measures(one, *weights) for one in judged]
        for kept, values in zip(spread, drawn, strict=True):
            for name, value in values.items():
                if value is not None:
                    kept[name].append(value)
        auc, recall = _gain(engine, drawn[0], drawn[1 + best], weights[0])
        for name, value in (("auc", auc), ("recall", recall)):
            if value is not None:
                gains[name].append(value)
    tick()
    auc, recall = _gain(engine, plain[0], plain[1 + best], ones[0])
    return {
        "pairs": len(engine.pairs),
        "windows": len(engine.near),
        "windows_near": int(engine.near.sum()),
        "pairs_near": int(engine.pair_truth.sum()),
        **_rounded(plain[0]),
        "intervals": _intervals(spread[0]),
        "baselines": {
            table.method.name: {**_rounded(values), "intervals": _intervals(kept)}
            for table, values, kept in zip(others, plain[1:], spread[1:], strict=True)
        },
        "gain": {
            "best_baseline": others[best].method.name,
            "auc": _round(auc),
            "auc_interval": _interval(gains["auc"]),
            "recall_at_its_precision": _round(recall),
            "recall_interval": _interval(gains["recall"]),
        },
    }


def _gain(engine: Table, own: dict, other: dict, weights: stats.Array) -> tuple[float | None, float | None]:
    """(AUC, recall at the other's precision) beyond the other's."""
    auc = None if own["auc"] is None or other["auc"] is None else own["auc"] - other["auc"]
    recall = recall_at(engine, other["precision"], weights)
    return auc, None if recall is None or other["recall"] is None else recall - other["recall"]


def _round(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 4)


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: _round(value) for name, value in values.items()}


def _interval(values: list[float]) -> list[float] | None:
    if len(values) < 20:
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def _intervals(kept: dict[str, list[float]]) -> dict[str, list[float] | None]:
    return {name: _interval(values) for name, values in kept.items()}


def calibration(windows: Sequence[judge.Window], engine: methods.Engine) -> list[dict]:
    """Windows in order of the engine's probability, in bins of equal number: said, true share, how many."""
    rows = sorted((engine.chance(w), bool(w.near)) for w in windows)
    size = max(1, math.ceil(len(rows) / _CALIBRATION_BINS))
    bins = [rows[at : at + size] for at in range(0, len(rows), size)]
    return [
        {
            "said": round(statistics.fmean(r[0] for r in part), 4),
            "true": round(statistics.fmean(r[1] for r in part), 4),
            "windows": len(part),
        }
        for part in bins
    ]
