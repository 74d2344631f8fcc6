"""Owns who may hand in uploads: clinics, their quotas, codes, and what is refused at intake. Prints nothing.

A clinic is a number; which one it is stands in no file of the authority's. Times are UTC seconds and passed in.
"""

import hashlib
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select, update

from emask import spec
from tools import codes, wire
from tools.authority import contacts, keyring, resting, store, tables
from tools.authority.store import Refused
from tools.authority.upload import Upload, UploadError, read_upload

FIRST_CLINIC = 1
FIRST_QUOTA = 1_000
QUOTA_S = 14 * spec.DAY_S
CARRIED_S = 7 * spec.DAY_S  # an upload that was made in time may be this long on its way


def set_quota(folder: Path, clinic: int, kind: codes.Kind, most: int, now_s: int) -> None:
    """A clinic may be given at most so many codes of a kind in any 14 days."""
    with store.opened(folder) as database:
        known = tables.quotas
        database.execute(delete(known).where(known.c.clinic == clinic, known.c.kind == kind.name))
        database.execute(insert(known).values(clinic=clinic, kind=kind.name, most=most))
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
        shared = {"clinic": clinic, "kind": kind.name, "issued_s": now_s, "expires_s": until_s}
        database.execute(insert(tables.codes), [{"hash": wire.code_hash(code)} | shared for code in new])
        store.note(database, now_s, "issue-codes" + _suffix(kind), count)
    return new


def _suffix(kind: codes.Kind) -> str:
    return "" if kind is codes.PLAIN else f"-{kind.name}"


def _quota(database: Connection, clinic: int, kind: codes.Kind) -> int:
    known = tables.quotas.c
    return database.scalar(select(known.most).where(known.clinic == clinic, known.kind == kind.name)) or 0


def _issued(database: Connection, clinic: int, kind: codes.Kind, now_s: int) -> int:
    known = tables.codes.c
    mine = (known.clinic == clinic, known.kind == kind.name, known.issued_s > now_s - QUOTA_S)
    return database.execute(select(func.count()).where(*mine)).scalar_one()


def ingest(folder: Path, source: Path, now_s: int) -> int:
    """Take the upload in the file `source` in, as `take_in` does; OSError if it can't be read."""
    return take_in(folder, source.read_bytes(), now_s)


def take_in(folder: Path, data: bytes, now_s: int) -> int:
    """Take one upload in, whole or not at all; return its number of records. The same bytes again count 0.

    What is refused is counted in the audit, and uses no code up.
    """
    try:
        with store.opened(folder) as database:
            return _take(database, folder, data, now_s)
    except (Refused, UploadError) as error:
        with store.opened(folder) as database:
            store.note(database, now_s, "refuse-code" if isinstance(error, Refused) else "refuse-upload")
        raise


def _take(database: Connection, folder: Path, data: bytes, now_s: int) -> int:
    digest = hashlib.sha256(data).digest()
    if database.execute(select(tables.uploads.c.id).where(tables.uploads.c.digest == digest)).first():
        return 0
    upload = read_upload(data, now_s, keyring.seal_keys(folder))
    code = _valid_code(database, upload, now_s)
    facts: dict = {"scheme": upload.scheme, "taken_s": now_s}
    if upload.how & spec.OF_F1:
        facts |= contacts.check(database, upload, now_s)
    else:
        facts |= {"kind": spec.F0_LIST, "link": resting.link(upload.code)}
    new = insert(tables.uploads).values(digest=digest, **facts)
    number = database.execute(new.returning(tables.uploads.c.id)).scalar_one()
    database.execute(update(tables.codes).where(tables.codes.c.hash == code).values(upload=number))
    database.execute(insert(tables.records), [{"upload": number} | asdict(record) for record in upload.records])
    store.note(database, now_s, "ingest" + _suffix(codes.kind_of(upload.code)), len(upload.records))
    return len(upload.records)


def _valid_code(database: Connection, upload: Upload, now_s: int) -> bytes:
    hashed = wire.code_hash(upload.code)
    row = database.execute(select(tables.codes).where(tables.codes.c.hash == hashed)).first()
    if row is None:
        raise Refused("the code was never issued here")
    if row.upload is not None:
        raise Refused("the code is used already")
    if upload.received_s > row.expires_s or now_s > row.expires_s + CARRIED_S:
        raise Refused("the code has expired")
    if codes.named(row.kind).how != upload.how:
        raise Refused("the code is not for the way in which the wearer agreed")
    return hashed
