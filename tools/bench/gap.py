# A node's controller and GAP, as NimBLE on an ESP32: addresses, advertising, scanning, connecting. Knows no attributes.
from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.bench.engine import OpError, Timer
from tools.bench.gatt import Gatt
from tools.bench.link import (
    DEFAULT_INTERVAL_US,
    DEFAULT_TIMEOUT_US,
    HOSTS,
    MAX_INTERVAL_US,
    MIN_INTERVAL_US,
    Link,
)
from tools.bench.medium import ADV_IND, ADV_SCAN_IND, AdvParams, Radio, Report, ScanParams
from tools.bench.privacy import Addresses

if TYPE_CHECKING:
    from tools.bench.node import Node

OP_ACTIVE, OP_MAC, OP_ADDR_MODE, OP_NAME, OP_MTU = 0x40, 0x41, 0x42, 0x43, 0x44
OP_ADVERTISE, OP_ADV_STOP, OP_SCAN, OP_SCAN_STOP = 0x45, 0x46, 0x47, 0x48
OP_CONNECT, OP_CONNECT_CANCEL, OP_DISCONNECT = 0x49, 0x4A, 0x4B
EV_REPORT, EV_IRQ = 0x40, 0x41
IRQ_CENTRAL_CONNECT, IRQ_CENTRAL_DISCONNECT, IRQ_SCAN_DONE = 1, 2, 6
IRQ_PERIPHERAL_CONNECT, IRQ_PERIPHERAL_DISCONNECT = 7, 8

MAX_CONNECTIONS = 4  # CONFIG_BT_NIMBLE_MAX_CONNECTIONS of MicroPython's ESP32 builds
MAX_REPORTS = 100  # unprocessed reports, beyond which the controller drops (power.md)
_MAX_ADV_BYTES, _MAX_NAME_BYTES = 31, 31
_UNIT_US = 625
_ADV_UNITS = range(0x20, 0x4001)
_SCAN_UNITS_MIN, _SCAN_UNITS_MAX = 4, 0x4000
_ADV_DEFAULT_US = {ADV_IND: 30_000, ADV_SCAN_IND: 100_000}  # what NimBLE fills in for an interval of 0
_CONN_UNIT_US = 1_250
_LONGEST_DEFAULT_US = 50_000  # BLE_GAP_INITIAL_CONN_ITVL_MAX of NimBLE
_INVALID_PARAMETERS = -(0x200 + 0x12)  # minus NimBLE's code for the controller's "invalid HCI command parameters"
_DEFAULT_NAME = b"MPY ESP32"
_RPA_LIFE_US = 900_000_000
_NO_HANDLE = 0xFFFF


