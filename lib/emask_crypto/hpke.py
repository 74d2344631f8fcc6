# Owns the sender of HPKE in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
# One message per ephemeral key. Must not know chance (the ephemeral secret is passed in) nor what is sealed.
import struct

from emask_crypto import hkdf

_KEM = b"KEM\x00\x20"
_SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"
_VERSION = b"HPKE-v1"


def _extract(suite, salt, label, secret):
    return hkdf.extract(salt, _VERSION + suite + label + secret)


def _expand(suite, key, label, info, size):
    return hkdf.expand(key, struct.pack(">H", size) + _VERSION + suite + label + info, size)


def agree(secret, enc, receiver, other=None):
    """The shared secret of the ephemeral public key `enc` and that of the receiver, 32 bytes.

    secret: of `enc`; other: `enc` once more, if secret is the receiver's. ValueError for a key of small order.
    """
    from emask_crypto import x25519  # here, and chacha below, not before it serves: each takes memory

    key = _extract(_KEM, b"", b"eae_prk", x25519.multiply(secret, other or receiver))
    return _expand(_KEM, key, b"shared_secret", enc + receiver, 32)


def seal(shared, enc, info, text, aad=b""):
    """enc, 32 bytes, and `text` sealed under what agree() gave: 48 bytes more than `text`. Only once."""
    from emask_crypto import chacha

    context = b"\x00" + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, secret, b"key", context, 32)
    nonce = _expand(_SUITE, secret, b"base_nonce", context, 12)
    return enc + chacha.seal(key, nonce, text, aad)
