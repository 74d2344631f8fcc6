"""Owns what the authority forgets, and when: the promise of deletion as one command. Knows no web.

Records leave with the infectious days that they tell of; what is left of them elsewhere is a list that was published,
which tokens forget by themselves.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, select, update

from emask import scheme as schemes
from emask import spec
from tools.authority import keyring, store, tables

RECORDS_DAYS = spec.RETENTION_DAYS  # as long as a token keeps what it heard
CODES_DAYS = 60  # a quota looks back 14 days, an expired code is refused for as long by its name
AUDIT_DAYS = 2 * 365
MOVED_DAYS = 7  # the file of an authority that moved to a server, as a backup


@dataclass(frozen=True)
class Deleted:
    """How many went."""

    records: int
    uploads: int
    codes: int
    sessions: int
    releases: int
    audit: int


def forget(folder: Path, now_s: int) -> Deleted:
    """Delete what is older than its days, in one transaction."""
    with store.opened(folder) as database:
        done = Deleted(
            records=sum(_old_records(database, number, now_s) for number in _schemes())
            + _expired_records(database, now_s),
            uploads=_spent_uploads(database, now_s),
            codes=_gone(database, tables.codes, tables.codes.c.expires_s < now_s - CODES_DAYS * spec.DAY_S),
            sessions=_gone(database, tables.sessions, tables.sessions.c.until_s <= now_s),
            releases=_gone(database, tables.releases, tables.releases.c.proposed_s < now_s - AUDIT_DAYS * spec.DAY_S),
            audit=_gone(database, tables.audit, tables.audit.c.at_s < now_s - AUDIT_DAYS * spec.DAY_S),
        )
        store.note(database, now_s, "forget", done.records)
        moved_s = database.scalar(select(func.max(tables.audit.c.at_s)).where(tables.audit.c.what == "move"))
    keyring.forget_seal_keys(folder, now_s)
    if moved_s is not None and moved_s <= now_s - MOVED_DAYS * spec.DAY_S:
        store.drop_file(folder)
    return done


def _schemes() -> list[int]:
    return [schemes.get(name).NUMBER for name in schemes.names()]


def _old_records(database, scheme: int, now_s: int) -> int:
    known = tables.records.c
    oldest_slot = (now_s - RECORDS_DAYS * spec.DAY_S) // schemes.get(scheme).SLOT_S
    of_scheme = select(tables.uploads.c.id).where(tables.uploads.c.scheme == scheme)
    return _gone(
        database, tables.records, known.first_slot + known["count"] <= oldest_slot, known.upload.in_(of_scheme)
    )


def _expired_records(database, now_s: int) -> int:
    """Of contacts, who were ill of nothing: as soon as they may stand on no list any more; and who had warned them."""
    known = tables.uploads.c
    database.execute(update(tables.uploads).where(known.until_s <= now_s).values(rests_on=None))
    expired = select(known.id).where(known.until_s <= now_s)
    return _gone(database, tables.records, tables.records.c.upload.in_(expired))


def _spent_uploads(database, now_s: int) -> int:
    """Uploads without a record any more; their codes stay spent until they are forgotten themselves."""
    known = tables.uploads.c
    kept = select(tables.records.c.upload)
    old = (known.id.not_in(kept), known.taken_s < now_s - CODES_DAYS * spec.DAY_S)
    spent = select(known.id).where(*old)
    database.execute(delete(tables.codes).where(tables.codes.c.upload.in_(spent)))
    return _gone(database, tables.uploads, *old)


def _gone(database, table, *where) -> int:
    return database.execute(delete(table).where(*where)).rowcount
