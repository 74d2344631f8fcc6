# Schedules without a shared grid, at the same charge: the best that theory allows, and three that were in use.
# Knows the board's table and geometry, nothing of the token's schedule.
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.bench.energy import Board
from tools.bench.medium import airtime_us

CONTACT_S = 900.0
_AIR_S = airtime_us(31) * 1e-6
_EVENT_MA_S = 3 * _AIR_S  # seconds of transmitting in one advertising event
_PHONE = {"adv_on_s": 15.0, "adv_off_s": 15.0, "adv_s": 0.1, "scan_s": 40.0, "period_s": 300.0}


@dataclass(frozen=True)
class Costs:
    """Charges in mC: of one wake-up with the radio's start and stop, of a second listening, idle, and of one event;
    of a day at rest.
    """

    start: float
    listen: float
    idle: float
    event: float
    rest_day: float

    @staticmethod
    def of(board: Board, wake_ups: bool = True) -> Costs:
        ma, us = board.current_ma, board.time_us
        start = us["boot"] * ma["boot"] + us["radio_start"] * ma["radio_start"]
        start += (us["radio_stop"] + board.cost_us["wake"] * board.cpu_mhz / board.cpu_slow_mhz) * ma["cpu_active_slow"]
        idle = ma["radio_idle_slow"]
        event = _EVENT_MA_S * (ma["tx"] - idle)
        rest = board.current_ma["deep_sleep"] * 86400
        return Costs(start * 1e-6 if wake_ups else 0.0, ma["rx"], idle, event, rest)


def budget_mc(mah_per_day: float, board: Board) -> float:
    """mC of a quarter of an hour for the radio and its wake-ups, of a day's charge without the cell's own loss."""
    cell = board.battery_mah * board.self_discharge_percent_month / 3000
    return max(0.0, ((mah_per_day - cell) * 3600 - Costs.of(board).rest_day) / 96)


def kindt_latency_s(mah_per_day: float, board: Board) -> float:
    """Worst-case one-way latency of an optimal schedule (Kindt and Chakraborty, SIGCOMM 2019): 4 alpha omega / eta^2,
    radio time only: no start, no wake-up, one channel, no loss. alpha: cost of sending by cost of listening.
    """
    costs = Costs.of(board)
    eta = budget_mc(mah_per_day, board) / CONTACT_S / costs.listen
    alpha = board.current_ma["tx"] / board.current_ma["rx"]
    return 4 * alpha * _AIR_S / eta**2


def best_slotted(mah_per_day: float, board: Board, wake_ups: bool = True) -> dict[str, float]:
    """The best schedule of equal wake-ups, found by search: each listens for some time and sends in a train that may be
    longer. An upper bound: no two wake-ups of a contact may be wasted on the same offset, whatever the pattern.

    With n wake-ups in the contact on each side there are n * n pairs; each covers as many offsets as the train is
    longer than what must overlap. found: share of all offsets,
    one direction; the other is as likely, and taken as sure.
    """
    costs, budget = Costs.of(board, wake_ups), budget_mc(mah_per_day, board)
    best = {"found": 0.0}
    for listen_s in np.geomspace(0.031, 3.0, 60):
        interval_s = min(listen_s - 0.011, 0.1)  # one event at least in each listening
        for train_s in (0.0, *np.geomspace(0.02, 20.0, 60)):
            on_s = max(listen_s, train_s)
            events = on_s / (interval_s + 0.005)
            one = costs.start + listen_s * costs.listen + (on_s - listen_s) * costs.idle + events * costs.event
            count = min(budget / one, CONTACT_S / on_s)
            covered_s = count**2 * (on_s + listen_s - interval_s)
            found = min(1.0, covered_s / CONTACT_S)
            if found > best["found"]:
                best = {
                    "found": found,
                    "listen_ms": listen_s * 1e3,
                    "train_ms": on_s * 1e3,
                    "every_s": CONTACT_S / count,
                }
    return {name: round(float(value), 4) for name, value in best.items()}


