"""Owns which screen is shown and what a tap on it leads to: a state machine. Knows no radio, clock, word or page.

Whoever runs it tells it of taps, of the time being up and of what the token did, and reads off it what was decided.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tools.kiosk import swap
from tools.kiosk.hall.faults import HALF_SWAPPED
from tools.kiosk.hall.report import Report

UPLOAD, HANDOVER, WIPE, HOUSEHOLD, PAUSE = "upload", "handover", "wipe", "household", "pause"
SWAP = "swap"  # of a token for a new one, in four visits
CONTACT = "contact"  # whom a list warned gives the keys since then (F1)
# Stand for the screen of the report's result, of what is left to say after it, and of the next step of a swap.
_RESULT, _REST, _NEXT = "result", "rest", "step"
PAUSES_MIN = {"four": 240, "eight": 480, "end": 0}  # by the buttons of "pause"


@dataclass(frozen=True)
class Row:
    """What a screen leads to. taps: button -> next screen; limit_s: then it goes to `then`; private: the wearer's."""

    taps: dict[str, str] = field(default_factory=dict)
    limit_s: float | None = None
    then: str = "start"
    private: bool = False


_TO_LEAVE = Row({"next": "leave"}, 40, "leave", True)
_CARE = Row({"next": "slip"}, 30, "slip")
TABLE = {
    "start": Row({"found": "erase", "staff": "staff"}),
    "staff": Row({UPLOAD: "consent", HANDOVER: "press", "back": "erase", "more": "tasks", "start": "start"}, 40),
    "erase": Row({WIPE: "press", "stop": "start"}, 40),
    "tasks": Row({HOUSEHOLD: "household", PAUSE: "pause", CONTACT: "since", SWAP: "swap", "start": "start"}, 40),
    "since": Row({"agree": "press", "stop": "start"}, 60),
    "household": Row({"agree": "press", "stop": "start"}, 60),
    "pause": Row({"four": "press", "eight": "press", "end": "press", "stop": "start"}, 40),
    "swap": Row({"agree": _NEXT, "proxy": _NEXT, "stop": "start"}, 60),
    "swapnew": Row({"start": "start"}, 120),
    "swapold": Row({"start": "start"}, 120),
    "swapfill": Row({"start": "start"}, 120),
    "swapend": Row({"start": "start"}, 120),
    "moving": Row(),
    "nottoken": Row({"another": _NEXT, "finish": "start"}, 60),
    "unmoved": Row({"another": _NEXT, "finish": "start"}, 60),
    "swapped": Row({}, 20),
    "unerased": Row({}, 20),
    "consent": Row({"agree": "press", "proxy": "press", "stop": "start"}, 60),
    "press": Row({"start": "start"}, 60),
    "seen": Row(),
    "two": Row(),
    "which": Row({"yes": "checking", "again": "which", "no": "start"}),
    "checking": Row(),
    "closer": Row({"show": _RESULT}, 40, "leave", True),
    "none": _TO_LEAVE,
    "stale": _TO_LEAVE,
    "waiting": _TO_LEAVE,
    "new": _TO_LEAVE,
    "lesser": _TO_LEAVE,
    "alert": Row({"next": "advice"}, 40, "leave", True),
    "withdrawn": _TO_LEAVE,
    "advice": Row({"ok": "leave", "refer": "referred", "details": "leave"}, 40, "leave", True),
    "referred": _TO_LEAVE,
    "number": Row({"stop": "start"}),
    "still": Row({"stop": "start"}),
    "leave": Row(),
    "details": Row({"next": _REST}, 40, _REST, True),
    "weak": _CARE,
    "broken": _CARE,
    "battery": _CARE,
    "empty": _CARE,
    "slip": Row({"print": "done", "skip": "done"}, 30, "done"),
    "done": Row({}, 10),
    "unprinted": Row({}, 15),
    "blind": Row({}, 15),
    "lost": Row({}, 15),
    "retry": Row({}, 15),
    "given": Row({}, 30),  # long enough to write its code down
    "noted": Row({}, 30),
    "kept": Row({}, 15),
    "handed": Row({}, 10),
    "wiped": Row({}, 15),
    "unwiped": Row({}, 15),
    "joined": Row({"another": "press", "finish": "start"}, 60),
    "unjoined": Row({"another": "press", "finish": "start"}, 60),
    "paused": Row({}, 10),
    "ended": Row({}, 20),
    "resumed": Row({}, 10),
    "closed": Row(),
}
# A person stands before these, so that the next token has to wait; each of them ends by itself.
_BUSY = {
    "staff", "tasks", "consent", "since", "erase", "household", "pause", "joined", "unjoined",
    "swap", "nottoken", "unmoved",
    "details", "weak", "broken", "battery", "empty", "slip",
}  # fmt: skip


