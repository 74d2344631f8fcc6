# Monte Carlo of meetings: the firmware's own schedule object with clocks that err, packets on three channels, one by
# one. Knows no VM; `scenes` plays the same in VMs.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from emask import window as shape
from emask.schedule import Plan, Schedule
from tools.bench.medium import airtime_us

UTC_MS = 1_764_000_000_000 // 300_000 * 300_000  # own time at true time 0, a full cycle of the grid
SLOT_S = 900
START_JITTER_MS = 3.0  # of the radio's start about the learned lead, one sigma [E]
SENSITIVITY_DBM = -100.0
_AIR_S = airtime_us(31) * 1e-6
_STEP_S = _AIR_S + 250e-6  # from one channel to the next, as on the bench
_EVENT_S = 3 * _STEP_S


@dataclass
class Clock:
    """True seconds -> own ms. error_ms at true time 0, then ppm; wander_ppm: a random walk of the rate, per minute."""

    error_ms: float = 0.0
    ppm: float = 0.0

    def own_ms(self, t_s: float) -> float:
        return UTC_MS + self.error_ms + t_s * 1000 * (1 + self.ppm * 1e-6)

    def true_s(self, own_ms: float) -> float:
        return (own_ms - UTC_MS - self.error_ms) / 1000 / (1 + self.ppm * 1e-6)


@dataclass
class Window:
    """A window as it takes place, true seconds. sent: starts of advertising events; fields: what each says."""

    plan: Plan
    start_s: float
    end_s: float
    sent: np.ndarray
    fields: np.ndarray


@dataclass
class Token:
    """One token: its schedule, its clock, its windows. Ticks are own ms less UTC_MS, as if booted at true time 0."""

    schedule: Schedule
    clock: Clock
    heard_late_ms: float = 0.0  # by so much each advert seems later than it was
    windows: list[Window] = field(default_factory=list)
    next: Window | None = None


@dataclass
class Meeting:
    """heard[receiver, sender]: true seconds since the start at which windows ended that heard somebody."""

    heard: dict[tuple[int, int], list[float]]
    adverts: dict[tuple[int, int], int]
    windows: int


Level = Callable[[int, int, float], float | None]
Watch = Callable[[int, Window], None]  # told of each window at its end, with the token's number


def near(_receiver: int, _sender: int, _t_s: float) -> float | None:
    """Everybody hears everybody well."""
    return -60.0


def slot_at(tick_ms: int) -> int:
    """Number of the slot in which a tick lies, as the token's own clock counts."""
    return (UTC_MS + tick_ms) // (SLOT_S * 1000)


