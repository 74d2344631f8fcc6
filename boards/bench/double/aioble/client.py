# The double's GATT client: discovery, reads, writes, subscriptions of a peer's attributes. Knows no radio.
import asyncio
import struct
from collections import deque

import bluetooth

from .core import GattError, ble, register_irq_handler
from .device import DeviceConnection

_READ, _WRITE_NO_RESPONSE, _WRITE, _NOTIFY, _INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
_FOUND, _SEARCHED = (9, 11, 13), (10, 12, 14)
_IRQ_READ_RESULT, _IRQ_READ_DONE, _IRQ_WRITE_DONE, _IRQ_NOTIFY, _IRQ_INDICATE = 15, 16, 17, 18, 19
_CCCD = 0x2902


def _on_irq(event, data):
    if not 9 <= event <= 19:
        return
    connection = DeviceConnection._connected.get(data[0])
    if not connection:
        return
    if event in _FOUND or event in _SEARCHED:
        if connection._discovery:
            connection._discovery._take(event, data)
        return
    attribute = connection._characteristics.get(data[1])
    if attribute:
        attribute._take(event, data[2])


register_irq_handler(_on_irq, None)


class Discovery:
    """Iterates over what the peer reports. Let the loop run to its end."""

    def __init__(self, connection, make, start, parent, timeout_ms):
        self._connection, self._make, self._parent, self._ms = connection, make, parent, timeout_ms
        self._found = []
        self._status = None
        self._flag = asyncio.ThreadSafeFlag()
        self._start = start

    def _take(self, event, data):
        if event in _FOUND:
            self._found.append(tuple(data[1:-1]) + (bluetooth.UUID(data[-1]),))
        else:
            self._status = data[1]
        self._flag.set()

    def __aiter__(self):
        connection = self._connection
        if connection._discovery:
            raise ValueError("Discovery in progress")
        connection._discovery = self
        call, rest = self._start
        call(connection._conn_handle, *rest)
        return self

    async def __anext__(self):
        with self._connection.timeout(self._ms):
            while not self._found and self._status is None:
                await self._flag.wait()
        if self._found:
            return self._make(self._connection, self._parent, *self._found.pop(0))
        self._connection._discovery = None
        raise StopAsyncIteration


async def first(discovery, uuid):
    """The first result with this UUID, or None."""
    result = None
    async for one in discovery:
        if result is None and one.uuid == uuid:
            result = one
    return result


def found_service(connection, parent, start, end, uuid):
    return ClientService(connection, start, end, uuid)


def _found_characteristic(connection, service, end, value_handle, properties, uuid):
    return ClientCharacteristic(service, end, value_handle, properties, uuid)


def _found_descriptor(connection, characteristic, handle, uuid):
    return ClientDescriptor(characteristic, handle, uuid)


class ClientService:
    def __init__(self, connection, start, end, uuid):
        self.connection, self.uuid = connection, uuid
        self._range = (start, end)

    def characteristics(self, uuid=None, timeout_ms=2000):
        start = (ble.gattc_discover_characteristics, self._range + (uuid,))
        return Discovery(self.connection, _found_characteristic, start, self, timeout_ms)

    async def characteristic(self, uuid, timeout_ms=2000):
        return await first(self.characteristics(uuid, timeout_ms), uuid)


class BaseClientCharacteristic:
    """What characteristics and descriptors share."""

    def _init(self, connection, value_handle, properties, uuid):
        self._peer = connection
        self._value_handle, self.properties, self.uuid = value_handle, properties, uuid
        self._data = self._status = None
        self._flag = asyncio.ThreadSafeFlag()

    def _need(self, flags):
        if not self.properties & flags:
            raise ValueError("Unsupported")
        self._peer._characteristics[self._value_handle] = self

    def _take(self, event, value):
        if event == _IRQ_READ_RESULT:
            self._data = bytes(value)
        elif event in (_IRQ_READ_DONE, _IRQ_WRITE_DONE):
            self._status = value
            self._flag.set()

    async def _done(self, timeout_ms):
        with self._peer.timeout(timeout_ms):
            while self._status is None:
                await self._flag.wait()
        if self._status:
            raise GattError(self._status)

    async def read(self, timeout_ms=1000):
        self._need(_READ)
        self._status = None
        ble.gattc_read(self._peer._conn_handle, self._value_handle)
        await self._done(timeout_ms)
        return self._data

    async def write(self, data, response=None, timeout_ms=1000):
        self._need(_WRITE | _WRITE_NO_RESPONSE)
        if response is None:
            response = self.properties & _WRITE and not self.properties & _WRITE_NO_RESPONSE
        self._status = None
        ble.gattc_write(self._peer._conn_handle, self._value_handle, data, 1 if response else 0)
        if response:
            await self._done(timeout_ms)


class ClientCharacteristic(BaseClientCharacteristic):
    def __init__(self, service, end_handle, value_handle, properties, uuid):
        self.service, self.connection = service, service.connection
        self._end_handle = end_handle if end_handle > value_handle else value_handle + 2
        self._init(service.connection, value_handle, properties, uuid)
        self._told = {_IRQ_NOTIFY: deque((), 1), _IRQ_INDICATE: deque((), 1)}
        self._told_flag = {_IRQ_NOTIFY: asyncio.ThreadSafeFlag(), _IRQ_INDICATE: asyncio.ThreadSafeFlag()}

    def _take(self, event, value):
        if event in self._told:
            self._told[event].append(bytes(value))
            self._told_flag[event].set()
        else:
            super()._take(event, value)

    def descriptors(self, timeout_ms=2000):
        start = (ble.gattc_discover_descriptors, (self._value_handle, self._end_handle))
        return Discovery(self.connection, _found_descriptor, start, self, timeout_ms)

    async def descriptor(self, uuid, timeout_ms=2000):
        return await first(self.descriptors(timeout_ms), uuid)

    async def _next(self, flag, event, timeout_ms):
        self._need(flag)
        while not self._told[event]:
            with self._peer.timeout(timeout_ms):
                await self._told_flag[event].wait()
        return self._told[event].popleft()

    async def notified(self, timeout_ms=None):
        return await self._next(_NOTIFY, _IRQ_NOTIFY, timeout_ms)

    async def indicated(self, timeout_ms=None):
        return await self._next(_INDICATE, _IRQ_INDICATE, timeout_ms)

    async def subscribe(self, notify=True, indicate=False):
        self._peer._characteristics[self._value_handle] = self
        cccd = await self.descriptor(bluetooth.UUID(_CCCD))
        if not cccd:
            raise ValueError("CCCD not found")
        await cccd.write(struct.pack("<H", (1 if notify else 0) + (2 if indicate else 0)))


class ClientDescriptor(BaseClientCharacteristic):
    def __init__(self, characteristic, handle, uuid):
        self.characteristic = characteristic
        self._init(characteristic.connection, handle, _READ | _WRITE, uuid)
