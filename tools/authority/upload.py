"""Owns the reading of an upload, which comes from outside: its form, its seal, its figures. Knows no database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import jsonschema
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import handshake, keylist, spec
from emask import scheme as schemes
from tools import signing, wire

FORMAT = signing.UPLOAD_FORMAT
_LARGEST_BYTES = 4_096
_RECORD_KEY_BYTES = 32  # shorter keys are filled up with zeros
_CLOCK_SLACK_S = 3_600  # a kiosk's clock may be this far ahead

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "code", "visit", "sealed", "received"],
    "properties": {
        "format": {"const": FORMAT},
        "code": {"type": "string", "minLength": spec.CODE_BYTES, "maxLength": spec.CODE_BYTES},
        "visit": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "sealed": {"type": "string", "pattern": f"^[0-9a-f]{{{2 * spec.UPLOAD_BLOB_BYTES}}}$"},
        "received": {"type": "integer", "minimum": 0},
    },
}
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


class UploadError(Exception):
    """Not an upload, or one whose figures can't be; names the place, never the value."""


@dataclass(frozen=True)
class Record:
    """One stretch of a key chain; slots and index in the scheme's slots. mark: of its household, passed on unread."""

    key: bytes
    first_slot: int
    first_index: int
    count: int
    mark: int = 0


@dataclass(frozen=True)
class Claim:
    """What a contact says that it was warned by: a published record, and slot and ID of one or two meetings."""

    record: Record
    met: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True)
class Upload:
    """An upload whose figures can be; `scheme` is the scheme's number, `how` the wearer agreed as SPEC 4.3 has it.

    claim: of a contact (F1), still to be held against what was published.
    """

    code: str
    received_s: int
    how: int
    scheme: int
    records: tuple[Record, ...]
    claim: Claim | None = None


def read_upload(data: bytes, now_s: int, keys: Sequence[X25519PrivateKey]) -> Upload:
    """Check and open the bytes of an upload file by one of the keys; `now_s` bounds the slots that can have been."""
    plain = _parsed(data)
    info = handshake.upload_info(bytes.fromhex(plain["visit"]), wire.code_hash(plain["code"]))
    sealed = bytes.fromhex(plain["sealed"])
    text = next(filter(None, (signing.unseal(key, info, sealed) for key in keys)), None)
    if text is None:
        raise UploadError("not sealed to this authority in that visit for that code")
    number, how, records, claim = _records(text)
    for record in records:
        _check(record, schemes.get(number), now_s)
    return Upload(plain["code"], plain["received"], how, number, records, claim)


def _parsed(data: bytes) -> dict:
    if len(data) > _LARGEST_BYTES:
        raise UploadError("too long for an upload")
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        raise UploadError("not JSON") from None
    problem = next(iter(_VALIDATOR.iter_errors(plain)), None)
    if problem is not None:
        place = ".".join(str(part) for part in problem.absolute_path) or "the whole"
        raise UploadError(f"not an upload of format {FORMAT}: {place} breaks the rule '{problem.validator}'")
    return plain


def _records(text: bytes) -> tuple[int, int, tuple[Record, ...], Claim | None]:
    try:
        number, how, packed = wire.unpack_upload(text)
        schemes.get(number)
        records = tuple(_record(record) for record in packed)
        claim = _claim(text) if how & spec.OF_F1 else None
    except ValueError:
        raise UploadError("what is sealed is no upload") from None
    if not records:
        raise UploadError("an upload of nothing")
    return number, how, records, claim


def _claim(text: bytes) -> Claim:
    record, met = wire.unpack_claim(text)
    return Claim(_record(record), tuple(met))


def _record(packed: bytes) -> Record:
    key, first_slot, first_index, count = keylist.unpack_record(packed)
    return Record(key, first_slot, first_index, count, keylist.mark_of(packed))


def _check(record: Record, scheme, now_s: int) -> None:
    if any(record.key[scheme.KEY_BYTES : _RECORD_KEY_BYTES]):
        raise UploadError(f"a key longer than {scheme.NAME} has")
    if not 1 <= record.count <= (scheme.KEY_DAYS + 1) * scheme.SLOTS_PER_DAY:
        raise UploadError("a chain runs longer than its scheme allows")
    if (record.first_slot + record.count) * scheme.SLOT_S > now_s + _CLOCK_SLACK_S:
        raise UploadError("a record covers slots that have not ended")
