# What a day costs: the token's own schedule, run through a day of company, charged by a board's power table. A model.
# Knows no VM and no radio medium; `emask bench study` and the tests hold it against the firmware on the bench.
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emask import schedule, window
from emask.schedule import MEETING, MINUTE, SEARCH, Plan, Schedule
from tools.bench.energy import Board, Meter
from tools.bench.medium import airtime_us

MODEL = "A model of charge (boards/*/power.toml), not a measurement."
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
INTERNAL_PPM = 5_500  # the internal oscillator, worst: 20 s an hour, measured on C3 (docs/POWER)
PACK_MAH = 1_100  # a serviceable pack: two of three AAA cells, or a flat cell in a holder
_OWN_MS = 1_764_000_000_000 // DAY_MS * DAY_MS  # own time at tick 0: a midnight
_ADV_BYTES = 31
_RECORD_BYTES = 40  # a minute or sighting with its lead and check
_SLOT_MS = 900_000
_VISIT_MS = 60_000  # connectable, once a week
_DOOR_MS = 400  # connectable, once a slot of 15 minutes (firmware/door.py)
_DOOR_ADV_MS = 35  # 30 and the controller's delay
_HEARD_SHARE = 0.85  # of what a neighbour sends in the time that one listens
_MOST_REPORTS = 128  # in a window: firmware/radio.py keeps no more
_MOST_SIGHTINGS = 128  # in a slot (SPEC 3.2)


class UnknownScenario(Exception):
    """The text names those that exist."""


@dataclass(frozen=True)
class Period:
    """So many hours beside so many other tokens. rest: nobody moves the token, if its board can tell."""

    hours: float
    others: int
    rest: bool = False


SCENARIOS: dict[str, tuple[str, list[Period]]] = {
    "usual": (
        "8 h alone, 10 h at home with 3 others, 6 h out among 30",
        [Period(8, 0), Period(2, 3), Period(6, 30), Period(8, 3, rest=True)],
    ),
    "alone": ("nobody near, for the second day: it sweeps", [Period(24, 0)]),
    "home": ("at home with 3 others all day", [Period(24, 3)]),
    "crowd": ("among 100 others all day", [Period(24, 100)]),
}


@dataclass
class Day:
    """Charge of one day by consumer, mAh; how often the radio worked, by kind of window; and for the door."""

    mah: dict[str, float]
    windows: dict[int, int] = field(default_factory=dict)
    doors: int = 0

    @property
    def total_mah(self) -> float:
        return sum(self.mah.values())


