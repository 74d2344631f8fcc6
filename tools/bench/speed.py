# The bench's own speed: token-days per second of wall time, of tokens all in one room or through a usual day.
# Measures the bench, not the product.
from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.bench.image import Image
from tools.bench.run import Run
from tools.bench.scenario import START_UTC, EventSpec, KioskSpec, NodeSpec, Scenario


def measure(
    image: Image,
    tokens: tuple[int, ...],
    sleeps: tuple[str, ...],
    hours: float,
    tell: Callable[[dict[str, Any]], None],
    day: str = "crowd",
    jobs: int | None = None,
) -> list[dict[str, Any]]:
    """One row per case: see _one(). day: one of DAYS; jobs: as of Run."""
    rows = []
    for sleep in sleeps:
        for count in tokens:
            rows.append(_one(image, DAYS[day](sleep, count, hours), sleep, count, hours, jobs))
            tell(rows[-1])
    return rows


def crowd(sleep: str, count: int, hours: float) -> Scenario:
    """count tokens at -60 dBm of each other, handed over at a kiosk, one after the other, in the first minutes."""
    nodes = [NodeSpec(f"token-{n:02}", sleep=sleep, start_s=n * 0.37) for n in range(1, count + 1)]
    press = [EventSpec(20.0 + 20 * n, "press", node.name) for n, node in enumerate(nodes)]
    links = [{"model": "constant", "rssi_dbm": -60.0}]
    kiosks = [KioskSpec("station", handover=True)]
    return Scenario("crowd", 1, START_UTC, hours * 3600, nodes, kiosks, links, press, Path())


def usual(sleep: str, count: int, hours: float) -> Scenario:
    """The usual day: a third of it alone, then at home in threes, a quarter of it out at one of 20 places."""
    base = crowd(sleep, count, hours)
    press = [EventSpec(20.0 + 8 * n, "press", node.name) for n, node in enumerate(base.nodes)]
    links: list[dict[str, Any]] = [{"model": "constant", "a": "station", "rssi_dbm": -60.0, "to_s": 30.0 + 8 * count}]
    for a in range(count):
        for b in range(a):
            ends = {"model": "constant", "a": base.nodes[a].name, "b": base.nodes[b].name, "rssi_dbm": -60.0}
            if a // 3 == b // 3:
                links.append({**ends, "from_s": hours * 1200, "to_s": hours * 2700})
            elif a % _PLACES == b % _PLACES:
                links.append({**ends, "from_s": hours * 2700})
    return replace(base, name="usual-day", events=press, links=links)


DAYS = {"crowd": crowd, "usual": usual}
_PLACES = 20


def _one(image: Image, scene: Scenario, sleep: str, count: int, hours: float, jobs: int | None) -> dict[str, Any]:
    """Wall time, and CPU time of the bench's own process and of the VMs', which no other load on the machine moves."""
    before = _cpu_s()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(scene, image, Path(folder), jobs=jobs)
        started_s = time.perf_counter() - started
        try:
            run.play()
        finally:
            run.engine.close()
    wall_s = time.perf_counter() - started
    own_s, vms_s = (now - then for now, then in zip(_cpu_s(), before, strict=True))
    heard = sum(sum(node.radio.total.heard.values()) for node in run.nodes.values())
    asked = sum(node.vm.asked for node in run.nodes.values())
    return {
        "day": scene.name,
        "sleep": sleep,
        "tokens": count,
        "hours": hours,
        "jobs": run.jobs,
        "wall_s": round(wall_s, 2),
        "start_s": round(started_s, 2),
        "cpu_bench_s": round(own_s, 2),
        "cpu_vms_s": round(vms_s, 2),
        "asked": asked,
        "token_days_per_s": round(count * hours / 24 / wall_s, 4),
        "token_days_per_cpu_s": round(count * hours / 24 / (own_s + vms_s), 4),
        "heard": heard,
        "us_per_heard": round(wall_s * 1e6 / max(1, heard), 1),
        "aioble": image.aioble,
    }


def _cpu_s() -> tuple[float, float]:
    """CPU time so far, of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, children = (usage.ru_utime + usage.ru_stime for usage in both)
    return own, children


def line(row: dict[str, Any]) -> str:
    return (
        f"{row['tokens']:>3} tokens x {row['hours']:g} h, {row['sleep']:<5} sleep: {row['wall_s']:>7.2f} s, "
        f"{row['token_days_per_s']:.3f} token-days/s; CPU {row['cpu_bench_s']:.1f} s bench, "
        f"{row['cpu_vms_s']:.1f} s VMs, {row['token_days_per_cpu_s']:.3f} token-days per CPU s; "
        f"{row['asked']} questions of VMs, {row['heard']} adverts heard, {row['us_per_heard']:.1f} us each"
    )
