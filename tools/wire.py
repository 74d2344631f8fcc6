"""Owns the host's half of what token and host exchange: the layouts that a token only reads, or only writes (SPEC 4, 5,
14). The token's half is in lib/emask. Must not know keys on disk, nor the radio.
"""

import hashlib
import struct
from collections.abc import Sequence

from emask import handshake, manifest, signed, spec
from emask import rule as forms
from emask_crypto import chacha
from tools.rule import Rule

STATUS_FIELDS = (
    "protocol",
    "firmware",
    "state",
    "battery_mv",
    "list_serial",
    "list_issued_s",
    "alert_day",
    "sightings",
    "adverts_heard",
    "adverts_dropped",
    "resets",
    "damaged",
)
_STATUS = struct.Struct("<BHBHIIHIIHHH")
_SECRET_BYTES = 32


class WireError(ValueError):
    """A body that is not of its layout."""


# The visit


def unpack_nonce(body: bytes) -> int:
    """The protocol that the token speaks."""
    if len(body) != spec.NONCE_BYTES:
        raise WireError("nonce of wrong length")
    return body[0]


def pack_proof(vouched: bytes, ephemeral: bytes, utc_s: int, utc_ms: int, uncertainty_s: int) -> bytes:
    """SESSION but for its signature, 185 bytes."""
    return vouched + struct.pack("<32sIHHB", ephemeral, utc_s, utc_ms, uncertainty_s, 0)


def unpack_status(text: bytes) -> tuple[dict[str, int], bytes]:
    """(fields by name, secret) of an opened STATUS."""
    if len(text) != _STATUS.size + _SECRET_BYTES:
        raise WireError("status of wrong length")
    return dict(zip(STATUS_FIELDS, _STATUS.unpack_from(text), strict=True)), text[_STATUS.size :]


def pack_ask(keys: handshake.Keys, flags: int, days: int, field: bytes) -> bytes:
    """ASK, 52 bytes. field: 32 bytes, whose meaning the flags give."""
    return chacha.seal(keys.to_token, bytes(12), struct.pack("<BBH32s", flags & 255, days, flags >> 8, field))


def unpack_reply(keys: handshake.Keys, body: bytes) -> tuple[int, int, bytes] | None:
    """(result, details of the alert, blob for the authority) of UPLOAD, or None if it is not of this visit."""
    text = chacha.unseal(keys.to_kiosk, bytes(12), body) if len(body) == spec.SEALED_UPLOAD_BYTES else None
    return None if text is None else (text[0], text[1], text[2:])


def details(grade: int) -> tuple[int, int, int] | None:
    """How long, how near, how sure, 0 to 3 each, of an alert's grade; None: there is no alert, or nobody asked."""
    return (grade >> 2 & 3, grade >> 4 & 3, grade >> 6) if grade else None


def code_hash(code: str) -> bytes:
    """What a token is told of an upload code; the authority stores the same."""
    return hashlib.sha256(b"emask code\0" + code.encode()).digest()


def unpack_upload(text: bytes) -> tuple[int, int, list[bytes]]:
    """(scheme, how the wearer agreed, records of 40 bytes) of an opened upload."""
    size = spec.RECORD_BYTES
    if len(text) != 2 + spec.UPLOAD_RECORDS * size or text[1] > spec.UPLOAD_RECORDS:
        raise WireError("upload of wrong length")
    records = [text[at : at + size] for at in range(2, 2 + text[1] * size, size)]
    return text[0] & 15, text[0] & ~15, records


def pack_claim(record: bytes, met: Sequence[tuple[int, bytes]]) -> bytes:
    """The last two places of an F1 upload: the record that warned, and slot and ID of one or two meetings."""
    return (record + b"".join(struct.pack("<I16s", *one) for one in met)).ljust(spec.CLAIM_BYTES, b"\0")


def unpack_claim(text: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """(record that warned, slots and IDs, 16 bytes each, in which it was met) of an opened F1 upload."""
    if text[1] > spec.F1_RECORDS:
        raise WireError("upload of too many records")
    claim = text[-spec.CLAIM_BYTES :]
    met = [struct.unpack_from("<I16s", claim, at) for at in (spec.RECORD_BYTES, spec.RECORD_BYTES + 20)]
    return claim[: spec.RECORD_BYTES], [(slot, ident) for slot, ident in met if slot]


# Certificates and lists


def pack_certificate(head: signed.Head, since_s: int, until_s: int, key: bytes, seal_key: bytes) -> bytes:
    """The 80 bytes to be signed by the root: its signature of 64 follows them."""
    return signed.pack_head(*head) + struct.pack("<II32s32s", since_s, until_s, key, seal_key)


def pack_rule(rule: Rule) -> bytes:
    """The 19 bytes of a rule as a list carries it; emask.rule reads them."""
    return struct.pack(forms.FORMAT, spec.RULE_VERSION, *rule)


def pack_manifest(
    head: signed.Head,
    issued_s: int,
    base: int,
    count: int,
    scheme: int,
    rule: bytes,
    revoked: Sequence[int],
    withdrawn: Sequence[bytes],
    hashes: Sequence[bytes],
    flags: int = 0,
) -> bytes:
    """The manifest but for its signature. hashes: SHA-256 of each chunk; withdrawn: 16 bytes of each record."""
    parts = (len(rule), len(revoked), len(withdrawn), len(hashes))
    fixed = struct.pack("<IIIBBBBBB", issued_s, base, count, scheme, flags, *parts)
    serials = struct.pack(f"<{len(revoked)}I", *revoked)
    return b"".join([signed.pack_head(*head), fixed, rule, serials, *withdrawn, *hashes])


def pack_lead(manifest_bytes: int, vouched: bytes) -> bytes:
    """The first 152 bytes of a list file."""
    return struct.pack("<4sHH", manifest.MAGIC, manifest_bytes, 0) + vouched
