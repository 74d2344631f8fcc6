"""Owns what the kiosk says: a file for each language, and how a date is written and said. Knows no screen's order.

words/TAG.toml: `name`, `order` (the lowest is shown first), `pattern` of a date, [screen], [tap], [slip], [grades] (of
a contact: four words each for how long, near, sure), [spoken]. A
"_" joins what is one word in the language though it is written as two; it is shown as a space that does not break. A
language that is spoken and not read has `name`, `order` and `like`: the tag of the one whose text it is shown with.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("words")
MOST_WORDS = 12
_JOIN, _TIED = "_", "\N{NO-BREAK SPACE}"


class WordsError(Exception):
    """A language's file that can't be used; the text names it and what is wrong with it."""


@dataclass(frozen=True)
class Language:
    """One language. voice: the tag of the language that a synthesiser speaks in its place, its own if it can."""

    tag: str
    name: str
    order: int
    pattern: str
    screen: dict[str, str]
    tap: dict[str, str]
    slip: dict[str, str]
    grades: dict[str, list[str]]
    spoken: dict[str, Any]
    voice: str

    def day(self, day: date) -> str:
        """The date as it is written; one word."""
        return _shown(self.pattern.format(day=day.day, month=day.month, name=self.spoken["months"][day.month - 1]))

    def say(self, key: str, **fields: object) -> str:
        """The text of a screen as shown; KeyError if there is none or a field is missing."""
        return _shown(self.screen[key].format_map(self._filled(fields, self._written)))

    def label(self, key: str) -> str:
        return _shown(self.tap[key])

    def line(self, key: str, **fields: object) -> str:
        """A line of the slip."""
        return _shown(self.slip[key].format_map(self._filled(fields, self._written)))

    def speak(self, key: str, **fields: object) -> str:
        """The text of a screen for a synthesiser: dates and numbers in words, as it would blur numerals."""
        return self.screen[key].format_map(self._filled(fields, self._said)).replace("_", " ")

    def _filled(self, fields: dict[str, Any], say: Callable[[Any], object]) -> dict[str, object]:
        return {key: self.grades[key][value] if key in self.grades else say(value) for key, value in fields.items()}

    def _written(self, value: object) -> object:
        return self.day(value) if isinstance(value, date) else value

    def _said(self, value: object) -> str:
        said = self.spoken
        if isinstance(value, date):
            return said["date"].format(day=said["days"][value.day - 1], month=said["months"][value.month - 1])
        signs = [said["digits"][int(sign)] if sign.isdecimal() else sign for sign in str(value) if not sign.isspace()]
        return " ".join(signs)


def tied(text: str) -> str:
    """A text that is never broken into lines: a telephone number."""
    return text.replace(" ", _TIED)


def _shown(text: str) -> str:
    return text.replace(_JOIN, _TIED)


def count(text: str) -> int:
    """Words of a text as shown: what stands between spaces that may break."""
    return len([word for word in text.replace("\n", " ").split(" ") if word.strip(".,?!:")])


def load_all(*folders: Path) -> dict[str, Language]:
    """All languages by tag, in their order, of the kiosk's own folder or these. WordsError, also if there is none."""
    tables = {path.stem: read(path) for folder in folders or (FOLDER,) for path in folder.glob("*.toml")}
    whole = {tag: _language(tag, table) for tag, table in tables.items() if "like" not in table}
    for tag, table in tables.items():
        if "like" in table:
            whole[tag] = _alike(tag, table, whole)
    if not whole:
        raise WordsError(f"{', '.join(map(str, folders))} holds no language")
    return dict(sorted(whole.items(), key=lambda item: item[1].order))


def read(path: Path) -> dict[str, Any]:
    """A file of words as it stands. WordsError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WordsError(f"{path}: {error}") from None


def _language(tag: str, table: dict[str, Any]) -> Language:
    try:
        return Language(tag=tag, voice=tag, **{**table, "name": _shown(str(table.get("name")))})
    except TypeError as error:
        raise WordsError(f"{tag}.toml: {error}") from None


def _alike(tag: str, table: dict[str, Any], whole: dict[str, Language]) -> Language:
    like = whole.get(str(table["like"]))
    if like is None or set(table) != {"name", "order", "like"}:
        raise WordsError(f"{tag}.toml: name, order and like, the tag of a language that has its own words")
    return replace(like, tag=tag, name=_shown(str(table["name"])), order=table["order"])
