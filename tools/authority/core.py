"""Owns the authority's decisions: which codes hold, which uploads are taken, what a list contains. Prints nothing.

Nothing is signed in this slice: whoever can put a list into a kiosk's folder can alert anyone (docs/SECURITY).
Times are UTC seconds and passed in.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from emask import keylist, spec
from emask import scheme as schemes
from tools import lists
from tools.authority import store
from tools.authority.upload import Upload, UploadError, read_upload
from tools.files import write_whole

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs, none taken for another; 12 of them are 60 bits
_CODE_LIFE_S = 14 * spec.DAY_S
_RETENTION_S = spec.INFECTIOUS_DAYS * spec.DAY_S


class Refused(Exception):
    """Understood, but not done; the text says why, without code or key."""


@dataclass(frozen=True)
class Rule:
    """What counts as a contact; goes out with each list."""

    near_db: int = 55
    minutes: int = 15
    tolerance_slots: int = spec.TOLERANCE_SLOTS


@dataclass(frozen=True)
class Published:
    """A list that was written: where, its serial, and how many records it holds."""

    path: Path
    serial: int
    records: int


def init(folder: Path) -> None:
    """Make a new authority in `folder`; Refused if there is one."""
    try:
        store.create(folder)
    except FileExistsError:
        raise Refused(f"{folder} holds an authority already") from None


def issue_codes(folder: Path, count: int, now_s: int, life_s: int = _CODE_LIFE_S) -> list[str]:
    """`count` new single-use codes of 12 signs; only their hashes are kept."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(spec.CODE_BYTES)) for _ in range(count)]
    with store.opened(folder) as database:
        database.executemany(
            "INSERT INTO codes VALUES (?, ?, ?, NULL)", [(_hash(code), now_s, now_s + life_s) for code in codes]
        )
    return codes


def ingest(folder: Path, source: Path, now_s: int) -> int:
    """Take one upload in, whole or not at all; return its number of records. The same file again counts 0."""
    data = source.read_bytes()
    upload = read_upload(data, now_s)
    with store.opened(folder) as database:
        digest = hashlib.sha256(data).digest()
        if database.execute("SELECT 1 FROM uploads WHERE digest = ?", (digest,)).fetchone():
            return 0
        code = _valid_code(database, upload.code, now_s)
        number = database.execute(
            "INSERT INTO uploads (digest, scheme, taken_s) VALUES (?, ?, ?)", (digest, upload.scheme, now_s)
        ).lastrowid
        database.execute("UPDATE codes SET upload = ? WHERE hash = ?", (number, code))
        database.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?)",
            [(number, record.key, record.first_slot, record.first_index, record.count) for record in upload.records],
        )
    return len(upload.records)


def publish(
    folder: Path, out: Path, issued_s: int, rule: Rule | None = None, scheme: str = "bluezone", region: int = 0
) -> Published:
    """Write a new list of all records of the last 14 days to `out`; serials and issue times only go up."""
    number = schemes.get(scheme).NUMBER
    with store.opened(folder) as database:
        serial = _next_serial(database, number, issued_s)
        records = _records(database, number, issued_s, rule or Rule())
        data = _list_file(number, region, serial, issued_s, records, rule or Rule())
        if len(data) > spec.MAX_LIST_BYTES:
            raise Refused(f"{len(records)} records do not fit a token's {spec.MAX_LIST_BYTES} bytes")
        database.execute(
            "INSERT INTO lists VALUES (?, ?, ?, ?, ?)",
            (serial, number, issued_s, len(records), data[-spec.LIST_HASH_BYTES :]),
        )
        write_whole(out, data)
    return Published(out, serial, len(records))


def _hash(code: str) -> bytes:
    return hashlib.sha256(b"emask code\0" + code.encode()).digest()


def _valid_code(database: Connection, code: str, now_s: int) -> bytes:
    row = database.execute("SELECT hash, expires_s, upload FROM codes WHERE hash = ?", (_hash(code),)).fetchone()
    if row is None:
        raise Refused("the code was never issued here")
    if row[2] is not None:
        raise Refused("the code is used already")
    if now_s > row[1]:
        raise Refused("the code has expired")
    return row[0]


def _next_serial(database: Connection, scheme: int, issued_s: int) -> int:
    serial = database.execute("SELECT max(serial) FROM lists").fetchone()[0] or 0
    last_s = database.execute("SELECT max(issued_s) FROM lists WHERE scheme = ?", (scheme,)).fetchone()[0] or 0
    if issued_s < last_s:
        raise Refused("the last list was issued later than this one would be")
    return serial + 1


def _records(database: Connection, scheme: int, issued_s: int, rule: Rule) -> list[bytes]:
    """Packed records, in the order of their keys, which says nothing about who uploaded when."""
    slot_s = schemes.get(scheme).SLOT_S
    end_slot = issued_s // slot_s - rule.tolerance_slots
    oldest_slot = (issued_s - _RETENTION_S) // slot_s
    rows = database.execute(
        "SELECT key, first_slot, first_index, count FROM records JOIN uploads ON upload = id"
        " WHERE scheme = ? AND first_slot < ? AND first_slot + count > ? ORDER BY key, first_slot",
        (scheme, end_slot, oldest_slot),
    )
    return [keylist.pack_record(key, first, index, min(count, end_slot - first)) for key, first, index, count in rows]


def _list_file(scheme: int, region: int, serial: int, issued_s: int, records: Iterable[bytes], rule: Rule) -> bytes:
    packed = list(records)
    header = keylist.pack_header(
        scheme, region, serial, issued_s, len(packed), rule.near_db, rule.minutes, rule.tolerance_slots
    )
    return lists.build(header, packed)


__all__ = ["Published", "Refused", "Rule", "Upload", "UploadError", "ingest", "init", "issue_codes", "publish"]
