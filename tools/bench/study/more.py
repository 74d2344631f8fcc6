# What else the study asks of the schedule: liars, floods and jammers, what the model rests on.
# Knows no picture.
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from emask import grid, schedule, window
from emask.schedule import Schedule
from tools.bench import power
from tools.bench.energy import Board
from tools.bench.study.contact import UTC_MS, Clock, Scene, Token, slot_at

_USUAL = power.SCENARIOS["usual"][1]


@contextmanager
def parameters(**values: int) -> Iterator[None]:
    """The schedule's constants set for a while, as module attributes of emask.schedule, grid and window."""
    places = [(module, name) for module in (schedule, grid, window) for name in values if hasattr(module, name)]
    before = [(module, name, getattr(module, name)) for module, name in places]
    try:
        for module, name in places:
            setattr(module, name, values[name])
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


# Attacks


def attacks(board: Board) -> dict[str, Any]:
    """A beacon with false times, invented adverts, a jammer. A jammed token hears nobody, and so is alone."""
    usual = power.play(board, _USUAL).total_mah
    flood = power.play(board, [power.Period(24, 200)]).total_mah
    jammed = {}
    for days in (1, 2, 4):
        hours = 24 * days
        day = power.play(board, [power.Period(hours, 0)], hours=hours, warm=0, visits=days / 7)
        jammed[f"first_{days}_days"] = round((day.total_mah - day.mah["cell"]) / days + day.mah["cell"], 2)
    lies = ((20, 0), (20, 10), (power.INTERNAL_PPM, 1))
    return {
        "usual_mah_per_day": round(usual, 2),
        "liar": [liar(lie_ms, ppm, hours) for ppm, hours in lies for lie_ms in LIES_MS],
        "flood_mah_per_day": round(flood, 2),
        "come_and_go_mah_per_day": round(come_and_go(board), 2),
        "jammer_mah_per_day": jammed,
    }


def come_and_go(board: Board) -> float:
    """mAh of a day beside invented identifiers that fall silent and come again, in the dearest rhythm of a search over
    one to sixty minutes each way and eight to two hundred identifiers: a company that is always new meets each minute.
    """
    rhythms = [(minutes, pause, count) for minutes in (1, 2) for pause in (4, 5, 10) for count in (9, 30, 200)]
    days = [
        [power.Period(on / 60, count), power.Period(off / 60, 0)] * (1440 // (on + off)) for on, off, count in rhythms
    ]
    return max(power.play(board, day).total_mah for day in days)


LIES_MS = (-20_000, -1400, -400, 25, 400, 1400, 60_000)


def bound_ms(ppm: int, hours: float) -> float:
    """SPEC 7: furthest that others may have moved a token's windows, so many hours after a confirmed time."""
    return min(grid.CYCLE_MS / 2, 500 + 2 * ppm * hours * 3.6) + 1


def liar(lie_ms: int, ppm: int = 20, hours: float = 0.0) -> dict[str, Any]:
    """One token alone for so many hours, then for one more with a beacon of 20 identifiers that always says its points
    come lie_ms later; then the beacon goes, and an honest token comes whose clock is right.
    """
    plan_maker = Schedule(ppm)
    plan_maker.confirmed(0)
    now_ms, moved = int(hours * 3_600_000) + 1000, [0]
    end_ms = now_ms + 3_600_000
    while now_ms < end_ms:
        plan = plan_maker.plan(now_ms, UTC_MS + now_ms, slot_at)
        plan_maker.opened(plan)
        at_ms = plan.point_ms
        said = (plan_maker.field(at_ms, plan) * 10 + lie_ms) % grid.CYCLE_MS // 10
        plan_maker.closed(plan, [(number, at_ms, said) for number in range(20)], 20)
        now_ms = plan.start_ms + plan.length_ms
        moved.append(abs(plan_maker.grid.shift_ms(now_ms)))
    return {
        "lie_ms": lie_ms,
        "ppm": ppm,
        "hours_alone": hours,
        "moved_ms": max(moved),
        "bound_ms": bound_ms(ppm, hours + 1.05),
        "back_with_an_honest_token_after_s": _left_behind(plan_maker, ppm, now_ms),
    }


def _left_behind(plan_maker: Schedule, ppm: int, now_ms: int) -> float | None:
    """Seconds until the two have heard each other, None beyond half an hour."""
    honest = Schedule(ppm)
    honest.confirmed(0)
    rng = np.random.default_rng(5)
    met = Scene([Token(plan_maker, Clock()), Token(honest, Clock())], rng).play(now_ms / 1000, 1800)
    both = [met.heard.get(pair, []) for pair in ((0, 1), (1, 0))]
    return round(max(times[0] for times in both), 1) if all(both) else None


# Sensitivity and the frontier


def sensitivity(board: Board) -> list[dict[str, Any]]:
    """Each figure of the board's table made twice as bad: the usual day, worst first. The clock's error is one."""
    base = power.play(board, _USUAL).total_mah
    rows = [_twice("clock error 20 ppm", board, base, ppm=2 * board.clock_error_ppm)]
    for part in ("current_ma", "time_us"):
        for name, value in getattr(board, part).items():
            table = {**getattr(board, part), name: 2 * value}
            worse = replace(board, current_ma=table) if part == "current_ma" else replace(board, time_us=table)
            rows.append(_twice(f"{name} {value:g} {part.split('_')[1].replace('ma', 'mA')}", worse, base))
    return sorted(rows, key=lambda row: -row["mah_per_day"])


def _twice(name: str, board: Board, base: float, ppm: int | None = None) -> dict[str, Any]:
    mah = power.play(board, _USUAL, ppm=ppm).total_mah
    return {"figure": name, "mah_per_day": round(mah, 2), "ratio": round(mah / base, 3)}


FRONTIER = (
    {"MEETING_MINUTES": 10, "CYCLE_MS": 600_000},
    {"MEETING_MINUTES": 7, "CYCLE_MS": 420_000},
    {"MEETING_MINUTES": 5, "CYCLE_MS": 300_000, "BASE_MS": 60},
    {"MEETING_MINUTES": 5, "CYCLE_MS": 300_000},
    {"MEETING_MINUTES": 4, "CYCLE_MS": 240_000},
    {"MEETING_MINUTES": 3, "CYCLE_MS": 180_000},
    {"MEETING_MINUTES": 5, "CYCLE_MS": 300_000, "REACH_HOURS": 5},
    {"MEETING_MINUTES": 5, "CYCLE_MS": 300_000, "REACH_HOURS": 2},
)
