"""Owns the run of vm_firmware.py on the MicroPython VM, one pytest item per fact. Knows no firmware."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).with_name("vm_firmware.py")
_ROOT = _SCRIPT.parents[2]
_FACTS = sorted(re.findall(r"^def (test_\w+)", _SCRIPT.read_text(), re.M))


@pytest.fixture(scope="module")
def output():
    command = [str(Path(sys.executable).with_name("micropython")), "-X", "heapsize=8m", str(_SCRIPT), str(_ROOT)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("fact", _FACTS)
def test_on_the_vm(fact, output):
    assert f"RESULT {fact} ok" in output, output
