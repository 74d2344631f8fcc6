"""Owns what a token's sealed status means to a person: the result, and the health check with staff codes.

Knows no radio, no screen and no language.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from emask import spec

ZONE_S = 7 * 3600  # Viet Nam
_STALE_DAYS = 7
_WEAK_MV, _EMPTY_MV = 3_600, 3_450
_MANY_RESETS = 16
_WEAK_DBM = -72  # on the tray, a hand's breadth from the adapter
_LOW, _EMPTY = "T11", "T12"


@dataclass(frozen=True)
class Finding:
    """One thing that the health check found. code: for staff; broken: the token should be changed."""

    code: str
    broken: bool = False


@dataclass(frozen=True)
class Report:
    """result: one of "alert", "lesser" (only the list of contacts warns), "withdrawn"
    (an alert was taken back), "waiting", "new", "stale", "none".

    day: checked up to; alert_day: of the contact.
    """

    result: str
    day: date | None
    alert_day: date | None
    findings: tuple[Finding, ...]
    on_shelf: bool

    @property
    def broken(self) -> bool:
        return any(finding.broken for finding in self.findings)

    @property
    def care(self) -> str:
        """The screen that says what the token needs, or ""; if it is the battery alone, what to do is said."""
        if {finding.code for finding in self.findings} & {_LOW, _EMPTY} and len(self.findings) == 1:
            return "empty" if self.broken else "battery"
        return "broken" if self.broken else "weak" if self.findings else ""

    @property
    def codes(self) -> str:
        return " ".join(finding.code for finding in self.findings)


def local_day(utc_s: float) -> date:
    return datetime.fromtimestamp(utc_s + ZONE_S, UTC).date()


def read(status: dict[str, int], now_s: float, firmware: int = 0, level_dbm: float = 0) -> Report:
    """The report of one STATUS. now_s: the kiosk's time; firmware: the newest number, 0 if not known;
    level_dbm: as heard on the tray."""
    state, issued_s = status["state"], status["list_issued_s"]
    checked = issued_s > 0 and not state & spec.STATE_LIST_WAITS
    day = local_day(issued_s) if checked else None
    alert_day = date(1970, 1, 1) + timedelta(days=status["alert_day"]) if state & spec.STATE_ALERT else None
    return Report(
        _result(status, day, local_day(now_s)),
        day,
        alert_day,
        tuple(_findings(status, now_s, firmware, level_dbm)),
        bool(state & spec.STATE_SHELF),
    )


def _result(status: dict[str, int], day: date | None, today: date) -> str:
    state = status["state"]
    if state & spec.STATE_ALERT:
        return "alert"
    if status["alert_day"] == spec.ALERT_TAKEN_BACK:
        return "withdrawn"
    if state & spec.STATE_LESSER:
        return "lesser"
    if day is None:
        return "waiting" if status["list_issued_s"] else "new"
    return "stale" if (today - day).days > _STALE_DAYS else "none"


def _findings(status: dict[str, int], now_s: float, firmware: int, level_dbm: float) -> list[Finding]:
    """The broken first, so that staff see the worst code first."""
    state, shelf = status["state"], status["state"] & spec.STATE_SHELF
    listed = status["list_issued_s"]
    rules = (
        (status["battery_mv"] < _EMPTY_MV, Finding(_EMPTY, True)),
        (state & spec.STATE_STORE_WORN, Finding("T42", True)),
        (_EMPTY_MV <= status["battery_mv"] < _WEAK_MV, Finding(_LOW)),
        (not shelf and not state & spec.STATE_TIME_KNOWN, Finding("T21")),
        (not shelf and listed and not status["adverts_heard"], Finding("T31")),
        (level_dbm < _WEAK_DBM, Finding("T32")),
        (status["damaged"], Finding("T41")),
        (state & spec.STATE_STORE_FULL, Finding("T43")),
        (firmware and status["firmware"] < firmware, Finding("T51")),
        (not shelf and listed and now_s - listed > _STALE_DAYS * spec.DAY_S, Finding("T61")),
        (status["resets"] >= _MANY_RESETS, Finding("T71")),
    )
    return [finding for holds, finding in rules if holds]
