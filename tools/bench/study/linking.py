# Who can join two identifiers of one token across a slot's end by the timing of its adverts: ten tokens in a room, an
# observer that hears all of it, and a fit that may use whatever timing shows. Knows no level: that is another's leak.
from __future__ import annotations

from typing import Any

import numpy as np

from emask.schedule import MEETING, Schedule
from tools.bench.study.contact import SLOT_S, Clock, Scene, Token, Window
from tools.exposure import stats

TOKENS = 10
_APART_S = 36_000.0  # since the tokens were told the time: their clocks differ by as much as they may in ten hours
_BOUNDARY_S = 45_000.0
_MINUTE_MS = 60_000.0
FEATURES = (
    *("phase", "announced phase", "drift", "announced drift", "first phase", "last phase", "scatter"),
    *("window", "meeting window", "adverts", "spacing"),
)


def scene(rng: np.random.Generator, most_s: float = 5400) -> tuple[np.ndarray, np.ndarray]:
    """Features of TOKENS identifiers before a slot's end and of the same tokens' after it, in the same order.

    The tokens came together half an hour to most_s before the slot's end.
    """
    tokens = []
    for _ in range(TOKENS):
        plan_maker = Schedule(20)
        plan_maker.confirmed(0)
        tokens.append(Token(plan_maker, Clock(0.0, rng.uniform(-20, 20))))
    seen: list[list[list[Window]]] = [[[], []] for _ in tokens]

    def watch(number: int, window: Window) -> None:
        if window.sent.size and window.start_s > _BOUNDARY_S - SLOT_S:
            seen[number][window.start_s >= _BOUNDARY_S].append(window)

    together_s = float(rng.uniform(1800, most_s))
    play = Scene(tokens, rng, watch=watch)
    play.play(_BOUNDARY_S - together_s, together_s + SLOT_S - 5)
    before, after = (np.array([_features(entry[side]) for entry in seen]) for side in (0, 1))
    return before, after


def _features(windows: list[Window]) -> list[float]:
    """What an observer with a good clock makes of one identifier's windows: FEATURES, times in ms."""
    wide = [window for window in windows if window.plan.kind == MEETING]
    short = [window for window in windows if window.plan.kind != MEETING]
    times = np.array([window.start_s for window in short])
    phase = _phases(np.array([(window.sent[0] + window.sent[-1]) / 2 for window in short]))
    said = np.array([_phases(w.sent + w.fields * 0.01).mean() for w in windows])
    spacing = np.concatenate([np.diff(window.sent) for window in windows]) * 1000
    return [
        *(phase.mean(), said.mean(), _slope(times, phase), _slope(np.array([w.start_s for w in windows]), said)),
        *(phase[:2].mean(), phase[-2:].mean(), phase.std()),
        np.mean([w.sent[-1] - w.sent[0] for w in short]) * 1000,
        np.mean([w.sent[-1] - w.sent[0] for w in wide]) * 1000 if wide else 0.0,
        float(np.mean([w.sent.size for w in short])),
        float(np.median(spacing)),
    ]


def _phases(times_s: np.ndarray) -> np.ndarray:
    return (times_s * 1000 + _MINUTE_MS / 2 - 5000) % _MINUTE_MS - _MINUTE_MS / 2


def _slope(times_s: np.ndarray, values: np.ndarray) -> float:
    return float(np.polyfit((times_s - times_s.mean()) / 60, values, 1)[0]) if times_s.size > 2 else 0.0


def pairs(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """For each of n x n pairs: by how much each feature differs, and how far both are off on one side or on both, in
    units of the room's spread. What all have in common the observer takes off.
    """
    spread = (before.std(axis=0) + after.std(axis=0)) / 2 + 1e-9
    first, then = (before - before.mean(axis=0)) / spread, (after - after.mean(axis=0)) / spread
    gap = np.abs(first[:, None, :] - then[None, :, :])
    product = first[:, None, :] * then[None, :, :]  # negative if what was early comes late
    return np.concatenate([gap, product], axis=2)


def judge(scenes: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Share of identifiers joined rightly, by a fit on one half of the scenes used on the other, both ways, with its
    95 % interval over scenes; chance is one in TOKENS.
    """
    tables = [pairs(before, after) for before, after in scenes]
    half = len(tables) // 2
    right = [*_joined(tables[:half], tables[half:]), *_joined(tables[half:], tables[:half])]
    share = np.array(right) / TOKENS
    middle, spread = float(share.mean()), 1.96 * float(share.std(ddof=1)) / len(share) ** 0.5
    low, high = middle - spread, middle + spread
    return {
        "links": len(right) * TOKENS,
        "right": round(middle, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "within_chance": bool(low <= 1 / TOKENS <= high),
    }


def _joined(known: list[np.ndarray], unknown: list[np.ndarray]) -> list[int]:
    truth = np.eye(TOKENS, dtype=bool).ravel()
    rows = np.concatenate([table.reshape(TOKENS * TOKENS, -1) for table in known])
    model = stats.Logistic(rows, np.tile(truth, len(known)))
    right = []
    for table in unknown:
        scores = model(table.reshape(TOKENS * TOKENS, -1)).reshape(TOKENS, TOKENS)
        right.append(int((scores.argmax(axis=1) == np.arange(TOKENS)).sum()))
    return right
