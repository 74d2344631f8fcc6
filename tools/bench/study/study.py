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
from tools.bench.study import baselines, cases, company, linking, more, rooms, scenes

MODEL = "A model: charge by boards/*/power.toml, the radio by boards of the bench; nothing here was measured."
_LEVELS = ROOT / "tests" / "data" / "dp3t_exp34_party.sqlite"
HOURS = (1, 3, 6, 10, 14, 20, 30, 50, 100)
Tell = Callable[[int], None]
_BATCH = 25


def steps(quick: bool) -> dict[str, int]:
    """How much of each part: trials of a case, of the two cases with an aim, of a point, scenes, pairs in VMs.

    4,000 of 4,000 show 99.9 %, 1,000 with two misses 99 %, both to 95 %.
    """
    if quick:
        return {
            "case": 10,
            "aim": 20,
            "internal": 10,
            "point": 5,
            "scenes": 2,
            "vm": 1,
            "pairs": 1,
            "hours": 1,
            "room": 1,
        }
    return {
        "case": 300,
        "aim": 4000,
        "internal": 1000,
        "point": 100,
        "scenes": 100,
        "vm": 5,
        "pairs": scenes.MOST_PAIRS,
        "hours": 20,
        "room": 20,
    }


def total(quick: bool) -> int:
    """Steps that `tell` will count."""
    n = steps(quick)
    trials = sum(_count(case, n) for case in cases.CASES) + n["case"]
    points = n["point"] * (2 * len(HOURS) + len(more.FRONTIER))
    trials += n["case"] + sum(_rooms(count, n) * count for count in ROOMS[quick])
    return (
        trials
        + points
        + n["scenes"] * len(_SHIFTS_MS[quick])
        + len(_COMPANY) * _COMPANY_STEP
        + len(VM_HOURS) * n["vm"] * n["pairs"]
    )


ROOMS = {False: (2, 20, 200), True: (2, 20)}  # tokens; by quick
_SHIFTS_MS = {False: (0, 10, 20, 30, 40), True: (0, 30)}
_COMPANY = ((2, 0.0), (4, 0.0), (4, 3.0), (4, -3.0), (10, 3.0))  # tokens, ms that each advert seems late
_COMPANY_STEP = 20
VM_HOURS = (0.5, 10.0)


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
        facts["rooms"] = [_room_of(pool, count, n, seed, tell) for count in ROOMS[quick]]
        facts["phone"] = _phone(pool, n["case"], seed, tell)
        facts["over_time"] = [_hours(pool, hours, n["point"], seed, tell) for hours in HOURS]
        facts["linkability"] = [_links(pool, shift_ms, n["scenes"], seed, tell) for shift_ms in _SHIFTS_MS[quick]]
        facts["company"] = _company(pool, n["hours"], seed, tell)
        facts["firmware"] = [_firmware(pool, image, hours, n, seed, tell) for hours in VM_HOURS]
        facts["frontier"] = [_point(pool, board, aim, values, n["point"], seed, tell) for values in more.FRONTIER]
    usual = facts["charge"]["crystal"]["mah_per_day"]
    facts["same_charge"] = baselines.at_charge(usual, board, seed)
    facts["same_charge_internal"] = baselines.at_charge(facts["charge"]["internal"]["mah_per_day"], board, seed)
    facts["over_charge"] = [baselines.at_charge(mah, board, seed) for mah in (3, 5, 8, 12, 16, 20, 30, 45, 70, 120)]
    facts["unstretched_mah_per_day"] = baselines.own_charge(board)
    facts["attacks"] = more.attacks(board)
    facts["sensitivity"] = more.sensitivity(board)[:8]
    return facts


def _charge(board: Board) -> dict[str, Any]:
    rows = {"crystal": board.clock_error_ppm, "internal": power.INTERNAL_PPM}
    keys = ("mah_per_day", "percent_per_day", "days", "days_of_pack", "days_after_cue")
    reports = {name: power.report(board, "usual", ppm=ppm) for name, ppm in rows.items()}
    return {name: {key: report[key] for key in keys} for name, report in reports.items()}


def _case(pool: Any, case: cases.Case, n: dict[str, int], seed: int, tell: Tell) -> dict[str, Any]:
    return {"about": case.about, **cases.summarize(_trials(pool, case, _count(case, n), seed, tell))}


