# The GATT half of bluetooth.BLE on the bench: packs arguments for the host, where attributes live. Knows no radio.
import errno
import struct

import benchlink
from bluetooth_uuid import UUID, buffer
from micropython import const

_OP_DISCONNECT = const(0x4B)
_OP_REGISTER, _OP_READ, _OP_WRITE = const(0x4C), const(0x4D), const(0x4E)
_OP_SET_BUFFER, _OP_NOTIFY = const(0x4F), const(0x50)
_OP_SERVICES, _OP_CHARACTERISTICS, _OP_DESCRIPTORS = const(0x51), const(0x52), const(0x53)
_OP_CLIENT_READ, _OP_CLIENT_WRITE, _OP_EXCHANGE_MTU = const(0x54), const(0x55), const(0x56)
_IRQ_GATTS_READ_REQUEST = const(4)
_NOTIFY, _INDICATE = const(1), const(2)
_BLE_HS_EAPP = const(9)
_CALL_US = const(100)  # CPU time of a call into the stack [estimate]; without it a retry loop stops the clock


def call(op, payload=b""):
    """Ask the host; after a light sleep with the radio up, nothing answers any more until a reset (power.md)."""
    if benchlink.ble_corrupt:
        raise OSError(errno.ETIMEDOUT)
    benchlink.charge(_CALL_US)
    return benchlink.call(op, payload)


def need_active():
    if not benchlink.ble_active:
        raise OSError(errno.ENODEV)


class Gatt:
    """Server and client calls; the class that has irqs gives `_fire`."""

    # GATT server

    def gatts_register_services(self, services):
        len(services)  # as in C: needs a length
        need_active()
        counts = []
        message = bytearray()
        for uuid, characteristics in services:
            _need_uuid(uuid, "invalid service UUID")
            message += b"S" + _uuid_field(uuid)
            counts.append(_pack_characteristics(message, characteristics))
        reply = call(_OP_REGISTER, bytes(message))
        handles = struct.unpack("<%dH" % (len(reply) // 2), reply)
        result = []
        at = 0
        for count in counts:
            result.append(handles[at : at + count])
            at += count
        return tuple(result)

    def gatts_read(self, value_handle):
        if not benchlink.ble_active:
            return b""
        return bytes(call(_OP_READ, struct.pack("<H", value_handle & 0xFFFF)))

    def gatts_write(self, value_handle, data, send_update=False):
        data = buffer(data)
        need_active()
        call(_OP_WRITE, struct.pack("<HB", value_handle & 0xFFFF, 1 if send_update else 0) + bytes(data))
        return len(data)

    def gatts_notify(self, conn_handle, value_handle, data=None):
        self._update(_NOTIFY, conn_handle, value_handle, data)

    def gatts_indicate(self, conn_handle, value_handle, data=None):
        self._update(_INDICATE, conn_handle, value_handle, data)

    def _update(self, kind, conn_handle, value_handle, data):
        need_active()
        benchlink.charge(benchlink.frame_us)
        head = struct.pack("<HHBB", conn_handle & 0xFFFF, value_handle & 0xFFFF, kind, data is not None)
        if data is None and self._fire(_IRQ_GATTS_READ_REQUEST, (0xFFFF, value_handle)):
            raise OSError(-_BLE_HS_EAPP)  # NimBLE reads the value as a peer without connection would
        call(_OP_NOTIFY, head if data is None else head + bytes(buffer(data)))

    def gatts_set_buffer(self, value_handle, len, append=False):
        need_active()
        call(_OP_SET_BUFFER, struct.pack("<HHB", value_handle & 0xFFFF, len, 1 if append else 0))

    # GATT client

    def gattc_discover_services(self, conn_handle, uuid=None):
        _client(_OP_SERVICES, struct.pack("<H", conn_handle & 0xFFFF), uuid)

    def gattc_discover_characteristics(self, conn_handle, start_handle, end_handle, uuid=None):
        _client(_OP_CHARACTERISTICS, struct.pack("<HHH", conn_handle & 0xFFFF, start_handle, end_handle), uuid)

    def gattc_discover_descriptors(self, conn_handle, start_handle, end_handle):
        _client(_OP_DESCRIPTORS, struct.pack("<HHH", conn_handle & 0xFFFF, start_handle, end_handle))

    def gattc_read(self, conn_handle, value_handle):
        _client(_OP_CLIENT_READ, struct.pack("<HH", conn_handle & 0xFFFF, value_handle & 0xFFFF))

    def gattc_write(self, conn_handle, value_handle, data, mode=0):
        if mode not in (0, 1):
            raise OSError(errno.EINVAL)
        head = struct.pack("<HHB", conn_handle & 0xFFFF, value_handle & 0xFFFF, mode)
        _client(_OP_CLIENT_WRITE, head + bytes(buffer(data)))

    def gattc_exchange_mtu(self, conn_handle):
        call(_OP_EXCHANGE_MTU, struct.pack("<H", conn_handle & 0xFFFF))

    # L2CAP is not built into the ESP32 port; here the names exist and refuse.

    def l2cap_listen(self, psm, mtu):
        raise OSError(errno.EOPNOTSUPP)

    def l2cap_connect(self, conn_handle, psm, mtu):
        raise OSError(errno.EOPNOTSUPP)

    def l2cap_disconnect(self, conn_handle, cid):
        raise OSError(errno.EOPNOTSUPP)

    def l2cap_send(self, conn_handle, cid, buf):
        raise OSError(errno.EOPNOTSUPP)

    def l2cap_recvinto(self, conn_handle, cid, buf):
        raise OSError(errno.EOPNOTSUPP)


def _client(op, head, uuid=None):
    if uuid is not None and not isinstance(uuid, UUID):
        raise TypeError("UUID")
    need_active()
    call(op, head if uuid is None else head + bytes(uuid))


def _need_uuid(uuid, text):
    if not isinstance(uuid, UUID):
        raise ValueError(text)


def _uuid_field(uuid):
    raw = bytes(uuid)
    return bytes((len(raw),)) + raw


def _pack_characteristics(message, characteristics):
    """Append each ("C", uuid, flags) and its ("D", uuid, flags); the number of handles they will have."""
    count = 0
    for item in characteristics:
        if not 2 <= len(item) <= 3:
            raise ValueError("invalid characteristic tuple")
        _need_uuid(item[0], "invalid characteristic UUID")
        message.extend(b"C" + _uuid_field(item[0]) + struct.pack("<H", item[1] & 0xFFFF))
        count += 1
        for uuid, flags in item[2] if len(item) == 3 else ():
            _need_uuid(uuid, "invalid descriptor UUID")
            message.extend(b"D" + _uuid_field(uuid) + struct.pack("<H", flags & 0xFFFF))
            count += 1
    return count
