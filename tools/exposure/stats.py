"""Owns the arithmetic of judging: AUC, logistic fit, bootstrap over people, ROC. Plain numpy; knows no recording."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def auc(scores: Sequence[float] | Array, truth: Sequence[bool] | NDArray[np.bool_]) -> float | None:
    """Probability that a true case scores above a false one, ties counting half; None if there is only one kind."""
    values, labels = np.asarray(scores, float), np.asarray(truth, bool)
    near, far = int(labels.sum()), int((~labels).sum())
    if not near or not far:
        return None
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[labels].sum() - near * (near + 1) / 2) / (near * far))


class Logistic:
    """Logistic regression with a ridge on standardized features; `weights` are for the features as they come."""

    def __init__(self, features: Array, truth: NDArray[np.bool_], ridge: float = 1.0) -> None:
        mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
        table = np.c_[np.ones(len(features)), (features - mean) / spread]
        penalty = ridge * np.diag([1e-6] + [1.0] * features.shape[1])
        found = np.zeros(table.shape[1])
        for _ in range(30):
            chance = 1 / (1 + np.exp(-np.clip(table @ found, -30, 30)))
            slope = table.T @ (chance - truth) + penalty @ found
            bend = (table * (chance * (1 - chance))[:, None]).T @ table + penalty
            step = np.linalg.solve(bend, slope)
            found -= step
            if np.abs(step).max() < 1e-8:
                break
        self.weights = found[1:] / spread
        self.bias = float(found[0] - self.weights @ mean)

    def __call__(self, features: Array) -> Array:
        return features @ self.weights + self.bias


def bootstrap(
    people: Sequence[tuple[str, str]], measure: Callable[[Array], float | None], rounds: int, seed: int
) -> list[float] | None:
    """95 % interval of `measure(weights)` when people are drawn anew: a row counts as often as both its people do.

    people: the two of each row. None if fewer than half of the draws can be measured.
    """
    names = sorted({name for pair in people for name in pair})
    at = {name: index for index, name in enumerate(names)}
    ones = np.array([at[a] for a, _ in people])
    others = np.array([at[b] for _, b in people])
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        drawn = np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names)).astype(float)
        value = measure(drawn[ones] * drawn[others])
        if value is not None:
            found.append(value)
    if len(found) * 2 < rounds:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return [float(low), float(high)]


def weighted_auc(scores: Array, truth: NDArray[np.bool_], weights: Array) -> float | None:
    """As `auc`, each row counted by its weight."""
    order = np.argsort(scores, kind="stable")
    values, labels, mass = scores[order], truth[order], weights[order]
    near, far = float(mass[labels].sum()), float(mass[~labels].sum())
    if not near or not far:
        return None
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    far_of = np.add.reduceat(np.where(labels, 0.0, mass), starts)
    near_of = np.add.reduceat(np.where(labels, mass, 0.0), starts)
    below = np.cumsum(far_of) - far_of
    return float((near_of * (below + far_of / 2)).sum() / (near * far))


def roc(scores: Array, truth: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    """(false, true) positive shares for each threshold, from none to all."""
    order = np.argsort(-scores, kind="stable")
    values, labels = scores[order], truth[order]
    ends = np.flatnonzero(np.r_[values[1:] != values[:-1], True])
    hits, misses = np.cumsum(labels)[ends], np.cumsum(~labels)[ends]
    return [0.0, *(misses / max(1, misses[-1]))], [0.0, *(hits / max(1, hits[-1]))]
