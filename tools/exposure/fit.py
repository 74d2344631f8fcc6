"""Owns the fit of the rule's weights from recordings, and its cross-validation. Few parameters on purpose.

Fitted: bias, slope, context (a logistic regression), share (of four values) and least (of five). Everything else in the
rule is set by hand and stays as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emask import rule as rules
from tools.exposure import data, evaluate, judge, methods, stats

_SHARES = (0, 64, 128, 192)
_LEASTS = (112, 120, 128, 136, 144)
_CONTEXT_MAX = 3  # the surroundings weigh at most a third of the level itself
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
    rule = min((rule._replace(least=least) for least in _LEASTS), key=lambda r: _decision_error(r, windows))
    return Fit(rule, methods.baselines(windows), loss, len(windows))


def _weights(windows: list[judge.Window], near: np.ndarray, share: int) -> tuple[float, rules.Rule]:
    features = np.array([_features(w) for w in windows], float)
    model = stats.Logistic(features, near)
    if model.weights[1] < 0:  # what is around may only speak for itself: a receiver that sits still does not walk away
        model = stats.Logistic(features[:, :1], near)
        model.weights = np.array([model.weights[0], 0.0])
    elif model.weights[1] > model.weights[0] / _CONTEXT_MAX:
        joined = features[:, :1] + features[:, 1:] / _CONTEXT_MAX
        model = stats.Logistic(joined, near)
        model.weights = np.array([model.weights[0], model.weights[0] / _CONTEXT_MAX])
    rule = rules.DEFAULT._replace(
        bias=round(max(-4000, min(4000, model.bias * 256))),
        slope=round(max(0, min(2000, model.weights[0] * 1024))),
        context=round(max(0, min(255, model.weights[1] * 1024))),
        share=share,
    )
    odds = features @ model.weights + model.bias
    return float(np.logaddexp(0, np.where(near, -odds, odds)).mean()), rule


def _features(window: judge.Window) -> tuple[float, float]:
    level, around, stillness = window.evidence
    low, high = rules.DEFAULT.still_low, rules.DEFAULT.still_high
    weight = max(0, min(stillness, high) - low) / (high - low)
    return level - judge.REF_DBM, 0.0 if around is None else weight * (around - judge.REF_DBM)


def _decision_error(rule: rules.Rule, windows: list[judge.Window]) -> float:
    """Share of pairs that are decided wrongly, misses and false alarms weighed alike."""
    pairs = evaluate.pairs(windows, methods.Engine(rule))
    truth = np.array([p.true_minutes >= p.rule_minutes for p in pairs])
    said = np.array([p.minutes >= p.rule_minutes for p in pairs])
    missed = (truth & ~said).sum() / max(1, truth.sum())
    false = (~truth & said).sum() / max(1, (~truth).sum())
    return float(missed + false)


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
