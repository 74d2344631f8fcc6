"""Owns the ways to judge a 5-minute window: the token's engine, and the baselines that it is held against."""

import math
import statistics
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from emask.encounter import chance, odds
from tools import rule as rules
from tools.exposure import data, judge, stats

_BUCKETS = ((55, 1.0), (63, 0.5))  # dB and weight, as Corona-Warn-App and SwissCovid set them in 2020
_OFFSETS_DB = range(41)


class Method(ABC):
    """score: larger is nearer. near: whether a window is said to be within 2 m. minutes: of it, for the pair's sum."""

    name = ""

    @abstractmethod
    def score(self, window: judge.Window) -> float: ...

    @abstractmethod
    def near(self, window: judge.Window) -> bool: ...

    def minutes(self, window: judge.Window) -> float:
        return judge.MINUTES * float(self.near(window))

    def chance(self, window: judge.Window) -> float | None:
        """Probability that it was near, if the method gives one."""
        return None


class Engine(Method):
    """emask.encounter under a rule; the windows' evidence must have been made under the same rule."""

    name = "engine"

    def __init__(self, rule: rules.Rule) -> None:
        self.rule = rule

    def score(self, window: judge.Window) -> float:
        return float(odds(self.rule, *window.evidence))

    def chance(self, window: judge.Window) -> float:
        return chance(odds(self.rule, *window.evidence)) / 256

    def near(self, window: judge.Window) -> bool:
        return self.chance(window) * 256 >= self.rule.least


class Threshold(Method):
    """One threshold in dBm on one number of the window, set where true less false positives are most in the fit."""

    def __init__(self, name: str, threshold: float) -> None:
        self.name, self.threshold = name, threshold
        self._of = max if name == "strongest RSSI" else statistics.fmean

    @classmethod
    def fitted(cls, name: str, windows: Sequence[judge.Window]) -> "Threshold":
        found = cls(name, 0.0)
        found.threshold = round(_best_cut([found.score(w) for w in windows], [bool(w.near) for w in windows]), 2)
        return found

    def score(self, window: judge.Window) -> float:
        return float(self._of(window.levels))

    def near(self, window: judge.Window) -> bool:
        return self.score(window) >= self.threshold


class Buckets(Method):
    """Exposure Notification's buckets: each sample weighs 1 up to 55 dB, 0.5 up to 63 dB. Since nobody knows what these
    phones really sent, one calibration in dB is fitted, which the apps had from a table: in favour of the baseline.
    """

    name = "GAEN buckets"

    def __init__(self, offset_db: int) -> None:
        self.offset_db = offset_db

    @classmethod
    def fitted(cls, windows: Sequence[judge.Window]) -> "Buckets":
        near = [bool(w.near) for w in windows]
        return max((cls(o) for o in _OFFSETS_DB), key=lambda m: stats.auc([m.score(w) for w in windows], near) or 0.0)

    def score(self, window: judge.Window) -> float:
        return statistics.fmean(self._weight(-level - self.offset_db) for level in window.levels)

    @staticmethod
    def _weight(attenuation_db: float) -> float:
        return next((weight for edge, weight in _BUCKETS if attenuation_db <= edge), 0.0)

    def near(self, window: judge.Window) -> bool:
        return self.score(window) >= 0.5

    def minutes(self, window: judge.Window) -> float:
        return judge.MINUTES * self.score(window)


class LogDistance(Method):
    """The mean RSSI as a distance: log10 d is a line of the mean in dBm, by least squares."""

    name = "log-distance"

    def __init__(self, at_0_dbm: float, per_db: float) -> None:
        self.at_0_dbm, self.per_db = at_0_dbm, per_db

    @classmethod
    def fitted(cls, windows: Sequence[judge.Window]) -> "LogDistance":
        means = [statistics.fmean(w.levels) for w in windows]
        logs = [math.log10(max(0.1, w.distance_m or 0.1)) for w in windows]
        slope, start = np.polyfit(means, logs, 1) if len(set(means)) > 1 else (-0.05, -4.0)
        return cls(round(float(start), 4), round(float(slope), 5))

    def metres(self, window: judge.Window) -> float:
        return float(10 ** (self.at_0_dbm + self.per_db * statistics.fmean(window.levels)))

    def score(self, window: judge.Window) -> float:
        return -self.metres(window)

    def near(self, window: judge.Window) -> bool:
        return self.metres(window) <= data.NEAR_M


def _best_cut(scores: Sequence[float], near: Sequence[bool]) -> float:
    values, truth = np.asarray(scores, float), np.asarray(near, bool)
    cuts = np.unique(values)
    gains = [(values[truth] >= cut).mean() - (values[~truth] >= cut).mean() for cut in cuts]
    return float(cuts[int(np.argmax(gains))])


def baselines(windows: Sequence[judge.Window]) -> list[Method]:
    """All baselines, fitted on these windows (all with a known distance, near and far among them)."""
    return [
        Threshold.fitted("mean RSSI", windows),
        Threshold.fitted("strongest RSSI", windows),
        Buckets.fitted(windows),
        LogDistance.fitted(windows),
    ]


def to_plain(methods: Sequence[Method]) -> dict:
    """The baselines' parameters for a file; `from_plain` reads them."""
    plain: dict = {}
    for method in methods:
        if isinstance(method, Threshold):
            plain[method.name] = {"threshold": method.threshold}
        elif isinstance(method, Buckets):
            plain[method.name] = {"offset_db": method.offset_db}
        elif isinstance(method, LogDistance):
            plain[method.name] = {"at_0_dbm": method.at_0_dbm, "per_db": method.per_db}
    return plain


def from_plain(plain: dict) -> list[Method]:
    """The baselines of `to_plain`; KeyError or TypeError if it is something else."""
    return [
        *(Threshold(name, plain[name]["threshold"]) for name in ("mean RSSI", "strongest RSSI")),
        Buckets(plain["GAEN buckets"]["offset_db"]),
        LogDistance(**plain["log-distance"]),
    ]
