"""Owns what the page shows of a screen: its HTML, in one language. Knows no network and no flow of screens."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tools.kiosk.hall import slip
from tools.kiosk.hall.flow import Flow, Screen
from tools.kiosk.hall.words import Language

_HERE = Path(__file__).parent
_SENTENCE = re.compile(r"(?<=[.?!]) ")
AWAY = {"stop", "start", "staff", "found"}
# A screen's picture; those not named have one of their own name.
PICTURES = {
    "lesser": "call", "since": "consent", "withdrawn": "thanks", "noted": "thanks",
    "press": "start", "still": "number", "none": "calendar", "stale": "calendar", "given": "thanks", "done": "thanks",
    "handed": "thanks", "kept": "token", "seen": "token", "lost": "start", "retry": "start",
    "blind": "news", "leave": "news", "new": "news", "waiting": "clock", "checking": "look", "referred": "slip",
    "unprinted": "slip", "broken": "weak", "tasks": "staff", "joined": "household", "unjoined": "household",
    "paused": "pause", "resumed": "token", "details": "staff", "empty": "battery",
    "wiped": "drawer", "unwiped": "token", "erase": "drawer",
    "swapnew": "newtoken", "swapfill": "newtoken", "swapold": "oldtoken", "swapend": "oldtoken", "moving": "swap",
    "nottoken": "two", "unmoved": "swap", "swapped": "thanks", "unerased": "drawer",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One screen as sent to the page. number: which screen it is, for its taps."""

    number: int
    name: str
    tag: str
    html: str


class Page:
    """Makes HTML. languages: by tag, in their order; prints: where slips go, "browser" or anything else."""

    def __init__(self, languages: dict[str, Language], prints: str = slip.BROWSER) -> None:
        self.languages, self._prints = languages, prints
        self._pictures = {path.stem: Markup(path.read_text("utf-8")) for path in (_HERE / "pictures").glob("*.svg")}
        loader = FileSystemLoader(_HERE / "templates")
        self._made = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def show(self, flow: Flow, tag: str) -> Shown:
        """The screen of `flow` in the language `tag`."""
        screen, language = flow.screen, self.languages[tag]
        html = self._made.get_template("screen.html").render(
            name=screen.name,
            number=screen.number,
            sentences=_SENTENCE.split(language.say(screen.name, **screen.fields)),
            picture=self._pictures[PICTURES.get(screen.name, screen.name)],
            taps=[self._tap(screen, tap, language) for tap in screen.taps],
            percent=None if screen.share is None else round(100 * screen.share),
            digits=[screen.fields[key] for key in ("a", "b") if key in screen.fields],
            receipt=[
                code[at : at + 4] for code in (screen.fields.get("receipt", ""),) for at in range(0, len(code), 4)
            ],
            others=self._others(tag) if screen.name == "start" else [],
            slip=self.slip(flow, tag) if screen.name == "slip" else [],
            prints=self._prints == slip.BROWSER,
        )
        return Shown(screen.number, screen.name, tag, html)

    def _tap(self, screen: Screen, tap: str, language: Language) -> dict[str, Any]:
        """The first button is the one that most people need, unless it only leads away."""
        return {"name": tap, "label": language.label(tap), "main": tap == screen.taps[0] and tap not in AWAY}

    def whole(self, shown: Shown, languages: list[Language]) -> str:
        """The document with its first screen."""
        return self._made.get_template("page.html").render(
            shown=shown, screen=Markup(shown.html), down=[(one.tag, one.say("down")) for one in languages]
        )

    def _others(self, tag: str) -> list[dict[str, Any]]:
        return [{"tag": one.tag, "name": one.name} for one in self.languages.values() if one.tag != tag]

    def slip(self, flow: Flow, tag: str) -> list[str]:
        """The slip's lines, as shown and as printed; there is a report by then."""
        assert flow.report
        return slip.lines(flow.report, self.languages[tag], flow.phone, flow.referred)
