# Rooms full of tokens, and a phone of 2020 beside one: as the cases, for more than two. Knows no picture.
from __future__ import annotations

from itertools import combinations

import numpy as np

from emask.schedule import Plan, Schedule
from emask.window import MINUTE
from tools.bench.study.cases import CRYSTAL_PPM, WATCH_S, Trial, judge
from tools.bench.study.contact import Clock, Scene, Token, Window, received

_APART_S = 36_000.0
_PHONE_ADV_S, _PHONE_ON_S, _PHONE_OFF_S = 0.1, 15.0, 15.0
_PHONE_SCAN_S, _PHONE_SCAN_EVERY_S, _PHONE_CHANNEL_MS = 40.0, 300.0, 100


def _alone(rng: np.random.Generator) -> Token:
    """A token that was told the time ten hours ago and has met nobody since, its crystal within 20 ppm."""
    plan_maker = Schedule(CRYSTAL_PPM)
    plan_maker.confirmed(0)
    return Token(plan_maker, Clock(0.0, rng.uniform(-CRYSTAL_PPM, CRYSTAL_PPM)))


def room(count: int, rng: np.random.Generator, most_pairs: int = 2_000) -> list[Trial]:
    """count tokens that all come into one room at one moment, each from ten hours alone; what pairs find, at most
    most_pairs of them, drawn.
    """
    start_s = _APART_S + float(rng.uniform(0, 900))
    tokens = [_alone(rng) for _ in range(count)]
    met = Scene(tokens, rng).play(start_s, 960.0 if count > 2 else WATCH_S)
    both = list(combinations(range(count), 2))
    if len(both) > most_pairs:
        both = [both[int(number)] for number in rng.choice(len(both), most_pairs, replace=False)]
    return [judge(tokens, met, start_s, one, other) for one, other in both]


def phone(rng: np.random.Generator) -> Trial:
    """A token beside a phone that advertises 15 s on, 15 s off at 100 ms and scans 40 s in 300 s, as Bluezone did: when
    the token first heard the phone, and the phone the token. The phone's list is not this token's: nothing matches.
    """
    start_s = _APART_S + float(rng.uniform(0, 900))
    windows: list[Window] = []
    token = _alone(rng)
    scene = Scene([token], rng, watch=lambda _number, window: windows.append(window), phone=_adverts(rng, start_s))
    met = scene.play(start_s, WATCH_S)
    by_token = met.heard.get((0, 1), [])
    by_phone = _scanned(rng, start_s, windows)
    minutes = [len({int(t // 60) for t in times if t <= 900}) for times in (by_token, by_phone)]
    first, second = (times[0] if times else float("inf") for times in (by_token, by_phone))
    return Trial((first, second), (minutes[0], minutes[1]), False)


def _adverts(rng: np.random.Generator, start_s: float) -> np.ndarray:
    period_s = _PHONE_ON_S + _PHONE_OFF_S
    gaps = _PHONE_ADV_S + rng.random(int(1.1 * (WATCH_S + period_s) / _PHONE_ADV_S)) * 0.01
    times = start_s - period_s + np.cumsum(gaps)
    return times[(times - rng.uniform(0, period_s)) % period_s < _PHONE_ON_S]


def _scanned(rng: np.random.Generator, start_s: float, windows: list[Window]) -> list[float]:
    """Seconds since the start at which the phone's scans took an advert of the token."""
    at_s = start_s - float(rng.uniform(0, _PHONE_SCAN_EVERY_S))
    sent = np.concatenate([window.sent for window in windows])
    found: list[float] = []
    nothing = np.empty(0)
    length_ms = int(_PHONE_SCAN_S * 1000)
    plan = Plan(MINUTE, 0, 0, length_ms, 0, 0, _PHONE_CHANNEL_MS, _PHONE_CHANNEL_MS, 0)
    while at_s < start_s + WATCH_S:
        scan = Window(plan, at_s, at_s + _PHONE_SCAN_S, nothing, nothing)
        found += [float(t_s) - start_s for t_s in sent[received(scan, sent)]]
        at_s += _PHONE_SCAN_EVERY_S
    return found
