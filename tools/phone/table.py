"""Owns what of the kiosk's screens a phone shows, and in which words. Knows no file of the page.

The rows are the kiosk's; a phone's first screen has a button that looks for the token, since a browser asks which one
only after a tap, and there is no slip, as there is no paper.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tools.kiosk.hall import words
from tools.kiosk.hall.flow import TABLE, Row
from tools.kiosk.hall.page import AWAY, PICTURES

FOLDER = Path(__file__).with_name("words")
_SWAP = {name for name in TABLE if name.startswith("swap")} | {
    "moving",
    "nottoken",
    "unmoved",
    "unerased",
}  # two tokens
_HALL_ONLY = {"two", "slip", "unprinted"} | _SWAP
_CARE = Row({"next": "done"}, 30, "done")
_ROWS = {
    "start": Row({"find": "seen", "staff": "staff", "keeper": "start"}),
    "tasks": Row({name: to for name, to in TABLE["tasks"].taps.items() if name != "swap"}, 40),
    "press": Row({"find": "seen", "start": "start"}, 60),
    "weak": _CARE,
    "broken": _CARE,
    "battery": _CARE,
    "empty": _CARE,
    "closed": Row({"keeper": "closed"}),
}
_NO_TRAY = {"start": "token"}  # what is drawn in place of a picture with the hall's tray
ROWS = {name: _ROWS.get(name, row) for name, row in TABLE.items() if name not in _HALL_ONLY}


def table() -> dict[str, dict[str, Any]]:
    """Each screen's taps, limit, what follows it, and whether it is the wearer's own."""
    return {name: asdict(row) for name, row in ROWS.items()}


def pictures() -> dict[str, str]:
    """The SVG of each screen."""
    folder = Path(words.__file__).with_name("pictures")
    used = {name: PICTURES.get(name, name) for name in ROWS}
    return {name: (folder / f"{_NO_TRAY.get(own, own)}.svg").read_text("utf-8") for name, own in used.items()}


def away() -> list[str]:
    """Buttons that are never the first to be looked at."""
    return sorted(AWAY | {"keeper"})


def languages(*folders: Path) -> dict[str, words.Language]:
    """The kiosk's languages by tag, in the phone's words; more of them from `folders`, whose folder `phone` has the
    phone's. WordsError.
    """
    return {tag: _worded(one, _own(one, folders)) for tag, one in words.load_all(words.FOLDER, *folders).items()}


def keeper(language: words.Language, *folders: Path) -> dict[str, str]:
    """The words of the page of who keeps the phone."""
    return _own(language, folders)["keeper"]


def _own(language: words.Language, folders: tuple[Path, ...]) -> dict[str, dict[str, str]]:
    """The phone's own words; of a language that is spoken and not read, those of the one that it is shown with."""
    for folder in (FOLDER, *(folder / "phone" for folder in folders)):
        path = folder / f"{language.voice}.toml"
        if path.exists():
            return words.read(path)
    raise words.WordsError(f"{language.tag}: there are no words for a phone: phone/{language.voice}.toml")


def _worded(language: words.Language, own: dict[str, dict[str, str]]) -> words.Language:
    return replace(language, screen=language.screen | own["screen"], tap=language.tap | own["tap"])
