"""Owns what staff may see of the whole: how many, never who. Knows no web."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from emask import spec
from tools.authority import intake, store, tables
from tools.authority.kiosks import KINDS


@dataclass(frozen=True)
class Counts:
    """Codes of a quota's time: given out, used, run out unused; uploads and records kept; the last list; kiosks."""

    codes_issued: int
    codes_used: int
    codes_expired: int
    uploads: int
    records: int
    records_unlisted: int
    last_serial: int
    last_issued_s: int
    kiosks: int
    kiosks_revoked: int


def counts(folder: Path, now_s: int, clinic: int = 0) -> Counts:
    """For the whole authority; with `clinic` the figures of codes are that clinic's, and the rest everybody's."""
    codes, records, kiosks = tables.codes.c, tables.records.c, tables.certificates.c
    recent = [codes.issued_s > now_s - intake.QUOTA_S, *([codes.clinic == clinic] if clinic else [])]
    valid = [kiosks.kind.in_(KINDS), kiosks.until_s >= now_s]
    stands = select(tables.uploads.c.id).where(tables.uploads.c.withdrawn_s.is_(None))
    with store.reading(folder) as database:
        last = database.execute(_last_list()).first()
        return Counts(
            codes_issued=_count(database, tables.codes, *recent),
            codes_used=_count(database, tables.codes, codes.upload.is_not(None), *recent),
            codes_expired=_count(database, tables.codes, codes.upload.is_(None), codes.expires_s < now_s, *recent),
            uploads=_count(database, tables.uploads),
            records=_count(database, tables.records),
            records_unlisted=_count(database, tables.records, records.listed.is_(None), records.upload.in_(stands)),
            last_serial=last.serial if last else 0,
            last_issued_s=last.issued_s if last else 0,
            kiosks=_count(database, tables.certificates, kiosks.revoked_s.is_(None), *valid),
            kiosks_revoked=_count(database, tables.certificates, kiosks.revoked_s.is_not(None), *valid),
        )


def _last_list() -> Select:
    known = tables.lists.c
    of_the_ill = (known.published_s.is_not(None), known.kind == spec.F0_LIST)
    return select(tables.lists).where(*of_the_ill).order_by(known.serial.desc()).limit(1)


def _count(database: Connection, table: Table, *where: ColumnElement[bool]) -> int:
    return database.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
