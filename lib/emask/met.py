# Owns which published records an alert rests on (MET, SPEC 3.3), and how a list names one that was withdrawn (SPEC 5).
# Must not know lists, flash, nor what becomes of the alert.
import struct
from hashlib import sha256

from micropython import const

from emask import spec

_LABEL = b"emask withdrawn\0"
_LEAD = "<HB"  # day of the alert before, 1: there were more records than are kept
_LEAD_BYTES = const(3)
_MOST = const(2)
MARK_BYTES = 16


def mark(key, serial):
    """The 16 bytes by which the list of this serial says that the records of this key (32 bytes) are withdrawn."""
    return sha256(_LABEL + struct.pack("<I", serial) + key).digest()[:MARK_BYTES]


def pack(before, records, more=False):
    """The bytes of a MET record: the first two of these records (40 bytes each), and whether there are more."""
    return struct.pack(_LEAD, before, more or len(records) > _MOST) + b"".join(records[:_MOST])


def unpack(data):
    """(day of the alert before, records, whether there were more); of nothing, or what is none: (0, [], False)."""
    if len(data) < _LEAD_BYTES or (len(data) - _LEAD_BYTES) % spec.RECORD_BYTES:
        return 0, [], False
    before, more = struct.unpack_from(_LEAD, data)
    return (
        before,
        [data[at : at + spec.RECORD_BYTES] for at in range(_LEAD_BYTES, len(data), spec.RECORD_BYTES)],
        more > 0,
    )
