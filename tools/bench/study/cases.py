# The study's cases: who meets whom after how long, and what is counted of it. Knows no picture and no command line.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from emask.schedule import LOST_MS, Schedule
from tools.bench.study.contact import UTC_MS, Clock, Level, Meeting, Scene, Token

CRYSTAL_PPM, INTERNAL_PPM = 20, 5_500
_UNIT_PPM = 5_000.0  # of an internal oscillator: uniform within, by unit (docs/POWER)
_WANDER_PPM = 1_000.0  # and one sigma of its slow wander with temperature [E]
_WANDER_HOURS = 1.0
DURATIONS_S = (900.0, 300.0, 120.0)
WATCH_S = 1800.0  # so long a meeting is watched for the time to find
RULE_MINUTES = 10  # minutes near that a list asks for, at least
_TOLERANCE_S = 2 * 900


@dataclass(frozen=True)
class Case:
    """A kind of meeting. hours: since the two (or the two communities) last agreed; side: tokens on each side that have
    been together all the time; ppm: the board's clock; known: they were told the time then, else they just booted.
    """

    name: str
    about: str
    hours: float
    ppm: int = CRYSTAL_PPM
    side: int = 1
    known: bool = True


CASES = (
    Case("agree", "clocks agree, nobody near for half an hour", 0.5),
    Case("crystal-1h", "1 hour apart, 20 ppm", 1),
    Case("crystal-10h", "10 hours apart, 20 ppm", 10),
    Case("crystal-10h-homes", "10 hours apart, each in company of 2 others, 20 ppm", 10, side=3),
    Case("crystal-100h", "100 hours apart, both alone, 20 ppm", 100),
    Case("crystal-100h-homes", "100 hours apart, each in company of 2 others, 20 ppm", 100, side=3),
    Case("internal-1h", "1 hour apart, internal oscillator", 1, ppm=INTERNAL_PPM),
    Case("internal-10h", "10 hours apart, internal oscillator", 10, ppm=INTERNAL_PPM),
    Case("internal-100h", "100 hours apart, internal oscillator", 100, ppm=INTERNAL_PPM),
    Case("cold", "both just got a battery, neither knows the time", 0.2, known=False),
)


@dataclass
class Trial:
    """Seconds until each direction was first heard (inf: never); minutes of a quarter that each heard, and matches."""

    found_s: tuple[float, float]
    minutes: tuple[int, int]
    matches: bool


def play(case: Case, rng: np.random.Generator, level: Level | None = None) -> Trial:
    """One meeting of the first tokens of both sides, from a random moment on."""
    start_s = case.hours * 3600 + rng.uniform(0, 900)
    tokens: list[Token] = []
    for _ in range(2):
        tokens += _side(case, rng, start_s)
    scene = Scene(tokens, rng, level) if level else Scene(tokens, rng)
    if case.side > 1:
        _warm(scene, case, start_s)
    met = scene.play(start_s, WATCH_S)
    return judge(tokens, met, start_s, 0, case.side)


def _side(case: Case, rng: np.random.Generator, start_s: float) -> list[Token]:
    """The tokens of one side, with the clock errors that they have at start_s."""
    errors, rates = zip(*[_drift(case, rng) for _ in range(case.side)], strict=True)
    tokens = []
    for error_ms, ppm in zip(errors, rates, strict=True):
        # A side that was together drifted as one: by the mean of its clocks.
        together_ms = float(np.mean(errors)) if case.side > 1 else error_ms
        clock = Clock(together_ms - start_s * ppm * 1e-3, ppm)
        plan = Schedule(case.ppm)
        if case.known:
            plan.confirmed(0)
            plan._lost_ms = _lost_since_ms(case, start_s)
        else:
            booted_s = start_s - rng.uniform(0, 600)
            clock.error_ms += rng.uniform(0, 3.6e6)
            plan._search_ms = int(clock.own_ms(booted_s)) - UTC_MS
        tokens.append(Token(plan, clock))
    return tokens


def _lost_since_ms(case: Case, start_s: float) -> int:
    """The tick from which a token alone has been sweeping in vain: after twelve hours it sweeps more rarely."""
    if case.side > 1:
        return -1
    since_ms = 0 if case.ppm * 36 > LOST_MS else LOST_MS * 1_000_000 // case.ppm
    return since_ms if since_ms < start_s * 1000 else -1