@dataclass(frozen=True)
class Screen:
    """What is shown. number: counts screens; share: of a progress bar."""

    name: str
    row: Row
    taps: tuple[str, ...]
    number: int
    fields: dict[str, Any] = field(default_factory=dict)
    share: float | None = None


class Flow:
    """clinic: staff stand beside it and have a button; phone: whom to call; changed(): after each change.

    certified: the kiosk may ask tokens for what only a clinic's may.
    """

    def __init__(self, *, clinic: bool = False, phone: str = "", changed: Callable[[], None] = lambda: None) -> None:
        self.clinic, self.phone, self.changed = clinic, phone, changed
        self.report: Report | None = None
        self.errand = ""  # what the staff want of the next token
        self.proxy = False  # a representative agreed in the wearer's place
        self.pause_min = 0
        self.step = swap.NEW  # of a swap: whose turn it is
        self.acknowledged = self.referred = self.detailed = self.certified = False
        self.over = False  # the programme has ended for this token
        self.fault = ""
        self.screen = self._made("start", 0, {})

    @property
    def free(self) -> bool:
        """Whether a token may be served now."""
        return self.screen.name not in _BUSY

    # -- what people and time do

    def tap(self, name: str) -> bool:
        """A tap on the present screen; False if it has no such button."""
        screen = self.screen
        if name not in screen.taps:
            return False
        if screen.name in ("staff", "tasks", "erase"):
            self.errand = name
        elif screen.name == "pause":
            self.pause_min = PAUSES_MIN.get(name, 0)
        elif screen.name in ("consent", "swap"):
            self.proxy = name == "proxy"
        elif screen.name == "withdrawn":
            self.acknowledged = True
        elif screen.name == "advice":
            self.acknowledged, self.referred, self.detailed = True, name == "refer", name == "details"
        self.go(screen.row.taps[name])
        return True

    def time_is_up(self) -> None:
        """The screen's limit has passed."""
        if self.screen.row.limit_s is not None:
            self.go(self.screen.row.then)

    # -- what the token and the kiosk do

    def seen(self) -> None:
        """One token is near and is being connected to."""
        self.report = None
        self.acknowledged = self.referred = self.detailed = self.over = False
        self.go("seen")

    def ask_which(self) -> None:
        self.go("which")

    def two(self) -> None:
        """Two tokens are about as near."""
        self.go("two")

    def back(self) -> None:
        """Wait for a token again: none is near any more, or the wearer said that it is another one."""
        self.go(_NEXT if self.errand == SWAP else "press" if self.errand else "start")

    def moving(self, share: float) -> None:
        """What a token knows goes to the kiosk, or to the new token."""
        self._progress("moving", share)

    def checking(self, share: float) -> None:
        self._progress("checking", share)

    def told(self, report: Report) -> None:
        """The token's status is here; a wearer who knew the token may come closer."""
        self.report = report
        self.go("closer")

    def news(self, share: float = 0.0) -> None:
        """Nothing is to be read (any more), and the visit goes on."""
        self._progress("leave", share)

    def show_number(self, number: tuple[int, int]) -> None:
        """The short number of an upload, and the wearer's two seconds, or, by proxy, a minute without a touch."""
        self.go("still" if self.proxy else "number", a=number[0], b=number[1])

    def finished(
        self, upload: str = "none", details: tuple[int, int, int] | None = None, *, over: bool = False, code: str = ""
    ) -> None:
        """The visit is complete. upload: as in VisitResult; details: how long, how near, how sure, if asked for; over:
        the programme has ended for this token; code: of the upload. Who was told a result is still given the slip.
        """
        self.over = over
        if over and (self.errand or self.report is None):
            self.errand, self.proxy = "", False
            self.go("ended")
            return
        if self.errand == HOUSEHOLD:
            self.go("joined")  # and the next token may come
            return
        errand, self.errand, self.proxy = self.errand, "", False
        if errand == UPLOAD:
            self._received("given", upload, code)
        elif errand == CONTACT:
            self._received("noted", upload, code)
        elif errand == PAUSE:
            self.go("paused" if self.pause_min else "resumed")
        elif errand == WIPE:
            self.go("wiped" if upload == "wiped" else "unwiped")
        elif errand:
            self.go("handed")
        elif self.report is None:
            self.go("blind")
        elif details:
            self.go("details", **dict(zip(("length", "near", "sure"), details, strict=True)))
        else:
            self.go(_REST)

    def _received(self, screen: str, upload: str, code: str) -> None:
        """Show the code too, by which alone the upload could be taken back; it is said by no loudspeaker."""
        if upload == "taken":
            self.go(screen, receipt=code)
        else:
            self.go("kept")

    def stepped(self, step: str, upload: str, code: str) -> None:
        """A visit of a swap is complete. step: what is next; upload: as in VisitResult; code: of another token."""
        self.step = step
        if step == swap.OLD and upload == "the wearer did not agree":
            self.errand, self.proxy = "", False
            self.go("kept")
        elif step == swap.OVER:
            self.errand, self.proxy = "", False
            self.go("swapped")
        elif upload == "moved":
            self.go(_NEXT)
        else:
            self.go("nottoken", code=code)

    def broke(self, screen: str, code: str) -> None:
        """The visit ended before its end: screen "lost" or "retry"."""
        if self.errand == HOUSEHOLD:
            self.go("unjoined", code=code)
            return
        if self.errand == SWAP:
            self.go("unmoved", code=code)
            return
        self.errand, self.proxy = "", False
        self.go(screen, code=code)

    def unprinted(self, code: str) -> None:
        """The printer did not take the slip."""
        if self.screen.name == "done":
            self.go("unprinted", code=code)

    def closed(self, code: str) -> None:
        """The kiosk can't serve until opened()."""
        if self.fault != code:
            self.fault = code
            self.go("closed")

    def opened(self) -> None:
        if self.fault:
            self.fault = ""
            self.go("start")

    # -- making

    def _progress(self, name: str, share: float) -> None:
        if self.screen.name == name:
            self.screen = replace(self.screen, share=share)
            self.changed()
        else:
            self.go(name)

    def go(self, name: str, **fields: Any) -> None:
        """Show a screen."""
        if name == _RESULT:
            assert self.report
            name = self.report.result
        if name == _REST:
            assert self.report
            name, fields = self.report.care or "slip", {"code": self.report.codes}
        if name == _NEXT:
            name = "swap" + self.step
        if name == "start":
            half = self.errand == SWAP and self.step == swap.END
            self.errand, self.proxy, self.step = "", False, swap.NEW
            name, fields = ("unerased", {"code": HALF_SWAPPED}) if half else (name, fields)
        if name == "start":
            name = "closed" if self.fault else name
        if name == "closed":
            fields = {"code": self.fault}
        if name == "done" and self.over:
            name = "ended"
        if TABLE[name].private and self.report and not fields:
            fields = {"day": self.report.alert_day if name == "alert" else self.report.day, "phone": self.phone}
        self.screen = self._made(name, self.screen.number + 1, fields)
        self.changed()

    def _made(self, name: str, number: int, fields: dict[str, Any]) -> Screen:
        row = TABLE[name]
        hidden = {"staff": not self.clinic, "details": not self.certified}
        taps = tuple(tap for tap in row.taps if not hidden.get(tap))
        share = 0.0 if name in ("checking", "leave", "moving") else None
        return Screen(name, row, taps, number, fields, share)
