# Owns the list file of published keys: header, records, hash (SPEC 5). Must not know who makes or checks it.
import struct
from collections import namedtuple

from emask import spec

_MAGIC = b"EML1"
_HEADER = "<4sBBHIIIBBH"
_RECORD = "<32sIHH"

Header = namedtuple("Header", ("scheme", "region", "serial", "issued_s", "count", "near_db", "minutes", "tolerance"))


class ListError(ValueError):
    """Bytes that are no list file that we can read; the text says what is wrong."""


def pack_header(scheme, region, serial, issued_s, count, near_db, minutes, tolerance=spec.TOLERANCE_SLOTS):
    """24 bytes. issued_s: UTC; near_db: largest attenuation that is near, dB; minutes near in a day that alert."""
    rule = (near_db, minutes, tolerance)
    return struct.pack(_HEADER, _MAGIC, spec.LIST_VERSION, scheme, region, serial, issued_s, count, *rule)


def unpack_header(data):
    """The Header at the start of `data`; ListError if it is none of ours."""
    if len(data) < spec.LIST_HEADER_BYTES:
        raise ListError("list header is cut short")
    fields = struct.unpack_from(_HEADER, data, 0)
    if fields[0] != _MAGIC:
        raise ListError("not a list file")
    if fields[1] != spec.LIST_VERSION:
        raise ListError("list of an unknown version")
    header = Header(*fields[2:])
    if not 1 <= header.scheme <= 2:
        raise ListError("list of an unknown scheme")
    if header.minutes < 1 or header.tolerance > spec.MAX_TOLERANCE_SLOTS:
        raise ListError("list rule is out of range")
    if list_size(header.count) > spec.MAX_LIST_BYTES:
        raise ListError("list is too big")
    return header


def list_size(count):
    """Bytes of a list file of `count` records."""
    return spec.LIST_HEADER_BYTES + count * spec.RECORD_BYTES + spec.LIST_HASH_BYTES


def check(header, size):
    """ListError unless a file of `size` bytes can have this header."""
    if size != list_size(header.count):
        raise ListError("list size does not fit its header")


def pack_record(key, first_slot, first_index, count):
    """40 bytes: `count` slots of the chain from scheme slot first_slot on. A shorter key is padded with zeros."""
    return struct.pack(_RECORD, key, first_slot, first_index, count)


def unpack_record(data, at=0):
    """(key 32 bytes, first_slot, first_index, count) of the record at byte `at`."""
    if len(data) < at + spec.RECORD_BYTES:
        raise ListError("list record is cut short")
    return struct.unpack_from(_RECORD, data, at)
