# Which doors are heard by which kiosk, and so when each token gets the list: minute by minute, from people's places.
# A model of firmware/door.py and tools/kiosk/drop.py; tests/bench/test_village.py holds it against both on the bench.
from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.bench.village.people import DAY_MIN, HALL, HOUSEHOLDS, MARKET, SCHOOL, SHOP, STATION, Person, Stay, house

SLOT_MIN = 15
DOOR_MINUTES = 11  # SPEC 4.4: minutes 0 to 10 of a slot
MEETING_MIN = 5  # who is alone has a window in each fifth minute only
NEWS_S, NO_NEWS_S = 2.2, 0.9  # of a connection, as on the bench
_HEARD = (0.9, 0.6, 0.3)  # of the doors that lead to a connection: in one place, from a lane one and two houses on
_ROUND = (1050, 1320)  # of who carries a kiosk along the lanes, each evening: 17:30 to 22:00
_HOUSES_A_STOP = 3


@dataclass(frozen=True)
class Kiosk:
    """One that pushes lists, from the minute on at which it has the new one. visits: people may press there."""

    name: str
    stays: tuple[Stay, ...]
    has_list: int
    visits: bool


@dataclass
class Outcome:
    """got: minute at which each person's token took the list, by visit or door. used_s: how long doors were held."""

    got: dict[int, int] = field(default_factory=dict)
    by_visit: int = 0
    connections: dict[int, int] = field(default_factory=dict)
    used_s: dict[int, float] = field(default_factory=dict)


def fixed(published: int) -> list[Kiosk]:
    """Five, always on, that get a list by a network when it is published."""
    return [Kiosk(place, ((0, place),), published, True) for place in (SHOP, STATION, HALL, SCHOOL, MARKET)]


def carried(published: int, days: int, count: int) -> list[Kiosk]:
    """So many that are carried along the lanes each evening, a part each, and stop where three houses are near."""
    share = -(-HOUSEHOLDS // count)
    found = []
    for number in range(count):
        stops = [house(at + _HOUSES_A_STOP // 2) for at in range(number * share, (number + 1) * share, _HOUSES_A_STOP)]
        begin, end = _ROUND
        stays: list[Stay] = [(0, STATION)]
        for day in range(days):
            stays += [(day * DAY_MIN + begin + n * (end - begin) // len(stops), stop) for n, stop in enumerate(stops)]
            stays.append((day * DAY_MIN + end, STATION))
        found.append(Kiosk(f"carried {number + 1}", tuple(stays), published, False))
    return found


def play(
    rng: random.Random,
    people: Sequence[Person],
    kiosks: Sequence[Kiosk],
    published: int,
    until: int,
    doors: bool = True,
) -> Outcome:
    """From the minute of publication on; without `doors` there are visits only."""
    done = Outcome()
    plans = [_Doors() for _ in people]
    for minute in range(published, until):
        places = [person.place(minute) for person in people]
        here: dict[str, int] = {}
        for place in places:
            here[place] = here.get(place, 0) + 1
        where = [(kiosk, _place(kiosk.stays, minute)) for kiosk in kiosks if minute >= kiosk.has_list]
        _visit(people, places, where, minute, done)
        if not doors:
            continue
        open_now = [n for n, plan in enumerate(plans) if plan.opens(rng, minute, here[places[n]] > 1)]
        _serve(rng, [n for n in open_now if people[n].worn], places, where, minute, done)
    return done


class _Doors:
    """When one token's door opens."""

    def __init__(self) -> None:
        self._slot = -1
        self._due = 0

    def opens(self, rng: random.Random, minute: int, company: bool) -> bool:
        slot, into = divmod(minute, SLOT_MIN)
        if slot != self._slot:
            self._slot, self._due = slot, rng.randrange(DOOR_MINUTES)
        if into < self._due or not (company or into % MEETING_MIN == 0):
            return False
        self._due = SLOT_MIN  # no more in this slot
        return True


def _place(stays: tuple[Stay, ...], minute: int) -> str:
    found = stays[0][1]
    for start, place in stays:
        if start > minute:
            break
        found = place
    return found


def _visit(
    people: Sequence[Person], places: list[str], where: list[tuple[Kiosk, str]], minute: int, done: Outcome
) -> None:
    shops = {place for kiosk, place in where if kiosk.visits}
    for number, person in enumerate(people):
        if person.visitor and person.worn and number not in done.got and places[number] in shops:
            done.got[number] = minute
            done.by_visit += 1


def _serve(
    rng: random.Random, opened: list[int], places: list[str], where: list[tuple[Kiosk, str]], minute: int, done: Outcome
) -> None:
    """Each kiosk serves one of the doors that open in a minute: they open within the same second or two."""
    left = set(opened)
    for _, place in where:
        heard = [n for n in sorted(left) if rng.random() < _reach(place, places[n])]
        if not heard:
            continue
        served = rng.choice(heard)
        left.discard(served)
        news = served not in done.got
        done.connections[served] = done.connections.get(served, 0) + 1
        done.used_s[served] = done.used_s.get(served, 0.0) + (NEWS_S if news else NO_NEWS_S)
        done.got.setdefault(served, minute)


def _reach(kiosk: str, token: str) -> float:
    if kiosk == token:
        return _HEARD[0]
    if not (kiosk.startswith("house ") and token.startswith("house ")):
        return 0.0
    apart = abs(int(kiosk[6:]) - int(token[6:]))
    return _HEARD[apart] if apart < len(_HEARD) else 0.0
