# The ring beside littlefs: runs vm_compare.py on the MicroPython VM and turns its counts into ratios. Prints nothing.
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import ROOT

RING = "ring"
_MEASURES = ("bytes_programmed", "erases", "wall_us", "mount_reads", "heap_bytes")


class CompareError(Exception):
    """The VM is missing or its program failed; the text says which."""


def measure(slots: int) -> dict[str, dict[str, Any]]:
    """Counts of each keeper, with `per_record` and `to_ring` (how many times the ring's)."""
    vm = Path(sys.executable).with_name("micropython")
    script = Path(__file__).with_name("vm_compare.py")
    paths = f"{ROOT / 'lib'}:{script.parent / 'dual'}"
    try:
        done = subprocess.run(
            [str(vm), "-X", "heapsize=16m", str(script), paths, str(slots)], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise CompareError(f"{vm.name}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise CompareError(f"the comparison ended with {done.returncode}: {said[-300:]}")
    return _with_ratios(json.loads(done.stdout))


def _with_ratios(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    ring = found[RING]
    for counts in found.values():
        counts["bytes_per_record"] = round(counts["bytes_programmed"] / counts["records"], 1)
        counts["erases_per_1000_records"] = round(1000 * counts["erases"] / counts["records"], 2)
        counts["to_ring"] = {name: round(counts[name] / max(1, ring[name]), 2) for name in _MEASURES}
    return {name: found[name] for name in sorted(found, key=lambda name: name != RING)}


def text(found: dict[str, dict[str, Any]]) -> str:
    """Lines for people."""
    lines = [
        f"{found[RING]['records']} records, minutes of 25 bytes and sightings of 32, on the same model of flash, on "
        "the MicroPython VM; in brackets, times the ring's.",
        "The ring is Python and littlefs is C; wall time includes the flash model, which is Python.",
        "",
        f"{'':26}{'bytes/record':>18}{'erases/1000':>18}{'wall ms':>18}{'mount reads':>16}{'heap bytes':>16}",
    ]
    for name, counts in found.items():
        ratio = counts["to_ring"]
        cells = (
            (f"{counts['bytes_per_record']}", ratio["bytes_programmed"], 18),
            (f"{counts['erases_per_1000_records']}", ratio["erases"], 18),
            (f"{counts['wall_us'] / 1000:.0f}", ratio["wall_us"], 18),
            (f"{counts['mount_reads']}", ratio["mount_reads"], 16),
            (f"{counts['heap_bytes']}", ratio["heap_bytes"], 16),
        )
        lines.append(f"{name:26}" + "".join(f"{value + f' ({times:g})':>{width}}" for value, times, width in cells))
    return "\n".join(lines)
