# bleak on the bench: scanner and client backends over a radio, in virtual time. Knows bleak's interfaces, no kiosk.
from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any, Literal

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError

from tools.bench import att, gattc
from tools.bench.adstructs import Advertised
from tools.bench.engine import Engine
from tools.bench.link import DEFAULT_INTERVAL_US, HOSTS, Link
from tools.bench.medium import ADV_IND, SCAN_RSP, AdvParams, Radio, Report, ScanParams

_SCAN_INTERVAL_US, _SCAN_WINDOW_US = 22_500, 11_250  # what BlueZ asks of the kernel for discovery
_CONNECT_SCAN_US = 60_000  # the kernel's le_scan_int_connect and le_scan_window_connect
_SUPERVISION_US = 420_000  # the kernel's le_supv_timeout
OWN_MTU = 517  # BlueZ's ExchangeMTU
_ADDRESS = bytes.fromhex("5cf370")  # OUI of a common USB dongle


class Adapter:
    """The host behind a radio that runs no VM: one scan and one connection attempt at a time, many connections."""

    def __init__(self, radio: Radio, engine: Engine, mtu: int, interval_us: int) -> None:
        self.radio, self.engine, self.name = radio, engine, radio.name
        self.mtu, self.interval_us = mtu, interval_us
        self.address = _ADDRESS + engine.rng("ble", radio.name).randbytes(3)
        self.clients: dict[Link, BenchClient] = {}
        self.scanner: BenchScanner | None = None
        self.seen_types: dict[str, int] = {}
        self.connecting = asyncio.Lock()
        HOSTS[radio] = self

    def own_address(self) -> tuple[int, bytes]:
        return 0, self.address

    def link_up(self, link: Link) -> None:
        """The client that connected takes the link itself."""

    def link_down(self, link: Link, reason: int) -> None:
        client = self.clients.pop(link, None)
        if client:
            client.lost()

    def received(self, link: Link, pdu: bytes) -> None:
        client = self.clients.get(link)
        if client and pdu:
            client.received(pdu)


class BenchScanner(BaseBleakScanner):
    """Scans with BlueZ's intervals. `adapter` is set by bind()."""

    adapter: Adapter

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        **kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._known: dict[str, Advertised] = {}

    async def start(self) -> None:
        adapter = self.adapter
        if adapter.scanner is not None:
            raise BleakError("a scan is already running on this adapter")
        self.seen_devices = {}
        self._known = {}
        adapter.scanner = self
        adapter.radio.scan(ScanParams(_SCAN_INTERVAL_US, _SCAN_WINDOW_US, self._active, self._report))

    async def stop(self) -> None:
        if self.adapter.scanner is self:
            self.adapter.scanner = None
            self.adapter.radio.scan(None)

    def _report(self, report: Report) -> None:
        address = report.addr.hex(":").upper()
        known = self._known.setdefault(address, Advertised())
        known.take(report.data, is_response=report.adv_type == SCAN_RSP)
        self.adapter.seen_types[address] = report.addr_type
        data = AdvertisementData(
            local_name=known.name,
            manufacturer_data=dict(known.manufacturer),
            service_data=dict(known.service_data),
            service_uuids=list(known.uuids),
            tx_power=known.tx_power,
            rssi=report.rssi,
            platform_data=(report.addr_type, report.adv_type),
        )
        if self.is_allowed_uuid(data.service_uuids):
            details = {"addr_type": report.addr_type, "connectable": report.adv_type == ADV_IND}
            device = self.create_or_update_device(address, address, known.name, details, data)
            self.call_detection_callbacks(device, data)


