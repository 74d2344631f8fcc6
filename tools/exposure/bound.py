"""Owns a bound on what the recordings carry: an oracle that knows how strongly each person hears and is heard.

Its offsets are fitted with the true distances, on the very windows that it is judged on: no token can know them.
"""

import math
from collections.abc import Sequence

import numpy as np

from tools.exposure import judge, stats


def oracle_auc(windows: Sequence[judge.Window]) -> float | None:
    """AUC of each window's strongest sample, less the receiver's and the sender's true offsets."""
    people: dict[tuple[str, str, bool], int] = {}
    table = np.zeros((len(windows), 2 + 2 * len(_names(windows))))
    for row, window in enumerate(windows):
        table[row, :2] = 1.0, math.log10(max(0.3, window.distance_m or 0.3))
        for name, hears in ((window.receiver, True), (window.sender, False)):
            table[row, 2 + people.setdefault((window.recording, name, hears), len(people))] = 1.0
    strongest = np.array([max(window.levels) for window in windows], float)
    ridge = np.diag([1e-6, 1e-6] + [1.0] * (table.shape[1] - 2))
    found = np.linalg.solve(table.T @ table + ridge, table.T @ strongest)
    return stats.auc(strongest - table[:, 2:] @ found[2:], [bool(window.near) for window in windows])


def _names(windows: Sequence[judge.Window]) -> set[tuple[str, str]]:
    return {(w.recording, name) for w in windows for name in (w.receiver, w.sender)}
