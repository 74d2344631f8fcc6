"""Owns the kiosk's stock of upload codes, codes.txt, for its owner only. A code is in it until its upload is stored."""

import json
from pathlib import Path

from emask import spec
from tools.codes import Kind, kind_of
from tools.files import write_whole
from tools.kiosk.folder import KioskFolder


def first(folder: KioskFolder, kind: Kind) -> str | None:
    """The next code of a kind, or None. One whose upload waits in the outbox was used before a cut of power."""
    spent = {_code(path) for path in folder.uploads()}
    return next((code for code in _all(folder) if code not in spent and kind_of(code) == kind), None)


def used(folder: KioskFolder, code: str) -> None:
    """Strike a code out. OSError: it stays, and first() passes it over."""
    rest = [one for one in _all(folder) if one != code]
    write_whole(_path(folder), "".join(one + "\n" for one in rest).encode(), 0o600)


def _path(folder: KioskFolder) -> Path:
    return folder.path / "codes.txt"


def _all(folder: KioskFolder) -> list[str]:
    try:
        words = _path(folder).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []
    return [word for word in words if len(word) == spec.CODE_BYTES]


def _code(path: Path) -> str:
    try:
        return str(json.loads(path.read_bytes())["code"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
