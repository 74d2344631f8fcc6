# Owns the bytes of a sighting, one identifier in one slot, and of a heard minute (SPEC 3.1, 3.2). Must not know where
# they are kept. Which numbers they hold was settled by a study (docs/DESIGN).
import struct

from micropython import const

from emask import spec

_FORMAT = "<B16sHHBbb8s"
_BYTES = spec.SIGHTING_BYTES
_VERSION = spec.SIGHTING_VERSION
_MINUTE = "<B16sHHBbbb"
_MINUTE_BYTES = spec.HEARD_BYTES
_UNKNOWN = spec.RSSI_UNKNOWN

_STILL = const(8)  # bit of the lead

SPAN = const(16)  # minutes that one sighting can tell apart
_NO_LEVEL = const(1)  # code of a minute that was heard without any level
_WEAKEST = const(2)
_STRONGEST = const(15)


def level_code(rssi):
    """4 bits for a level in dBm: 2 to 15 for -102 to -50 in steps of 4, 1 if it is unknown (127); 0 is "unheard"."""
    if rssi == _UNKNOWN:
        return _NO_LEVEL
    return max(_WEAKEST, min(_STRONGEST, (rssi + 112) // 4))


def level_dbm(code):
    """The dBm of a level's 4 bits; 127 for 0 and 1."""
    return 4 * code - 110 if code >= _WEAKEST else _UNKNOWN


def code_at(levels, number):
    """The 4 bits of minute first + number in a sighting's 8 bytes of levels."""
    return levels[number >> 1] >> 4 * (number & 1) & 15


def flat(minutes, rssi):
    """8 bytes of levels: the minutes of these bits (bit k: minute first + k) all heard at rssi."""
    code = level_code(rssi)
    levels = bytearray(8)
    for number in range(SPAN):
        if minutes >> number & 1:
            levels[number >> 1] |= code << 4 * (number & 1)
    return bytes(levels)


def pack(scheme, ident, segment, minute, count, mean, tx, levels, still=False):
    """32 bytes. minute: first one, of the segment, modulo 65536; levels: 4 bits for each of 16 minutes from there on.

    mean is dBm, 127 if unknown; tx is the signed byte heard, -128 if none; a count beyond 255 stays there.
    still: the own token did not move in any of these minutes, by its motion sensor.
    """
    lead = _VERSION << 4 | (_STILL if still else 0) | scheme
    return struct.pack(_FORMAT, lead, ident, segment, minute & 0xFFFF, min(count, 255), mean, tx, levels)


def unpack(record):
    """(scheme, ID, segment, minute, count, strongest, mean, tx, minutes, levels), or None if it is none that we know.

    strongest and minutes (bit k: heard in minute first + k) are read from the levels; strongest to 4 dB, 127 unknown.
    """
    if len(record) != _BYTES or record[0] >> 4 != _VERSION:
        return None
    lead, ident, segment, minute, count, mean, tx, levels = struct.unpack(_FORMAT, record)
    ident = _ident(lead & 7, ident)
    if ident is None:
        return None
    best = minutes = 0
    for number in range(SPAN):
        code = code_at(levels, number)
        if code:
            minutes |= 1 << number
            best = max(best, code)
    return lead & 7, ident, segment, minute, count, level_dbm(best), mean, tx, minutes, levels


def is_still(record):
    """Whether a sound record of either kind says that the own token did not move."""
    return bool(record[0] & _STILL)


def pack_minute(scheme, ident, segment, minute, count, strongest, mean, tx, still=False):
    """25 bytes of a HEARD record: one identifier in one minute; fields as in `pack`, strongest in dBm or 127."""
    lead = _VERSION << 4 | (_STILL if still else 0) | scheme
    return struct.pack(_MINUTE, lead, ident, segment, minute & 0xFFFF, min(count, 255), strongest, mean, tx)


def unpack_minute(record):
    """(scheme, ID, segment, minute, count, strongest, mean, tx) of a HEARD record, or None if it is none."""
    if len(record) != _MINUTE_BYTES or record[0] >> 4 != _VERSION:
        return None
    fields = struct.unpack(_MINUTE, record)
    ident = _ident(fields[0] & 7, fields[1])
    return None if ident is None else (fields[0] & 7, ident) + fields[2:]


def _ident(scheme, field):
    if scheme == spec.BLUEZONE:
        return field[:12]
    return field if scheme == spec.GAEN else None
