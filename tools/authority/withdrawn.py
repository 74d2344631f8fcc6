"""Owns uploads that turned out to be a mistake: which they are, and how lists name their records. Prints nothing.

A list has always as many names as may be, and none that another list had: those of records are hashed with its serial,
the others drawn. Times are UTC seconds and passed in.
"""

import secrets
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from emask import met, spec
from tools import wire
from tools.authority import store
from tools.authority.store import Refused
from tools.authority.tables import codes, records, uploads

NAMED_S = 14 * spec.DAY_S  # as long as an alert stands


def withdraw(folder: Path, code: str, now_s: int) -> int:
    """Withdraw the upload that was made with this code, whole: how many records it had. Refused."""
    known = uploads.c
    with store.opened(folder) as database:
        mine = select(codes.c.upload).where(codes.c.hash == wire.code_hash(code))
        row = database.execute(mine).first()
        if row is None:
            raise Refused("the code was never issued here, or is forgotten already")
        if row.upload is None:
            raise Refused("nothing was uploaded with that code")
        upload = database.execute(select(uploads).where(known.id == row.upload)).one()
        if upload.withdrawn_s is not None:
            raise Refused("that upload is withdrawn already")
        database.execute(update(uploads).where(known.id == row.upload).values(withdrawn_s=now_s))
        if len(_keys(database, upload.kind, upload.scheme, now_s)) > spec.WITHDRAWN_MAX:
            raise Refused(f"a list names at most {spec.WITHDRAWN_MAX} withdrawn keys of 14 days")
        count = select(func.count()).select_from(records).where(records.c.upload == row.upload)
        number = database.execute(count).scalar_one()
        store.note(database, now_s, "withdraw", number)
    return number


def names(database: Connection, kind: int, scheme: int, issued_s: int, serial: int) -> tuple[bytes, ...]:
    """What the list of this kind, scheme and serial says is withdrawn: 16 bytes each, their order says nothing."""
    marks = [met.mark(key, serial) for key in _keys(database, kind, scheme, issued_s)]
    drawn = [secrets.token_bytes(met.MARK_BYTES) for _ in range(spec.WITHDRAWN_MAX - len(marks))]
    return tuple(sorted(marks + drawn))


def _keys(database: Connection, kind: int, scheme: int, now_s: int) -> list[bytes]:
    known = uploads.c
    wanted = select(records.c.key).distinct().join(uploads).where(known.kind == kind, known.scheme == scheme)
    return list(database.scalars(wanted.where(known.withdrawn_s > now_s - NAMED_S)))
