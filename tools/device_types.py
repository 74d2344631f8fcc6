"""Owns the second mypy run: device code against MicroPython's own stubs. Knows only where those stubs are.

mypy does not look for loose stub files among installed packages, so they are laid out in build/stubs first.
"""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from tools import ROOT

_PACKAGES = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
_FOLDERS = ("lib/emask", "lib/emask_crypto", "firmware", "boards/esp32c3")


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


def main() -> int:
    stubs = ROOT / "build" / "stubs"
    lay_out(stubs)
    present = [folder for folder in _FOLDERS if any((ROOT / folder).rglob("*.py"))]
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy-device.ini", "--custom-typeshed-dir", str(stubs)]
    return subprocess.run(command + present, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
