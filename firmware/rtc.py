"""Owns the layout of the memory that outlives deep sleep and resets (docs/SPEC, "RTC memory").

Must not know what the parts mean. Content is believed only when magic, version, length and CRC agree.
"""

import struct
from binascii import crc32

from micropython import const

_MAGIC = b"EMRT"
_VERSION = const(1)
_HEADER = "<4sBBHI"  # magic, version, number of parts, bytes after the header, CRC-32 of those
_HEADER_BYTES = const(12)
MAX_BYTES = const(2048)


def pack(parts):
    """One buffer of several byte strings, each below 256 bytes."""
    body = b"".join([bytes((len(part),)) + part for part in parts])
    return struct.pack(_HEADER, _MAGIC, _VERSION, len(parts), len(body), crc32(body)) + body


def unpack(buf, count):
    """The list of count byte strings, or None if this is not what pack() made."""
    if not _HEADER_BYTES <= len(buf) <= MAX_BYTES:
        return None
    magic, version, parts, length, crc = struct.unpack_from(_HEADER, buf)
    if magic != _MAGIC or version != _VERSION or parts != count or length != len(buf) - _HEADER_BYTES:
        return None
    body = bytes(buf[_HEADER_BYTES:])
    return _split(body, count) if crc32(body) == crc else None


def _split(body, count):
    found = []
    at = 0
    for _ in range(count):
        size = body[at]
        found.append(body[at + 1 : at + 1 + size])
        at += 1 + size
    return found
