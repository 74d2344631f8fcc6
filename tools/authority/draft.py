"""Owns the form of a draft: what the authority asks the holders of its keys to sign. Knows no key and no database.

A draft is JSON, so that people can read what they are asked for. It is believed nowhere: who signs checks it
(tools.authority.signer), and what was signed is held against what was drafted (tools.authority.listing).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import jsonschema

from emask import signed, spec
from tools import lists

FORMAT = "emask-draft/1"
LARGEST_BYTES = 16_000_000  # eight lists as long as a token's flash holds are half of it
_MOST_LISTS = 16
_MOST_CERTIFICATES = 1_000


class DraftError(Exception):
    """Bytes that are no draft; the text names the place, never the value."""


@dataclass(frozen=True)
class Wanted:
    """A certificate that is asked for. key: of a kiosk; empty: a list key or a root, drawn where it is certified."""

    head: signed.Head
    since_s: int
    until_s: int
    key: bytes = b""


@dataclass(frozen=True)
class Listed:
    """A list that is asked for, with its packed records."""

    terms: lists.Terms
    records: tuple[bytes, ...]


@dataclass(frozen=True)
class Draft:
    """certificates are made first, in their order. agreed: who agreed in the service, for the holders to see."""

    certificates: tuple[Wanted, ...] = ()
    lists: tuple[Listed, ...] = ()
    agreed: tuple[str, ...] = ()


def _hex(length: int) -> dict:
    return {"type": "string", "pattern": f"^([0-9a-f]{{{2 * length}}})\\Z"}


def _number(bits: int) -> dict:
    return {"type": "integer", "minimum": 0, "maximum": 2**bits - 1}


def _object(**properties) -> dict:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _array(items: dict, most: int) -> dict:
    return {"type": "array", "maxItems": most, "items": items}


_CERTIFICATE = _object(
    kind={"enum": [spec.LIST_KEY, spec.KIOSK_KEY, spec.PROXY_KIOSK_KEY, spec.ROOT_KEY]},
    region=_number(16),
    serial=_number(32),
    since=_number(32),
    until=_number(32),
    key={"anyOf": [_hex(32), {"const": ""}]},
)
_LIST = _object(
    kind={"enum": [spec.F0_LIST, spec.F1_LIST]},
    region=_number(16),
    serial=_number(32),
    issued=_number(32),
    scheme={"enum": [1, 2]},
    rule=_hex(spec.RULE_BYTES),
    base=_number(32),
    revoked=_array(_number(32), spec.REVOKED_MAX),
    withdrawn=_array(_hex(16), spec.WITHDRAWN_MAX),
    records=_array(_hex(spec.RECORD_BYTES), lists.LARGEST_BYTES // spec.RECORD_BYTES),
    ends={"type": "boolean"},
)
SCHEMA = _object(
    format={"const": FORMAT},
    certificates=_array(_CERTIFICATE, _MOST_CERTIFICATES),
    lists=_array(_LIST, _MOST_LISTS),
    agreed=_array({"type": "string", "maxLength": 64}, 2),
)
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def pack(draft: Draft) -> bytes:
    """The bytes of the file."""
    plain = {
        "format": FORMAT,
        "agreed": list(draft.agreed),
        "certificates": [_plain_certificate(wanted) for wanted in draft.certificates],
        "lists": [_plain_list(entry) for entry in draft.lists],
    }
    return json.dumps(plain, indent=1).encode() + b"\n"


def _plain_certificate(wanted: Wanted) -> dict:
    return wanted.head._asdict() | {"since": wanted.since_s, "until": wanted.until_s, "key": wanted.key.hex()}


def _plain_list(entry: Listed) -> dict:
    terms = entry.terms
    return {
        "kind": terms.kind,
        "region": terms.region,
        "serial": terms.serial,
        "issued": terms.issued_s,
        "scheme": terms.scheme,
        "rule": terms.rule.hex(),
        "base": terms.base,
        "revoked": list(terms.revoked),
        "withdrawn": [record.hex() for record in terms.withdrawn],
        "records": [record.hex() for record in entry.records],
        "ends": terms.ends,
    }


def unpack(data: bytes) -> Draft:
    """The draft, whoever made it; DraftError. What it asks for is judged by who signs."""
    if len(data) > LARGEST_BYTES:
        raise DraftError("too long for a draft")
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        raise DraftError("not JSON, or cut off") from None
    problem = next(iter(_VALIDATOR.iter_errors(plain)), None)
    if problem is not None:
        place = ".".join(map(str, problem.absolute_path)) or "the whole"
        raise DraftError(f"not a draft of format {FORMAT}: {place} breaks the rule '{problem.validator}'")
    certificates = tuple(_certificate(entry) for entry in plain["certificates"])
    return Draft(certificates, tuple(_list(entry) for entry in plain["lists"]), tuple(plain["agreed"]))


def _certificate(entry: dict) -> Wanted:
    head = signed.Head(entry["kind"], entry["region"], entry["serial"])
    return Wanted(head, entry["since"], entry["until"], bytes.fromhex(entry["key"]))


def _list(entry: dict) -> Listed:
    terms = lists.Terms(
        entry["region"],
        entry["serial"],
        entry["issued"],
        entry["scheme"],
        bytes.fromhex(entry["rule"]),
        entry["base"],
        tuple(entry["revoked"]),
        tuple(map(bytes.fromhex, entry["withdrawn"])),
        entry["kind"],
        entry["ends"],
    )
    return Listed(terms, tuple(map(bytes.fromhex, entry["records"])))


def digest(entries: Sequence[Listed]) -> bytes:
    """SHA-256 of the manifests of one serial's lists, in the order of their bases; keylist.ListError if one is too big.

    A manifest has the hash of all records in it, so this stands for everything that is signed.
    """
    ordered = sorted(entries, key=lambda entry: entry.terms.base)
    return hashlib.sha256(b"".join(lists.manifest_of(entry.terms, entry.records) for entry in ordered)).digest()


def digest_of_signed(found: Sequence[lists.ListFile]) -> bytes:
    """The same of lists that were signed."""
    ordered = sorted(found, key=lambda taken: taken.header.base)
    return hashlib.sha256(b"".join(lists.signed_part(taken) for taken in ordered)).digest()