def _count(case: cases.Case, n: dict[str, int]) -> int:
    """Trials of a case: those with an aim have more, those in company, which take longer, fewer."""
    of_aims = {"crystal-10h": n["aim"], "internal-10h": n["internal"]}
    return of_aims.get(case.name, n["case"] // 3 if case.side > 1 else n["case"])


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


def _rooms(count: int, n: dict[str, int]) -> int:
    """How many rooms of so many tokens."""
    return max(1, n["room"] * 20 // count)


def _room_of(pool: Any, count: int, n: dict[str, int], seed: int, tell: Tell) -> dict[str, Any]:
    """Everybody comes at one moment after ten hours alone; intervals as if pairs of one room knew nothing of each
    other, which they do.
    """
    found: list[cases.Trial] = []
    for part in pool.map(_full_room, [(count, number, seed) for number in range(_rooms(count, n))]):
        found += part
        tell(count)
    return {"tokens": count, "rooms": _rooms(count, n), **cases.summarize(found)}


def _full_room(job: tuple[int, int, int]) -> list[cases.Trial]:
    count, number, seed = job
    return rooms.room(count, np.random.default_rng([seed, 51, count, number]))


def _phone(pool: Any, count: int, seed: int, tell: Tell) -> dict[str, Any]:
    """found, mean_s: both ways; what the token and the phone each find in a quarter of an hour, in `ways`."""
    found = list(pool.map(_one_phone, [(number, seed) for number in range(count)], chunksize=_BATCH))
    tell(count)
    first = np.array([trial.found_s for trial in found])
    ways = {"token_hears": cases.share(first[:, 0] <= 900), "phone_hears": cases.share(first[:, 1] <= 900)}
    return {
        "about": "Bluezone's phone: 15 s on and off at 100 ms, scans 40 s in 300 s",
        "ways": ways,
        **cases.summarize(found),
    }


def _one_phone(job: tuple[int, int]) -> cases.Trial:
    number, seed = job
    return rooms.phone(np.random.default_rng([seed, 52, number]))


def _links(pool: Any, shift_ms: int, count: int, seed: int, tell: Tell) -> dict[str, Any]:
    """How often timing joins two identifiers if a slot's own shift is up to shift_ms; what minutes in a home of four
    are heard then.
    """
    heard_rooms = []
    for room in pool.map(_listened, [(shift_ms, number, seed) for number in range(count)]):
        heard_rooms.append(room)
        tell(1)
    with more.parameters(JITTER_MS=shift_ms):
        heard = company.model(4, 4, seed)["heard_per_minute"]
    return {"shift_ms": shift_ms, **linking.judge(heard_rooms), "heard_per_minute_of_4": heard}


def _listened(job: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
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


def _firmware(pool: Any, image: Image, hours: float, n: dict[str, int], seed: int, tell: Tell) -> dict[str, Any]:
    """Pairs in VMs, some at a time, beside the Monte Carlo with the clocks of both drawn alike."""
    rows: list[dict[str, Any]] = []
    jobs = [(image, hours, n["pairs"], 1000 * seed + number) for number in range(n["vm"])]
    for part in pool.map(_some_pairs, jobs):
        rows += part
        tell(len(part))
    case = cases.Case(f"vm-{hours}", "", hours)
    model = cases.summarize(_trials(pool, case, len(rows), seed, lambda steps: None))
    late = [max(times) if None not in times else float("inf") for times in (row["found_s"] for row in rows)]
    found = [time for time in late if time <= cases.DURATIONS_S[0]]
    minutes = [minute for row in rows for minute in row["minutes"]]
    return {
        "hours": hours,
        "pairs": len(rows),
        "firmware": {
            **{f"found_{int(d // 60)}min": cases.share(np.array(late) <= d) for d in cases.DURATIONS_S},
            "mean_s": round(float(np.mean(found)), 1) if found else None,
            "minutes_of_15": round(float(np.mean(minutes)), 2),
        },
        "model": {key: model[key] for key in ("found_15min", "found_5min", "found_2min", "mean_s", "minutes_of_15")},
    }


def _some_pairs(job: tuple[Image, float, int, int]) -> list[dict[str, Any]]:
    image, hours, count, seed = job
    with tempfile.TemporaryDirectory() as folder:
        return scenes.pairs(image, Path(folder) / "run", hours, count, seed)
