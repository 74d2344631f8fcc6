"""Owns a bundle: a folder with all that a flash station writes, and bundle.json that says what and its SHA-256."""

import ast
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tools import ROOT, build
from tools.files import write_whole
from tools.firmware import image, layout

FORMAT = "emask-bundle/1"
CHIPS = {"esp32c3": "ESP32-C3", "esp32": "ESP32", "esp32s3": "ESP32-S3", "esp32c6": "ESP32-C6"}
# Files of ESP-IDF's build -> name in the bundle. The bootloader's place depends on the chip's ROM.
_BASE = {
    "bootloader/bootloader.bin": "bootloader.bin",
    "partition_table/partition-table.bin": "partition-table.bin",
    "micropython.bin": "base.bin",
}
_BASE_OFFSET = 0x10000
_PROGRAMS = ("install.py", "bringup.py")  # what the station sends to a token and runs there


_SCHEMA = {
    "type": "object",
    "required": ["format", "board", "chip", "version", "aioble", "signed", "base", "bootloader_offset", "files"],
    "properties": {
        "board": {"enum": list(CHIPS)},
        "version": {"type": "integer", "minimum": 0},
        "aioble": {"type": "string"},
        "files": {
            "type": "object",
            "propertyNames": {"pattern": r"^[a-z][a-z.-]*\Z"},
            "additionalProperties": {"type": "object"},
        },
    },
}


class BundleError(Exception):
    """A bundle that is incomplete, damaged or for something else; the text names the file."""


@dataclass(frozen=True)
class Part:
    """One file that is written to the flash at an offset."""

    name: str
    offset: int
    path: Path
    size: int


@dataclass(frozen=True)
class Bundle:
    """A checked bundle. parts: what esptool writes, empty without a base; release_key: 32 public bytes or empty.

    installer, bringup: the programs that take the product on a token, and provision and test it.
    """

    folder: Path
    board: str
    chip: str
    version: int
    aioble: str
    parts: tuple[Part, ...]
    product: image.Image
    release_key: bytes
    installer: str
    bringup: str


def bootloader_offset(board: str) -> int:
    return 0x1000 if board == "esp32" else 0


def product_files(board: str, root: Path = ROOT) -> dict[str, bytes]:
    """Compiled files of lib, firmware and board by the path that the token imports them from."""
    units = [unit for unit in build.build(root=root) if unit.package in ("lib", "firmware", f"board-{board}")]
    out = root / "build" / "mpy"
    return {unit.path.relative_to(out / unit.package).as_posix(): unit.path.read_bytes() for unit in units}


def firmware_version(root: Path = ROOT) -> int:
    """FIRMWARE_VERSION of firmware/settings.py."""
    for node in ast.walk(ast.parse((root / "firmware" / "settings.py").read_text())):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FIRMWARE_VERSION":
            return int(ast.unparse(node.value).removeprefix("const(").removesuffix(")"))
    raise BundleError("firmware/settings.py: no FIRMWARE_VERSION")


def make(
    board: str, out: Path, key: bytes | None = None, base: Path | None = None, root: Path = ROOT
) -> dict[str, Any]:
    """Build a bundle into `out`, whole; returns what bundle.json says. Same source, key and base: the same bytes."""
    manifest = layout.check_board(board, root)
    table = layout.partition_table(root / "boards" / "partitions.csv").to_binary()
    secret = image.load_key(key) if key else None
    product = image.build(board, firmware_version(root), image.romfs(product_files(board, root)), secret)
    files = {"product.romfs": product.payload, "product.emfw": product.data, "partition-table.bin": table}
    files |= {name: (root / "boards" / "station" / name).read_bytes() for name in _PROGRAMS}
    if key:
        files["release.pub"] = image.public_key(key)
    files |= _base_files(base, table) if base else {}
    facts = {
        "format": FORMAT,
        "board": board,
        "chip": CHIPS[board],
        "version": product.version,
        "aioble": manifest.required["aioble"],
        "signed": product.signed,
        "base": bool(base),
        "bootloader_offset": bootloader_offset(board),
        "files": {name: _facts(data) for name, data in sorted(files.items())},
    }
    _write(out, files, facts)
    return facts


def _base_files(base: Path, table: bytes) -> dict[str, bytes]:
    found = {}
    for inside, name in _BASE.items():
        try:
            found[name] = (base / inside).read_bytes()
        except OSError as error:
            raise BundleError(f"{base / inside}: {error.strerror}") from None
    if found["partition-table.bin"][: len(table)] != table:
        raise BundleError(f"{base}: its partition table is not that of boards/partitions.csv")
    return found


def _facts(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _write(out: Path, files: dict[str, bytes], facts: dict[str, Any]) -> None:
    if out.exists() and not (out / "bundle.json").exists() and any(out.iterdir()):
        raise BundleError(f"{out}: is there and is no bundle")
    shutil.rmtree(out, ignore_errors=True)
    for name, data in files.items():
        write_whole(out / name, data)
    write_whole(out / "bundle.json", (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode())


def load(folder: Path) -> Bundle:
    """Read and check a bundle: every file's size and hash, the image, its signature; BundleError."""
    facts = _read_facts(folder)
    contents = {name: _content(folder, name, wanted) for name, wanted in facts["files"].items()}
    key = contents.get("release.pub", b"")
    try:
        product = image.parse(contents["product.emfw"], key or None)
        installer, bringup = (contents[name].decode() for name in _PROGRAMS)
    except KeyError as error:
        raise BundleError(f"{folder}: {error.args[0]} is missing") from None
    except image.ImageError as error:
        raise BundleError(f"{folder / 'product.emfw'}: {error}") from None
    if (product.board, product.version) != (facts["board"], facts["version"]):
        raise BundleError(f"{folder}: the image is for {product.board}, version {product.version}; bundle.json is not")
    places = {"bootloader.bin": facts["bootloader_offset"], "partition-table.bin": layout.TABLE_OFFSET}
    places["base.bin"] = _BASE_OFFSET
    parts = tuple(Part(name, at, folder / name, len(contents[name])) for name, at in places.items() if name in contents)
    return Bundle(
        folder, facts["board"], facts["chip"], product.version, facts["aioble"],
        parts if "base.bin" in contents else (), product, key, installer, bringup,
    )  # fmt: skip


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / "bundle.json").read_text())
    except FileNotFoundError:
        raise BundleError(f"{folder}: no bundle.json, so this is no bundle") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder / 'bundle.json'}: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise BundleError(f"{folder}: not a bundle of this version")
    wrong = next(Draft202012Validator(_SCHEMA).iter_errors(facts), None)
    if wrong:
        where = ".".join(str(part) for part in wrong.path) or "top level"
        raise BundleError(f"{folder / 'bundle.json'}: {where}: not as a bundle has it")
    if (facts["chip"], facts["bootloader_offset"]) != (CHIPS[facts["board"]], bootloader_offset(facts["board"])):
        raise BundleError(f"{folder / 'bundle.json'}: chip or offset are not those of {facts['board']}")
    return facts


def _content(folder: Path, name: str, wanted: Any) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(f"{folder / name}: {error.strerror}") from None
    if wanted != _facts(data):
        raise BundleError(f"{folder / name}: damaged or changed, its SHA-256 is not that of bundle.json")
    return data
