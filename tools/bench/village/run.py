# `emask bench village`: three ways to bring a list into one village, in one run, and what they cost. Prints nothing.
from __future__ import annotations

import random
from statistics import median
from typing import Any

from tools.bench import power
from tools.bench.energy import Board
from tools.bench.village import doors, people

CARRIED = 4
PUBLISHED_MIN = 12 * 60  # of the first day
WITHIN_MIN = people.DAY_MIN
DAYS = 2
HABITS = "Synthetic habits (tools/bench/village/people.py), observed nowhere; charge by the energy model."


def run(board: Board, seed: int) -> dict[str, Any]:
    """What became of the list, with visits only, with fixed kiosks that push, and with carried ones too."""
    folk = people.inhabit(random.Random(f"people {seed}"), DAYS)
    fixed = doors.fixed(PUBLISHED_MIN)
    carried = doors.carried(PUBLISHED_MIN, DAYS, CARRIED)
    until = PUBLISHED_MIN + WITHIN_MIN
    cases = {"no drop": (fixed, False), "fixed kiosks": (fixed, True), "fixed and carried": (fixed + carried, True)}
    rows = []
    for name, (kiosks, opened) in cases.items():
        done = doors.play(random.Random(f"doors {seed}"), folk, kiosks, PUBLISHED_MIN, until, opened)
        rows.append(_row(board, name, folk, done, opened))
    return {
        "seed": seed,
        "board": board.name,
        "people": len(folk),
        "worn": sum(person.worn for person in folk),
        "visitors": sum(person.worn and person.visitor for person in folk),
        "published": f"{PUBLISHED_MIN // 60}:00",
        "fixed": [kiosk.name for kiosk in fixed],
        "carried": len(carried),
        "cases": rows,
        "about": HABITS,
    }


def _row(board: Board, name: str, folk: list[people.Person], done: doors.Outcome, opened: bool) -> dict[str, Any]:
    roles = sorted({person.role for person in folk})
    worn = [n for n, person in enumerate(folk) if person.worn]
    others = [n for n in worn if not folk[n].visitor]
    held = [done.used_s.get(n, 0.0) for n in worn]
    empty = power.door_mah(board) * 24 * 60 / doors.SLOT_MIN if opened else 0.0
    return {
        "case": name,
        "percent": _percent(worn, done),
        "percent_of_others": _percent(others, done),
        "by_role": {role: _percent([n for n in worn if folk[n].role == role], done) for role in roles},
        "by_visit": done.by_visit,
        "median_hours": round(median(sorted(done.got[n] - PUBLISHED_MIN for n in worn if n in done.got)) / 60, 1)
        if done.got
        else None,
        "connections_each": round(sum(done.connections.values()) / len(worn), 2),
        "mah_a_day_doors": round(empty, 3),
        "mah_a_day": round(empty + held_mah(board, sum(held) / len(held)), 3),
        "mah_a_day_at_most": round(empty + held_mah(board, max(held)), 3),
    }


def held_mah(board: Board, seconds: float) -> float:
    """Charge of a connection: the radio up at full speed; its few packets are small beside that."""
    return seconds * board.current_ma["radio_idle"] / 3600


def _percent(numbers: list[int], done: doors.Outcome) -> float:
    return round(100 * sum(n in done.got for n in numbers) / len(numbers), 1)


def text(facts: dict[str, Any]) -> str:
    """For a person."""
    lines = [
        f"{facts['people']} people of {people.HOUSEHOLDS} households, {facts['worn']} tokens worn, of them "
        f"{facts['visitors']} by who presses when passing a kiosk.",
        f"Fixed kiosks: {', '.join(facts['fixed'])}. Carried: {facts['carried']}, along the lanes from 17:30 to 22:00.",
        f"A list comes out at {facts['published']}. Of the tokens worn have it 24 hours later:",
        "",
    ]
    for row in facts["cases"]:
        lines.append(
            f"  {row['case']:<18}{row['percent']:>6.1f} %  ({row['percent_of_others']:.1f} % of who never press), half "
            f"of them after {row['median_hours']} h; {row['mah_a_day']:.2f} mAh a day, "
            f"{row['mah_a_day_at_most']:.2f} at most"
        )
    last = facts["cases"][-1]
    lines += [
        "",
        "  By role, with both: " + ", ".join(f"{role} {share:.0f} %" for role, share in last["by_role"].items()),
        f"  {facts['about']}",
    ]
    return "\n".join(lines)
