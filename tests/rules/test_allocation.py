"""Rule: the radio's interrupt handler allocates nothing; shown on the real VM with the heap locked."""

import subprocess
import sys
from pathlib import Path

from tools import ROOT

VM = Path(sys.executable).with_name("micropython")

# The heap is locked while 200 reports come in: more than the ring holds. Any allocation is a MemoryError.
SCRIPT = """
import sys
class Nothing: pass
core = Nothing()
core.register_irq_handler = lambda handler, shutdown: None
aioble = Nothing()
aioble.core = core
sys.modules["aioble"] = aioble
sys.modules["aioble.core"] = core
sys.modules["bluetooth"] = Nothing()
sys.path[:0] = [{firmware!r}, {lib!r}]
import micropython, radio
now = [0]
def ticks_ms():
    return now[0]
unit = radio.Radio(ticks_ms)
data = (1, bytes(6), 3, -60, memoryview(bytes(range(31))))
long = (1, bytes(6), 3, -60, memoryview(bytes(62)))
unit._irq(5, data)
micropython.heap_lock()
try:
    for _ in range(200):
        unit._irq(5, data)
        unit._irq(5, long)
        unit._irq(6, data)
    problem = ""
except MemoryError:
    problem = "allocates"
micropython.heap_unlock()
print(problem or "none", unit.count, unit.dropped, bytes(list(unit.reports())[-1][2]) == bytes(range(31)))
"""


def test_interrupt_handler_runs_with_the_heap_locked():
    script = SCRIPT.format(firmware=str(ROOT / "firmware"), lib=str(ROOT / "lib"))
    done = subprocess.run([str(VM), "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["none", "128", "73", "True"], done.stdout + done.stderr
