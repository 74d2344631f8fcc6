# Owns what both ends of a visit compute alike: transcript, keys, short number, and the fixed bodies that are sealed
# (SPEC 4.3). Must not know who seals, nor the radio.
import struct
from hashlib import sha256

from micropython import const

from emask import signed, spec

_NONCE = "<B32s"
_TIME = "<32sIHHB"  # ephemeral key, utc s, ms, uncertainty s, flags 0
_TIME_BYTES = const(41)
_STATUS = "<BHBHIIHIIHHH"  # SPEC 4.3, then 32 bytes of secret
_ASK = "<BBH32s"  # flags, days, more flags, field
_UPLOAD = "<BB"  # scheme, number of records; then 12 places of 40 bytes
_REPLY = "<BB"  # result, details of the alert; then the blob
STATUS_INFO = b"emask/1 status\0"
UPLOAD_INFO = b"emask/1 upload\0"


class HandshakeError(ValueError):
    """A body that is not of its layout, or does not fit what was said before."""


def commitment(enc):
    """NONCE, 33 bytes: the protocol, and the hash of the token's ephemeral key, which it shows only later.

    It is the nonce, since that key serves once; and neither end can choose its key to please the short number.
    """
    return struct.pack(_NONCE, spec.PROTOCOL_VERSION, sha256(enc).digest())


def unpack_proof(body):
    """(certificate, ephemeral key, utc s, ms, uncertainty s, signature) of a SESSION."""
    if len(body) != spec.SESSION_BYTES:
        raise HandshakeError("session of wrong length")
    fields = struct.unpack_from(_TIME, body, spec.CERTIFICATE_BYTES)
    if fields[2] >= 1000:
        raise HandshakeError("session has no such time")
    return (body[: spec.CERTIFICATE_BYTES],) + fields[:4] + (body[-spec.SIGNATURE_BYTES :],)


def proof_digest(nonce, body):
    """SHA-256 of what the kiosk signs, the token's nonce in it: SESSION without or with its signature."""
    return sha256(nonce + body[: spec.SESSION_BYTES - spec.SIGNATURE_BYTES]).digest()


def transcript(nonce, session):
    """Hash of both opening bodies, 32 bytes: the status is bound to it."""
    return sha256(signed.LABEL + b"visit" + nonce + session).digest()


def shown(opening, enc):
    """Hash of the transcript once the token's ephemeral key is shown: all that follows is bound to it."""
    return sha256(opening + enc).digest()


def number(whole):
    """The two numbers of 1 to 6 that token and screen show, from shown()."""
    return whole[0] % 6 + 1, whole[1] % 6 + 1


def pack_status(fields, secret):
    """62 bytes, to be sealed to the kiosk's ephemeral key; secret: 32 bytes, for the keys of this visit."""
    return struct.pack(_STATUS, *fields) + secret


def bucket(value, most):
    """The largest power of two that is not above value: a counter as a class, at most `most`."""
    found = 0
    while value > 0:
        found = found << 1 or 1
        value >>= 1
    return min(found, most)


class Keys:
    """The keys of a visit, one for each direction; each serves one message. The kiosk's half is tools.wire's."""

    def __init__(self, whole, secret):
        from emask_crypto import hkdf

        key = hkdf.extract(whole, secret)
        self.to_token = hkdf.expand(key, b"emask/1 ask\0", 32)
        self.to_kiosk = hkdf.expand(key, b"emask/1 reply\0", 32)

    def unpack_ask(self, body):
        """(flags, days, field of 32 bytes) or None if it is not of this visit's kiosk."""
        from emask_crypto import chacha

        text = chacha.unseal(self.to_token, bytes(12), body) if len(body) == spec.SEALED_ASK_BYTES else None
        if text is None:
            return None
        flags, days, more, field = struct.unpack(_ASK, text)
        return flags | more << 8, days, field

    def pack_reply(self, result, blob, details=0):
        """UPLOAD, 548 bytes. details: of the alert (SPEC 3.3), if they were asked for."""
        from emask_crypto import chacha

        return chacha.seal(self.to_kiosk, bytes(12), struct.pack(_REPLY, result, details) + blob)


def upload_info(whole, hashed):
    """What an upload is bound to: the visit, and the hash of the code."""
    return UPLOAD_INFO + whole + hashed


def pack_upload(scheme, records, how=0, claim=b""):
    """482 bytes, to be sealed to the authority: at most 12 records, as many bytes whatever their number.

    how: in which way the wearer agreed, spec.BY_PROXY or 0; spec.OF_F1 with a claim, and at most 10 records then.
    """
    body = b"".join(records)
    rest = bytes(spec.UPLOAD_RECORDS * spec.RECORD_BYTES - len(body) - len(claim))
    return struct.pack(_UPLOAD, scheme | how, len(records)) + body + rest + claim
