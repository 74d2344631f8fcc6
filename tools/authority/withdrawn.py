"""Owns uploads that turned out to be a mistake: which they are, and how lists name their records. Prints nothing.

With an upload of the ill go those of contacts (F1) who rest on it alone. A list has always as many names as may be, and
none that another list had: those of records are hashed with its serial, the others drawn. Times are UTC seconds and
passed in.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, func, select, update

from emask import met, spec
from tools import wire
from tools.authority import resting, store
from tools.authority.store import Refused
from tools.authority.tables import codes, records, uploads

NAMED_S = 14 * spec.DAY_S  # as long as an alert stands


@dataclass(frozen=True)
class Withdrawn:
    """How many records went: of the upload, and of the contacts whom it had warned."""

    records: int
    contacts: int


def withdraw(folder: Path, code: str, now_s: int) -> Withdrawn:
    """Withdraw the upload that was made with this code, whole, and what rests on it. Refused."""
    with store.opened(folder) as database:
        upload = _made_with(database, code)
        _end(database, [upload.id], now_s)
        ill = upload.kind == spec.F0_LIST
        if ill and len(_keys(database, upload.kind, upload.scheme, now_s)) > spec.WITHDRAWN_MAX:
            raise Refused(f"a list names at most {spec.WITHDRAWN_MAX} withdrawn keys of 14 days")
        contacts = _resting_on(database, code, upload.scheme) if ill else []
        _end(database, contacts, now_s)
        done = Withdrawn(_count(database, [upload.id]), _count(database, contacts))
        store.note(database, now_s, "withdraw", done.records)
        if contacts:
            store.note(database, now_s, "withdraw-f1", done.contacts)
    return done


def _made_with(database: Connection, code: str) -> Row:
    row = database.execute(select(codes.c.upload).where(codes.c.hash == wire.code_hash(code))).first()
    if row is None:
        raise Refused("the code was never issued here, or is forgotten already")
    if row.upload is None:
        raise Refused("nothing was uploaded with that code")
    upload = database.execute(select(uploads).where(uploads.c.id == row.upload)).one()
    if upload.withdrawn_s is not None:
        raise Refused("that upload is withdrawn already")
    return upload


def _resting_on(database: Connection, code: str, scheme: int) -> list[int]:
    """The uploads of contacts that rest on the one with this code; but if another one of the ill has the record too,
    which happens when one person gave keys twice, they rest on that from now on."""
    found = []
    known = uploads.c
    mine = (known.kind == spec.F1_LIST, known.scheme == scheme, known.withdrawn_s.is_(None))
    for row in database.execute(select(known.id, known.rests_on).where(*mine, known.rests_on.is_not(None))).all():
        key = resting.opened(code, row.rests_on)
        if key is None:
            continue
        stands = (known.kind == spec.F0_LIST, known.scheme == scheme, known.withdrawn_s.is_(None))
        other = database.execute(select(known.link).join(records).where(*stands, records.c.key == key)).first()
        if other is None:
            found.append(row.id)
        else:
            note = resting.sealed(other.link, key)
            database.execute(update(uploads).where(known.id == row.id).values(rests_on=note))
    return found


def _end(database: Connection, numbers: Sequence[int], now_s: int) -> None:
    ended = {"withdrawn_s": now_s, "rests_on": None}
    database.execute(update(uploads).where(uploads.c.id.in_(numbers)).values(ended))


def _count(database: Connection, numbers: Sequence[int]) -> int:
    return database.execute(select(func.count()).where(records.c.upload.in_(numbers))).scalar_one()


def names(database: Connection, kind: int, scheme: int, issued_s: int, serial: int) -> tuple[bytes, ...]:
    """What the list of this kind, scheme and serial says is withdrawn: 16 bytes each, their order says nothing."""
    marks = [met.mark(key, serial) for key in _keys(database, kind, scheme, issued_s)[: spec.WITHDRAWN_MAX]]
    drawn = [secrets.token_bytes(met.MARK_BYTES) for _ in range(spec.WITHDRAWN_MAX - len(marks))]
    return tuple(sorted(marks + drawn))


def _keys(database: Connection, kind: int, scheme: int, now_s: int) -> list[bytes]:
    """What was withdrawn, the last first, and stands by no other upload."""
    others, theirs = uploads.alias(), records.alias()
    stands = (others.c.kind == kind, others.c.scheme == scheme, others.c.withdrawn_s.is_(None))
    standing = select(theirs.c.key).join(others, others.c.id == theirs.c.upload).where(*stands)
    known, key = uploads.c, records.c.key
    mine = (known.kind == kind, known.scheme == scheme, known.withdrawn_s > now_s - NAMED_S, key.not_in(standing))
    wanted = select(key).join(uploads).where(*mine).group_by(key).order_by(func.max(known.withdrawn_s).desc(), key)
    return list(database.scalars(wanted))