class Account:
    """Adds up windows and sleeps of one token on one board. sleep: "light" or "deep"."""

    def __init__(self, board: Board, sleep: str) -> None:
        self.board, self.sleep = board, sleep
        self.meter = Meter(board)
        self.windows: dict[int, int] = {}
        self.doors = 0

    def rest(self, ms: float) -> None:
        """Asleep for ms, then awake again."""
        board = self.board
        deep = self.sleep == "deep" and ms >= deep_from_ms(board)
        self.meter.add("sleep", "deep_sleep" if deep else "light_sleep", ms * 1000)
        if deep:
            self.meter.add("boot", "boot", board.time_us["boot"])
        else:
            self.meter.add("cpu", "cpu_active_slow", board.time_us["light_wake"])
        self.cpu(board.cost_us["wake"])

    def cpu(self, full_speed_us: float) -> None:
        board = self.board
        self.meter.add("cpu", "cpu_active_slow", full_speed_us * board.cpu_mhz / board.cpu_slow_mhz)

    def window(self, plan: Plan, reports: float) -> None:
        """One window: start, listen, send, write down, stop."""
        board, add = self.board, self.meter.add
        self.windows[plan.kind] = self.windows.get(plan.kind, 0) + 1
        us = plan.length_ms * 1000.0
        rx_us = us * plan.listen_ms / plan.scan_ms
        tx_us = adverts(plan) * 3 * airtime_us(_ADV_BYTES)
        add("radio start", "radio_start", board.time_us["radio_start"])
        add("receive", "rx", rx_us)
        add("transmit", "tx", tx_us)
        add("radio idle", "radio_idle_slow", max(0.0, us - rx_us - tx_us))
        add("cpu", "cpu_active_slow", board.time_us["radio_stop"])
        self.cpu(reports * board.cost_us["report"])

    def records(self, count: float) -> None:
        """So many records appended to flash."""
        board = self.board
        pages = count * (1 + _RECORD_BYTES / 256)
        self.cpu(count * board.cost_us["record"])
        for consumer, current in (("flash", "flash_program"), ("cpu", "cpu_active_slow")):
            self.meter.add(consumer, current, pages * board.time_us["flash_program_page"])
        erases = count * _RECORD_BYTES / 4096
        for consumer, current in (("flash", "flash_erase"), ("cpu", "cpu_active_slow")):
            self.meter.add(consumer, current, erases * board.time_us["flash_erase"])

    def door(self) -> None:
        """The radio once more, connectable for a moment, and nobody comes."""
        board, add = self.board, self.meter.add
        self.doors += 1
        tx_us = (1 + _DOOR_MS // _DOOR_ADV_MS) * 3 * airtime_us(_ADV_BYTES)
        add("radio start", "radio_start", board.time_us["radio_start"])
        add("transmit", "tx", tx_us)
        add("radio idle", "radio_idle_slow", _DOOR_MS * 1000 - tx_us)
        add("cpu", "cpu_active_slow", board.time_us["radio_stop"])

    def visit(self, visits: float) -> None:
        """So many visits, connectable for a minute at full speed."""
        us = visits * _VISIT_MS * 1000
        self.meter.add("radio idle", "radio_idle", us)
        self.meter.add("transmit", "tx", us / 105_000 * 3 * airtime_us(_ADV_BYTES))


def adverts(plan: Plan) -> float:
    """Advertising events in a window: the first after half an interval on average, then step by step."""
    if not plan.adv_ms:
        return 0.0
    rest_ms = int(plan.length_ms - plan.adv_ms / 2)
    step_ms, right_ms, adv_ms = window.step(plan, rest_ms, lambda count: bytes([128]))
    events = 1 + 2 * right_ms // adv_ms  # right for the middle of the step's events
    return max(0.0, rest_ms / step_ms * events)


def deep_from_ms(board: Board) -> int:
    """The sleep from which a boot costs less than staying in light sleep."""
    boot = board.time_us["boot"] * board.current_ma["boot"] / 1000
    return int(boot / (board.current_ma["light_sleep"] - board.current_ma["deep_sleep"]))


def play(
    board: Board,
    periods: list[Period],
    *,
    sleep: str = "deep",
    ppm: int | None = None,
    level: int = schedule.FULL,
    motion: bool = False,
    visits: float = 1 / 7,
    hours: float = 24,
    warm: int = 1,
) -> Day:
    """These periods with so many visits, after `warm` times the same, so that the day begins as a day does. motion: the
    board has a sensor, and sees when the token lies still.
    """
    plan_maker = Schedule(board.clock_error_ppm if ppm is None else ppm, board.advert_ms)
    plan_maker.level = level
    plan_maker.confirmed(0)
    account = Account(board, sleep)
    now_ms, slot = 0, 0
    length_ms = int(hours * HOUR_MS)
    begin_ms = warm * length_ms
    while True:
        plan = plan_maker.plan(now_ms, _OWN_MS + now_ms, _slot_at)
        if plan.start_ms >= begin_ms + length_ms:
            break
        if now_ms < begin_ms <= plan.start_ms:
            account, slot = Account(board, sleep), plan.start_ms // _SLOT_MS
        period = _period(periods, plan.start_ms % length_ms)
        others = period.others
        _one(account, plan_maker, plan, others, plan.start_ms - now_ms, motion and period.rest)
        while plan.start_ms // _SLOT_MS > slot:
            slot += 1
            account.records(min(others, _MOST_SIGHTINGS) + (1 if others else 0))
            account.door()
        now_ms = plan.start_ms + plan.length_ms
    account.visit(visits)
    mah = account.meter.mah()
    mah["cell"] = board.battery_mah * board.self_discharge_percent_month / 100 / 30
    return Day(mah, account.windows, account.doors)


def _slot_at(tick_ms: int) -> int:
    return (_OWN_MS + tick_ms) // _SLOT_MS


def _period(periods: list[Period], at_ms: float) -> Period:
    for period in periods:
        at_ms -= period.hours * HOUR_MS
        if at_ms < 0:
            return period
    return periods[-1]


def _one(account: Account, plan_maker: Schedule, plan: Plan, others: int, gap_ms: float, still: bool) -> None:
    plan_maker.opened(plan)
    account.rest(max(0.0, gap_ms - account.board.time_us["radio_start"] / 1000))
    beside = others if plan.kind in (MINUTE, MEETING, SEARCH) else 0
    sent = 1.0 if plan.kind == SEARCH else adverts(plan)
    reports = beside * sent * plan.listen_ms / plan.scan_ms * _HEARD_SHARE
    account.window(plan, min(reports, _MOST_REPORTS))
    if beside:
        account.records(min(beside, 64))
    at_ms = plan.point_ms
    said = [(number, at_ms, plan_maker.field(at_ms, plan)) for number in range(min(beside, 8))]
    plan_maker.closed(plan, said, beside, still)


def report(board: Board, scenario: str, *, ppm: int | None = None) -> dict[str, Any]:
    """What `emask bench power` says. Raises UnknownScenario."""
    if scenario not in SCENARIOS:
        raise UnknownScenario(f"no scenario is called {scenario}; there are: {', '.join(SCENARIOS)}")
    about, periods = SCENARIOS[scenario]
    days = {sleep: play(board, periods, sleep=sleep, ppm=ppm) for sleep in ("light", "deep")}
    sleep = min(days, key=lambda name: days[name].total_mah)
    day = days[sleep]
    total = day.total_mah
    packed = total + day.mah["cell"] * (PACK_MAH / board.battery_mah - 1)  # only the cell's own loss grows with it
    return {
        "board": board.name,
        "scenario": scenario,
        "about": about,
        "clock_ppm": board.clock_error_ppm if ppm is None else ppm,
        "sleep": sleep,
        "mah_per_day": round(total, 3),
        "percent_per_day": round(100 * total / board.battery_mah, 3),
        "battery_mah": board.battery_mah,
        "days": round(board.battery_mah * board.usable_percent / 100 / total, 1),
        "pack_mah": PACK_MAH,
        "days_of_pack": round(PACK_MAH * board.usable_percent / 100 / packed, 1),
        "days_after_cue": round(_after_cue(board, periods, sleep, ppm), 1),
        "consumers": {name: round(value, 4) for name, value in day.mah.items() if value >= 0.00005},
        "windows": {name: day.windows.get(kind, 0) for kind, name in enumerate(KINDS)},
        "doors": day.doors,
        "mah_per_day_doors": round(door_mah(board) * day.doors, 3),
        "mah_per_day_by_sleep": {name: round(other.total_mah, 3) for name, other in days.items()},
        "mah_per_day_with_motion_sensor": round(play(board, periods, sleep=sleep, ppm=ppm, motion=True).total_mah, 3),
        "deep_from_ms": deep_from_ms(board),
        "model": MODEL,
    }


def door_mah(board: Board) -> float:
    """Charge of a door that nobody comes to."""
    account = Account(board, "light")
    account.door()
    return account.meter.total_mah()


KINDS = ("minute", "meeting", "probe", "search")


def _after_cue(board: Board, periods: list[Period], sleep: str, ppm: int | None) -> float:
    """Days from the first low-battery cue to the end, each level at its own charge; the unusable rest is left out."""
    ends = (*(percent / 100 for percent in board.low_percent), 0.0)
    unusable = 1 - board.usable_percent / 100
    days = 0.0
    for number, (start, end) in enumerate(zip(ends, ends[1:], strict=False)):
        share = max(0.0, start - max(end, unusable))
        level = (schedule.LOW, schedule.LOWER, schedule.LOWEST)[number]
        days += share * board.battery_mah / play(board, periods, sleep=sleep, ppm=ppm, level=level).total_mah
    return days


def text(facts: dict[str, Any]) -> str:
    """For a person."""
    total = facts["mah_per_day"]
    lines = [
        f"{facts['board']}, {facts['scenario']}: {facts['about']}. Clock within {facts['clock_ppm']} ppm.",
        "",
        f"  {total:.2f} mAh a day, {facts['percent_per_day']:.2f} % of {facts['battery_mah']:.0f} mAh, with "
        f"{facts['sleep']} sleep",
        f"  {facts['days']:.0f} days; {facts['days_of_pack']:.0f} days on {facts['pack_mah']} mAh; "
        f"the low-battery cue comes {facts['days_after_cue']:.0f} days before the end",
        "",
    ]
    for name, value in sorted(facts["consumers"].items(), key=lambda item: -item[1]):
        bar = "#" * round(40 * value / total)
        lines.append(f"  {name:<12}{value:>8.3f} mAh {100 * value / total:>5.1f} %  {bar}")
    by, seen = facts["mah_per_day_by_sleep"], facts["mah_per_day_with_motion_sensor"]
    lines += [
        "",
        "  Windows a day: "
        + ", ".join(f"{count} {name}" for name, count in facts["windows"].items() if count)
        + f"; {facts['doors']} doors, {facts['mah_per_day_doors']:.2f} mAh of it",
        f"  Light sleep {by['light']:.2f} mAh a day, deep sleep {by['deep']:.2f}; a boot pays from "
        f"{facts['deep_from_ms'] / 1000:.1f} s of sleep on.",
        f"  With a motion sensor, which sees when it lies still: {seen:.2f} mAh a day.",
        f"  {facts['model']}",
    ]
    return "\n".join(lines)
