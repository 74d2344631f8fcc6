# The double's scanner and initiator. Like the real scan: keeps every report, hands out the last first, drops equals.
import asyncio

import bluetooth

from .core import ble, ensure_active, register_irq_handler
from .device import Device, DeviceConnection, DeviceTimeout

_IRQ_SCAN_RESULT, _IRQ_SCAN_DONE, _IRQ_PERIPHERAL_CONNECT, _IRQ_PERIPHERAL_DISCONNECT = 5, 6, 7, 8
_ADV_IND, _SCAN_RSP = 0, 4
_NAMES, _MANUFACTURER = (0x08, 0x09), 0xFF
_UUID_LISTS = ((2, (0x02, 0x03)), (4, (0x04, 0x05)), (16, (0x06, 0x07)))


class _Now:
    scanner = None
    connecting = []


def _on_irq(event, data):
    scanner = _Now.scanner
    if event == _IRQ_SCAN_RESULT and scanner:
        scanner._reports.append((data[0], bytes(data[1]), data[2], data[3], bytes(data[4])))
        scanner._flag.set()
    elif event == _IRQ_SCAN_DONE and scanner:
        scanner._done = True
        scanner._flag.set()
    elif event == _IRQ_PERIPHERAL_CONNECT:
        for device in _Now.connecting:
            if device.addr_type == data[1] and device.addr == data[2]:
                device._connection._conn_handle = data[0]
                device._connection._event.set()
    elif event == _IRQ_PERIPHERAL_DISCONNECT:
        connection = DeviceConnection._connected.get(data[0])
        if connection:
            connection._event.set()


def _on_stop():
    _Now.scanner = None
    _Now.connecting = []


register_irq_handler(_on_irq, _on_stop)


async def connect(device, timeout_ms, options):
    """Behind Device.connect(); asyncio.TimeoutError if the peer isn't found in time."""
    ensure_active()
    if _Now.scanner:
        await _Now.scanner.cancel()
    connection = DeviceConnection(device)
    _Now.connecting.append(device)
    try:
        with DeviceTimeout(None, timeout_ms):
            ble.gap_connect(device.addr_type, device.addr, *options)
            await connection._event.wait()
        DeviceConnection._connected[connection._conn_handle] = connection
    finally:
        _Now.connecting.remove(device)
        if connection._conn_handle is None:
            device._connection = None


class ScanResult:
    """What is known of one device."""

    def __init__(self, device):
        self.device = device
        self.adv_data = self.resp_data = self.rssi = None
        self.connectable = False

    def _update(self, adv_type, rssi, data):
        """True if this report says something new."""
        new = rssi != self.rssi
        self.rssi = rssi
        if adv_type == _SCAN_RSP:
            if data and data != self.resp_data:
                self.resp_data = data
                new = True
        elif data != self.adv_data:
            self.adv_data = data
            self.connectable = adv_type == _ADV_IND
            new = True
        return new

    def _fields(self, kinds):
        for payload in (self.adv_data, self.resp_data):
            at = 0
            while payload and at + 1 < len(payload):
                if payload[at + 1] in kinds:
                    yield payload[at + 2 : at + 1 + payload[at]]
                at += 1 + payload[at]

    def name(self):
        for name in self._fields(_NAMES):
            return str(name, "utf-8")
        return None

    def services(self):
        for size, kinds in _UUID_LISTS:
            for uuids in self._fields(kinds):
                for at in range(0, len(uuids), size):
                    yield bluetooth.UUID(uuids[at : at + size])

    def manufacturer(self, filter=None):
        for data in self._fields((_MANUFACTURER,)):
            if len(data) >= 2 and filter in (None, data[0] | data[1] << 8):
                yield data[0] | data[1] << 8, data[2:]


class scan:
    """async with scan(...) as scanner: async for result in scanner: ..."""

    def __init__(self, duration_ms, interval_us=None, window_us=None, active=False):
        self._how = (duration_ms, interval_us or 1280000, window_us or 11250, active)
        self._reports = []
        self._results = []
        self._flag = asyncio.ThreadSafeFlag()
        self._done = False

    async def __aenter__(self):
        ensure_active()
        if _Now.scanner:
            await _Now.scanner.cancel()
        _Now.scanner = self
        ble.gap_scan(*self._how)
        return self

    async def __aexit__(self, kind, error, trace):
        if _Now.scanner is self:
            await self.cancel()

    def __aiter__(self):
        return self

    async def __anext__(self):
        while _Now.scanner is self:
            while self._reports:
                addr_type, addr, adv_type, rssi, data = self._reports.pop()
                result = self._result_of(addr_type, addr)
                if result._update(adv_type, rssi, data):
                    return result
            if self._done:
                _Now.scanner = None
                break
            await self._flag.wait()
        raise StopAsyncIteration

    def _result_of(self, addr_type, addr):
        for result in self._results:
            if result.device.addr_type == addr_type and result.device.addr == addr:
                return result
        self._results.append(ScanResult(Device(addr_type, addr)))
        return self._results[-1]

    async def cancel(self):
        if self._done:
            return
        ble.gap_scan(None)
        while not self._done:
            await self._flag.wait()
        _Now.scanner = None
