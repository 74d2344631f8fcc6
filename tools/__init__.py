"""Owns the import path of the host programs: the device library and its CPython stand-ins. Knows no program."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# In front of everything: the `micropython` of the VM's package would otherwise hide the stand-in for its `const`.
for _folder in (ROOT / "lib", ROOT / "tools" / "compat"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
