# A measured current trace (PPK2 or INA226 log) beside the model: sleep, and the charge of each kind of window.
# Knows no instrument's driver: it reads their CSV files.
from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from emask.schedule import MEETING, MINUTE, Schedule
from tools.bench import power
from tools.bench.energy import Board

_AWAKE_MA = 5.0  # above any sleep, below any awake state of the boards
_JOIN_S = 0.5  # gaps shorter than this belong to one wake-up
# Header -> (seconds of one unit of time, mA of one unit of current)
_FORMATS = {
    ("timestamp(ms)", "current(ua)"): (1e-3, 1e-3),  # Nordic's Power Profiler, PPK2
    ("time_s", "current_ma"): (1.0, 1.0),  # an INA226 logger
    ("time_ms", "current_ma"): (1e-3, 1.0),
}


class TraceError(Exception):
    """The file is no trace; the text says what is wrong."""


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Seconds, rising, and mA of a CSV file with one of the known headers."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            head = tuple(name.strip().lower().replace(" ", "") for name in next(rows, [])[:2])
            if head not in _FORMATS:
                known = "; ".join(",".join(names) for names in _FORMATS)
                raise TraceError(f"{path}: the first line must begin with one of: {known}")
            values = np.array([[float(row[0]), float(row[1])] for row in rows if row])
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: {error}") from None
    except (ValueError, IndexError):
        raise TraceError(f"{path}: a line holds no two numbers") from None
    if len(values) < 2 or not np.all(np.isfinite(values)) or np.any(np.diff(values[:, 0]) <= 0):
        raise TraceError(f"{path}: times must rise and every value must be a number")
    second, milliampere = _FORMATS[head]
    return values[:, 0] * second, values[:, 1] * milliampere


def wake_ups(times_s: np.ndarray, current_ma: np.ndarray) -> list[tuple[float, float, float]]:
    """(start s, length s, mC) of each stretch awake that is whole within the trace."""
    awake = np.flatnonzero(current_ma > _AWAKE_MA)
    if not awake.size:
        return []
    breaks = np.flatnonzero(np.diff(times_s[awake]) > _JOIN_S)
    firsts, lasts = np.r_[awake[0], awake[breaks + 1]], np.r_[awake[breaks], awake[-1]]
    found = []
    for first, last in zip(firsts, lasts, strict=True):
        if first == 0 or last == times_s.size - 1:
            continue
        part = slice(first, last + 2)
        charge = float(np.sum(current_ma[part][:-1] * np.diff(times_s[part])))
        found.append((float(times_s[first]), float(times_s[last + 1] - times_s[first]), charge))
    return found


def expected(board: Board, sleep: str) -> dict[str, dict[str, float]]:
    """kind -> seconds awake and mC of one wake-up, of a token that hears nobody: minute and meeting."""
    plan_maker = Schedule(board.clock_error_ppm, board.advert_ms)
    plan_maker.confirmed(0)
    plan_maker.met_ms = 0
    found: dict[str, dict[str, float]] = {}
    now_ms = 1000
    while len(found) < 2:
        plan = plan_maker.plan(now_ms, now_ms, lambda at_ms: at_ms // 900_000)
        plan_maker.opened(plan)
        account = power.Account(board, sleep)
        account.rest(power.deep_from_ms(board) + 1)
        account.meter.charge["sleep"] = 0.0
        account.window(plan, 0)
        boot_s = (board.time_us["boot"] if sleep == "deep" else board.time_us["light_wake"]) * 1e-6
        on_s = (board.time_us["radio_start"] + board.time_us["radio_stop"]) * 1e-6 + plan.length_ms / 1000
        if plan.kind in (MINUTE, MEETING):
            found[power.KINDS[plan.kind]] = {"seconds": boot_s + on_s, "mc": account.meter.total_mah() * 3600}
        now_ms = plan.start_ms + plan.length_ms
    return found


def compare(path: Path, board: Board, sleep: str = "deep") -> dict[str, Any]:
    """Measured and modelled, and measured over modelled, of sleep and of each kind of wake-up."""
    times_s, current_ma = load(path)
    model = expected(board, sleep)
    asleep = current_ma[current_ma <= _AWAKE_MA]
    state = "deep_sleep" if sleep == "deep" else "light_sleep"
    rows = []
    if asleep.size:
        rows.append(_row("sleep", "mA", asleep.size, float(np.mean(asleep)), board.current_ma[state]))
    between = (model["minute"]["seconds"] * model["meeting"]["seconds"]) ** 0.5
    ups = wake_ups(times_s, current_ma)
    for kind in ("minute", "meeting"):
        mine = [charge for _, length, charge in ups if (length > between) == (kind == "meeting")]
        if mine:
            rows.append(_row(kind, "mC", len(mine), float(np.mean(mine)), model[kind]["mc"]))
    length_s = float(times_s[-1] - times_s[0])
    total_mc = float(np.sum(current_ma[:-1] * np.diff(times_s)))
    return {
        "file": str(path),
        "board": board.name,
        "seconds": round(length_s, 3),
        "mean_ma": round(total_mc / length_s, 4),
        "mah_per_day": round(total_mc / length_s * 24, 3),
        "rows": rows,
        "model": power.MODEL,
    }


def _row(what: str, unit: str, count: int, measured: float, model: float) -> dict[str, Any]:
    ratio = measured / model
    return {
        "what": what,
        "unit": unit,
        "count": count,
        "measured": round(measured, 4),
        "model": round(model, 4),
        "ratio": round(ratio, 3),
    }


def text(facts: dict[str, Any]) -> str:
    """For a person."""
    lines = [
        f"{facts['file']}: {facts['seconds']:.1f} s, mean {facts['mean_ma']:.3f} mA, "
        f"{facts['mah_per_day']:.2f} mAh a day if it went on so",
        "",
        f"{'':<10}{'count':>8}{'measured':>12}{'model':>12}{'ratio':>8}",
    ]
    for row in facts["rows"]:
        lines.append(
            f"{row['what']:<10}{row['count']:>8}{row['measured']:>9.3f} {row['unit']}{row['model']:>9.3f} {row['unit']}"
            f"{row['ratio']:>8.2f}"
        )
    return "\n".join([*lines, "", "The model's side: " + facts["model"]])
