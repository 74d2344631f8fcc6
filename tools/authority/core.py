"""Owns the authority's decisions: whom it certifies, what a list contains; uploads are intake's. Prints nothing.

Times are UTC seconds and passed in, and so is chance.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, or_, select, update

from emask import keylist, signed, spec
from emask import scheme as schemes
from emask.rule import unpack
from tools import codes, lists, wire
from tools import rule as rules
from tools.authority import intake, keyring, releases, staff, store, tables
from tools.authority.store import Refused
from tools.authority.upload import Upload, UploadError
from tools.files import write_whole
from tools.signing import Chance, KeyFileError

_RETENTION_S = spec.INFECTIOUS_DAYS * spec.DAY_S
_DELTAS = 7  # lists before this one for whose holders a short one is made


@dataclass(frozen=True)
class Published:
    """A list that was written: where, its serial, how many records it holds, and where the short ones are."""

    path: Path
    serial: int
    records: int
    deltas: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Made:
    """A list file before it is written; base 0: the whole list."""

    serial: int
    base: int
    records: int
    data: bytes


def init(
    folder: Path,
    now_s: int,
    offline: Path | None = None,
    chance: Chance = secrets.token_bytes,
    database: str | None = None,
) -> None:
    """Make a new authority in `folder`, its root and recovery keys in `offline`; Refused if there is one.

    database: the address of an empty PostgreSQL database; None: a file in `folder`.
    """
    try:
        store.create(folder, database)
    except FileExistsError:
        raise Refused(f"{folder} holds an authority already") from None
    with store.opened(folder) as kept:
        since, until = keyring.create(folder, offline or folder / keyring.OFFLINE, now_s, chance)
        _note_certificate(kept, keyring.FIRST_SERIAL, spec.LIST_KEY, spec.ANY_REGION, until)
        first = {"clinic": intake.FIRST_CLINIC, "kind": codes.PLAIN.name, "most": intake.FIRST_QUOTA}
        kept.execute(insert(tables.quotas).values(first))
        store.note(kept, since, "init")


def certify_kiosk(
    folder: Path,
    public: bytes,
    region: int,
    now_s: int,
    days: int = 14,
    offline: Path | None = None,
    *,
    proxy: bool = False,
) -> tuple[int, bytes]:
    """(serial, certificate) for a kiosk's key, at most 14 days; needs the offline root key.

    proxy: it may take uploads of those who can't press, with codes for that.
    """
    kind = spec.PROXY_KIOSK_KEY if proxy else spec.KIOSK_KEY
    with store.opened(folder) as database:
        serial = _next_certificate(database)
        until_s = now_s + days * spec.DAY_S
        data = keyring.certify_kiosk(
            folder, offline or folder / keyring.OFFLINE, signed.Head(kind, region, serial), public, now_s, until_s
        )
        _note_certificate(database, serial, kind, region, until_s)
        store.note(database, now_s, "certify-kiosk" + ("-proxy" if proxy else ""))
    return serial, data


def change_list_key(folder: Path, now_s: int, offline: Path | None = None, chance: Chance = secrets.token_bytes) -> int:
    """A fresh list key with a higher serial: tokens that saw it take no list of the old one any more."""
    with store.opened(folder) as database:
        serial = _next_certificate(database)
        until = keyring.change_list_key(folder, offline or folder / keyring.OFFLINE, serial, now_s, chance)
        _note_certificate(database, serial, spec.LIST_KEY, spec.ANY_REGION, until)
        store.note(database, now_s, "change-list-key")
    return serial


def revoke(folder: Path, serial: int, now_s: int) -> None:
    """Revoke a kiosk's certificate; the next list says so. Refused if there is none, or too many are revoked."""
    known = tables.certificates
    with store.opened(folder) as database:
        row = database.execute(select(known).where(known.c.serial == serial)).first()
        if row is None or row.kind == spec.LIST_KEY:
            raise Refused("no kiosk has a certificate of that serial")
        if row.revoked_s is not None:
            raise Refused("that certificate is revoked already")
        if len(_revoked(database, now_s)) >= spec.REVOKED_MAX:
            raise Refused(f"a list names at most {spec.REVOKED_MAX} revoked certificates: change the root instead")
        database.execute(update(known).where(known.c.serial == serial).values(revoked_s=now_s))
        store.note(database, now_s, "revoke")


def publish(
    folder: Path, out: Path, issued_s: int, rule: rules.Rule = rules.DEFAULT, scheme: str = "bluezone", region: int = 0
) -> Published:
    """Write a new list of all records of the last 14 days to `out`, and beside it a short one for the holders of each
    of the seven lists before it. Serials and issue times only go up. Refused where staff release lists."""
    with store.opened(folder) as database:
        if staff.releases_lists(database):
            raise Refused("two persons of the staff have to agree on each release first")
        made = _make(database, folder, issued_s, rule, schemes.get(scheme).NUMBER, region)
    return _write(out, made)


