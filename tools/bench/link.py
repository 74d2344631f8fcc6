# A connection of two hosts: connection events, airtime, loss, retransmission, supervision. Knows no PDU's meaning.
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from tools.bench.air import SENSITIVITY_DBM
from tools.bench.att import DEFAULT_MTU

if TYPE_CHECKING:
    from tools.bench.engine import Engine, Timer
    from tools.bench.medium import Radio

REASON_TIMEOUT, REASON_REMOTE, REASON_LOCAL, REASON_NOT_ESTABLISHED = 0x08, 0x13, 0x16, 0x3E
DEFAULT_INTERVAL_US = 30_000  # BLE_GAP_INITIAL_CONN_ITVL_MIN of NimBLE
DEFAULT_TIMEOUT_US = 2_560_000  # BLE_GAP_INITIAL_SUPERVISION_TIMEOUT
MIN_INTERVAL_US, MAX_INTERVAL_US = 7_500, 4_000_000

_FIRST_EVENT_US = 2_500  # transmit window offset and delay after CONNECT_IND
_BYTE_US = 8
_LL_OVERHEAD_BYTES = 1 + 4 + 2 + 3  # preamble, access address, header, CRC: an empty PDU takes 80 us at 1 Mbit/s
_L2CAP_BYTES = 4
_LL_PAYLOAD_BYTES = 251  # data length extension, as both ends use it
_IFS_US = 150
_EVENT_SHARE = 0.75  # of the interval, for one connection event [estimate]
_MAX_PAIRS = 6  # packet pairs in one event [estimate]
_WIDENING_US = 60  # the peripheral listens this much longer per event [estimate: 40 ppm over one interval, plus jitter]
_FLOOR_LOSS = 0.01  # share of packets lost on a good link to other users of the band [estimate]
_MARGIN_DB = 10.0  # above the sensitivity: from here on only the floor is lost; below, linearly more [estimate]
_ESTABLISH_EVENTS = 6
_TERMINATE = b""

# The host behind each radio: who takes a connection made to it.
HOSTS: WeakKeyDictionary[Radio, Host] = WeakKeyDictionary()


class Host(Protocol):
    """What a link needs of each end."""

    name: str
    radio: Radio

    def own_address(self) -> tuple[int, bytes]: ...

    def link_up(self, link: Link) -> None: ...

    def link_down(self, link: Link, reason: int) -> None: ...

    def received(self, link: Link, pdu: bytes) -> None: ...


@dataclass
class End:
    """One side. queue: (PDU, airtimes of the fragments still to send)."""

    host: Host
    address: tuple[int, bytes]
    queue: deque[tuple[bytes, deque[int]]] = field(default_factory=deque)
    heard_us: int = 0
    silent: bool = False  # its power is gone
    closed: bool = False
    terminating: bool = False
    established: bool = False
    sent_pdus: int = 0
    retries: int = 0


