# The whole study in order, as one dict. Knows no command line and no text; says how far it is.
from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from tools import ROOT
from tools.bench import power
from tools.bench.energy import Board
from tools.bench.image import Image
from tools.bench.recording import Recording
from tools.bench.study import baselines, cases, company, linking, more, scenes

MODEL = "A model: charge by boards/*/power.toml, the radio by boards of the bench; nothing here was measured."
_LEVELS = ROOT / "tests" / "data" / "dp3t_exp34_party.sqlite"
HOURS = (1, 3, 6, 10, 14, 20, 30, 50, 100)
Tell = Callable[[int], None]
_BATCH = 25


def steps(quick: bool) -> dict[str, int]:
    """How much of each part: trials of a case, of the aim's case, of a point, scenes, pairs in VMs."""
    if quick:
        return {"case": 10, "aim": 20, "point": 5, "scenes": 4, "vm": 1, "hours": 1}
    return {"case": 1000, "aim": 10_000, "point": 500, "scenes": 120, "vm": 10, "hours": 20}


def total(quick: bool) -> int:
    """Steps that `tell` will count."""
    n = steps(quick)
    slow = sum(case.side > 1 for case in cases.CASES)
    trials = n["aim"] + n["case"] * (len(cases.CASES) - 1 - slow) + n["case"] // 5 * slow + n["case"]
    points = n["point"] * (2 * len(HOURS) + len(more.FRONTIER))
    return trials + points + n["scenes"] * len(_SHIFTS_MS) + len(_COMPANY) * _COMPANY_STEP + 2 * _VM_STEP


_SHIFTS_MS = (0, 10, 20, 30, 40)
_COMPANY = ((2, 0.0), (4, 0.0), (4, 3.0), (4, -3.0), (10, 3.0))  # tokens, ms that each advert seems late
_COMPANY_STEP = 20
_VM_STEP = 100


def run(board: Board, image: Image, seed: int, quick: bool, tell: Tell) -> dict[str, Any]:
    """Everything; with the same seed the same."""
    n = steps(quick)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        facts: dict[str, Any] = {"model": MODEL, "board": board.name, "seed": seed, "quick": quick}
        facts["charge"] = _charge(board)
        facts["cases"] = {case.name: _case(pool, case, n, seed, tell) for case in cases.CASES}
        aim = next(case for case in cases.CASES if case.name == "crystal-10h")
        facts["fading"] = {
            "about": "crystal-10h, at the levels of pairs within 2 m of a recording",
            **cases.summarize(_trials(pool, aim, n["case"], seed, tell, fading=True)),
        }
        facts["over_time"] = [_hours(pool, hours, n["point"], seed, tell) for hours in HOURS]
        facts["linkability"] = [_links(pool, shift_ms, n["scenes"], seed, tell) for shift_ms in _SHIFTS_MS]
        facts["company"] = _company(pool, n["hours"], seed, tell)
        facts["frontier"] = [_point(pool, board, aim, values, n["point"], seed, tell) for values in more.FRONTIER]
    usual = facts["charge"]["crystal"]["mah_per_day"]
    facts["same_charge"] = baselines.at_charge(usual, board, seed)
    facts["same_charge_internal"] = baselines.at_charge(facts["charge"]["internal"]["mah_per_day"], board, seed)
    facts["over_charge"] = [baselines.at_charge(mah, board, seed) for mah in (3, 5, 8, 12, 16, 20, 30, 45, 70, 120)]
    facts["unstretched_mah_per_day"] = baselines.own_charge(board)
    facts["attacks"] = more.attacks(board)
    facts["sensitivity"] = more.sensitivity(board)[:8]
    facts["firmware"] = [_firmware(image, hours, n["vm"], seed, tell) for hours in (0.5, 10.0)]
    return facts


def _charge(board: Board) -> dict[str, Any]:
    rows = {"crystal": board.clock_error_ppm, "internal": power.INTERNAL_PPM}
    keys = ("mah_per_day", "percent_per_day", "days", "days_of_pack", "days_after_cue")
    return {name: {key: power.report(board, "usual", ppm=ppm)[key] for key in keys} for name, ppm in rows.items()}


def _case(pool: Any, case: cases.Case, n: dict[str, int], seed: int, tell: Tell) -> dict[str, Any]:
    count = n["aim"] if case.name == "crystal-10h" else n["case"] // 5 if case.side > 1 else n["case"]
    return {"about": case.about, **cases.summarize(_trials(pool, case, count, seed, tell))}


def _trials(
    pool: Any, case: cases.Case, count: int, seed: int, tell: Tell, *, fading: bool = False, values: Any = None
) -> list[cases.Trial]:
    jobs = [(case, at, min(at + _BATCH, count), seed, fading, values or {}) for at in range(0, count, _BATCH)]
    done: list[cases.Trial] = []
    for part in pool.map(_work, jobs):
        done += part
        tell(len(part))
    return done


