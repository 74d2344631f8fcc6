# One island's air: what is being sent, who of the listeners may hear it, what collides.
# Knows levels only through a link table; no controller, no VM.
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tools.bench.engine import Island

if TYPE_CHECKING:
    from tools.bench.medium import AdvParams, Medium, Radio

SENSITIVITY_DBM = -100.0
CAPTURE_DB = 10.0  # the stronger of two overlapping PDUs survives only with this lead

Noise = tuple[int, int, int, "Radio"]  # of another advertising event: t_us, step_us, airtime_us, who sent it


class Sent(NamedTuple):
    """One advertising event: up to three PDUs, step_us from one to the next. noise: what it overlaps."""

    t_us: int
    end_us: int
    step_us: int
    airtime_us: int
    radio: Radio
    params: AdvParams
    noise: list[Noise]


class Air:
    """Of all radios of the scene an island's own listeners can hear."""

    def __init__(self, medium: Medium) -> None:
        self.medium = medium
        self.listeners: dict[str, Radio] = {}
        self._sending: deque[Sent] = deque()

    def push(self, event: Sent) -> None:
        """Something is being sent, now."""
        self._overlap(event)
        if not self.listeners:
            return
        sender, links = event.radio.name, self.medium.links
        for name in links.partners(sender, self.medium.radios):
            receiver = self.listeners.get(name)
            if receiver is not None:
                level = links.level_dbm(sender, name, event.t_us)
                if level is not None:
                    receiver.arrive(event, level)

    def _overlap(self, event: Sent) -> None:
        sending = self._sending
        while sending and sending[0].end_us <= event.t_us:
            sending.popleft()
        for other in sending:
            if other.radio is not event.radio:
                other.noise.append((event.t_us, event.step_us, event.airtime_us, event.radio))
                event.noise.append((other.t_us, other.step_us, other.airtime_us, other.radio))
        sending.append(event)

    def take_over(self, before: Sequence[Air], island: Island, whose: Callable[[str], Island]) -> None:
        """Begin as the air of this island with what was in the airs before."""
        for air in before:
            self.listeners.update((n, radio) for n, radio in air.listeners.items() if whose(n) is island)
        events = [event for air in before for event in air._sending if whose(event.radio.name) is island]
        self._sending.extend(sorted(events, key=lambda event: (event.t_us, event.radio.name)))


def receive(event: Sent, receiver: Radio, level: float) -> None:
    """What becomes of an advert at a receiver that it reaches with this level, dBm."""
    met, links = receiver.met, receiver.medium.links
    channel = _channel_heard(event, receiver)
    if channel < 0:
        return _miss(met.missed, "not listening")
    start = event.t_us + channel * event.step_us
    end = start + event.airtime_us
    if any(t0 < end and start < t1 for t0, t1 in receiver.own_tx):
        return _miss(met.missed, "sending")
    sender, name = event.radio.name, receiver.name
    level += event.radio.tx_offset_db + links.fading_db(sender, name)
    if level < SENSITIVITY_DBM:
        return _miss(met.missed, "too weak")
    for t_us, step_us, airtime_us, radio in event.noise:
        other_start = t_us + channel * step_us
        if radio is not receiver and other_start < end and start < other_start + airtime_us:
            noise = links.level_dbm(radio.name, name, event.t_us)
            if noise is not None and noise + radio.tx_offset_db > level - CAPTURE_DB:
                return _miss(met.missed, "collision")
    met.heard[sender] = met.heard.get(sender, 0) + 1
    links.note_heard(sender, name, event.t_us)
    return receiver.heard(event, channel, level)


def _miss(missed: dict[str, int], why: str) -> None:
    missed[why] = missed.get(why, 0) + 1


def _channel_heard(event: Sent, receiver: Radio) -> int:
    """The channel index (0-2) on which the receiver's window holds the whole PDU, or -1."""
    scan = receiver.scanning
    if scan is None:
        return -1
    for channel in (0, 1, 2):
        if not event.params.channels >> channel & 1:
            continue
        since = event.t_us + channel * event.step_us - receiver.scan_started_us
        if since < 0 or (since // scan.interval_us) % 3 != channel:
            continue
        if since % scan.interval_us + event.airtime_us <= scan.window_us:
            return channel
    return -1
