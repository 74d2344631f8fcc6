# Owns the 40 bytes of a published record: a stretch of somebody's key chain (SPEC 5). Must not know lists.
import struct

from emask import spec

_RECORD = "<32sIHH"


class ListError(ValueError):
    """Bytes that are no list that we can read; the text says what is wrong."""


def pack_record(key, first_slot, first_index, count):
    """40 bytes: `count` slots of the chain from scheme slot first_slot on. A shorter key is padded with zeros."""
    return struct.pack(_RECORD, key, first_slot, first_index, count)


def unpack_record(data, at=0):
    """(key 32 bytes, first_slot, first_index, count) of the record at byte `at`."""
    if len(data) < at + spec.RECORD_BYTES:
        raise ListError("list record is cut short")
    return struct.unpack_from(_RECORD, data, at)
