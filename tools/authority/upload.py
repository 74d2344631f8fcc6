"""Owns the reading of an upload file, which comes from outside: form first, then range. Knows no database."""

import json
from dataclasses import dataclass

import jsonschema

from emask import scheme as schemes
from emask import spec

FORMAT = "emask-upload/1"
_LARGEST_BYTES = 65_536
_MOST_RECORDS = 12
_RECORD_KEY_BYTES = 32  # shorter keys are filled up with zeros
_CLOCK_SLACK_S = 3_600  # a kiosk's clock may be this far ahead

_RECORD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["key", "first_slot", "first_index", "count"],
    "properties": {
        "key": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "first_slot": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "first_index": {"type": "integer", "minimum": 0, "maximum": 65535},
        "count": {"type": "integer", "minimum": 1, "maximum": 65535},
    },
}
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "code", "scheme", "records", "received"],
    "properties": {
        "format": {"const": FORMAT},
        "code": {"type": "string", "minLength": spec.CODE_BYTES, "maxLength": spec.CODE_BYTES},
        "scheme": {"enum": list(schemes.names())},
        "received": {"type": "integer", "minimum": 0},
        "records": {"type": "array", "minItems": 1, "maxItems": _MOST_RECORDS, "items": _RECORD},
    },
}
_VALIDATOR = jsonschema.Draft202012Validator(_SCHEMA)


class UploadError(Exception):
    """Not an upload, or one whose figures can't be; names the place, never the value."""


@dataclass(frozen=True)
class Record:
    """One stretch of a key chain; slots and index in the scheme's slots."""

    key: bytes
    first_slot: int
    first_index: int
    count: int


@dataclass(frozen=True)
class Upload:
    """A checked upload; `scheme` is the scheme's number."""

    code: str
    scheme: int
    records: tuple[Record, ...]


def read_upload(data: bytes, now_s: int) -> Upload:
    """Check and convert the bytes of an upload file; `now_s` bounds the slots that can have been."""
    plain = _parsed(data)
    scheme = schemes.get(plain["scheme"])
    records = tuple(
        Record(bytes.fromhex(item["key"]), item["first_slot"], item["first_index"], item["count"])
        for item in plain["records"]
    )
    for record in records:
        _check(record, scheme, now_s)
    return Upload(plain["code"], scheme.NUMBER, records)


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


def _check(record: Record, scheme, now_s: int) -> None:
    if any(record.key[scheme.KEY_BYTES : _RECORD_KEY_BYTES]):
        raise UploadError(f"a key longer than {scheme.NAME} has")
    if record.count > (scheme.KEY_DAYS + 1) * scheme.SLOTS_PER_DAY:
        raise UploadError("a chain runs longer than its scheme allows")
    if (record.first_slot + record.count) * scheme.SLOT_S > now_s + _CLOCK_SLACK_S:
        raise UploadError("a record covers slots that have not ended")
