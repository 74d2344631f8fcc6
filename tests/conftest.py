"""Owns the running of tests/dual on both interpreters: pytest runs them natively, this adds the same on the VM.

Each test of a file is an item of its own, `test_x[mpy]`; the file runs once, in one VM process, when its first item
is due.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DUAL = ROOT / "tests" / "dual"
VM = Path(sys.executable).parent / "micropython"
HEAP = "1m"  # the RAM flash of the store's tests included
TIMEOUT_S = 120

BASE = ROOT / "boards" / "base"  # what is frozen into MicroPython is pure but for its last lines
STATION = ROOT / "boards" / "station"
RING = ROOT / "tools" / "ring" / "dual"  # the shared flash model

for _folder in (ROOT, DUAL, ROOT / "lib", ROOT / "tools" / "compat", RING, BASE, STATION):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))


class VmFailure(Exception):
    """A test failed on the VM; the text is the VM's traceback."""


class VmFile(pytest.File):
    """A file of tests/dual, as run by the MicroPython VM."""

    _results: dict[str, str] | None = None

    def collect(self):
        tree = ast.parse(self.path.read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield VmItem.from_parent(self, name=f"{node.name}[mpy]", test=node.name)

    def result(self, test: str) -> str:
        """Traceback of a test on the VM, empty if it passed."""
        if self._results is None:
            self._results = self._run()
        return self._results.get(test, "the VM ended before this test\n" + self._output)

    def _run(self) -> dict[str, str]:
        path = ":".join(str(folder) for folder in (ROOT / "lib", DUAL, RING, BASE, STATION, ".frozen"))
        command = [str(VM), "-X", f"heapsize={HEAP}", str(DUAL / "vm_runner.py"), self.path.stem]
        done = subprocess.run(
            command, env={**os.environ, "MICROPYPATH": path}, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        self._output = (done.stdout + done.stderr)[-2000:]
        lines = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        return dict(json.loads(line) for line in lines)


class VmItem(pytest.Item):
    """One test on the VM."""

    def __init__(self, *, test: str, **rest):
        super().__init__(**rest)
        self.test = test

    def runtest(self):
        failure = self.parent.result(self.test)
        if failure:
            raise VmFailure(failure)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, VmFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, f"{self.test}[mpy]"


def pytest_collect_file(file_path: Path, parent):
    if file_path.parent == DUAL and file_path.name.startswith("test_") and file_path.suffix == ".py":
        return VmFile.from_parent(parent, path=file_path)
    return None
