# Owns the 28 bytes of a sighting: one identifier in one slot (SPEC 3.1). Must not know where they are kept.
import struct

from micropython import const

from emask import spec

_FORMAT = "<B16sHHHbbbH"
_BYTES = spec.SIGHTING_BYTES
_VERSION = const(1)


def pack(scheme, ident, segment, minute, count, strongest, mean, tx, minutes=1):
    """28 bytes. minute: first one, of the segment, modulo 65536; minutes: bit k is minute + k.

    Levels are dBm, 127 if unknown; tx is the signed byte heard, -128 if none; a count beyond 65535 stays there.
    """
    count = min(count, 0xFFFF)
    lead = _VERSION << 4 | scheme
    return struct.pack(_FORMAT, lead, ident, segment, minute & 0xFFFF, count, strongest, mean, tx, minutes)


def unpack(record):
    """(scheme, ID, segment, minute, count, strongest, mean, tx, minutes) or None if it is no sighting we know."""
    if len(record) != _BYTES or record[0] >> 4 != _VERSION:
        return None
    fields = struct.unpack(_FORMAT, record)
    scheme = fields[0] & 15
    if scheme == spec.BLUEZONE:
        return (scheme, fields[1][:12]) + fields[2:]
    if scheme == spec.GAEN:
        return (scheme,) + fields[1:]
    return None
