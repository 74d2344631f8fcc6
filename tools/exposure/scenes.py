"""Owns scenes with a known answer, contacts and what only looks like one, played to the token's engine. Prints nothing.

Levels are drawn from a model, not recorded: worn tokens as the recorded phones (-80 dBm at 1 m, 14 dB a decade, a body
that turns every few minutes: 4.5 dB, fading of a minute's strongest: 2 dB); tokens that lie about without bodies near
them 14 dB stronger, 20 dB a decade, and steady to 1 dB. They show what the rules do, not how often it happens in life.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from emask import group, keylist, sighting
from emask.exposure import Exposure
from tools import rule as rules
from tools.exposure import judge

_NOON = 20_660 * 1440 + 720
_TURN_MIN = 5
_FLOOR_DBM = -102
_ADVERTS = 6  # in a token's window
_SECRET = bytes(range(16))
VARIANTS = ("as built in", "no rigid rule", "motion sensor", "group told", "pause used")


@dataclass(frozen=True)
class Stretch:
    """So many minutes at a distance. lying: neither token is worn. wall_db: what is between. disturbed_every: minutes
    after which somebody moves what lies there, 0 never."""

    minutes: int
    metres: float
    lying: bool = False
    wall_db: float = 0.0
    disturbed_every: int = 0


@dataclass(frozen=True)
class Scene:
    """contact: what a health worker would say. strangers: others in earshot. grouped: both belong to one household or
    home. protected: the wearer may pause."""

    name: str
    contact: bool
    stretches: tuple[Stretch, ...]
    strangers: int = 3
    grouped: bool = False
    protected: bool = False


SCENES = (
    Scene("lunch at one table, 40 min at 1 m", True, (Stretch(40, 1.0),), 8),
    Scene("shared desk, 4 h at 1.2 m", True, (Stretch(240, 1.2),), 4),
    Scene("beds in one ward, worn, 10 h at 1.8 m", True, (Stretch(600, 1.8),), 4),
    Scene("across a large room, 60 min at 8 m", False, (Stretch(60, 8.0),), 8),
    Scene("passing in a corridor, 6 times 2 min", False, (Stretch(2, 1.0), Stretch(20, 20.0)) * 6, 3),
    Scene("thin wall, evening, worn, 4 h at 3 m", False, (Stretch(240, 3.0, wall_db=8),), 1),
    Scene("thin wall, night, on bedside tables, 8 h", False, (Stretch(480, 1.2, lying=True, wall_db=8),), 1),
    Scene("three keyrings on a hook, 10 h", False, (Stretch(600, 0.1, lying=True),), 1),
    Scene("drawer at a nurses' desk, opened each 50 min", False, (Stretch(600, 0.2, True, disturbed_every=50),), 5),
    Scene("box of a hundred, not on the shelf, 24 h", False, (Stretch(1440, 0.3, lying=True),), 20),
    Scene("household, evening and night", True, (Stretch(240, 1.5), Stretch(480, 1.0, lying=True)), 1, grouped=True),
    Scene("care home, day room, 3 h at 1.5 m", True, (Stretch(180, 1.5),), 20, grouped=True),
    Scene(
        "nurse in protective clothing, 3 times 15 min", False, (Stretch(15, 0.7), Stretch(30, 12.0)) * 3, 4, False, True
    ),
)


def play(
    draws: int, seed: int = 1, rule: rules.Rule = rules.DEFAULT, tick: Callable[[], None] = lambda: None
) -> list[dict]:
    """One row per scene: share of `draws` in which the token alerts, for each of VARIANTS."""
    rows = []
    for scene in SCENES:
        row: dict = {"scene": scene.name, "contact": scene.contact}
        for variant in VARIANTS:
            if applies(scene, variant):
                hits = sum(
                    _alerts(scene, variant, rule, random.Random(f"{seed} {scene.name} {n}")) for n in range(draws)
                )
                row[variant] = hits / draws
            tick()
        rows.append(row)
    return rows


def applies(scene: Scene, variant: str) -> bool:
    """Whether the variant can change anything in the scene."""
    lying = any(stretch.lying for stretch in scene.stretches)
    return {
        "no rigid rule": lying,
        "motion sensor": lying,
        "group told": scene.grouped,
        "pause used": scene.protected,
    }.get(variant, True)


@dataclass
class _Heard:
    """Minute by minute, what the wearer's token heard of the case."""

    levels: list[float | None] = field(default_factory=list)
    still: list[bool] = field(default_factory=list)


def _alerts(scene: Scene, variant: str, rule: rules.Rule, chance: random.Random) -> bool:
    heard = _heard(scene.stretches, chance)
    engine = Exposure(rule._replace(rigid=0) if variant in ("no rigid rule", "motion sensor") else rule)
    kept = list(_sightings(heard))
    for start, adverts, levels in kept:
        still = variant == "motion sensor" and all(heard.still[start - _NOON : start - _NOON + 15])
        engine.hit(0, start // 15, start, 0, adverts, levels, still)
    record = group.marked(_SECRET, keylist.pack_record(bytes([7]) * 32, _NOON // 15, 0, 96))
    if variant == "group told" and group.own(_SECRET, record):
        engine.left_out.add(0)
    if variant == "pause used":
        engine.pauses.append((_NOON, _NOON + len(heard.levels)))
    others = [one for _ in range(scene.strangers) for one in _sightings(_stranger(scene, chance))]
    for _ in engine.run(lambda part: [*kept, *others]):
        pass
    return engine.decided is not None


def _heard(stretches: Sequence[Stretch], chance: random.Random) -> _Heard:
    heard = _Heard()
    for stretch in stretches:
        shift = 0.0
        for minute in range(stretch.minutes):
            if stretch.lying:
                if stretch.disturbed_every and minute and minute % stretch.disturbed_every == 0:
                    shift = chance.uniform(-12, 12)
                level = -66 - 20 * math.log10(stretch.metres) + shift + chance.gauss(0, 1)
            else:
                if minute % _TURN_MIN == 0:
                    shift = chance.gauss(0, 4.5)
                level = -80 - 14 * math.log10(stretch.metres) + shift + chance.gauss(0, 2)
            level -= stretch.wall_db
            heard.levels.append(level if level > _FLOOR_DBM else None)
            heard.still.append(stretch.lying)
    return heard


def _stranger(scene: Scene, chance: random.Random) -> _Heard:
    """Somebody else in earshot for as long: worn, or lying with the rest where all do."""
    lying = all(stretch.lying for stretch in scene.stretches)
    metres = chance.uniform(0.2, 0.6) if lying else chance.uniform(1.5, 8)
    return _heard([Stretch(sum(s.minutes for s in scene.stretches), metres, lying)], chance)


def _sightings(heard: _Heard) -> Iterator[tuple[int, int, bytes]]:
    """(first UTC minute, adverts, 8 bytes of levels) for each quarter of an hour."""
    for at in range(0, len(heard.levels), 15):
        levels = heard.levels[at : at + 15]
        codes = {n: sighting.level_code(round(level)) for n, level in enumerate(levels) if level is not None}
        if codes:
            yield _NOON + at, _ADVERTS * len(codes), judge.packed(codes)
