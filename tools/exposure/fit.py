"""Owns the fit of the rule's weights from recordings, and its cross-validation. Few parameters on purpose.

Fitted: bias, slope, adverts (a logistic regression) and share (of four values). Everything else in the rule is set by
hand and stays as it is; a block counts from a probability of one half on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools import rule as rules
from tools.exposure import data, judge, methods, stats

_SHARES = (0, 64, 128, 192)
_ADVERTS_MOST_DB = 3  # a doubling of the adverts weighs at most so much: few are heard in a token's window
_GROUPS = 5


class FitError(Exception):
    """The recordings can't carry a fit; the text says why."""


@dataclass(frozen=True)
class Fit:
    """A rule, the baselines that were fitted on the same windows, and the windows' log loss."""

    rule: rules.Rule
    baselines: list[methods.Method]
    loss: float
    windows: int


# What the fit may see: windows by share, in the same order for each.
Tables = dict[int, list[judge.Window]]


def tables(recordings: Sequence[data.Recording]) -> Tables:
    """Windows with a known distance, at the full rate and thinned, under each share that the fit tries."""
    both = [r for recording in recordings for r in (recording, data.thinned(recording))]
    return {
        share: [w for r in both for w in judge.windows(r, rules.DEFAULT._replace(share=share)) if w.near is not None]
        for share in _SHARES
    }


def fitted(seen: Tables) -> Fit:
    """The best rule for these windows."""
    near = np.array([w.near for w in seen[_SHARES[0]]], bool)
    if near.all() or not near.any():
        raise FitError("a fit needs windows within 2 m and others")
    loss, rule = min((_weights(seen[share], near, share) for share in _SHARES), key=lambda found: found[0])
    windows = seen[rule.share]
    return Fit(rule, methods.baselines(windows), loss, len(windows))


def _weights(windows: list[judge.Window], near: np.ndarray, share: int) -> tuple[float, rules.Rule]:
    features = np.array([_features(w) for w in windows], float)
    model = stats.Logistic(features, near)
    if model.weights[1] < 0:  # to be heard more often never speaks against being near
        model = stats.Logistic(features[:, :1], near)
        model.weights = np.array([model.weights[0], 0.0])
    elif model.weights[1] > _ADVERTS_MOST_DB * model.weights[0]:
        model = stats.Logistic(features[:, :1] + _ADVERTS_MOST_DB * features[:, 1:], near)
        model.weights = np.array([model.weights[0], _ADVERTS_MOST_DB * model.weights[0]])
    rule = rules.DEFAULT._replace(
        bias=round(max(-4000, min(4000, model.bias * 256))),
        slope=round(max(0, min(2000, model.weights[0] * 1024))),
        adverts=round(max(0, min(255, model.weights[1] * 256))),
        share=share,
    )
    odds = features @ model.weights + model.bias
    return float(np.logaddexp(0, np.where(near, -odds, odds)).mean()), rule


def _features(window: judge.Window) -> tuple[float, float]:
    level, more = window.evidence
    return level - judge.REF_DBM, more / 16


def by_event(recordings: Sequence[data.Recording], tick: Callable[[], None]) -> list[dict]:
    """Each recording judged by a fit on the others."""
    own = [tables([recording]) for recording in recordings]
    found = []
    for index, recording in enumerate(recordings):
        rest = {share: [w for at, t in enumerate(own) if at != index for w in t[share]] for share in _SHARES}
        if rest[0]:
            found.append({"unseen": recording.name, **_judged(fitted(rest), own[index])})
        tick()
    return found


def by_person(seen: Tables, tick: Callable[[], None]) -> dict:
    """Every window judged by a fit that saw neither of its two people (people in five groups)."""
    names = sorted({n for w in seen[0] for n in (w.receiver, w.sender)}, key=lambda n: (len(n), n))
    group = {name: index % _GROUPS for index, name in enumerate(names)}
    sides = np.array([sorted((group[w.receiver], group[w.sender])) for w in seen[0]])
    near = np.array([w.near for w in seen[0]], bool)
    old: dict[str, np.ndarray] = {}
    for one in range(_GROUPS):
        for other in range(one, _GROUPS):
            held = np.flatnonzero((sides == (one, other)).all(axis=1))
            kept = np.flatnonzero(~np.isin(sides, (one, other)).any(axis=1))
            if len(held) and near[kept].any() and not near[kept].all():
                fit = fitted({share: [rows[at] for at in kept] for share, rows in seen.items()})
                for method in (methods.Engine(fit.rule), *fit.baselines):
                    scores = old.setdefault(method.name, np.zeros(len(near)))
                    scores[held] = [method.score(seen[fit.rule.share][at]) for at in held]
            tick()
    return {name: round(stats.auc(scores, near) or 0.0, 4) for name, scores in old.items()}


BY_PERSON_STEPS = _GROUPS * (_GROUPS + 1) // 2


def _judged(fit: Fit, unseen: Tables) -> dict:
    windows = unseen[fit.rule.share]
    near = [bool(w.near) for w in windows]
    ways = (methods.Engine(fit.rule), *fit.baselines)
    scores = {m.name: stats.auc([m.score(w) for w in windows], near) for m in ways}
    return {"rule": fit.rule._asdict(), "auc": {n: None if s is None else round(s, 4) for n, s in scores.items()}}
