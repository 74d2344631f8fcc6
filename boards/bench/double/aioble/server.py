# The double's GATT server: services, characteristics, descriptors, writes that come in. Knows no radio.
import asyncio
from collections import deque

from .core import GattError, ble, ensure_active, register_irq_handler
from .device import DeviceConnection, DeviceTimeout

_IRQ_GATTS_WRITE, _IRQ_GATTS_READ_REQUEST, _IRQ_GATTS_INDICATE_DONE = 3, 4, 20
_READ, _WRITE_NO_RESPONSE, _WRITE, _NOTIFY, _INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
_CAPTURED_WRITES = 10  # the oldest goes when more wait
_registered = {}


def _on_irq(event, data):
    if event not in (_IRQ_GATTS_WRITE, _IRQ_GATTS_READ_REQUEST, _IRQ_GATTS_INDICATE_DONE):
        return None
    attribute = _registered.get(data[1])
    connection = DeviceConnection._connected.get(data[0])
    if not attribute:
        return None
    if event == _IRQ_GATTS_READ_REQUEST:
        return attribute.on_read(connection)
    if event == _IRQ_GATTS_WRITE:
        attribute._wrote(connection)
    else:
        attribute._indicated(connection, data[2])
    return None


register_irq_handler(_on_irq, _registered.clear)


class Service:
    def __init__(self, uuid):
        self.uuid = uuid
        self.characteristics = []

    def _tuple(self):
        return (self.uuid, tuple([one._tuple() for one in self.characteristics]))


class BaseCharacteristic:
    """What characteristics and descriptors share."""

    _capture = False

    def _init(self, uuid, flags, initial):
        self.uuid, self.flags = uuid, flags
        self._initial = initial
        self._value_handle = None
        self._writes = deque((), _CAPTURED_WRITES if self._capture else 1)
        self._write_flag = asyncio.ThreadSafeFlag()

    def _register(self, value_handle):
        self._value_handle = value_handle
        _registered[value_handle] = self
        if self._initial is not None:
            self.write(self._initial)
            self._initial = None

    def read(self):
        if self._value_handle is None:
            return self._initial or b""
        return ble.gatts_read(self._value_handle)

    def write(self, data, send_update=False):
        if self._value_handle is None:
            self._initial = data
        else:
            ble.gatts_write(self._value_handle, data, send_update)

    def on_read(self, connection):
        return 0

    def _wrote(self, connection):
        self._writes.append((connection, self.read()) if self._capture else connection)
        self._write_flag.set()

    async def written(self, timeout_ms=None):
        """The connection that wrote; with capture, (connection, data), write by write."""
        if not self.flags & (_WRITE | _WRITE_NO_RESPONSE):
            return None
        with DeviceTimeout(None, timeout_ms):
            while not self._writes:
                await self._write_flag.wait()
        return self._writes.popleft()


class Characteristic(BaseCharacteristic):
    def __init__(
        self,
        service,
        uuid,
        read=False,
        write=False,
        write_no_response=False,
        notify=False,
        indicate=False,
        initial=None,
        capture=False,
    ):
        service.characteristics.append(self)
        self.descriptors = []
        self._capture = capture
        flags = 0
        for wanted, bit in (
            (read, _READ),
            (write, _WRITE),
            (write_no_response, _WRITE_NO_RESPONSE),
            (notify, _NOTIFY),
            (indicate, _INDICATE),
        ):
            flags |= bit if wanted else 0
        self._init(uuid, flags, initial)
        self._indicating = self._indicate_status = None
        self._indicate_flag = asyncio.ThreadSafeFlag()

    def _tuple(self):
        if self.descriptors:
            return (self.uuid, self.flags, tuple([one._tuple() for one in self.descriptors]))
        return (self.uuid, self.flags)

    def notify(self, connection, data=None):
        if not self.flags & _NOTIFY:
            raise ValueError("Not supported")
        ble.gatts_notify(connection._conn_handle, self._value_handle, data)

    async def indicate(self, connection, data=None, timeout_ms=1000):
        if not self.flags & _INDICATE:
            raise ValueError("Not supported")
        if self._indicating is not None:
            raise ValueError("In progress")
        if not connection.is_connected():
            raise ValueError("Not connected")
        self._indicating = connection
        self._indicate_status = None
        try:
            with connection.timeout(timeout_ms):
                ble.gatts_indicate(connection._conn_handle, self._value_handle, data)
                await self._indicate_flag.wait()
            if self._indicate_status:
                raise GattError(self._indicate_status)
        finally:
            self._indicating = None

    def _indicated(self, connection, status):
        if connection and connection is self._indicating:
            self._indicate_status = status
            self._indicate_flag.set()


class BufferedCharacteristic(Characteristic):
    """A value of up to max_len bytes; append: writes add up until read."""

    def __init__(self, *args, max_len=20, append=False, **kwargs):
        super().__init__(*args, **kwargs)
        self._buffer = (max_len, append)

    def _register(self, value_handle):
        super()._register(value_handle)
        ble.gatts_set_buffer(value_handle, *self._buffer)


class Descriptor(BaseCharacteristic):
    def __init__(self, characteristic, uuid, read=False, write=False, initial=None):
        characteristic.descriptors.append(self)
        self._init(uuid, (_READ if read else 0) | (_WRITE if write else 0), initial)

    def _tuple(self):
        return (self.uuid, self.flags)


def register_services(*services):
    """Replaces all services that were there. Nothing may advertise, scan or be connected."""
    ensure_active()
    _registered.clear()
    handles = ble.gatts_register_services(tuple([service._tuple() for service in services]))
    for service, own in zip(services, handles):
        numbers = iter(own)
        for characteristic in service.characteristics:
            characteristic._register(next(numbers))
            for descriptor in characteristic.descriptors:
                descriptor._register(next(numbers))
