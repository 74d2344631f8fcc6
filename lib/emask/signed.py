# Owns the form of whatever is signed: kind, region, serial, and the bytes of the statement (SPEC 14). Knows no key.
import struct
from collections import namedtuple
from hashlib import sha256

from emask import spec

LABEL = b"emask/1\0"
_HEAD = "<BBHI"
HEAD_BYTES = 8
_VERSION = 1

Head = namedtuple("Head", ("kind", "region", "serial"))


class SignedError(ValueError):
    """A statement that is malformed, or not of the kind or key that it should be; the text names no one."""


def pack_head(kind, region, serial):
    """The 8 bytes that a statement begins with."""
    return struct.pack(_HEAD, _VERSION, kind, region, serial)


def unpack_head(data):
    """The Head of a statement; SignedError if it has none of this version."""
    if len(data) < HEAD_BYTES:
        raise SignedError("statement is cut short")
    version, kind, region, serial = struct.unpack_from(_HEAD, data, 0)
    if version != _VERSION:
        raise SignedError("statement of an unknown version")
    return Head(kind, region, serial)


def message(kind, region, serial, digest):
    """The 47 bytes that the key signs for content of that SHA-256: with key and nonce one block of SHA-512."""
    return LABEL + struct.pack("<BHI", kind, region, serial) + digest


def check(data, public):
    """The Head of a statement that ends with its signature by the key `public`; SignedError if it does not."""
    head = unpack_head(data)
    content, signature = data[: -spec.SIGNATURE_BYTES], data[-spec.SIGNATURE_BYTES :]
    check_digest(head, sha256(content).digest(), signature, public)
    return head


def check_digest(head, digest, signature, public):
    """The same for a statement that is not in memory: SignedError unless `signature` is of this Head and SHA-256."""
    from emask_crypto import ed25519  # not before: who only reads a list needs none of it

    if not ed25519.verify(public, message(head.kind, head.region, head.serial, digest), signature):
        raise SignedError("statement is not signed by that key")
