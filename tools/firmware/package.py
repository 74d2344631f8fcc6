"""Owns boards/<name>/package.json: what `mip` installs on a development board. `--check` compares, else it writes.

The product goes as an image (docs/FLASH); this puts the same sources on a board with MicroPython as it comes.
"""

import json
import sys
from pathlib import Path

from tools import ROOT
from tools.build import BOARDS, PACKAGES
from tools.firmware import layout

_DEVICE = ("lib", "firmware")


def content(board: str, root: Path = ROOT) -> str:
    """The package.json of a board: files by their place on the device, from where; the version of aioble."""
    folders = [folder for name in (*_DEVICE, f"board-{board}") for folder in PACKAGES[name]]
    urls = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            if "__pycache__" not in path.parts:
                inside = path.relative_to(root / folder).as_posix()
                urls.append([inside, f"../../{path.relative_to(root).as_posix()}"])
    aioble = layout.manifest(root / "boards" / "manifest.py").required["aioble"]
    facts = {"version": "0.1.0", "deps": [["aioble", aioble]], "urls": urls}
    return json.dumps(facts, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    stale = [board for board in BOARDS if _read(board) != content(board)]
    for board in stale:
        if "--check" in arguments:
            print(f"boards/{board}/package.json is not up to date: python -m tools.firmware.package", file=sys.stderr)
        else:
            (ROOT / "boards" / board / "package.json").write_text(content(board))
    return 1 if stale and "--check" in arguments else 0


def _read(board: str) -> str:
    path = ROOT / "boards" / board / "package.json"
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
