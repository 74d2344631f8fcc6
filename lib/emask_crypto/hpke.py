# Owns the sender of HPKE in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
# One message per key. Must not know chance (the ephemeral secret is passed in) nor what is sealed.
import struct

from emask_crypto import hkdf

_KEM = b"KEM\x00\x20"
_SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"
_VERSION = b"HPKE-v1"
OVERHEAD_BYTES = 48  # of a sealed message: the ephemeral key before it, the tag behind it


def _extract(suite, salt, label, secret):
    return hkdf.extract(salt, _VERSION + suite + label + secret)


def _expand(suite, key, label, info, size):
    return hkdf.expand(key, struct.pack(">H", size) + _VERSION + suite + label + info, size)


class Sender:
    """The ephemeral half of a sealing. ephemeral: 32 secret bytes, for one message only.

    It may be made before the receiver's key is known: this is one scalar multiplication, agree() the other.
    """

    def __init__(self, ephemeral):
        from emask_crypto import x25519  # here and below not before they serve: each takes memory

        self._ephemeral = ephemeral
        self.enc = x25519.public(ephemeral)
        self._shared = b""

    def agree(self, receiver):
        """Take the receiver's public key, 32 bytes; ValueError for one of small order."""
        from emask_crypto import x25519

        shared = x25519.multiply(self._ephemeral, receiver)
        self._ephemeral = b""
        key = _extract(_KEM, b"", b"eae_prk", shared)
        self._shared = _expand(_KEM, key, b"shared_secret", self.enc + receiver, 32)

    def seal(self, info, text, aad=b""):
        """enc, 32 bytes, and `text` sealed. Only once."""
        from emask_crypto import chacha

        context = b"\x00" + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
        secret = _extract(_SUITE, self._shared, b"secret", b"")
        self._shared = b""
        key = _expand(_SUITE, secret, b"key", context, 32)
        nonce = _expand(_SUITE, secret, b"base_nonce", context, 12)
        return self.enc + chacha.seal(key, nonce, text, aad)


def seal(ephemeral, receiver, info, text, aad=b""):
    """As Sender does, in one step."""
    sender = Sender(ephemeral)
    sender.agree(receiver)
    return sender.seal(info, text, aad)
