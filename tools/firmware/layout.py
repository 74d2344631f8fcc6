"""Owns the checks of what ESP-IDF's build will read: partition table, frozen manifest, board files. Builds nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from esp_idf_defs.partitions import InputError, PartitionTable

from tools import ROOT

FLASH_BYTES = 4 << 20
TABLE_OFFSET = 0x8000
# What the boot code and the board contract (docs/SPEC-board) count on, in bytes.
_WANTED = {
    "romfs": 32 * 4096,
    "slot_a": 32 * 4096,
    "slot_b": 32 * 4096,
    "choice": 2 * 4096,
    "sightings": 240 * 4096,
    "lists": 100 * 4096,
}
_BOARD_FILES = ("board.py", "mpconfigboard.cmake", "mpconfigboard.h", "sdkconfig.board")


class LayoutError(Exception):
    """A board's folder that would not build, or would build something else; the text names file and reason."""


def partition_table(path: Path) -> PartitionTable:
    """The table of a CSV, checked by Espressif's rules and against what the code counts on; LayoutError."""
    try:
        table = PartitionTable.from_csv(path.read_text(), TABLE_OFFSET)
        table.verify()
        table.verify_size_fits(FLASH_BYTES)
    except (InputError, OSError) as error:
        raise LayoutError(f"{path.name}: {error}") from None
    sizes = {part.name: part.size for part in table}
    for name, size in _WANTED.items():
        if sizes.get(name) != size:
            raise LayoutError(f"{path.name}: {name} has {sizes.get(name)} bytes, the code counts on {size}")
    return table


@dataclass
class Manifest:
    """What a frozen manifest asks for: files by their path, packages of micropython-lib by their version."""

    files: list[Path] = field(default_factory=list)
    required: dict[str, str | None] = field(default_factory=dict)


def manifest(path: Path) -> Manifest:
    """Run a manifest as MicroPython's build would, as far as its own files go; LayoutError if one is missing."""
    found = Manifest()

    def freeze(folder: str, names: Any = None, opt: int | None = None) -> None:
        if "$(" in folder:
            return  # the port's own tree, which is not here
        listed = (names,) if isinstance(names, str) else names or ()
        found.files.extend((path.parent / folder / name).resolve() for name in listed)

    def require(name: str, version: str | None = None, **_: Any) -> None:
        found.required[name] = version

    words: dict[str, Callable[..., None]] = {"freeze": freeze, "require": require, "include": lambda *_, **__: None}
    exec(compile(path.read_text(), path.name, "exec"), {"__builtins__": {}, **words})
    missing = [file.name for file in found.files if not file.is_file()]
    if missing:
        raise LayoutError(f"{path.name}: freezes what is not there: {', '.join(missing)}")
    if not found.required.get("aioble"):
        raise LayoutError(f"{path.name}: does not require aioble by its version")
    return found


def check_board(board: str, root: Path = ROOT) -> Manifest:
    """All of a board's folder that can be checked without ESP-IDF; the manifest."""
    folder = root / "boards" / board
    for name in _BOARD_FILES:
        if not (folder / name).is_file():
            raise LayoutError(f"boards/{board}: {name} is missing")
    cmake = (folder / "mpconfigboard.cmake").read_text()
    for inside in re.findall(r"\$\{MICROPY_BOARD_DIR\}/([\w./]+)", cmake):
        if not (folder / inside).exists():
            raise LayoutError(f"boards/{board}/mpconfigboard.cmake: {inside} is not there")
    header = (folder / "mpconfigboard.h").read_text()
    if "MICROPY_VFS_ROM_IOCTL (1)" not in header:
        raise LayoutError(f"boards/{board}/mpconfigboard.h: the product could not be mapped from flash")
    return manifest(root / "boards" / "manifest.py")
