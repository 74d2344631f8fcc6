"""Owns the sealed note of which published record warned a contact (F1): only an ill person's code opens it again.

So the database holds no list of who met whom, and a withdrawn upload is found by those that rest on it all the same.
Knows no database.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tools import signing

_LABEL = b"emask rests on\0"


def link(code: str) -> bytes:
    """What notes of the upload with this code are sealed to."""
    return signing.public_bytes(_private(code))


def sealed(to: bytes | None, key: bytes) -> bytes | None:
    """A note that a contact rests on the record of this key; None if the upload has no link: it is of before."""
    return None if to is None else signing.SUITE.encrypt(key, X25519PublicKey.from_public_bytes(to), _LABEL)


def opened(code: str, note: bytes) -> bytes | None:
    """The record's key, if the note was sealed to the upload with this code."""
    return signing.unseal(_private(code), _LABEL, note)


def _private(code: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(hashlib.sha256(_LABEL + code.encode()).digest())
