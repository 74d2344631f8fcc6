"""Owns the reading of the project's own sources for the rules: which files there are, their trees, their imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools import ROOT

LIB, FIRMWARE, BOARDS = ROOT / "lib", ROOT / "firmware", ROOT / "boards"
PRODUCT_BOARDS = tuple(BOARDS / name for name in ("common", "base", "esp32c3", "esp32", "esp32s3", "esp32c6"))
BENCH_BOARD = BOARDS / "bench"


@cache
def files(*folders: Path) -> tuple[Path, ...]:
    """All Python files below the folders, sorted."""
    return tuple(path for folder in folders for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def device_files() -> tuple[Path, ...]:
    """What is compiled and goes on a device."""
    return files(LIB, FIRMWARE, *PRODUCT_BOARDS)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def roots(path: Path) -> set[str]:
    """First parts of the imported names."""
    return {name.split(".")[0] for name in imported(path)}


def place(path: Path, node: ast.AST | None = None) -> str:
    """file:line, for a message."""
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(ROOT)}{line}"
