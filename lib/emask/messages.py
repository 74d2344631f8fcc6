# Owns the bodies of the messages between kiosk and token that are not sealed (SPEC 4.2). Must not know frames.
import struct

from emask import spec

_LAYOUTS = {
    spec.HELLO: "<B",  # protocol
    spec.LIST_OFFER: "<178s",  # the file's beginning
    spec.BYE: "<",
    spec.BLINK: "<",
    spec.LIST_WANT: "<I",  # offset
    spec.LIST_ACK: "<B",  # result
    spec.OK: "<",
    spec.REFUSED: "<B",  # reason
}


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
