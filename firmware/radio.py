"""Owns the radio: address, beacon, listening, GATT link. The only file that imports aioble or bluetooth.

Must not know what adverts and frames mean. Beacon and scan go through aioble's own BLE object rather than through
aioble.advertise() and aioble.scan(): those make tasks and keep every report, and the scan drops equal ones, which
biases counts and means. GATT, connectable advertising and connections are aioble's.
"""

import asyncio

import aioble
import bluetooth
import settings
from aioble import core
from micropython import const

from emask import spec

ADDRESS_STATIC = const(1)  # random static: a visit
ADDRESS_PRIVATE = const(3)  # non-resolvable private: the beacon

MTU = const(256)
REPORT_SLOTS = const(128)  # one second beside 18 tokens

_IRQ_SCAN_RESULT = const(5)
_REPORT_BYTES = const(36)  # time u16 in ms, RSSI i8, length u8, payload 31
_PAYLOAD_MAX = const(31)
_SCAN_RSP = const(4)
_NOTIFY_TRIES = const(20)


class RadioError(Exception):
    """The radio did not do what was asked. No details: there is an address in them."""


class Radio:
    """One radio, off unless between start() and stop().

    ticks_ms() -> ms, for the time of reports within a window.
    """

    def __init__(self, ticks_ms):
        self._ticks_ms = ticks_ms
        self._ring = bytearray(REPORT_SLOTS * _REPORT_BYTES)
        self._view = memoryview(self._ring)
        self.count = 0  # reports in the ring
        self._base_ms = 0
        self.dropped = 0  # reports lost because the ring was full
        self.last_address = b""
        self.up = False
        core.register_irq_handler(self._irq, None)

    def start(self, mode):
        """Switch on with a fresh address. False: the address must not be sent (listening is still allowed).

        Raises OSError if the radio does not start.
        """
        self.count = 0
        core.ble.irq(core.ble_irq)  # an exception in a handler takes the handler away: put it back
        self.up = True
        core.ble.active(True)
        core.ble.config(addr_mode=mode)  # before anything is sent: active() leaves the factory address
        kind, address = core.ble.config("mac")
        address = bytes(address)
        top = address[0] >> 6
        fresh = kind == 1 and address != self.last_address and top == (3 if mode == ADDRESS_STATIC else 0)
        self.last_address = address
        return fresh

    def beacon(self, payload, interval_us):
        """Advertise payload (at most 31 bytes), not connectable, until hush() or stop()."""
        core.ble.gap_advertise(interval_us, adv_data=payload, connectable=False)

    def hush(self):
        """Stop advertising; listening goes on."""
        core.ble.gap_advertise(None)

    def listen(self, scan_ms, listen_ms):
        """Scan passively, listen_ms of every scan_ms, all three channels in turn, until stop()."""
        self._base_ms = self._ticks_ms()
        core.ble.gap_scan(0, scan_ms * 1000, listen_ms * 1000, False)

    def stop(self):
        """Switch off. Reports heard stay until the next start()."""
        if self.up:
            self.up = False
            aioble.stop()

    def reports(self):
        """Yields (ms since listen, rssi_dbm, payload): payload is a view, valid until the next start()."""
        ring, view = self._ring, self._view
        for start in range(0, self.count * _REPORT_BYTES, _REPORT_BYTES):
            rssi = ring[start + 2]
            yield (
                ring[start] | ring[start + 1] << 8,
                rssi - 256 if rssi > 127 else rssi,
                view[start + 4 : start + 4 + ring[start + 3]],
            )

    def _irq(self, event, data):
        if event != _IRQ_SCAN_RESULT:
            return None
        payload = data[4]
        length = len(payload)
        if length > _PAYLOAD_MAX or data[2] == _SCAN_RSP:
            return True
        if self.count >= REPORT_SLOTS:
            self.dropped += 1
            return True
        ring = self._ring
        start = self.count * _REPORT_BYTES
        after_ms = (self._ticks_ms() - self._base_ms) & 0x3FFFFFFF
        ring[start] = after_ms & 255
        ring[start + 1] = after_ms >> 8 & 255
        ring[start + 2] = data[3] & 255
        ring[start + 3] = length
        ring[start + 4 : start + 4 + length] = payload
        self.count += 1
        return True

    async def welcome(self, uuid, wait_ms, interval_us):
        """Be connectable for at most wait_ms, by an advert with this UUID. A Link, or None when nobody came.

        Radio must be up.
        """
        core.ble.config(mtu=MTU, gap_name=settings.NAME)
        service = aioble.Service(bluetooth.UUID(spec.SERVICE_UUID))
        rx = aioble.BufferedCharacteristic(
            service, bluetooth.UUID(spec.RX_UUID), write=True, write_no_response=True, capture=True, max_len=MTU - 3
        )
        tx = aioble.Characteristic(service, bluetooth.UUID(spec.TX_UUID), read=True, notify=True, initial=b"")
        aioble.register_services(service)
        try:
            connection = await aioble.advertise(
                interval_us, name=settings.NAME, services=[bluetooth.UUID(uuid)], timeout_ms=wait_ms
            )
        except asyncio.TimeoutError:
            return None
        return Link(connection, rx, tx) if connection else None


class Link:
    """One connection: whole frames in and out. Raises RadioError when it is gone."""

    def __init__(self, connection, rx, tx):
        self._connection = connection
        self._rx = rx
        self._tx = tx

    def alive(self):
        """Whether the other side is there."""
        return self._connection.is_connected()

    def frame_max(self):
        """Longest frame in bytes that the other side takes now."""
        return (self._connection.mtu or 23) - 3

    async def receive(self, wait_ms):
        """Next frame written by the kiosk; RadioError after wait_ms or at the end of the connection."""
        try:
            with self._connection.timeout(wait_ms):
                written = await self._rx.written()
        except (asyncio.TimeoutError, aioble.DeviceDisconnectedError):
            raise RadioError
        return written[1]

    async def send(self, frame):
        """Notify one frame, and leave it to be read; waits while the stack has no buffer."""
        self._tx.write(frame)
        for _ in range(_NOTIFY_TRIES):
            if not self._connection.is_connected():
                break
            try:
                self._tx.notify(self._connection, frame)
                return
            except OSError:
                await asyncio.sleep_ms(50)
        raise RadioError

    async def close(self):
        """Disconnect; waits at most two seconds."""
        try:
            await self._connection.disconnect(2000)
        except asyncio.TimeoutError:
            pass