def _drift(case: Case, rng: np.random.Generator) -> tuple[float, float]:
    """(error in ms after the case's hours, rate in ppm at that time)."""
    if not case.known:
        return 0.0, rng.uniform(-case.ppm, case.ppm)
    if case.ppm < 100:
        ppm = rng.uniform(-case.ppm, case.ppm)
        return case.hours * 3.6 * ppm, ppm
    unit = rng.uniform(-_UNIT_PPM, _UNIT_PPM)
    # A rate that wanders (Ornstein-Uhlenbeck): its integral over many of its time constants is nearly normal.
    sigma_s = _WANDER_PPM * 1e-6 * 3600 * np.sqrt(2 * _WANDER_HOURS * case.hours)
    return case.hours * 3.6 * unit + rng.normal(0, sigma_s) * 1000, unit + rng.normal(0, _WANDER_PPM / 4)


def _warm(scene: Scene, case: Case, start_s: float) -> None:
    """Each side alone by itself for some minutes, so that it is in company when the two meet."""
    half = len(scene.tokens) // 2
    for side in (scene.tokens[:half], scene.tokens[half:]):
        alone = Scene(side, scene.rng, scene.level)
        for token in side:
            token.schedule.grid.fix_ms = int(token.clock.own_ms(start_s - 1300)) - UTC_MS
        alone.play(start_s - 1200, 1200)
        for token in side:
            token.windows = []


def judge(tokens: list[Token], met: Meeting, start_s: float, one: int, other: int) -> Trial:
    """What two of the tokens found of each other in a meeting that began at start_s."""
    ways = ((one, other), (other, one))
    both = [met.heard.get(way, []) for way in ways]
    first, second = (times[0] if times else float("inf") for times in both)
    minutes = tuple(len({int(t // 60) for t in times if t <= 900}) for times in both)
    matches = all(_match(tokens, way, times, start_s) for way, times in zip(ways, both, strict=True))
    return Trial((first, second), (minutes[0], minutes[1]), matches)


def _match(tokens: list[Token], pair: tuple[int, int], times: list[float], start_s: float) -> bool:
    """Would the receiver match the sender's keys later: two identifiers or the rule's minutes, each in a slot within
    the tolerance by both clocks, before any better dating.
    """
    receiver, sender = (tokens[number].clock for number in pair)
    times = [t for t in times if t <= 900]
    if not times:
        return False
    apart_s = abs(receiver.own_ms(start_s) - sender.own_ms(start_s)) / 1000
    if apart_s > _TOLERANCE_S:
        return False
    slots = {int(sender.own_ms(start_s + t) // 900_000) for t in times}
    return len(slots) > 1 or len({int(t // 60) for t in times}) >= RULE_MINUTES


def summarize(trials: list[Trial]) -> dict[str, Any]:
    """Shares and times of many trials; each share with its 95 % interval (Wilson)."""
    both = np.array([max(trial.found_s) for trial in trials])
    found = {f"found_{int(d // 60)}min": share(both <= d) for d in DURATIONS_S}
    known = both[np.isfinite(both)]
    late = float(np.quantile(both, 0.999, method="higher"))
    return {
        "trials": len(trials),
        **found,
        "one_way_15min": share(np.array([min(trial.found_s) for trial in trials]) <= 900),
        "match_15min": share(np.array([trial.matches for trial in trials])),
        "mean_s": round(float(known.mean()), 1) if known.size else None,
        "p999_s": round(late, 1) if np.isfinite(late) else None,
        "minutes_of_15": round(float(np.mean([trial.minutes for trial in trials])), 2),
    }


def share(good: np.ndarray) -> dict[str, float]:
    """value, low, high."""
    n, k = good.size, int(good.sum())
    p, z2 = k / n, 1.96**2
    middle, spread = p + z2 / (2 * n), 1.96 * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = (middle - spread) / (1 + z2 / n), (middle + spread) / (1 + z2 / n)
    return {"value": round(p, 5), "low": round(float(max(0, low)), 5), "high": round(float(min(1, high)), 5)}


def run(case: Case, trials: int, seed: int, tell: Callable[[], None], level: Level | None = None) -> list[Trial]:
    """So many trials, each of its own stream: a trial's outcome does not depend on how many there are."""
    done = []
    for number in range(trials):
        rng = np.random.default_rng([seed, number, *case.name.encode()])
        done.append(play(case, rng, level))
        tell()
    return done
