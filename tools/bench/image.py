# What a bench VM finds on its path: the device code as shipped, the shims, aioble real or double, all compiled.
# Starts nothing.
from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, build


class ImageError(Exception):
    """A part of the image is missing; the text says which and how to get it."""


@dataclass(frozen=True)
class Image:
    """Folders for sys.path. aioble: "real (FOLDER's version)" or "double"."""

    runner: Path
    lib: Path
    firmware: Path
    boards: dict[str, Path]
    aioble_path: Path
    aioble: str


def prepare(aioble_dir: str | None = None) -> Image:
    """Compile what changed. aioble_dir: a folder that holds the package `aioble`; default: `aioble_folder`."""
    build.build()
    out = ROOT / "build"
    shims = out / "bench"
    build.compile_tree(ROOT / "boards" / "bench", shims, skip=("runner.py", "double"))
    _copy(ROOT / "boards" / "bench" / "runner.py", shims / "runner.py")
    aioble_path, aioble = _aioble(aioble_dir or aioble_folder(), out)
    boards = {p.name.removeprefix("board-"): p for p in sorted((out / "mpy").glob("board-*"))}
    return Image(shims / "runner.py", out / "mpy" / "lib", out / "mpy" / "firmware", boards, aioble_path, aioble)


def aioble_folder() -> str:
    """The folder above the real aioble: the variable AIOBLE, else what `make aioble` installed; "" if there is none."""
    installed = Path(sys.prefix) / "aioble"
    return os.environ.get("AIOBLE", "") or (str(installed) if (installed / "aioble" / "__init__.py").is_file() else "")


def _aioble(folder: str, out: Path) -> tuple[Path, str]:
    if not folder:
        build.compile_tree(ROOT / "boards" / "bench" / "double", out / "aioble-double")
        return out / "aioble-double", "double"
    source = Path(folder).expanduser()
    if not (source / "aioble" / "__init__.py").is_file():
        raise ImageError(
            f"AIOBLE={folder}: this folder holds no package aioble; name the folder above aioble/__init__.py"
        )
    target = out / "aioble-real"
    build.compile_tree(source / "aioble", target / "aioble")
    return target, "real"


def _copy(source: Path, target: Path) -> None:
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
