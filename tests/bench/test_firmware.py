"""Owns the run of the vm_*.py on the MicroPython VM, one pytest item per fact. Knows no firmware."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_FACTS = [
    (name, fact)
    for name in (
        "vm_firmware.py",
        "vm_door.py",
        "vm_time.py",
        "vm_tracing.py",
        "vm_trust.py",
        "vm_exempt.py",
        "vm_wipe.py",
        "vm_second.py",
        "vm_swap.py",
        "vm_swap_attacks.py",
        "vm_swap_cuts.py",
        "vm_matching.py",
        "vm_end.py",
        "vm_withdrawn.py",
    )
    for fact in sorted(re.findall(r"^def (test_\w+)", (_HERE / name).read_text(), re.M))
]


@cache
def _output(name):
    vm = str(Path(sys.executable).with_name("micropython"))
    command = [vm, "-X", "heapsize=8m", str(_HERE / name), str(_HERE.parents[1])]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize(("name", "fact"), _FACTS)
def test_on_the_vm(name, fact):
    output = _output(name)
    assert f"RESULT {fact} ok" in output, output
