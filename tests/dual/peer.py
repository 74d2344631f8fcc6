# Owns the other end of what a token does, for tests on both interpreters: it signs and opens, which the token never
# does. Slow, and for tests alone. Must not import pytest.
import struct
from hashlib import sha256

import rules

from emask import handshake, manifest, signed, spec
from emask_crypto import chacha, ed25519, hpke, x25519
from emask_crypto.sha512 import sha512

ROOT, LIST, KIOSK, SEAL = (bytes((n,)) * 32 for n in (1, 2, 3, 4))  # secrets
RECOVERY, NEW_ROOT = b"\x08" * 32, b"\x09" * 32
RULE = rules.changed(minutes=10)
_P, _L = ed25519._P, ed25519._L


def _times_base(scalar):
    base = ed25519._decode(ed25519._BASE)
    x, y, z, _ = ed25519._combine(scalar, base, 0, base)
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _expanded(secret):
    digest = sha512(secret)
    return int.from_bytes(digest[:32], "little") & (1 << 255) - 1 & -8 | 1 << 254, digest[32:]


def public(secret):
    """The Ed25519 public key of 32 secret bytes."""
    return _times_base(_expanded(secret)[0])


def sign(secret, message):
    """An Ed25519 signature (RFC 8032)."""
    scalar, prefix = _expanded(secret)
    nonce = int.from_bytes(sha512(prefix + message), "little") % _L
    first = _times_base(nonce)
    k = int.from_bytes(sha512(first + _times_base(scalar) + message), "little") % _L
    return first + ((nonce + k * scalar) % _L).to_bytes(32, "little")


def statement(secret, content):
    """`content` (emask.signed) and its signature."""
    head = signed.unpack_head(content)
    return content + sign(secret, signed.message(head.kind, head.region, head.serial, sha256(content).digest()))


def certificate(kind, serial=1, region=0, since_s=0, until_s=1 << 31, key=None, root=ROOT):
    """144 bytes. A kiosk's certificate needs a term of 14 days at most."""
    own = public(key or (LIST if kind == spec.LIST_KEY else KIOSK))
    body = struct.pack("<II32s32s", since_s, until_s, own, x25519.public(SEAL))
    return statement(root, signed.pack_head(kind, region, serial) + body)


def list_file(
    records,
    serial=5,
    issued_s=0,
    terms=RULE,
    base=0,
    region=0,
    scheme=1,
    revoked=(),
    kind=1,
    vouched=None,
    flags=0,
    key=LIST,
    withdrawn=(),
):
    """The bytes of a signed list; vouched: the certificate of its key."""
    size = manifest.RECORDS_PER_CHUNK
    chunks = []
    for number in range(manifest.chunks_for(len(records))):
        chunk = b"".join(records[size * number : size * number + size])
        chunks.append(chunk + bytes(spec.BLOCK_BYTES - len(chunk)))
    parts = (spec.RULE_BYTES, len(revoked), len(withdrawn), len(chunks))
    fixed = struct.pack("<IIIBBBBBB", issued_s, base, len(records), scheme, flags, *parts)
    content = signed.pack_head(kind, region, serial) + fixed + rules.pack(terms)
    content += struct.pack("<%dI" % len(revoked), *revoked) + b"".join(withdrawn)
    content = statement(key, content + b"".join([sha256(chunk).digest() for chunk in chunks]))
    first = struct.pack("<4sHH", b"EML2", len(content), 0) + (vouched or certificate(spec.LIST_KEY)) + content
    return first + bytes(spec.BLOCK_BYTES - len(first)) + b"".join(chunks)


def unseal(secret, info, sealed):
    """What a token sealed by HPKE to the X25519 key of these 32 secret bytes, or None."""
    enc = sealed[:32]
    key = hpke._extract(hpke._KEM, b"", b"eae_prk", x25519.multiply(secret, enc))
    shared = hpke._expand(hpke._KEM, key, b"shared_secret", enc + x25519.public(secret), 32)
    context = b"\0" + hpke._extract(hpke._SUITE, b"", b"psk_id_hash", b"")
    context += hpke._extract(hpke._SUITE, b"", b"info_hash", info)
    secret = hpke._extract(hpke._SUITE, shared, b"secret", b"")
    key = hpke._expand(hpke._SUITE, secret, b"key", context, 32)
    return chacha.unseal(key, hpke._expand(hpke._SUITE, secret, b"base_nonce", context, 12), sealed[32:])


class Kiosk:
    """One visit's other end. vouched: its certificate; key: the secret that it signs with."""

    def __init__(self, vouched, key=KIOSK, ephemeral=b"e" * 32):
        self.vouched = vouched
        self.key = key
        self.ephemeral = ephemeral

    def session(self, nonce, utc_s, utc_ms=0):
        """The body of SESSION that answers a NONCE."""
        body = self.vouched + struct.pack("<32sIHHB", x25519.public(self.ephemeral), utc_s, utc_ms, 2, 0)
        head = signed.unpack_head(self.vouched)
        body += sign(
            self.key, signed.message(spec.SESSION_PROOF, head.region, head.serial, handshake.proof_digest(nonce, body))
        )
        self.opening = handshake.transcript(nonce, body)
        return body

    def status(self, sealed):
        """The fields of a STATUS, a tuple, or None."""
        text = unseal(self.ephemeral, handshake.STATUS_INFO + self.opening, sealed)
        if text is None:
            return None
        self.whole = handshake.shown(self.opening, sealed[:32])
        self.keys = handshake.Keys(self.whole, text[30:])
        return struct.unpack_from("<BHBHIIHIIHHH", text, 0)

    def ask(self, flags=0, days=0, code_hash=bytes(32)):
        """The body of ASK."""
        return chacha.seal(
            self.keys.to_token, bytes(12), struct.pack("<BBH32s", flags & 255, days, flags >> 8, code_hash)
        )

    def reply(self, body):
        """(result, blob) of an UPLOAD, or None; its details stay in `details`."""
        text = chacha.unseal(self.keys.to_kiosk, bytes(12), body)
        self.details = text and text[1]
        return text and (text[0], text[2:])

    def upload(self, blob, code_hash=bytes(32)):
        """The records in a blob, as the authority opens it, or None; all that was sealed stays in `text`."""
        self.text = text = unseal(SEAL, handshake.upload_info(self.whole, code_hash), blob)
        if text is None:
            return None
        return [
            text[at : at + spec.RECORD_BYTES] for at in range(2, 2 + text[1] * spec.RECORD_BYTES, spec.RECORD_BYTES)
        ]
