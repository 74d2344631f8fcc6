# The radios: who advertises, who listens, with what, and what that costs. Knows no GATT, no VM.
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tools.bench.air import SENSITIVITY_DBM, Air, Sent, receive
from tools.bench.engine import Engine, Island, Timer

if TYPE_CHECKING:
    from tools.bench.link import Link

ADV_IND, ADV_DIRECT_IND, ADV_SCAN_IND, ADV_NONCONN_IND, SCAN_RSP = range(5)
_BYTE_US = 8  # 1 Mbit/s
_OVERHEAD_BYTES = 1 + 4 + 2 + 6 + 3  # preamble, access address, header, AdvA, CRC (Core 5.4, vol 6, part B, 2.1)
_IFS_US = 150
_CHANNEL_GAP_US = (
    250  # from the end of one PDU to the start of the next channel's [estimate, within the 10 ms of the Core spec]
)
_SETTLE_US = 5_000  # an advertising event is judged when all that may overlap it is known
_MAX_DELAY_US = 10_000  # advDelay


def airtime_us(data_bytes: int) -> int:
    """Airtime of one legacy advertising PDU with data_bytes of data, us."""
    return (_OVERHEAD_BYTES + data_bytes) * _BYTE_US


class Report(NamedTuple):
    t_us: int
    addr_type: int
    addr: bytes
    adv_type: int
    rssi: int
    data: bytes


@dataclass
class AdvParams:
    """interval_us; adv_type 0 ADV_IND, 1 DIRECT, 2 SCAN_IND, 3 NONCONN_IND; addr 6 bytes as shown; channels: bits
    37, 38, 39.
    """

    interval_us: int
    adv_type: int
    addr_type: int
    addr: bytes
    data: bytes
    scan_rsp: bytes = b""
    channels: int = 7
    on_connect: Callable[[Radio, int], None] | None = None
    peer: bytes = b""


@dataclass
class ScanParams:
    """Listen window_us in every interval_us, one channel per interval; active: ask for the scan response too."""

    interval_us: int
    window_us: int
    active: bool
    on_report: Callable[[Report], None]


@dataclass
class Heard:
    """What one scan met: adverts heard per sender, and why others were missed."""

    heard: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)


