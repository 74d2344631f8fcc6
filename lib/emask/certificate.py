# Owns the 144 bytes by which the root vouches for a key: the list key's or a kiosk's (SPEC 14). Must not know clocks.
import struct
from collections import namedtuple

from emask import signed, spec

_BODY = "<II32s32s"  # not before, not after, signing key, key that uploads are sealed to
LONGEST_KIOSK_S = 14 * spec.DAY_S

Certificate = namedtuple("Certificate", ("kind", "region", "serial", "since_s", "until_s", "key", "seal_key"))


def unpack(data):
    """The Certificate; SignedError if it is malformed. Its signature is signed.check's affair."""
    if len(data) != spec.CERTIFICATE_BYTES:
        raise signed.SignedError("certificate of wrong length")
    head = signed.unpack_head(data)
    kiosk = head.kind in (spec.KIOSK_KEY, spec.PROXY_KIOSK_KEY)
    if not kiosk and head.kind not in (spec.LIST_KEY, spec.ROOT_KEY):
        raise signed.SignedError("not a certificate")
    found = Certificate(*(head + struct.unpack_from(_BODY, data, signed.HEAD_BYTES)))
    term_s = found.until_s - found.since_s
    if term_s <= 0 or kiosk and term_s > LONGEST_KIOSK_S:
        raise signed.SignedError("certificate of an impossible term")
    return found
