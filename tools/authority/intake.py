"""Owns who may hand in uploads: clinics, their quotas, codes, and what is refused at intake. Prints nothing.

A clinic is a number; which one it is stands in no file of the authority's. Times are UTC seconds and passed in.
"""

import hashlib
from pathlib import Path
from sqlite3 import Connection

from emask import spec
from tools import codes, wire
from tools.authority import keyring, store
from tools.authority.store import Refused
from tools.authority.upload import Upload, UploadError, read_upload

FIRST_CLINIC = 1
FIRST_QUOTA = 1_000
_QUOTA_S = 14 * spec.DAY_S
_CARRIED_S = 7 * spec.DAY_S  # an upload that was made in time may be this long on its way


def set_quota(folder: Path, clinic: int, kind: codes.Kind, most: int, now_s: int) -> None:
    """A clinic may be given at most so many codes of a kind in any 14 days."""
    with store.opened(folder) as database:
        database.execute("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?)", (clinic, kind.name, most))
        store.note(database, now_s, "set-quota", most)


def issue_codes(
    folder: Path,
    count: int,
    now_s: int,
    *,
    clinic: int = FIRST_CLINIC,
    kind: codes.Kind = codes.PLAIN,
    days: int | None = None,
) -> list[str]:
    """`count` new single-use codes of 12 signs, within the clinic's quota; only their hashes are kept."""
    until_s = now_s + min(days or kind.days, kind.days) * spec.DAY_S
    new = [codes.draw(kind) for _ in range(count)]
    with store.opened(folder) as database:
        left = _quota(database, clinic, kind) - _issued(database, clinic, kind, now_s)
        if count > left:
            raise Refused(f"clinic {clinic} may be given {max(0, left)} more {kind.name} codes now")
        database.executemany(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, NULL)",
            [(wire.code_hash(code), clinic, kind.name, now_s, until_s) for code in new],
        )
        store.note(database, now_s, "issue-codes" + _suffix(kind), count)
    return new


def _suffix(kind: codes.Kind) -> str:
    return "" if kind is codes.PLAIN else f"-{kind.name}"


def _quota(database: Connection, clinic: int, kind: codes.Kind) -> int:
    row = database.execute("SELECT most FROM quotas WHERE clinic = ? AND kind = ?", (clinic, kind.name)).fetchone()
    return row[0] if row else 0


def _issued(database: Connection, clinic: int, kind: codes.Kind, now_s: int) -> int:
    return database.execute(
        "SELECT count(*) FROM codes WHERE clinic = ? AND kind = ? AND issued_s > ?",
        (clinic, kind.name, now_s - _QUOTA_S),
    ).fetchone()[0]


def ingest(folder: Path, source: Path, now_s: int) -> int:
    """Take one upload in, whole or not at all; return its number of records. The same file again counts 0.

    What is refused is counted in the audit, and uses no code up.
    """
    data = source.read_bytes()
    try:
        with store.opened(folder) as database:
            return _take(database, folder, data, now_s)
    except (Refused, UploadError) as error:
        with store.opened(folder) as database:
            store.note(database, now_s, "refuse-code" if isinstance(error, Refused) else "refuse-upload")
        raise


def _take(database: Connection, folder: Path, data: bytes, now_s: int) -> int:
    digest = hashlib.sha256(data).digest()
    if database.execute("SELECT 1 FROM uploads WHERE digest = ?", (digest,)).fetchone():
        return 0
    upload = read_upload(data, now_s, keyring.seal_key(folder))
    code = _valid_code(database, upload, now_s)
    number = database.execute(
        "INSERT INTO uploads (digest, scheme, taken_s) VALUES (?, ?, ?)", (digest, upload.scheme, now_s)
    ).lastrowid
    database.execute("UPDATE codes SET upload = ? WHERE hash = ?", (number, code))
    database.executemany(
        "INSERT INTO records VALUES (?, ?, ?, ?, ?, NULL)",
        [(number, record.key, record.first_slot, record.first_index, record.count) for record in upload.records],
    )
    store.note(database, now_s, "ingest" + _suffix(codes.kind_of(upload.code)), len(upload.records))
    return len(upload.records)


def _valid_code(database: Connection, upload: Upload, now_s: int) -> bytes:
    hashed = wire.code_hash(upload.code)
    row = database.execute("SELECT kind, expires_s, upload FROM codes WHERE hash = ?", (hashed,)).fetchone()
    if row is None:
        raise Refused("the code was never issued here")
    kind, expires_s, used = row
    if used is not None:
        raise Refused("the code is used already")
    if upload.received_s > expires_s or now_s > expires_s + _CARRIED_S:
        raise Refused("the code has expired")
    if codes.named(kind).how != upload.how:
        raise Refused("the code is not for the way in which the wearer agreed")
    return hashed
