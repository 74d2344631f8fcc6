# The same meetings, played by the firmware that ships in its VMs: pairs handed over at a kiosk, hours alone, a meeting.
# Knows no numbers of the study.
from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.bench.image import Image
from tools.bench.run import Run
from tools.bench.scenario import START_UTC, EventSpec, KioskSpec, NodeSpec, Scenario

_HAND_OVER_S = 1200.0
_PHASE_S = 61.0
MOST_PAIRS = 12  # that a kiosk gives the time in that time


def pairs(image: Image, folder: Path, hours: float, count: int, seed: int) -> list[dict[str, Any]]:
    """count pairs, hours after the last agreement: for each direction the seconds to the first window that heard, and
    the minutes of the quarter in which something was heard.
    """
    meet_s = _HAND_OVER_S + hours * 3600 + _PHASE_S * (seed % 5)  # scenes in a row meet all over the grid of 300 s
    run = Run(_scenario(meet_s, count, seed), image, folder, seed=seed)
    heard: dict[tuple[str, str], list[float]] = {}

    def watch(record: dict[str, Any]) -> None:
        if record["ev"] == "scan" and record["t_us"] > meet_s * 1e6:
            for sender in record["heard"]:
                heard.setdefault((record["node"], sender), []).append(record["t_us"] / 1e6 - meet_s)

    run.engine.log.watch.append(watch)
    try:
        run.play()
    finally:
        run.engine.close()
    rows = []
    for number in range(count):
        a, b = f"token-{2 * number + 1:02}", f"token-{2 * number + 2:02}"
        times = [heard.get(pair, []) for pair in ((a, b), (b, a))]
        rows.append(
            {
                "found_s": [round(t[0], 1) if t else None for t in times],
                "minutes": [len({int(x // 60) for x in t}) for t in times],
            }
        )
    return rows


def _scenario(meet_s: float, count: int, seed: int) -> Scenario:
    nodes = [NodeSpec(f"token-{n:02}", start_s=n * 0.37, clock_spread_ppm=20.0) for n in range(1, 2 * count + 1)]
    links: list[dict[str, Any]] = [{"model": "constant", "a": "station", "rssi_dbm": -60.0, "to_s": _HAND_OVER_S}]
    for number in range(count):
        ends = {"a": nodes[2 * number].name, "b": nodes[2 * number + 1].name}
        links.append({"model": "constant", **ends, "rssi_dbm": -60.0, "from_s": meet_s})
    press = [EventSpec(20.0 + 45 * n, "press", node.name) for n, node in enumerate(nodes)]
    kiosk = [KioskSpec("station", handover=True)]
    return Scenario("pairs", seed, START_UTC, meet_s + 900, nodes, kiosk, links, press, folder=Path())