class Radio:
    """One antenna. Advertises and scans at once as a BLE controller does: deaf while it transmits."""

    def __init__(self, medium: Medium, name: str) -> None:
        self.medium = medium
        self.name = name
        self.adv: AdvParams | None = None
        self.scanning: ScanParams | None = None
        self.met = Heard()
        self.total = Heard()
        self.scan_started_us = 0
        self.sent = 0
        self.used_us = {"tx": 0, "rx": 0}
        self.tx_offset_db = 0.0
        self._rng = medium.engine.rng("radio", name)
        self._adv_run = 0
        self._wanted: tuple[int, bytes, Callable[[Radio, AdvParams, int], None]] | None = None
        self._scan_before: ScanParams | None = None
        self.own_tx: deque[tuple[int, int]] = deque(maxlen=8)
        self.patience_us = 0  # whoever reads the reports doesn't mind if they come this much later
        self._arriving: deque[tuple[Sent, float]] = deque()
        self._judging: Timer | None = None

    def power(self, on: bool) -> None:
        if not on:
            self.initiate(None)
            self.advertise(None)
            self.scan(None)

    def account(self, kind: str, us: int) -> None:
        """Charge us of 'tx' or 'rx'."""
        self.used_us[kind] += us

    def advertise(self, params: AdvParams | None) -> None:
        """Start or replace advertising; None stops."""
        self._adv_run += 1
        self.adv = params
        if params is not None:
            engine = self.medium.engine
            engine.at(self.name, engine.now_us + self._rng.randrange(1, 1000), self._send, self._adv_run)

    def _send(self, run: int) -> None:
        params = self.adv
        if params is None or run != self._adv_run:
            return
        engine = self.medium.engine
        now = engine.now_us
        air = airtime_us(len(params.data))
        step = air + _CHANNEL_GAP_US
        channels = bin(params.channels).count("1")
        self.own_tx.append((now, now + step * channels))
        self.account("tx", air * channels)
        self.sent += 1
        self.medium.push(Sent(now, now + step * 3, step, air, self, params, []))
        engine.at(self.name, now + params.interval_us + self._rng.randrange(_MAX_DELAY_US), self._send, run)

    def scan(self, params: ScanParams | None) -> Heard:
        """Start or stop scanning; stopping delivers what is in the air and returns what was met."""
        engine = self.medium.engine
        met = self.met
        if self.scanning is not None:
            self._judge(engine.now_us)
            self._arriving.clear()
            lasted = engine.now_us - self.scan_started_us
            self.account("rx", lasted * self.scanning.window_us // max(1, self.scanning.interval_us))
            self.medium.air.listeners.pop(self.name, None)
            self._tell(lasted, met)
        self.scanning = params
        self.met = Heard()
        if params is not None:
            self.scan_started_us = engine.now_us
            self.medium.air.listeners[self.name] = self
        return met

    def _tell(self, lasted_us: int, met: Heard) -> None:
        for total, part in ((self.total.heard, met.heard), (self.total.missed, met.missed)):
            for name, count in part.items():
                total[name] = total.get(name, 0) + count
        self.medium.engine.log.event("scan", self.name, lasted_us=lasted_us, heard=met.heard, missed=met.missed)

    def initiate(
        self,
        addr_type: int | None,
        addr: bytes = b"",
        interval_us: int = 30_000,
        window_us: int = 30_000,
        on_found: Callable[[Radio, AdvParams, int], None] | None = None,
    ) -> None:
        """Listen for a connectable advert of this address and call on_found(radio, its params, t_us); None cancels."""
        if addr_type is None or on_found is None:
            if self._wanted:
                self._wanted = None
                self.scan(self._scan_before)
            return
        self._scan_before = self.scanning
        self._wanted = (addr_type, addr, on_found)
        self.scan(ScanParams(interval_us, window_us, False, lambda report: None))

    # Hearing

    def arrive(self, event: Sent, level: float) -> None:
        """An advert is being sent that reaches this antenna while it listens."""
        self._arriving.append((event, level))
        if self._judging is None:
            self._judge_later()

    def _judge_later(self) -> None:
        patience_us = 0 if self._wanted else self.patience_us
        due_us = self._arriving[0][0].t_us + _SETTLE_US + patience_us
        self._judging = self.medium.engine.at(self.name, due_us, self._judge_due)

    def _judge_due(self) -> None:
        self._judge(self.medium.engine.now_us - _SETTLE_US)
        self._judging = None
        if self._arriving:
            self._judge_later()

    def _judge(self, until_us: int) -> None:
        """Decide on what began up to until_us and has been sent to its end."""
        arriving, now = self._arriving, self.medium.engine.now_us
        while arriving and arriving[0][0].t_us <= until_us and arriving[0][0].end_us <= now:
            event, level = arriving.popleft()
            receive(event, self, level)

    def heard(self, event: Sent, channel: int, level: float) -> None:
        """An advert survived: report it, or take it as the peer that was looked for."""
        scan = self.scanning
        if scan is None:
            return
        params = event.params
        t_us = event.t_us + channel * event.step_us + event.airtime_us
        if self._wanted:
            self._connect(event, t_us)
            return
        rssi = max(-127, min(20, round(level)))
        scan.on_report(Report(t_us, params.addr_type, params.addr, params.adv_type, rssi, params.data))
        if scan.active and params.adv_type in (ADV_IND, ADV_SCAN_IND):
            self._ask(event, t_us, rssi)

    def _ask(self, event: Sent, t_us: int, rssi: int) -> None:
        """SCAN_REQ and SCAN_RSP."""
        scan, params = self.scanning, event.params
        request, answer = airtime_us(6), airtime_us(len(params.scan_rsp))
        self.account("tx", request)
        event.radio.account("rx", request + _IFS_US)
        event.radio.account("tx", answer)
        if scan is not None and event.radio.adv is params:
            t_us += 2 * _IFS_US + request + answer
            scan.on_report(Report(t_us, params.addr_type, params.addr, SCAN_RSP, rssi, params.scan_rsp))

    def _connect(self, event: Sent, t_us: int) -> None:
        assert self._wanted
        addr_type, addr, on_found = self._wanted
        params, peer = event.params, event.radio
        if (
            (params.addr_type, params.addr) != (addr_type, addr)
            or params.adv_type > ADV_DIRECT_IND
            or peer.adv is not params
        ):
            return
        self._wanted = None
        self.account("tx", airtime_us(22 - 6))
        peer.advertise(None)
        self.scan(self._scan_before)
        if params.on_connect:
            params.on_connect(self, t_us)
        on_found(peer, params, t_us)


class Links(Protocol):
    """Level of every directed link, dBm, or None where there is none."""

    def partners(self, sender: str, names: Collection[str]) -> Sequence[str]: ...

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None: ...

    def fading_db(self, sender: str, receiver: str) -> float: ...

    def note_heard(self, sender: str, receiver: str, t_us: int) -> None: ...


class Medium:
    """All radios of a scene, and the air of each island."""

    def __init__(self, engine: Engine, links: Links) -> None:
        self.engine = engine
        self.links = links
        self.radios: dict[str, Radio] = {}
        self.connected: set[Link] = set()
        engine.medium = self
        engine.main.air = Air(self)

    @property
    def air(self) -> Air:
        """That of the island which is played."""
        return self.engine.here.air

    def add_radio(self, name: str) -> Radio:
        self.radios[name] = Radio(self, name)
        return self.radios[name]

    def rssi(self, sender: Radio, receiver: Radio, t_us: int) -> float | None:
        """Level of a link, dBm, with fading drawn anew; None out of range."""
        level = self.links.level_dbm(sender.name, receiver.name, t_us)
        if level is None:
            return None
        level += sender.tx_offset_db + self.links.fading_db(sender.name, receiver.name)
        return level if level >= SENSITIVITY_DBM else None

    def push(self, event: Sent) -> None:
        self.air.push(event)

    def regroup(self, old: Sequence[Island], new: Sequence[Island], whose: Callable[[str], Island]) -> None:
        """Give each new island its air, with what was in the old ones."""
        before = [island.air for island in old]
        for island in new:
            island.air = Air(self)
            island.air.take_over(before, island, whose)