def _work(job: tuple[cases.Case, int, int, int, bool, dict[str, int]]) -> list[cases.Trial]:
    """Some trials, in a process of its own."""
    case, first, last, seed, fading, values = job
    done = []
    with more.parameters(**values):
        for number in range(first, last):
            rng = np.random.default_rng([seed, number, *case.name.encode()])
            done.append(cases.play(case, rng, _recorded(rng) if fading else None))
    return done


_near: list[tuple[float, np.ndarray]] = []


def _recorded(rng: np.random.Generator) -> Any:
    """A level for one meeting: the median of a recorded pair within 2 m, with the recording's own fading."""
    if not _near:
        recording = Recording(_LEVELS)
        residuals = np.array(recording.residuals_db)
        for (receiver, sender), series in sorted(recording.levels.items()):
            distances = recording.distances.get((min(receiver, sender), max(receiver, sender)))
            if distances is None:
                continue
            for t_s, level in zip(series.times_s, series.medians, strict=True):
                metres = distances.at(t_s)
                if metres is not None and metres <= 2.0:
                    _near.append((level, residuals))
    level, residuals = _near[int(rng.integers(len(_near)))]
    return lambda receiver, sender, t_s: level + float(residuals[int(rng.integers(residuals.size))])


def _hours(pool: Any, hours: float, count: int, seed: int, tell: Tell) -> dict[str, Any]:
    row: dict[str, Any] = {"hours": hours}
    for name, ppm in (("crystal", cases.CRYSTAL_PPM), ("internal", cases.INTERNAL_PPM)):
        case = cases.Case(f"{name}-{hours}", "", hours, ppm=ppm)
        row[name] = cases.summarize(_trials(pool, case, count, seed, tell))["found_15min"]
    return row


def _point(
    pool: Any, board: Board, case: cases.Case, values: dict[str, int], count: int, seed: int, tell: Tell
) -> dict[str, Any]:
    with more.parameters(**values):
        mah = power.play(board, power.SCENARIOS["usual"][1]).total_mah
    found = cases.summarize(_trials(pool, case, count, seed, tell, values=values))
    kept = {key: found[key] for key in ("found_15min", "found_5min", "found_2min", "minutes_of_15", "trials")}
    return {"values": values, "mah_per_day": round(mah, 2), **kept}


def _links(pool: Any, shift_ms: int, count: int, seed: int, tell: Tell) -> dict[str, Any]:
    """How often timing joins two identifiers if a slot's own shift is up to shift_ms; what minutes in a home of four
    are heard then.
    """
    rooms = []
    for room in pool.map(_room, [(shift_ms, number, seed) for number in range(count)]):
        rooms.append(room)
        tell(1)
    with more.parameters(JITTER_MS=shift_ms):
        heard = company.model(4, 4, seed)["heard_per_minute"]
    return {"shift_ms": shift_ms, **linking.judge(rooms), "heard_per_minute_of_4": heard}


def _room(job: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    shift_ms, number, seed = job
    with more.parameters(JITTER_MS=shift_ms):
        return linking.scene(np.random.default_rng([seed, 31, shift_ms, number]))


def _company(pool: Any, hours: int, seed: int, tell: Tell) -> list[dict[str, Any]]:
    rows = []
    jobs = [pool.submit(company.model, count, hours, seed, late_ms) for count, late_ms in _COMPANY]
    for (_, late_ms), job in zip(_COMPANY, jobs, strict=True):
        rows.append({"heard_late_ms": late_ms, **job.result()})
        tell(_COMPANY_STEP)
    return rows


def _firmware(image: Image, hours: float, count: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Pairs in VMs beside the same number of hours in the Monte Carlo, with the clocks of both drawn alike."""
    with tempfile.TemporaryDirectory() as folder:
        rows = scenes.pairs(image, Path(folder) / "run", hours, count, seed)
    tell(_VM_STEP)
    case = cases.Case(f"vm-{hours}", "", hours)
    model = cases.summarize(cases.run(case, 200, seed, lambda: None))
    found = [max(row["found_s"]) for row in rows if None not in row["found_s"]]
    minutes = [minute for row in rows for minute in row["minutes"]]
    return {
        "hours": hours,
        "pairs": count,
        "firmware": {
            "found_15min": round(len(found) / count, 4),
            "mean_s": round(float(np.mean(found)), 1) if found else None,
            "minutes_of_15": round(float(np.mean(minutes)), 2),
        },
        "model": {key: model[key] for key in ("found_15min", "mean_s", "minutes_of_15")},
    }
