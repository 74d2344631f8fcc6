"""Owns the report of a run: a plain dict into one HTML file that needs no network. Knows nothing of the bench.

`render(data, path)` takes this dict (keys marked * may be missing; every text is plain and is escaped here):

    title        str, the heading
    subtitle*    str, one line: scenario, seed, what aioble it ran
    words        [str], paragraphs in plain words: what happened
    facts*       [{"value": str, "label": str}], the large figures at the top
    people       [str], names in the order of the matrix
    case*        str, the person who became a case
    contacts     [{"a": str, "b": str, "minutes": number or None}], by the recording: minutes within 2 m of each
                 pair in either order; None: not known. Pairs that are missing count as 0
    rule_minutes number, from how many minutes on a contact counts
    outcomes     {name: {"truth": True | False | None, "alert": bool, "minutes_true"*: number or None,
                 "minutes_token"*: number or None, "why"*: str}} for each person but the case
    tokens       [{"name": str, "heard": int, "missed": int or None, "charge_mah": number, "mah_per_day": number,
                 "percent_per_day": number, "days"*: number, "note"*: str}]
    timeline*    {"token": str, "start_s": number, "end_s": number, "zoom"*: [start_s, end_s], "clock_at_0"*: str,
                 "lanes": [{"name": str, "spans": [[start_s, end_s], ...]}], "marks"*: [{"at_s": number, "label": str}]}
    energy       {"unit": str, "consumers": [str], "tokens": [{"name": str, "values": [number per consumer]}]}
    notes*       [str], limits of what the figures mean, sources
    made*        [str], how the run can be repeated: command, versions
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tools.report import energy, matrix, timeline

_HERE = Path(__file__).resolve().parent
_REQUIRED = ("title", "words", "people", "contacts", "rule_minutes", "outcomes", "tokens", "energy")


def render(data: dict, path: Path) -> Path:
    """Write the report of `data` (see above) to `path`, creating its folder; ValueError names what is missing."""
    missing = [key for key in _REQUIRED if key not in data]
    if missing:
        raise ValueError(f"the report needs {', '.join(missing)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(data), encoding="utf-8")
    return path


def html(data: dict) -> str:
    """The report as one HTML text; the same dict gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = _number
    return environment.get_template("report.html.j2").render(
        data=data,
        verdicts=[_verdict(name, data["outcomes"][name]) for name in data["people"] if name in data["outcomes"]],
        matrix=matrix.draw(data),
        energy=energy.draw(data["energy"]),
        hues=energy.HUES,
        timeline=timeline.draw(data["timeline"]) if data.get("timeline") else None,
    )


def _number(value: float | None, digits: int = 0) -> str:
    return "not known" if value is None else f"{value:,.{digits}f}"


def _verdict(name: str, outcome: dict) -> dict:
    """One line of the table of people: a word for each pair of truth and alert, never a colour alone."""
    words = {
        (True, True): ("right", "contact, alerted"),
        (False, False): ("right", "no contact, not alerted"),
        (True, False): ("wrong", "contact, NOT alerted"),
        (False, True): ("wrong", "no contact, but alerted"),
        (None, True): ("open", "alerted, contact not known"),
        (None, False): ("open", "not alerted, contact not known"),
    }
    kind, text = words[outcome["truth"], bool(outcome["alert"])]
    return {
        "name": name,
        "kind": kind,
        "text": text,
        "why": outcome.get("why", ""),
        "minutes_true": outcome.get("minutes_true"),
        "minutes_token": outcome.get("minutes_token"),
    }
