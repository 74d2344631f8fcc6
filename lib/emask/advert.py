# Owns the way from a hostile advert payload to an identifier (SPEC 2). Must not know the radio or what is kept.
from emask import spec

_BLUEZONE = spec.BLUEZONE
_GAEN = spec.GAEN
_VERSION = spec.ADVERT_VERSION


def ad_structures(payload):
    """Yield (AD type, first byte, end) of each structure; ValueError where a length runs past the payload's end.

    A zero length ends the payload early, as the Core specification (Vol 3, Part C, 11) says.
    """
    at = 0
    size = len(payload)
    while at < size and payload[at]:
        end = at + 1 + payload[at]
        if end > size:
            raise ValueError("advert ends inside a structure")
        yield payload[at + 1], at + 2, end
        at = end


def _signed(byte):
    return byte - 256 if byte > 127 else byte


def _lists_bluezone(payload, at, end):
    while at + 1 < end:
        if payload[at] == 0x56 and payload[at + 1] == 0x4E:
            return True
        at += 2
    return False


def decode(payload):
    """Identifier in an advert: (scheme, ID bytes, tx, next window in 10 ms), or None if it has none or is malformed.

    tx is the signed byte on the air, None if not sent; dBm in bluezone, sealed in gaen (see `Chain.tx_dbm`).
    The next window is None if not sent. Takes bytes or a memoryview of any content and length.
    """
    at = ident = service = extra = 0
    size = len(payload)
    while at < size and payload[at]:  # as ad_structures, without its generator: this runs for every advert heard
        length = payload[at]
        kind_at = at + 1
        at += 1 + length
        if at > size:
            return None
        kind = payload[kind_at]
        if kind == 0x16:
            uuid = payload[kind_at + 1] | payload[kind_at + 2] << 8 if length > 2 else 0
            if uuid == spec.GAEN_SERVICE and length == 23 and not ident:
                ident = -(kind_at + 3)
            elif uuid == spec.BLUEZONE_SERVICE and length == 7 and payload[kind_at + 3] >> 4 == _VERSION:
                extra = kind_at + 4
        elif kind == 0xFF:
            if length == 15 and payload[kind_at + 1] == 0xB5 and payload[kind_at + 2] == 0x22 and not ident:
                ident = kind_at + 3
        elif kind == 2 or kind == 3:
            service = service or _lists_bluezone(payload, kind_at + 1, at)
    if ident < 0:
        return _GAEN, bytes(payload[-ident : 16 - ident]), _signed(payload[17 - ident]), None
    if not ident or not service:
        return None
    found = bytes(payload[ident : ident + 12])
    if not extra:
        return _BLUEZONE, found, None, None
    return _BLUEZONE, found, _signed(payload[extra]), payload[extra + 1] | payload[extra + 2] << 8