class Link:
    """One connection; mtu holds for both ends."""

    def __init__(
        self,
        engine: Engine,
        central: Host,
        peripheral: Host,
        t_us: int,
        *,
        interval_us: int = DEFAULT_INTERVAL_US,
        timeout_us: int = DEFAULT_TIMEOUT_US,
    ) -> None:
        self.engine = engine
        self.interval_us, self.timeout_us = interval_us, timeout_us
        self.central = End(central, central.own_address())
        self.peripheral = End(peripheral, peripheral.own_address())
        self.mtu = DEFAULT_MTU
        self._rng = engine.rng("link", central.name, peripheral.name, t_us)
        self._start_us = max(t_us, engine.now_us) + _FIRST_EVENT_US
        self._events = 0  # connection events passed
        self._troubled = True  # the last event failed: no event is skipped
        self._timer: Timer | None = None
        for end in (self.central, self.peripheral):
            end.heard_us = self._start_us
        engine.medium.connected.add(self)
        engine.log.event("link", central.name, state="up", peer=peripheral.name, interval_us=interval_us)
        peripheral.link_up(self)
        central.link_up(self)
        self._plan()

    # Use

    def end_of(self, host: Host) -> End:
        return self.central if self.central.host is host else self.peripheral

    def peer_of(self, host: Host) -> End:
        return self.peripheral if self.central.host is host else self.central

    @property
    def up(self) -> bool:
        return not (self.central.closed or self.peripheral.closed)

    def send(self, host: Host, pdu: bytes) -> None:
        """Queue an ATT PDU; it goes out at the next connection events."""
        end = self.end_of(host)
        if end.closed or end.silent:
            return
        pdu = pdu[: self.mtu]
        left = len(pdu) + _L2CAP_BYTES
        air: deque[int] = deque()
        while left > 0:
            air.append((_LL_OVERHEAD_BYTES + min(left, _LL_PAYLOAD_BYTES)) * _BYTE_US)
            left -= _LL_PAYLOAD_BYTES
        end.queue.append((pdu, air))
        self._plan()

    def terminate(self, host: Host) -> bool:
        """Ask the peer to end the link, ahead of what waits. False: that is already under way."""
        end = self.end_of(host)
        if end.terminating:
            return False
        end.terminating = True
        end.queue.clear()
        end.queue.append((_TERMINATE, deque([(_LL_OVERHEAD_BYTES + 2) * _BYTE_US])))
        self._plan()
        return True

    def silence(self, host: Host) -> None:
        """The host lost its power: it says nothing more and hears nothing; the peer finds out by itself."""
        end, peer = self.end_of(host), self.peer_of(host)
        end.silent = end.closed = True
        if not self._troubled:
            peer.heard_us = max(peer.heard_us, self.engine.now_us - self.interval_us)
        self._troubled = True
        self._plan()

    # Connection events

    def _plan(self) -> None:
        """Plan the next event worth simulating: the very next if there is something to send, else a later one."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self.central.closed and self.peripheral.closed:
            self.engine.medium.connected.discard(self)
            return
        now = self.engine.now_us
        following = max(self._events, (now - self._start_us) // self.interval_us + 1 if now >= self._start_us else 0)
        busy = self.central.queue or self.peripheral.queue or self._troubled
        if not busy:
            following = max(following, self._events + max(1, self.timeout_us // 4 // self.interval_us) - 1)
        self._timer = self.engine.at(
            self.central.host.name, self._start_us + following * self.interval_us, self._event, following
        )

    def _event(self, number: int) -> None:
        self._timer = None
        quiet = number - self._events
        if quiet > 0:
            self._account_quiet(quiet)
        self._events = number + 1
        self._exchange()
        self._check_supervision()
        self._plan()

    def _account_quiet(self, events: int) -> None:
        """Empty exchanges that nobody had to simulate; they are taken to have been heard."""
        air = _LL_OVERHEAD_BYTES * _BYTE_US * events
        for end, extra in ((self.central, 0), (self.peripheral, _WIDENING_US * events)):
            if not end.closed:
                end.host.radio.account("tx", air)
                end.host.radio.account("rx", air + extra)
                if not self._troubled:
                    end.heard_us = self.engine.now_us - self.interval_us

    def _exchange(self) -> None:
        """Packet pairs until both have nothing left, one is lost, or the event's time is up."""
        started = t_us = self.engine.now_us
        limit = started + int(self.interval_us * _EVENT_SHARE)
        self._troubled = True
        if not self.peripheral.closed:
            self.peripheral.host.radio.account("rx", _WIDENING_US)
        for _ in range(_MAX_PAIRS):
            t_us = self._packet(self.central, self.peripheral, t_us)
            if t_us < 0:
                return
            t_us = self._packet(self.peripheral, self.central, t_us + _IFS_US)
            if t_us < 0:
                return
            self._troubled = False
            t_us += _IFS_US
            if t_us > limit or not (self.central.queue or self.peripheral.queue):
                return

    def _packet(self, sender: End, receiver: End, t_us: int) -> int:
        """One LL packet; returns its end, or -1 if it was not received."""
        if sender.closed:
            if not receiver.closed:
                receiver.host.radio.account("rx", _LL_OVERHEAD_BYTES * _BYTE_US)
            return -1
        air = sender.queue[0][1][0] if sender.queue else _LL_OVERHEAD_BYTES * _BYTE_US
        if sender.queue and self.engine.log.full:
            self.engine.log.event("air", sender.host.name, bytes=air // _BYTE_US - _LL_OVERHEAD_BYTES)
        sender.host.radio.account("tx", air)
        if receiver.closed:
            return -1
        receiver.host.radio.account("rx", air)
        if self._lost(sender, receiver, t_us):
            sender.retries += 1
            return -1
        receiver.heard_us = t_us
        receiver.established = True
        if sender.queue:
            pdu, fragments = sender.queue[0]
            fragments.popleft()
            if not fragments:
                sender.queue.popleft()
                sender.sent_pdus += 1
                self.engine.at(self.central.host.name, t_us + air, self._deliver, sender, receiver, pdu)
        return t_us + air

    def _lost(self, sender: End, receiver: End, t_us: int) -> bool:
        level = self.engine.medium.rssi(sender.host.radio, receiver.host.radio, t_us)
        if level is None:
            return True
        margin = min(1.0, max(0.0, (level - SENSITIVITY_DBM) / _MARGIN_DB))
        return self._rng.random() > margin * (1.0 - _FLOOR_LOSS)

    def _deliver(self, sender: End, receiver: End, pdu: bytes) -> None:
        if pdu is not _TERMINATE:
            if not receiver.closed:
                receiver.host.received(self, pdu)
            return
        self._close(receiver, REASON_REMOTE)
        self._close(sender, REASON_LOCAL)

    def _check_supervision(self) -> None:
        now = self.engine.now_us
        for end in (self.central, self.peripheral):
            if not end.established and self._events >= _ESTABLISH_EVENTS:
                self._close(end, REASON_NOT_ESTABLISHED)
            elif now - end.heard_us > self.timeout_us:
                self._close(end, REASON_TIMEOUT)

    def _close(self, end: End, reason: int) -> None:
        if end.closed:
            return
        end.closed = True
        end.queue.clear()
        peer = self.peer_of(end.host).host.name
        self.engine.log.event(
            "link", end.host.name, state="down", peer=peer, reason=reason, pdus=end.sent_pdus, retries=end.retries
        )
        end.host.link_down(self, reason)
        self._plan()
