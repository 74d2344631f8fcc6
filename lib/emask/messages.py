# Owns the bodies of the messages between kiosk and token (SPEC 4.2). Must not know frames or transport.
# Most bodies are of one fixed layout, the table below; LIST_DATA, UPLOAD and the like have their own pair.
import struct

from emask import spec

_TIME = "<BIHHB"
_LAYOUTS = {
    spec.HELLO: _TIME,  # protocol, utc s, utc ms, uncertainty s, flags
    spec.HANDOVER: _TIME,
    spec.LIST_OFFER: "<24s",  # the list's header
    spec.LIST_END: "<32s",  # the list's SHA-256
    spec.UPLOAD_REQUEST: "<H12s",  # days, code
    spec.ACK_ALERT: "<",
    spec.BYE: "<",
    spec.STATUS_REQUEST: "<",
    spec.SHELF: "<",
    spec.STATUS: "<BHBHIIHIIHHH",  # STATUS_FIELDS
    spec.LIST_WANT: "<I",  # offset
    spec.LIST_ACK: "<B",  # result
    spec.OK: "<",
    spec.REFUSED: "<B",  # reason
}
STATUS_FIELDS = (
    "protocol",
    "firmware",
    "state",
    "battery_mv",
    "list_serial",
    "list_issued_s",
    "alert_day",
    "sightings",
    "adverts_heard",
    "adverts_dropped",
    "resets",
    "damaged",
)


class MessageError(ValueError):
    """A body that is not of its type's layout."""


def pack(kind, *fields):
    """The body of a message of fixed layout."""
    return struct.pack(_LAYOUTS[kind], *fields)


def unpack(kind, body):
    """The fields of a body of fixed layout, a tuple; MessageError for an unknown type or a wrong length."""
    layout = _LAYOUTS.get(kind)
    if layout is None:
        raise MessageError("message of unknown type")
    if len(body) != struct.calcsize(layout):
        raise MessageError("message of wrong length")
    return struct.unpack(layout, body)


def pack_list_data(offset, data):
    """LIST_DATA: up to 240 bytes of the list file from byte `offset` on, counted from the file's beginning."""
    return struct.pack("<I", offset) + bytes(data)


def unpack_list_data(body):
    """(offset, data); MessageError if there is none or too much."""
    if not 4 < len(body) <= 4 + spec.LIST_DATA_BYTES:
        raise MessageError("message of wrong length")
    return struct.unpack_from("<I", body, 0)[0], body[4:]


def pack_upload(records):
    """UPLOAD: up to 255 published records of 40 bytes."""
    return bytes((len(records),)) + b"".join(records)


def unpack_upload(body):
    """The records, a list of 40 bytes each."""
    size = spec.RECORD_BYTES
    if not body or len(body) != 1 + body[0] * size:
        raise MessageError("message of wrong length")
    return [bytes(body[at : at + size]) for at in range(1, len(body), size)]
