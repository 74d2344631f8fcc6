# Who lives in the village and where they are, minute by minute: synthetic habits, drawn from a seed. Nothing of it was
# observed. Knows no token and no kiosk.
from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass

HOUSEHOLDS = 80
DAY_MIN = 1440
OUT = "out of the village"
FIELD, SCHOOL, MARKET, SHOP, STATION, HALL = "field", "school", "market", "shop", "health station", "village hall"
_SIZES = (1, 2, 3, 4, 4, 5, 5, 6)
_DRAWER = 0.08  # of the tokens lie about and are not worn
_VISITORS = 0.15  # of the wearers press when they pass a kiosk, once a day

Stay = tuple[int, str]  # from this minute on, there


@dataclass(frozen=True)
class Person:
    """One inhabitant with a token. stays: in the order of time."""

    role: str
    home: str
    worn: bool
    visitor: bool
    stays: tuple[Stay, ...]

    def place(self, minute: int) -> str:
        return self.stays[bisect_right(self.stays, (minute, "\uffff")) - 1][1]


def house(number: int) -> str:
    return f"house {number}"


def inhabit(rng: random.Random, days: int) -> list[Person]:
    """Everybody with a token, for so many days from a midnight on."""
    found = []
    for number in range(HOUSEHOLDS):
        for member in range(rng.choice(_SIZES)):
            found.append(_person(rng, member, house(number), days))
    return found


def _person(rng: random.Random, member: int, home: str, days: int) -> Person:
    role = (
        "old"
        if member == 0 and rng.random() < 0.35
        else ("farmer", "keeper", "child", "child", "commuter", "old")[member]
    )
    stays: list[Stay] = [(0, home)]
    for day in range(days):
        for start, place in _DAYS[role](rng, home):
            stays.append((day * DAY_MIN + start, place))
    return Person(role, home, rng.random() >= _DRAWER, rng.random() < _VISITORS, tuple(sorted(stays)))


def _errand(
    rng: random.Random, home: str, chance: float, place: str, hours: tuple[int, int], least: int, most: int
) -> list[Stay]:
    """Perhaps a way to a place, and back home."""
    if rng.random() >= chance:
        return []
    start = rng.randrange(hours[0] * 60, hours[1] * 60)
    return [(start, place), (start + rng.randrange(least, most), home)]


def _farmer(rng: random.Random, home: str) -> list[Stay]:
    plot = f"{FIELD} {rng.randrange(40)}"
    found = [(rng.randrange(330, 420), plot), (rng.randrange(640, 690), home)]
    if rng.random() < 0.8:
        found += [(rng.randrange(810, 860), plot), (rng.randrange(1000, 1060), home)]
    return found + _errand(rng, home, 0.45, SHOP, (18, 20), 5, 25) + _errand(rng, home, 0.15, HALL, (20, 21), 30, 60)


def _keeper(rng: random.Random, home: str) -> list[Stay]:
    found = _errand(rng, home, 0.5, MARKET, (6, 8), 20, 60) + _errand(rng, home, 0.5, SHOP, (9, 11), 5, 20)
    found += _errand(rng, home, 0.06, STATION, (14, 15), 20, 60)
    return found + _errand(rng, home, 0.35, SHOP, (16, 18), 5, 20)


def _child(rng: random.Random, home: str) -> list[Stay]:
    found = [(rng.randrange(400, 420), SCHOOL), (rng.randrange(690, 710), home)]
    found += [(rng.randrange(800, 815), SCHOOL), (rng.randrange(990, 1010), home)]
    return found + _errand(rng, home, 0.5, SHOP, (17, 18), 5, 30) + _errand(rng, home, 0.2, HALL, (19, 20), 20, 60)


def _commuter(rng: random.Random, home: str) -> list[Stay]:
    found = [(rng.randrange(360, 420), OUT), (rng.randrange(1020, 1110), home)]
    return found + _errand(rng, home, 0.35, SHOP, (19, 20), 5, 20)


def _old(rng: random.Random, home: str) -> list[Stay]:
    found = _errand(rng, home, 0.2, HALL, (8, 10), 45, 120) + _errand(rng, home, 0.15, SHOP, (15, 17), 10, 30)
    return found + _errand(rng, home, 0.05, STATION, (10, 11), 20, 60)


_DAYS = {"farmer": _farmer, "keeper": _keeper, "child": _child, "commuter": _commuter, "old": _old}
