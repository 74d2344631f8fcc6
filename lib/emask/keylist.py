# Owns the 40 bytes of a published record: a stretch of somebody's key chain, and a mark (SPEC 5). Must not know lists.
import struct

from micropython import const

from emask import spec

_RECORD = "<32sIHH"
_SLOT_BITS = const(24)  # the mark has the bits above these: 8 of the slot's, 6 of the number's
_COUNT_BITS = const(10)
_LAST_SLOT_BYTE = const(35)
_LAST_COUNT_BYTE = const(39)


class ListError(ValueError):
    """Bytes that are no list that we can read; the text says what is wrong."""


def pack_record(key, first_slot, first_index, count, mark=0):
    """40 bytes: `count` slots of the chain from scheme slot first_slot on. A shorter key is padded with zeros.

    mark: 14 bits, of emask.group.
    """
    marked_slot = first_slot | (mark & 255) << _SLOT_BITS
    return struct.pack(_RECORD, key, marked_slot, first_index, count | mark >> 8 << _COUNT_BITS)


def unpack_record(data, at=0):
    """(key 32 bytes, first_slot, first_index, count) of the record at byte `at`."""
    if len(data) < at + spec.RECORD_BYTES:
        raise ListError("list record is cut short")
    key, slot, index, count = struct.unpack_from(_RECORD, data, at)
    return key, slot & (1 << _SLOT_BITS) - 1, index, count & (1 << _COUNT_BITS) - 1


def mark_of(record):
    """The mark of a record's 40 bytes."""
    return record[_LAST_SLOT_BYTE] | record[_LAST_COUNT_BYTE] >> _COUNT_BITS - 8 << 8