def publish_release(folder: Path, out: Path, number: int, issued_s: int) -> Published:
    """The same for the proposal `number`, on which two persons agreed (tools.authority.releases); once only."""
    with store.opened(folder) as database:
        row = releases.take(database, number, issued_s)
        made = _make(database, folder, issued_s, rules.Rule(*unpack(row.rule)), row.scheme, row.region)
        releases.done(database, number, made[0].serial)
    return _write(out, made)


def _make(database: Connection, folder: Path, issued_s: int, rule: rules.Rule, scheme: int, region: int) -> list[_Made]:
    """The whole list and the short ones, signed; their serial is burned with the transaction."""
    certificate, key = keyring.list_key(folder, _list_key_serial(database))
    serial = _next_serial(database, scheme, issued_s)
    earlier = _earlier(database, scheme, region)
    end_slot = _mark(database, scheme, issued_s, rule, serial)
    made = []
    for base in (0, *earlier):
        records = _records(database, scheme, issued_s, end_slot, base)
        revoked = _revoked(database, issued_s)
        terms = lists.Terms(region, serial, issued_s, scheme, wire.pack_rule(rule), base, revoked)
        made.append(_Made(serial, base, len(records), _built(terms, records, certificate, key)))
    new = {"serial": serial, "scheme": scheme, "region": region, "issued_s": issued_s, "records": made[0].records}
    database.execute(insert(tables.lists).values(new))
    store.note(database, issued_s, "publish", made[0].records)
    return made


def _write(out: Path, made: list[_Made]) -> Published:
    paths = [out if not new.base else out.with_name(f"{out.stem}-since-{new.base}{out.suffix}") for new in made]
    for path, new in zip(paths, made, strict=True):
        write_whole(path, new.data)
    return Published(out, made[0].serial, made[0].records, tuple(paths[1:]))


def _built(terms: lists.Terms, records: list[bytes], certificate: bytes, key) -> bytes:
    try:
        return lists.build(terms, records, certificate, key)
    except keylist.ListError:
        raise Refused(f"{len(records)} records do not fit a token's flash") from None


def _next_certificate(database: Connection) -> int:
    return (database.scalar(select(func.max(tables.certificates.c.serial))) or 0) + 1


def _list_key_serial(database: Connection) -> int:
    known = tables.certificates.c
    return database.execute(select(func.max(known.serial)).where(known.kind == spec.LIST_KEY)).scalar_one()


def _note_certificate(database: Connection, serial: int, kind: int, region: int, until_s: int) -> None:
    values = {"serial": serial, "kind": kind, "region": region, "until_s": until_s}
    database.execute(insert(tables.certificates).values(values))


def _revoked(database: Connection, now_s: int) -> list[int]:
    """Revoked certificates that would still hold otherwise."""
    known = tables.certificates.c
    wanted = select(known.serial).where(known.revoked_s.is_not(None), known.until_s >= now_s).order_by(known.serial)
    return list(database.scalars(wanted))


def _next_serial(database: Connection, scheme: int, issued_s: int) -> int:
    known = tables.lists.c
    serial = database.scalar(select(func.max(known.serial))) or 0
    last_s = database.scalar(select(func.max(known.issued_s)).where(known.scheme == scheme)) or 0
    if issued_s < last_s:
        raise Refused("the last list was issued later than this one would be")
    return serial + 1


def _earlier(database: Connection, scheme: int, region: int) -> list[int]:
    known = tables.lists.c
    mine = select(known.serial).where(known.scheme == scheme, known.region == region)
    return list(database.scalars(mine.order_by(known.serial.desc()).limit(_DELTAS)))


def _mark(database: Connection, scheme: int, issued_s: int, rule: rules.Rule, serial: int) -> int:
    """Note in which list each record stood whole for the first time; return the slot at which records end."""
    end_slot = issued_s // schemes.get(scheme).SLOT_S - rule.tolerance
    known, of_scheme = tables.records.c, select(tables.uploads.c.id).where(tables.uploads.c.scheme == scheme)
    database.execute(
        update(tables.records)
        .where(known.listed.is_(None), known.first_slot + known["count"] <= end_slot, known.upload.in_(of_scheme))
        .values(listed=serial)
    )
    return end_slot


def _records(database: Connection, scheme: int, issued_s: int, end_slot: int, base: int) -> list[bytes]:
    """Packed records, in the order of their keys, which says nothing about who uploaded when."""
    oldest_slot = (issued_s - _RETENTION_S) // schemes.get(scheme).SLOT_S
    known = tables.records.c
    wanted = (
        select(known.key, known.first_slot, known.first_index, known["count"])
        .join(tables.uploads)
        .where(tables.uploads.c.scheme == scheme, known.first_slot < end_slot)
        .where(known.first_slot + known["count"] > oldest_slot, or_(known.listed.is_(None), known.listed > base))
        .order_by(known.key, known.first_slot)
    )
    rows = database.execute(wanted)
    return [keylist.pack_record(key, first, index, min(count, end_slot - first)) for key, first, index, count in rows]


__all__ = [
    "KeyFileError",
    "Published",
    "Refused",
    "Upload",
    "UploadError",
    "certify_kiosk",
    "change_list_key",
    "init",
    "publish",
    "publish_release",
    "revoke",
]
