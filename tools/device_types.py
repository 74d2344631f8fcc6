"""Owns the second mypy run: device code against MicroPython's own stubs, each board against the contract.

Knows only where those stubs are.

mypy does not look for loose stub files among installed packages, so they are laid out in build/stubs first.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools import ROOT
from tools.build import BOARDS

_PACKAGES = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
_FOLDERS = (
    "lib/emask", "lib/emask_crypto", "firmware", "boards/base", "boards/common", "boards/esp32c3", "boards/station",
)  # fmt: skip
# A module may stand for a protocol: this line is wrong wherever the board differs from boards/contract.pyi.
_CHECK = "import board\nimport contract\n\nchecked: contract.Board = board\n"


def lay_out(target: Path) -> None:
    """Copy the stub files of the pinned packages to `target`, once per version."""
    stamp = target / "versions"
    versions = "\n".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    if stamp.exists() and stamp.read_text() == versions:
        return
    shutil.rmtree(target, ignore_errors=True)
    for name in _PACKAGES:
        for file in importlib.metadata.files(name) or []:
            if file.suffix == ".pyi" or file.name == "VERSIONS":
                path = target / file
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), path)
    stamp.write_text(versions)


def _mypy(stubs: Path, board: str, what: list[str]) -> int:
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy-device.ini", "--custom-typeshed-dir", str(stubs)]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "boards" / board)}
    return subprocess.run(command + what, cwd=ROOT, env=environment).returncode


def check_boards(stubs: Path, boards: Iterable[str] = BOARDS) -> list[str]:
    """Names of the boards that do not keep the contract; mypy's lines say where."""
    check = ROOT / "build" / "contract_check.py"
    check.write_text(_CHECK)
    return [board for board in boards if _mypy(stubs, board, ["build/contract_check.py"])]


def main() -> int:
    stubs = ROOT / "build" / "stubs"
    lay_out(stubs)
    present = [folder for folder in _FOLDERS if any((ROOT / folder).rglob("*.py"))]
    wrong = _mypy(stubs, "esp32c3", present)
    return 1 if check_boards(stubs) or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
