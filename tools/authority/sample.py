"""Owns uploads as kiosks keep them, made without a token: for trials and tests. Knows no database."""

import json
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from emask import handshake, spec
from tools import signing, wire

_TEXT_BYTES = 2 + spec.UPLOAD_RECORDS * spec.RECORD_BYTES


def text(scheme: int, records: Sequence[bytes], how: int = 0, claim: bytes = b"") -> bytes:
    """What a token seals: its scheme, how its wearer agreed, packed records, and the claim of a contact."""
    return (bytes((scheme | how, len(records))) + b"".join(records)).ljust(_TEXT_BYTES - len(claim), b"\0") + claim


def upload(authority: X25519PublicKey, code: str, visit: bytes, received_s: int, content: bytes) -> dict:
    """An upload file's content; visit: the 32 bytes of `whole` of SPEC 4.3."""
    info = handshake.upload_info(visit, wire.code_hash(code))
    return {
        "format": signing.UPLOAD_FORMAT,
        "code": code,
        "visit": visit.hex(),
        "sealed": signing.SUITE.encrypt(content, authority, info).hex(),
        "received": received_s,
    }


def data(plain: dict) -> bytes:
    """The bytes of the file."""
    return json.dumps(plain).encode()