class Scene:
    """Tokens from start_s on, for length_s. level(receiver, sender, t_s): dBm with fading, None out of range.

    phone: moments at which a phone beside them advertises, one more sender that says no next window. Adverts that
    overlap on a channel are lost, all of them, however strong.
    """

    def __init__(
        self,
        tokens: list[Token],
        rng: np.random.Generator,
        level: Level = near,
        *,
        watch: Watch | None = None,
        phone: np.ndarray | None = None,
    ) -> None:
        self.tokens, self.rng, self.level, self.watch, self.phone = tokens, rng, level, watch, phone

    def play(self, start_s: float, length_s: float) -> Meeting:
        met = Meeting({}, {}, 0)
        for token in self.tokens:
            token.next = self._window(token, start_s)
        while True:
            number = min(range(len(self.tokens)), key=self._end)
            token = self.tokens[number]
            window = token.next
            assert window is not None
            if window.end_s > start_s + length_s:
                return met
            met.windows += 1
            self._close(number, window, met, start_s)
            token.windows = [old for old in token.windows if window.start_s - old.end_s < 130] + [window]
            token.next = self._window(token, window.end_s)

    def _end(self, number: int) -> float:
        window = self.tokens[number].next
        assert window is not None
        return window.end_s

    def _window(self, token: Token, t_s: float) -> Window:
        own_ms = int(token.clock.own_ms(t_s))
        plan = token.schedule.plan(own_ms - UTC_MS, own_ms, slot_at)
        start_s = max(t_s, token.clock.true_s(UTC_MS + plan.start_ms) + self.rng.normal(0, START_JITTER_MS) / 1000)
        end_s = start_s + plan.length_ms / 1000
        sent, fields = self._adverts(token, plan, start_s, end_s)
        return Window(plan, start_s, end_s, sent, fields)

    def _adverts(self, token: Token, plan: Plan, start_s: float, end_s: float) -> tuple[np.ndarray, np.ndarray]:
        if not plan.adv_ms:
            return np.empty(0), np.empty(0, dtype=np.int64)
        times, fields = [], []
        at_s = start_s + shape.advert_delay_ms(int(self.rng.integers(256)), plan) / 1000
        delays = iter(self.rng.random(2 * int((end_s - at_s) / (plan.adv_ms / 1000)) + 8) * 0.01)
        while at_s < end_s:
            rest_ms = round((end_s - at_s) * 1000)
            step_ms, right_ms, adv_ms = shape.step(plan, max(1, rest_ms), self.rng.bytes)
            said = token.schedule.field(int(token.clock.own_ms(at_s)) - UTC_MS + right_ms, plan)
            until_s = min(end_s, at_s + step_ms / 1000)
            event_s = at_s + 0.0005
            while event_s < until_s:
                times.append(event_s)
                fields.append(said)
                event_s += adv_ms / 1000 + next(delays)
            at_s = until_s
        return np.array(times), np.array(fields, dtype=np.int64)

    def _close(self, number: int, window: Window, met: Meeting, start_s: float) -> None:
        token = self.tokens[number]
        token.schedule.opened(window.plan)
        token.schedule.draw(self.rng.bytes)
        got = self._hear(number, window)
        for other in got:
            met.heard.setdefault((number, other), []).append(window.end_s - start_s)
            met.adverts[number, other] = met.adverts.get((number, other), 0) + len(got[other])
        late_ms = token.heard_late_ms - UTC_MS
        heard = [
            (other, int(token.clock.own_ms(t_s) + late_ms), said)
            for other, some in got.items()
            for t_s, said in some
            if said >= 0
        ]
        token.schedule.closed(window.plan, heard, len(got))
        if self.watch:
            self.watch(number, window)

    def _hear(self, number: int, window: Window) -> dict[int, list[tuple[float, int]]]:
        """Sender -> (moment, field) of each advert taken."""
        times, fields, owners = self._in_air(number, window)
        if not times.size:
            return {}
        good = received(window, times) & ~collided(times)
        got: dict[int, list[tuple[float, int]]] = {}
        for index in np.flatnonzero(good):
            other, t_s = int(owners[index]), float(times[index])
            level = self.level(number, other, t_s)
            if level is not None and level >= SENSITIVITY_DBM:
                got.setdefault(other, []).append((t_s, int(fields[index])))
        return got

    def _in_air(self, number: int, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Moment, field (-1: none) and sender of each advert of others during the window."""
        parts: list[tuple[np.ndarray, np.ndarray, int]] = []
        for other, sender in enumerate(self.tokens):
            if other == number:
                continue
            for their in (*sender.windows, sender.next):
                if their and their.start_s < window.end_s and their.end_s > window.start_s and their.sent.size:
                    parts.append((their.sent, their.fields, other))
        if self.phone is not None:
            first, last = np.searchsorted(self.phone, (window.start_s - _EVENT_S, window.end_s))
            parts.append((self.phone[first:last], np.full(last - first, -1), len(self.tokens)))
        if not parts:
            return np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        owners = np.repeat([owner for *_, owner in parts], [times.size for times, *_ in parts])
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]), owners


def collided(events: np.ndarray) -> np.ndarray:
    """Which advertising events overlap another on its channel: all send on the three in one order and pace."""
    order = np.argsort(events, kind="stable")
    near_next = np.diff(events[order]) < _AIR_S
    lost = np.zeros(events.size, dtype=bool)
    lost[order[:-1]] |= near_next
    lost[order[1:]] |= near_next
    return lost


def received(window: Window, events: np.ndarray) -> np.ndarray:
    """Which advertising events the receiver's radio takes: on the channel and in the part of the scan interval that it
    listens in, and not while it sends itself.
    """
    plan = window.plan
    scan_s, listen_s = plan.scan_ms / 1000, plan.listen_ms / 1000
    good = np.zeros(events.shape, dtype=bool)
    for channel in range(3):
        since = events + channel * _STEP_S - window.start_s
        inside = (since >= 0) & (since + _AIR_S <= window.end_s - window.start_s)
        on = (since // scan_s).astype(np.int64) % 3 == channel
        good |= inside & on & (since % scan_s + _AIR_S <= listen_s)
    if window.sent.size and good.any():
        before = np.searchsorted(window.sent, events, side="right")
        last = window.sent[np.clip(before - 1, 0, None)]
        following = window.sent[np.clip(before, None, window.sent.size - 1)]
        good &= ~((before > 0) & (events - last < _EVENT_S)) & ~(np.abs(following - events) < _EVENT_S)
    return good
