# The double's advertiser: builds the advert, waits for a central. Knows no service's contents.
import asyncio
import struct

from .core import ble, ensure_active, register_irq_handler
from .device import Device, DeviceConnection, DeviceTimeout

_IRQ_CENTRAL_CONNECT, _IRQ_CENTRAL_DISCONNECT = 1, 2
_FLAGS, _NAME, _APPEARANCE, _MANUFACTURER = 0x01, 0x09, 0x19, 0xFF
_UUID_LISTS = ((2, 0x03), (4, 0x05), (16, 0x07))
_PAYLOAD_BYTES = 31


class _Incoming:
    connection = None
    flag = None


def _on_irq(event, data):
    if event == _IRQ_CENTRAL_CONNECT:
        connection = DeviceConnection(Device(data[1], bytes(data[2])))
        connection._conn_handle = data[0]
        DeviceConnection._connected[data[0]] = connection
        _Incoming.connection = connection
        _Incoming.flag.set()
    elif event == _IRQ_CENTRAL_DISCONNECT:
        connection = DeviceConnection._connected.get(data[0])
        if connection:
            connection._event.set()


def _on_stop():
    _Incoming.connection = _Incoming.flag = None


register_irq_handler(_on_irq, _on_stop)


def _fields(limited_disc, br_edr, name, services, appearance, manufacturer):
    """(AD type, data) in the order in which they are placed."""
    yield _FLAGS, bytes(((1 if limited_disc else 2) | (0x18 if br_edr else 4),))
    for size, kind in _UUID_LISTS:
        uuids = b"".join([bytes(uuid) for uuid in services or () if len(bytes(uuid)) == size])
        if uuids:
            yield kind, uuids
    if name:
        yield _NAME, name.encode() if isinstance(name, str) else bytes(name)
    if appearance:
        yield _APPEARANCE, struct.pack("<H", appearance)
    if manufacturer:
        yield _MANUFACTURER, struct.pack("<H", manufacturer[0]) + manufacturer[1]


def _build(fields):
    """(advert, scan response or None). As in the real one, a payload that would fill all 31 bytes does not fit."""
    adv, rsp = bytearray(), bytearray()
    for kind, data in fields:
        field = bytes((len(data) + 1, kind)) + data
        for target in (adv, rsp):
            if len(target) + len(field) < _PAYLOAD_BYTES:
                target.extend(field)
                break
        else:
            raise ValueError("Advertising payload too long")
    return adv, rsp or None


async def advertise(
    interval_us,
    adv_data=None,
    resp_data=None,
    connectable=True,
    limited_disc=False,
    br_edr=False,
    name=None,
    services=None,
    appearance=0,
    manufacturer=None,
    timeout_ms=None,
):
    """The connection of the central that came. asyncio.TimeoutError after timeout_ms; None if the task is cancelled."""
    ensure_active()
    if not adv_data and not resp_data:
        adv_data, resp_data = _build(_fields(limited_disc, br_edr, name, services, appearance, manufacturer))
    _Incoming.flag = _Incoming.flag or asyncio.ThreadSafeFlag()
    ble.gap_advertise(interval_us, adv_data=adv_data, resp_data=resp_data, connectable=connectable)
    try:
        with DeviceTimeout(None, timeout_ms):
            await _Incoming.flag.wait()
    except asyncio.CancelledError:
        ble.gap_advertise(None)
        return None
    except asyncio.TimeoutError:
        ble.gap_advertise(None)
        raise
    connection, _Incoming.connection = _Incoming.connection, None
    connection._run_task()
    return connection