class Gap:
    """The host behind a node's radio. Addresses are 6 bytes as shown, most significant first."""

    def __init__(self, node: Node) -> None:
        self.node, self.name, self.radio, self.engine = node, node.name, node.radio, node.engine
        self.addresses = Addresses(node.engine.rng("ble", node.name))
        self.active = False
        self.device_name = _DEFAULT_NAME
        self.links: dict[int, Link] = {}
        self.gatt = Gatt(self)
        self._adv = b""
        self._scan_rsp = b""
        self._scan_timer: Timer | None = None
        self._connect_timer: Timer | None = None
        self._rpa_timer: Timer | None = None
        self._connecting = False
        self._dropped = 0
        HOSTS[self.radio] = self
        ops: dict[int, Callable[[bytes], bytes | None]] = {
            OP_ACTIVE: self._set_active,
            OP_MAC: lambda payload: self._mac(),
            OP_ADDR_MODE: self._addr_mode,
            OP_NAME: self._gap_name,
            OP_ADVERTISE: self._advertise,
            OP_ADV_STOP: lambda payload: self._stop_advertising(),
            OP_SCAN: self._scan,
            OP_SCAN_STOP: lambda payload: bytes((self._stop_scanning(),)),
            OP_CONNECT: self._connect,
            OP_CONNECT_CANCEL: lambda payload: self._cancel(),
            OP_DISCONNECT: self._disconnect,
        }
        node.ops.update(ops)
        node.down.append(self._power_lost)

    # Power

    def _set_active(self, payload: bytes) -> bytes:
        """1: up. 0: ask all peers to end; answers how many are left. 2: down."""
        if payload[0] == 1:
            self._reset()
            self.active = True
            self.node.busy(self.node.account.set_radio(True))
            self.radio.power(True)
            self.engine.log.event("radio", self.name, state="up")
            return b""
        if payload[0] == 0:
            for link in list(self.links.values()):
                link.terminate(self)
            return bytes((len(self.links),))
        self._down()
        return b""

    def _down(self) -> None:
        if not self.active:
            return
        self._reset()
        self.radio.power(False)
        self.node.busy(self.node.account.set_radio(False))
        self.engine.log.event("radio", self.name, state="down", dropped=self._dropped)

    def _power_lost(self) -> None:
        self._down()
        self.device_name = _DEFAULT_NAME

    def _reset(self) -> None:
        """As after the start of the stack: public address, no services, no data, nothing running."""
        self._stop_advertising()
        self._stop_scanning()
        self._stop_connecting()
        for link in list(self.links.values()):
            link.silence(self)
        self.links.clear()
        self.gatt.reset()
        self.addresses.reset()
        self._adv = self._scan_rsp = b""
        self.active = False

    # Addresses and name

    def own_address(self) -> tuple[int, bytes]:
        return self.addresses.on_air(self.engine.now_us)

    def _mac(self) -> bytes:
        address = self.addresses.shown()
        if address is None:
            raise OpError(errno.EINVAL)
        return bytes((address[0],)) + address[1]

    def _addr_mode(self, payload: bytes) -> None:
        busy = self.radio.adv is not None or self.radio.scanning is not None or self._connecting
        self.addresses.choose(payload[0], busy)

    def _gap_name(self, payload: bytes) -> bytes:
        """b"=name" sets, b"" asks."""
        if payload:
            if len(payload) - 1 > _MAX_NAME_BYTES:
                raise OpError(errno.EINVAL)
            self.device_name = payload[1:].split(b"\0")[0]
        return self.device_name

    # Advertising

    def _advertise(self, payload: bytes) -> None:
        flags, interval_us, adv_bytes, rsp_bytes = struct.unpack_from("<BiHH", payload)
        data = payload[9:]
        self._stop_advertising()
        if flags & 2:
            self._adv = self._fitting(data[:adv_bytes])
        if flags & 4:
            self._scan_rsp = self._fitting(data[adv_bytes : adv_bytes + rsp_bytes])
        # Without "connectable" NimBLE still sends scannable adverts, as MicroPython asks for general discoverability.
        adv_type = ADV_IND if flags & 1 else ADV_SCAN_IND
        if adv_type == ADV_IND and len(self.links) >= MAX_CONNECTIONS:
            raise OpError(errno.ENOMEM)
        self._need_address()
        units = int(interval_us / _UNIT_US) & 0xFFFF
        if units and units not in _ADV_UNITS:
            raise OpError(_INVALID_PARAMETERS)
        self._start_advertising(units * _UNIT_US or _ADV_DEFAULT_US[adv_type], adv_type)

    @staticmethod
    def _fitting(data: bytes) -> bytes:
        if len(data) > _MAX_ADV_BYTES:
            raise OpError(errno.EINVAL)
        return data

    def _need_address(self) -> None:
        if self.addresses.missing():
            raise OpError(-21)  # BLE_HS_ENOADDR

    def _start_advertising(self, interval_us: int, adv_type: int) -> None:
        addr_type, addr = self.own_address()
        self.radio.advertise(AdvParams(interval_us, adv_type, addr_type, addr, self._adv, self._scan_rsp))
        if self.addresses.resolvable:
            self._rpa_timer = self.engine.at(
                self.name, self.engine.now_us + _RPA_LIFE_US, self._start_advertising, interval_us, adv_type
            )
        if self.engine.log.full:
            sizes = {"bytes": len(self._adv), "rsp_bytes": len(self._scan_rsp)}
            self.engine.log.event("advertise", self.name, interval_us=interval_us, adv_type=adv_type, **sizes)

    def _stop_advertising(self) -> None:
        if self._rpa_timer:
            self._rpa_timer.cancel()
            self._rpa_timer = None
        if self.radio.adv is not None:
            self.radio.advertise(None)

    # Scanning

    def _scan(self, payload: bytes) -> None:
        duration_ms, interval_us, window_us, active = struct.unpack("<iiiB", payload)
        if self.radio.scanning is not None and not self._connecting:
            raise OpError(errno.EALREADY)
        if self._connecting:
            raise OpError(errno.EBUSY)
        if duration_ms < 0:
            raise OpError(errno.EINVAL)
        self._need_address()
        interval, window = _scan_units(interval_us), _scan_units(window_us)
        if window > interval:
            raise OpError(_INVALID_PARAMETERS)
        self._dropped = 0
        self.radio.scan(ScanParams(interval * _UNIT_US, window * _UNIT_US, bool(active), self._report))
        if duration_ms:
            self._scan_timer = self.engine.at(self.name, self.engine.now_us + duration_ms * 1000, self._scan_over)

    def _report(self, report: Report) -> None:
        node = self.node
        if node.unread >= MAX_REPORTS:
            self._dropped += 1
            return
        data = report.data
        payload = b"%c%b%c%c%c%b" % (
            report.addr_type, report.addr, report.adv_type, round(report.rssi) & 0xFF, len(data), data
        )  # fmt: skip
        node.post(EV_REPORT, payload, lazy=True, t_us=report.t_us)

    def _scan_over(self) -> None:
        self._scan_timer = None
        self._stop_scanning()
        self.irq(IRQ_SCAN_DONE)

    def _stop_scanning(self) -> bool:
        """True if there was a scan to stop."""
        if self._scan_timer:
            self._scan_timer.cancel()
            self._scan_timer = None
        if self._connecting or self.radio.scanning is None:
            return False
        self.radio.scan(None)
        if self._dropped:
            self.engine.log.event("report_drop", self.name, count=self._dropped)
            self._dropped = 0
        return True

    # Connections

    def _connect(self, payload: bytes) -> None:
        addr_type, addr, duration_ms, min_us, max_us = struct.unpack("<B6siii", payload)
        if self._connecting:
            raise OpError(errno.EALREADY)
        if addr_type > 3 or duration_ms < 0:
            raise OpError(errno.EINVAL)
        if len(self.links) >= MAX_CONNECTIONS:
            raise OpError(errno.ENOMEM)
        if any(link.peer_of(self).address == (addr_type & 1, addr) for link in self.links.values()):
            raise OpError(errno.EIO)
        self._need_address()
        interval_us = _interval(min_us, max_us)
        self._connecting = True
        self.radio.initiate(addr_type & 1, addr, 10_000, 10_000, lambda *found: self._found(interval_us, *found))
        if duration_ms != 0x7FFFFFFF:
            deadline = self.engine.now_us + (duration_ms or 30_000) * 1000
            self._connect_timer = self.engine.at(self.name, deadline, self._connect_failed)

    def _found(self, interval_us: int, peer: Radio, params: AdvParams, t_us: int) -> None:
        self._end_connecting()
        Link(self.engine, self, HOSTS[peer], t_us, interval_us=interval_us, timeout_us=DEFAULT_TIMEOUT_US)

    def _connect_failed(self) -> None:
        self._stop_connecting()
        self._connection_irq(IRQ_PERIPHERAL_DISCONNECT, _NO_HANDLE, 0xFF, bytes(6))

    def _cancel(self) -> None:
        if not self._connecting:
            raise OpError(errno.EALREADY)
        self._stop_connecting()
        self.engine.at(
            self.name, self.engine.now_us, self._connection_irq, IRQ_PERIPHERAL_DISCONNECT, _NO_HANDLE, 0xFF, bytes(6)
        )

    def _stop_connecting(self) -> None:
        if self._connecting:
            self._end_connecting()
            self.radio.initiate(None)

    def _end_connecting(self) -> None:
        self._connecting = False
        if self._connect_timer:
            self._connect_timer.cancel()
            self._connect_timer = None

    def _disconnect(self, payload: bytes) -> None:
        if not self.link(struct.unpack("<H", payload)[0]).terminate(self):
            raise OpError(errno.EALREADY)

    def link(self, handle: int) -> Link:
        """Raises OpError(ENOTCONN)."""
        if handle not in self.links:
            raise OpError(errno.ENOTCONN)
        return self.links[handle]

    def handle_of(self, link: Link) -> int:
        return next(handle for handle, known in self.links.items() if known is link)

    def link_up(self, link: Link) -> None:
        """A connection was made. Advertising has ended by it if we are the peripheral."""
        handle = next(number for number in range(1, MAX_CONNECTIONS + 2) if number not in self.links)
        self.links[handle] = link
        self.gatt.opened(handle, link)
        central = link.central.host is self
        if not central:
            self._stop_advertising()
        event = IRQ_PERIPHERAL_CONNECT if central else IRQ_CENTRAL_CONNECT
        self._connection_irq(event, handle, *link.peer_of(self).address)

    def link_down(self, link: Link, reason: int) -> None:
        handle = self.handle_of(link)
        self.gatt.closed(handle)
        del self.links[handle]
        event = IRQ_PERIPHERAL_DISCONNECT if link.central.host is self else IRQ_CENTRAL_DISCONNECT
        self._connection_irq(event, handle, *link.peer_of(self).address)

    def received(self, link: Link, pdu: bytes) -> None:
        self.gatt.received(self.handle_of(link), pdu)

    def _connection_irq(self, event: int, handle: int, addr_type: int, addr: bytes) -> None:
        self.irq(event, struct.pack("<HB", handle, addr_type) + addr)

    def irq(self, event: int, data: bytes = b"") -> None:
        """Hand an event to the script's handler; boards/bench/bluetooth.py knows the layouts."""
        self.node.post(EV_IRQ, bytes((event,)) + data)


def _scan_units(us: int) -> int:
    return max(_SCAN_UNITS_MIN, min(_SCAN_UNITS_MAX, int(us / _UNIT_US)))


def _interval(min_us: int, max_us: int) -> int:
    """The connection interval, us: the longest allowed, as ESP-IDF's NimBLE examples log it. Raises OpError."""
    shortest = min_us // _CONN_UNIT_US * _CONN_UNIT_US or DEFAULT_INTERVAL_US
    longest = max_us // _CONN_UNIT_US * _CONN_UNIT_US or _LONGEST_DEFAULT_US
    if not MIN_INTERVAL_US <= shortest <= longest <= MAX_INTERVAL_US:
        raise OpError(_INVALID_PARAMETERS)
    return longest


def install(node: Node) -> Gap:
    """Give a node its Bluetooth."""
    return Gap(node)
