# Whether tokens that follow each other for hours stay where their clocks say, in the Monte Carlo and in VMs. They can't
# see how late all of them hear and send, so what they have in common must not move them. Knows no charge.
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emask.schedule import Schedule
from tools.bench.image import Image
from tools.bench.run import Run
from tools.bench.scenario import START_UTC, EventSpec, KioskSpec, NodeSpec, Scenario
from tools.bench.study.contact import UTC_MS, Clock, Scene, Token

_HAND_OVER_S = 1200.0
_CRYSTAL_PPM = 20.0
_PHASE_S = 5.0


def model(count: int, hours: int, seed: int, heard_late_ms: float = 0.0) -> dict[str, Any]:
    """count tokens side by side since they were told the time; every advert seems heard_late_ms later than it was."""
    rng = np.random.default_rng([seed, 41, count])
    tokens = []
    for _ in range(count):
        plan_maker = Schedule(int(_CRYSTAL_PPM))
        plan_maker.confirmed(0)
        tokens.append(Token(plan_maker, Clock(0.0, rng.uniform(-_CRYSTAL_PPM, _CRYSTAL_PPM)), heard_late_ms))
    play = Scene(tokens, rng)
    moved, heard = [], 0
    for hour in range(hours):
        met = play.play(max(1.0, hour * 3600.0), 3600)
        heard += sum(len(times) for times in met.heard.values())
        moved.append([_moved_ms(token, (hour + 1) * 3600.0) for token in tokens])
    return _facts(np.array(moved), heard / (count * (count - 1) * 60 * hours))


def _moved_ms(token: Token, t_s: float) -> tuple[float, float]:
    """(the grid's points against the true time, against the token's own clock), ms."""
    own_ms = token.clock.own_ms(t_s)
    shift_ms = token.schedule.grid.shift_ms(int(own_ms) - UTC_MS)
    return shift_ms - (own_ms - UTC_MS - t_s * 1000), shift_ms


def firmware(image: Image, folder: Path, count: int, hours: int, seed: int) -> dict[str, Any]:
    """The same by the firmware in its VMs, after a kiosk told all of them the time: the middles of its windows."""
    run = Run(_scenario(count, hours, seed), image, folder, seed=seed)
    begin_s = -(-_HAND_OVER_S // 3600) * 3600
    middles: dict[tuple[int, str], list[float]] = {}
    heard = 0

    def watch(record: dict[str, Any]) -> None:
        nonlocal heard
        t_s = record["t_us"] / 1e6
        if record["ev"] != "scan" or not record["node"].startswith("token") or t_s < begin_s:
            return
        middle_s = t_s - record["lasted_us"] / 2e6
        phase_ms = ((middle_s - _PHASE_S + 30) % 60 - 30) * 1000
        middles.setdefault((int((t_s - begin_s) // 3600), record["node"]), []).append(phase_ms)
        heard += sum(name.startswith("token") for name in record["heard"])

    run.engine.log.watch.append(watch)
    try:
        run.play()
        ppm = {name: run.nodes[name].config.clock_ppm for _, name in middles}
    finally:
        run.engine.close()
    moved = []
    for hour in range(hours):
        since_s = begin_s + (hour + 0.5) * 3600 - _HAND_OVER_S / 2
        rows = [(float(np.mean(middles[hour, name])), ppm[name] * since_s / 1000) for name in sorted(ppm)]
        moved.append([(phase, phase + error) for phase, error in rows])
    return _facts(np.array(moved), heard / (count * (count - 1) * 60 * hours))


def _facts(moved: np.ndarray, heard: float) -> dict[str, Any]:
    """moved: hours x tokens x (against the true time, against the own clock). outside_ms: how far all of them together
    came beyond the first and the last of their own clocks: what others' doubt of a clock does not allow for.
    """
    hours, count = moved.shape[:2]
    common, own = moved[:, :, 1].mean(axis=1), moved[:, :, 0] - moved[:, :, 1]
    grid = moved[:, :, 0].mean(axis=1)
    outside = np.maximum(0, np.maximum(grid - own.max(axis=1), own.min(axis=1) - grid))
    return {
        "tokens": count,
        "hours": hours,
        "moved_ms": [round(float(value)) for value in common],
        "most_moved_ms": round(float(np.abs(common).max())),
        "outside_ms": round(float(outside.max())),
        "spread_ms": round(float(moved[:, :, 0].std(axis=1).mean()), 1),
        "heard_per_minute": round(heard, 4),
    }


def _scenario(count: int, hours: int, seed: int) -> Scenario:
    nodes = [NodeSpec(f"token-{n:02}", start_s=n * 0.37, clock_spread_ppm=_CRYSTAL_PPM) for n in range(1, count + 1)]
    links: list[dict[str, Any]] = [
        {"model": "constant", "a": "station", "rssi_dbm": -60.0, "to_s": _HAND_OVER_S},
        {"model": "constant", "a": "*", "b": "*", "rssi_dbm": -60.0},
    ]
    press = [EventSpec(20.0 + 60 * n, "press", node.name) for n, node in enumerate(nodes)]
    end_s = -(-_HAND_OVER_S // 3600) * 3600 + hours * 3600.0
    kiosk = [KioskSpec("station", handover=True)]
    return Scenario("company", seed, START_UTC, end_s, nodes, kiosk, links, press, folder=Path())
