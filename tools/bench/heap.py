# Peak heap of a token's day: the smallest VM heap that survives it, less what the bench's shims take, and less the code
# that is always loaded: the product freezes its code into the image, where it takes no heap.
# Runs days, judges nothing.
from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from emask import spec
from tools.bench.command import command
from tools.bench.engine import BenchError
from tools.bench.image import Image
from tools.bench.run import Run
from tools.bench.scenario import EventSpec, NodeSpec, Scenario
from tools.bench.speed import crowd

STEP_KIB = 4
LOW_KIB, HIGH_KIB = 96, 512
LIMIT_32_BIT_KIB = 96
_PRESSES_S = 400
HALF = 2  # objects are about twice as large here as on the chip (64-bit pointers)
_BAD = ("MemoryError", "crashed", "Traceback", "memory allocation failed")
_BASELINE = """
import gc, sys, bluetooth
gc.collect()
print(gc.mem_alloc())
import chores, device, listener, supervisor
for module in sys.modules.values():
    print(getattr(module, "__file__", ""))
"""


def day(hours: float) -> Scenario:
    """Four tokens in company, handed over at a kiosk; later a case, a list, an alert."""
    end = hours * 3600
    base = crowd("light", 4, hours)
    nodes = base.nodes
    again = [EventSpec(end - _PRESSES_S + 60 * n, "press", node.name) for n, node in enumerate(nodes)]
    codes = ["authority", "issue-codes", "authority", "--out", "station/codes.txt", "--at", "{utc}"]
    take = ["authority", "ingest", "authority", "station/outbox", "--at", "{utc}"]
    publish = ["authority", "publish", "authority", "--out", "list.eml", "--issued", "{utc}", "--minutes", "5"]
    events = [
        *base.events,
        EventSpec(end - 615, "emask", run=codes),
        EventSpec(end - 600, "case", nodes[0].name, kiosk="station"),
        EventSpec(end - 500, "emask", run=take),
        EventSpec(end - 495, "emask", run=publish),
        EventSpec(end - 490, "emask", run=["kiosk", "add-list", "station", "list.eml"]),
        *again,
    ]
    worn = [{"model": "constant", "rssi_dbm": -60.0, "sway_db": 12.0}]
    return replace(base, name="heap", events=events, links=worn)


def unpressed_day(hours: float) -> Scenario:
    """The same, but the list comes through the tokens' doors: nobody presses for it."""
    base, end = day(hours), hours * 3600
    events = [event for event in base.events if event.do != "press" or event.at_s < end - _PRESSES_S]
    kiosks = [replace(kiosk, push=True) for kiosk in base.kiosks]
    return replace(base, duration_s=end + spec.SLOT_S, events=events, kiosks=kiosks)


def measure(image: Image, hours: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """heap_kib (with shims and code), shims_kib, code_kib, device_64_kib, device_32_kib (estimate), limit_kib."""
    shims, code = beside_kib(image)
    low, high = LOW_KIB, HIGH_KIB
    if not survives(image, day(hours), high):
        raise BenchError(f"the day does not end well with {high} KiB of heap either: it fails for another reason")
    while high - low > STEP_KIB:
        middle = (low + high) // 2 // STEP_KIB * STEP_KIB
        good = survives(image, day(hours), middle)
        tell(f"{middle} KiB: {'survives' if good else 'too small'}")
        low, high = (low, middle) if good else (middle, high)
    device = high - shims - code
    return {
        "heap_kib": high,
        "shims_kib": shims,
        "code_kib": code,
        "device_64_kib": device,
        "device_32_kib": device / HALF,
        "limit_kib": LIMIT_32_BIT_KIB,
        "hours": hours,
        "aioble": image.aioble,
    }


def beside_kib(image: Image) -> tuple[int, int]:
    """(what the bench's own modules take, bytecode of the product and aioble that stays loaded), both in the VM's heap.

    The first is measured in a VM that does nothing else. The second is the size of those files: bytecode does not
    depend on the width of a pointer, and what is loaded for a visit only is not in it.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "baseline.py"
        script.write_text(_BASELINE)
        scenario = Scenario(
            "shims", 1, crowd("light", 1, 1).start_utc, 1.0, [NodeSpec("node", script=script)], [], [], [], Path(folder)
        )
        run = Run(scenario, image, Path(folder) / "out")
        try:
            run.play()
        finally:
            run.engine.close()
        lines = (Path(folder) / "out" / "node.txt").read_text().split()
        bench = image.runner.parent
        code = [Path(line) for line in lines[1:] if line.endswith(".mpy") and bench not in Path(line).parents]
        return int(lines[0]) // 1024, sum(path.stat().st_size for path in code) // 1024


def survives(image: Image, scenario: Scenario, heap_kib: int) -> bool:
    """Whether every token lives through it: no crash, no visit broken, a list for each, all alerted but the case."""
    scenario = replace(scenario, nodes=[replace(node, heap_kib=heap_kib) for node in scenario.nodes])
    with tempfile.TemporaryDirectory() as folder:
        run = Run(scenario, image, Path(folder), command=command)
        try:
            run.play()
        except BenchError:  # a case without upload ends the command line: the heap was too small
            return False
        finally:
            run.engine.close()
        said = "".join((Path(folder) / f"{node.name}.txt").read_text() for node in scenario.nodes)
        whole = all(
            k.broken == 0 and k.visits + k.drops.get("taken", 0) == 2 * len(scenario.nodes) + 1
            for k in run.kiosks.values()
        )
        return whole and not any(word in said for word in _BAD) and said.count("alert=1") == len(scenario.nodes) - 1


def text(found: dict[str, Any]) -> str:
    return (
        f"Smallest heap that survives {found['hours']:g} h with visits, matching and alert: {found['heap_kib']} KiB "
        "on this 64-bit VM, of which "
        f"{found['shims_kib']} KiB are the bench's shims and {found['code_kib']} KiB bytecode that stays loaded, which "
        f"the product has in flash. What the device needs: {found['device_64_kib']} KiB here, about "
        f"{found['device_32_kib']:.0f} KiB on a 32-bit chip (estimate: half; limit {found['limit_kib']}), aioble "
        f"({found['aioble']}) included. With its code loaded from files, about "
        f"{found['device_32_kib'] + found['code_kib']:.0f} KiB."
    )