def loop_mah(board: Board, on_s: float, every_s: float) -> float:
    """Charge a day of listening and sending for on_s in every every_s."""
    costs = Costs.of(board)
    one = costs.start + on_s * costs.listen + on_s / 0.105 * costs.event
    return (one * 86400 / every_s + costs.rest_day) / 3600


def loop_found(board: Board, mah_per_day: float, on_s: float = 1.0) -> dict[str, float]:
    """A loop of on_s in as many seconds as the charge pays: found if two such loops happen to overlap."""
    low, high = on_s, 1e5
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if loop_mah(board, on_s, middle) > mah_per_day else (low, middle)
    overlap_s = 2 * (on_s - 0.11)
    return {"found": round(min(1.0, overlap_s / high), 4), "every_s": round(high, 1)}


def phone_mah(board: Board, stretch: float = 1.0) -> float:
    """Charge a day of Bluezone's schedule on this board: adverts 15 s on and off at 100 ms, scans of 40 s in 300 s, the
    pauses stretched by a factor.
    """
    costs, phone = Costs.of(board), _PHONE
    adv_every_s = (phone["adv_on_s"] + phone["adv_off_s"]) * stretch
    adv = costs.start + phone["adv_on_s"] * (costs.idle + costs.event / (phone["adv_s"] + 0.005))
    scan = costs.start + phone["scan_s"] * costs.listen
    return (adv * 86400 / adv_every_s + scan * 86400 / (phone["period_s"] * stretch) + costs.rest_day) / 3600


def phone_found(board: Board, mah_per_day: float, rng: np.random.Generator, trials: int = 20_000) -> dict[str, float]:
    """Bluezone's schedule with its pauses stretched until it costs the same: both directions within the contact."""
    low, high = 1.0, 1e4
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if phone_mah(board, middle) > mah_per_day else (low, middle)
    good = np.ones(trials, dtype=bool)
    for _direction in range(2):
        scan_every, adv_every = _PHONE["period_s"] * high, 30.0 * high
        first_scan = rng.uniform(0, scan_every, trials)
        good &= _scan_meets_adv(first_scan, scan_every, rng.uniform(0, adv_every, trials), adv_every)
    return {"found": round(float(good.mean()), 4), "stretch": round(high, 2)}


def _scan_meets_adv(first_scan: np.ndarray, scan_every: float, first_adv: np.ndarray, adv_every: float) -> np.ndarray:
    """Does any scan of the contact overlap a stretch of adverts by more than one interval?"""
    met = np.zeros(first_scan.size, dtype=bool)
    for number in range(-1, int(CONTACT_S / scan_every) + 1):
        begin = np.clip(first_scan + number * scan_every, 0, CONTACT_S)
        end = np.clip(first_scan + number * scan_every + _PHONE["scan_s"], 0, CONTACT_S)
        since = (begin - first_adv) % adv_every
        starts_in = np.minimum(_PHONE["adv_on_s"] - since, end - begin)
        later = end - begin - (adv_every - since)
        met |= (end > begin) & (np.maximum(starts_in, later) > 0.11)
    return met


def at_charge(mah_per_day: float, board: Board, seed: int) -> dict[str, Any]:
    """All baselines at one charge. What they reach in one contact of a quarter of an hour."""
    latency_s = kindt_latency_s(mah_per_day, board)
    return {
        "mah_per_day": round(mah_per_day, 3),
        "optimal_with_wake_ups": best_slotted(mah_per_day, board),
        "optimal_without_wake_ups": {"latency_s": round(latency_s, 1), "found": round(min(1.0, 900 / latency_s), 4)},
        "bluezone_stretched": phone_found(board, mah_per_day, np.random.default_rng([seed, 77])),
        "one_second_loop": loop_found(board, mah_per_day),
    }


def own_charge(board: Board) -> dict[str, float]:
    """What the schedules that were in use cost unstretched, mAh a day on this board."""
    return {"bluezone": round(phone_mah(board), 1), "one_second_in_ten": round(loop_mah(board, 1.0, 10.0), 1)}
