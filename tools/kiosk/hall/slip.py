"""Owns the slip: the lines that everyone may take home, and the ways to paper. Knows no screen.

Nothing on it identifies anyone: no token, no number, no time of day.
"""

import subprocess

from tools.kiosk.hall.report import Report
from tools.kiosk.hall.words import Language

BROWSER = "browser"
_LP_LARGE = ("-o", "cpi=6", "-o", "lpi=3")  # letters of 4 mm
_LP_LIMIT_S = 15


class PrintError(Exception):
    """The slip was not printed."""


def lines(report: Report, language: Language, phone: str, referred: bool) -> list[str]:
    """The slip's text: title first, five lines for everyone, one more if the wearer asked to be referred."""
    say = language.line
    text = [
        say("title"),
        say(report.result, alert_day=report.alert_day),
        say("until", day=report.day) if report.day else say("never"),
        say("test"),
        say("care", phone=phone),
    ]
    return [*text, say("refer")] if referred else text


def print_lp(text: list[str], printer: str) -> None:
    """Hand the lines to CUPS; printer: its name, or "" for the default one. PrintError."""
    command = ["lp", *(("-d", printer) if printer else ()), *_LP_LARGE, "-t", "slip", "-"]
    try:
        subprocess.run(
            command,
            input="\n\n".join(text).replace("\N{NO-BREAK SPACE}", " ").encode() + b"\n\n\n",
            check=True,
            timeout=_LP_LIMIT_S,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        raise PrintError("lp did not take the slip") from None