class BenchClient(BaseBleakClient):
    """A GATT client; discovers everything and agrees on the MTU while connecting, as BlueZ does."""

    adapter: Adapter

    def __init__(self, address_or_ble_device: BLEDevice | str, services: set[str] | None = None, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._wanted = services
        self._name = address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None
        self._addr_type: int | None = None
        if isinstance(address_or_ble_device, BLEDevice):
            self._addr_type = address_or_ble_device.details["addr_type"]
        self._link: Link | None = None
        self._att: gattc.Client | None = None
        self._callbacks: dict[int, NotifyCallback] = {}
        self._gone: asyncio.Event = asyncio.Event()

    @property
    def name(self) -> str:
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return self._link.mtu if self._link else att.DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    # Connection

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Raises BleakDeviceNotFoundError, TimeoutError, BleakError."""
        if self.is_connected:
            raise BleakError("already connected")
        if pair:
            await self.pair()
        async with asyncio.timeout(self._timeout), self.adapter.connecting:
            addr_type = await self._address_type()
            await self._establish(addr_type)
        try:
            await self._prepare()
        except BaseException:
            await self.disconnect()
            raise

    async def _address_type(self) -> int:
        if self._addr_type is None:
            self._addr_type = self.adapter.seen_types.get(self.address.upper())
        if self._addr_type is None:
            raise BleakDeviceNotFoundError(self.address, "this device was never seen: scan first")
        return self._addr_type

    async def _establish(self, addr_type: int) -> None:
        found: asyncio.Future[tuple[Radio, int]] = asyncio.get_running_loop().create_future()

        def on_found(peer: Radio, params: AdvParams, t_us: int) -> None:
            if not found.done():
                found.set_result((peer, t_us))
                self._open(peer, t_us)

        address = bytes.fromhex(self.address.replace(":", ""))
        self.adapter.radio.initiate(addr_type, address, _CONNECT_SCAN_US, _CONNECT_SCAN_US, on_found)
        try:
            await found
        except asyncio.CancelledError:
            self.adapter.radio.initiate(None)
            raise

    def _open(self, peer: Radio, t_us: int) -> None:
        adapter = self.adapter
        link = Link(
            adapter.engine,
            adapter,
            HOSTS[peer],
            t_us,
            interval_us=adapter.interval_us,
            timeout_us=_SUPERVISION_US,
        )
        self._link = link
        self._gone = asyncio.Event()
        self._att = gattc.Client(
            adapter.name, adapter.engine, lambda pdu: link.send(adapter, pdu), lambda: self._end(link)
        )
        adapter.clients[link] = self

    def _end(self, link: Link) -> None:
        link.terminate(self.adapter)

    async def _prepare(self) -> None:
        """MTU, then services, characteristics, descriptors."""
        agreed = await self._run(lambda emit: gattc.exchange_mtu(self.adapter.mtu, emit))
        if self._link:
            self._link.mtu = agreed[0]
        found = await self._run(gattc.services)
        collection = BleakGATTServiceCollection()
        for first, last, uuid in found:
            if self._wanted is None or att.uuid_text(uuid) in self._wanted:
                await self._discover(collection, first, last, uuid)
        self.services = collection

    async def _discover(self, collection: BleakGATTServiceCollection, first: int, last: int, uuid: bytes) -> None:
        service = BleakGATTService((first, last), first, att.uuid_text(uuid))
        collection.add_service(service)
        for end, value, properties, char_uuid in await self._run(
            lambda emit: gattc.characteristics(first, last, None, emit)
        ):
            names = sorted(gatt_char_props_to_strs(properties))
            characteristic = BleakGATTCharacteristic(
                end, value, att.uuid_text(char_uuid), names, lambda: self.mtu_size - 3, service
            )
            collection.add_characteristic(characteristic)
            await self._discover_descriptors(collection, characteristic, value, end)

    async def _discover_descriptors(
        self, collection: BleakGATTServiceCollection, characteristic: BleakGATTCharacteristic, value: int, end: int
    ) -> None:
        if value == end:
            return
        for handle, uuid in await self._run(lambda emit: gattc.descriptors(value, end, emit)):
            collection.add_descriptor(BleakGATTDescriptor(None, handle, att.uuid_text(uuid), characteristic))

    async def disconnect(self) -> None:
        link = self._link
        if link is not None:
            self._end(link)
            await self._gone.wait()

    def lost(self) -> None:
        """The link is down, whoever ended it."""
        self._link = None
        self.services = None
        self._callbacks.clear()
        if self._att:
            self._att.close()
            self._att = None
        self._gone.set()
        if self._disconnected_callback:
            asyncio.get_running_loop().call_soon(self._disconnected_callback)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        raise BleakError("pairing is not part of the bench yet")

    async def unpair(self) -> None:
        raise BleakError("pairing is not part of the bench yet")

    # PDUs

    def received(self, pdu: bytes) -> None:
        link = self._link
        if link is None or self._att is None:
            return
        if pdu[0] in (att.NOTIFY, att.INDICATE) and len(pdu) >= 3:
            callback = self._callbacks.get(struct.unpack_from("<H", pdu, 1)[0])
            if callback:
                callback(bytearray(pdu[3:]))
            if pdu[0] == att.INDICATE:
                link.send(self.adapter, bytes((att.CONFIRM,)))
        elif pdu[0] == att.MTU_REQ and len(pdu) >= 3:
            link.send(self.adapter, struct.pack("<BH", att.MTU_RSP, self.adapter.mtu))
            link.mtu = max(att.DEFAULT_MTU, min(self.adapter.mtu, struct.unpack_from("<H", pdu, 1)[0]))
        elif not att.for_server(pdu):
            self._att.response(pdu)
        elif not pdu[0] & 0x40 and pdu[0] != att.CONFIRM:
            link.send(self.adapter, att.error(pdu[0], 0, att.REQUEST_NOT_SUPPORTED))

    async def _run(self, make: Callable[[gattc.Emit], gattc.Procedure]) -> list[Any]:
        """Run a procedure; what it emitted. Raises BleakGATTProtocolError, BleakError."""
        if self._att is None:
            raise BleakError("Not connected")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        results: list[Any] = []

        def emit(*values: Any) -> None:
            results.append(values if len(values) > 1 else values[0])

        def finish(status: int) -> None:
            if not done.done():
                done.set_result(status)

        self._att.run(make(emit), finish)
        status = await done
        if status >= gattc.ATT_BASE:
            raise BleakGATTProtocolError(status - gattc.ATT_BASE)
        if status != gattc.OK:
            lost = status == gattc.NOT_CONNECTED
            raise BleakError("the connection was lost" if lost else "the device did not answer")
        return results

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(characteristic.handle)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(descriptor.handle)

    async def _read(self, handle: int) -> bytearray:
        return bytearray((await self._run(lambda emit: gattc.read_long(handle, lambda: self.mtu_size, emit)))[0])

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        if response:
            await self._write(characteristic.handle, bytes(data))
        elif self._link is None:
            raise BleakError("Not connected")
        else:
            pdu = struct.pack("<BH", att.WRITE_CMD, characteristic.handle) + bytes(data)
            if len(pdu) > self._link.mtu:
                raise BleakError("longer than max_write_without_response_size")
            self._link.send(self.adapter, pdu)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._write(descriptor.handle, bytes(data))

    async def _write(self, handle: int, data: bytes) -> None:
        if len(data) <= self.mtu_size - 3:
            await self._run(lambda emit: gattc.write(handle, data))
        else:
            await self._run(lambda emit: gattc.write_long(handle, data, self.mtu_size))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        self._callbacks[characteristic.handle] = callback
        await self._configure(characteristic, 1 if "notify" in characteristic.properties else 2)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._configure(characteristic, 0)
        self._callbacks.pop(characteristic.handle, None)

    async def _configure(self, characteristic: BleakGATTCharacteristic, bits: int) -> None:
        cccd = characteristic.get_descriptor("00002902-0000-1000-8000-00805f9b34fb")
        if cccd is None:
            raise BleakError("this characteristic neither notifies nor indicates")
        await self._write(cccd.handle, struct.pack("<H", bits))


def bind(
    radio: Radio, engine: Engine, mtu: int = OWN_MTU, interval_us: int = DEFAULT_INTERVAL_US
) -> tuple[type[BenchScanner], type[BenchClient]]:
    """Backend classes for this radio: BleakScanner(backend=scanner), BleakClient(device, backend=client).

    mtu: the largest that its host agrees to; interval_us: between connection events.
    """
    host = Adapter(radio, engine, mtu, interval_us)
    scanner = type("BenchScanner", (BenchScanner,), {"adapter": host})
    client = type("BenchClient", (BenchClient,), {"adapter": host})
    return scanner, client
