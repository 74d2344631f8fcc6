# Owns HMAC-SHA256 and HKDF-SHA256 (RFC 2104, 5869). Must not know what is derived.
from hashlib import sha256


def _padded(key, byte):
    return bytes([b ^ byte for b in key]) + bytes((byte,)) * (64 - len(key))


def hmac(key, message):
    """The 32 bytes of HMAC-SHA256."""
    if len(key) > 64:
        key = sha256(key).digest()
    inner = sha256(_padded(key, 0x36) + message).digest()
    return sha256(_padded(key, 0x5C) + inner).digest()


def extract(salt, secret):
    """The pseudorandom key of a secret, 32 bytes; no salt is b"", which counts as 32 zero bytes."""
    return hmac(salt, secret)


def expand(key, info, size):
    """`size` bytes (at most 8,160) for the purpose `info`."""
    out = block = b""
    number = 0
    while len(out) < size:
        number += 1
        block = hmac(key, block + info + bytes((number,)))
        out += block
    return out[:size]
