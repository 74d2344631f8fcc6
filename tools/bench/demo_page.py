# The demo's result as the report's page shows it. Decides nothing.
from __future__ import annotations

from pathlib import Path
from typing import Any

from tools import report
from tools.bench import summary
from tools.bench.demo import Result
from tools.bench.energy import CONSUMERS


def write_report(result: Result, path: Path) -> None:
    report.render(_report(result), path)


def _report(result: Result) -> dict[str, Any]:
    facts = result.facts()
    contacts = result.count(True, True) + result.count(True, False)
    nodes = facts["nodes"]
    mean = sum(n["mah_per_day"] for n in nodes) / len(nodes)
    percent = sum(n["percent_per_day"] for n in nodes) / len(nodes)
    return {
        "title": "A token's first day",
        "subtitle": f"scenario {facts['scenario']}, seed {facts['seed']}, aioble: {facts['aioble']}",
        "words": result.words(),
        "facts": [
            {"value": f"{result.count(True, True)} of {contacts}", "label": "contacts alerted"},
            {"value": str(result.count(False, True)), "label": "alerted without contact"},
            {"value": f"{mean:.1f} mAh", "label": f"a day and token, {percent:.0f} % of its battery (model)"},
        ],
        "people": [node["name"] for node in nodes],
        "case": result.case,
        "contacts": result.contacts,
        "rule_minutes": result.rule.minutes,
        "outcomes": {
            p.name: {
                "truth": p.truth,
                "alert": p.alert,
                "minutes_true": round(p.contact.minutes_near, 1),
                "minutes_token": p.token_minutes,
                "why": p.why,
            }
            for p in result.people
        },
        "tokens": [_token(result, node) for node in nodes],
        "timeline": _timeline(result),
        "energy": {
            "unit": "mAh a day",
            "consumers": list(CONSUMERS),
            "tokens": [
                {
                    "name": n["name"],
                    "values": [n["consumers_mah"][c] * n["mah_per_day"] / n["charge_mah"] for c in CONSUMERS],
                }
                for n in nodes
            ],
        },
        "notes": [
            summary.MODEL,
            f"{result.interpolated:.0%} of the adverts heard between people fell between the recording's bursts, on "
            "the line from burst to burst.",
            "The recording: DP-3T bt-measurements exp34, (c) EPFL and ETH Zurich, CC BY-ND 4.0. Its levels stand "
            "for tokens' levels as they are.",
            "Heard and missed count every advert sent by someone in range while the token listened.",
        ],
        "made": [f"emask bench demo --seed {facts['seed']}"],
    }


def _token(result: Result, node: dict[str, Any]) -> dict[str, Any]:
    keys = ("name", "heard", "missed", "charge_mah", "mah_per_day", "percent_per_day")
    days = 100 / node["percent_per_day"] if node["percent_per_day"] else None
    return {
        **{k: node[k] for k in keys},
        "days": days,
        "note": "battery pulled" if node["name"] in result.pulled else "",
    }


def _timeline(result: Result) -> dict[str, Any]:
    """The pulled token's, else the first alerted one's: the whole run and a zoom on some windows of the party."""
    watcher = result.watcher
    name = (result.pulled or [p.name for p in result.people if p.alert] or [result.people[0].name])[0]
    lanes = watcher.spans.get(name, {})
    start_s = result.run.recorded[0].start_us / 1e6
    end_s = result.run.scenario.duration_s
    marks = [mark for mark in watcher.marks.get(name, []) if mark["at_s"] < end_s]  # at the end all power goes
    if name in watcher.motor:
        marks.append({"at_s": watcher.motor[name], "label": "alert"})
    return {
        "token": name,
        "start_s": 0,
        "end_s": end_s,
        "zoom": [start_s + 600, start_s + 900],
        "clock_at_0": result.run.scenario.start_utc.strftime("%H:%M UTC"),
        "lanes": [
            {"name": lane, "spans": lanes[lane]}
            for lane in ("radio on", "listens", "connected", "motor", "led", "buzzer")
            if lane in lanes
        ],
        "marks": marks,
    }
