"""Owns which records a list holds, the drafts of lists, and what comes of a draft that was signed. Knows no secret key.

A serial is burned when its list is drafted. A list counts as published when it came back signed, up to the root, and is
what was drafted. Times are UTC seconds and passed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from emask import certificate, keylist, signed, spec
from emask import scheme as schemes
from emask.rule import unpack
from tools import lists, signing, wire
from tools import rule as rules
from tools.authority import draft as drafts
from tools.authority import keyring, releases, store, tables, withdrawn
from tools.authority.draft import Draft, Listed
from tools.authority.store import Refused

_RETENTION_S = spec.INFECTIOUS_DAYS * spec.DAY_S
_DELTAS = 7  # lists before this one for whose holders a short one is made


def draft_release(folder: Path, number: int, issued_s: int) -> Draft:
    """The draft of the proposal `number`, on which two persons agreed (tools.authority.releases); once only."""
    with store.opened(folder) as database:
        row = releases.take(database, number, issued_s)
        made = draft(database, issued_s, rules.Rule(*unpack(row.rule)), row.scheme, row.region, row.kind)
        releases.done(database, number, made.lists[0].terms.serial)
        store.note(database, issued_s, "draft-release")
        return Draft(lists=made.lists, agreed=releases.agreed(database, number))


def draft_end(folder: Path, region: int, issued_s: int) -> Draft:
    """The draft of the list that ends the programme in a region: no records, and no other list comes after it there."""
    line, rule = _Line(spec.F0_LIST, schemes.get("bluezone").NUMBER), wire.pack_rule(rules.DEFAULT)
    with store.opened(folder) as database:
        serial = _next_serial(database, line, issued_s)
        revoked = tuple(revoked_serials(database, issued_s))
        made = [Listed(lists.Terms(region, serial, issued_s, line.scheme, rule, revoked=revoked, ends=True), ())]
        _note(database, made)
        store.note(database, issued_s, "draft-end")
    return Draft(lists=tuple(made))


def draft(
    database: Connection, issued_s: int, rule: rules.Rule, scheme: int, region: int, kind: int = spec.F0_LIST
) -> Draft:
    """The whole list of the last 14 days, and short ones for the holders of each of the seven published before it.

    Of contacts (F1) there is a whole one only: tokens keep no account of more.
    """
    if _is_over(database, region):
        raise Refused("the programme was ended in that region: tokens take no list there any more")
    line = _Line(kind, scheme)
    serial = _next_serial(database, line, issued_s)
    end_slot = _mark(database, line, issued_s, rule, serial)
    revoked = tuple(revoked_serials(database, issued_s))
    gone = withdrawn.names(database, kind, scheme, issued_s, serial)
    made = []
    for base in (0, *(_earlier(database, line, region) if kind == spec.F0_LIST else ())):
        terms = lists.Terms(region, serial, issued_s, scheme, wire.pack_rule(rule), base, revoked, gone, kind)
        made.append(Listed(terms, tuple(_records(database, line, issued_s, end_slot, base))))
    _note(database, made, contacts=kind == spec.F0_LIST and bool(rule.flags & rules.F1_TOO))
    return Draft(lists=tuple(made))


def _note(database: Connection, made: list[Listed], *, contacts: bool = False) -> None:
    terms, count = made[0].terms, len(made[0].records)
    new = {"serial": terms.serial, "scheme": terms.scheme, "region": terms.region, "issued_s": terms.issued_s}
    facts = {"records": count, "digest": _digest(made), "ends": terms.ends, "kind": terms.kind, "contacts": contacts}
    database.execute(insert(tables.lists).values(new | facts))


def _is_over(database: Connection, region: int) -> bool:
    known = tables.lists.c
    ended = select(known.serial).where(known.region == region, known.ends, known.published_s.is_not(None))
    return database.execute(ended).first() is not None


@dataclass(frozen=True)
class _Line:
    """Lists whose issue times only go up. Serials are shared by all."""

    kind: int
    scheme: int


def _digest(made: list[Listed]) -> bytes:
    try:
        return drafts.digest(made)
    except keylist.ListError:
        raise Refused(f"{len(made[0].records)} records do not fit a token's flash") from None


def accept(folder: Path, files: Iterable[bytes], now_s: int) -> list[int]:
    """Note as published what came back signed; the serials of the lists. May be repeated.

    Refused, and nothing noted, if any of it is not signed up to the root or not what was drafted here, all of it.
    """
    files = list(files)
    changes = [data for data in files if _is_root(data)]
    families: dict[int, list[lists.ListFile]] = {}
    with store.opened(folder) as database:
        root = _changed_root(folder, database, changes) if changes else keyring.root_public(folder)
        for data in files:
            if data in changes:
                continue
            if len(data) < lists.SMALLEST_BYTES:
                _check_certificate(database, root, data)
                continue
            try:
                taken = lists.parse(data, root)
            except lists.ListFileError as error:
                raise Refused(f"a list is not signed by this authority's keys, or is damaged: {error}") from None
            families.setdefault(taken.serial, []).append(taken)
        for serial, found in families.items():
            _publish(database, serial, found, now_s)
        for change in changes:  # last: until then nothing here believes it
            keyring.take_root(folder, change)
    return sorted(families)


def _is_root(data: bytes) -> bool:
    try:
        return certificate.unpack(data).kind == spec.ROOT_KEY
    except signed.SignedError:
        return False


def _changed_root(folder: Path, database: Connection, changes: list[bytes]) -> bytes:
    """The new root, of the one change that came; Refused if the recovery key does not vouch for it, or it is old."""
    try:
        (facts,) = [signing.check_root(data, keyring.recovery_public(folder)) for data in changes]
    except (signed.SignedError, ValueError):
        raise Refused("the change of the root is not signed by this authority's recovery key, or not alone") from None
    _check_asked(database, facts)
    if facts.serial < keyring.root_serial(folder):
        raise Refused(f"root {keyring.root_serial(folder)} counts here already, and serials only go up")
    return facts.key


def _check_certificate(database: Connection, root: bytes, data: bytes) -> None:
    try:
        facts = certificate.unpack(data)
        signing.check(data, root)
    except signed.SignedError as error:
        raise Refused(f"a certificate is not signed by this authority's root: {error}") from None
    _check_asked(database, facts)


def _check_asked(database: Connection, facts: certificate.Certificate) -> None:
    known = tables.certificates.c
    wanted = (known.serial == facts.serial, known.kind == facts.kind, known.region == facts.region)
    if not database.execute(select(known.serial).where(*wanted, known.until_s == facts.until_s)).first():
        raise Refused(f"certificate {facts.serial} was not asked for here")


def _publish(database: Connection, serial: int, found: list[lists.ListFile], now_s: int) -> None:
    known = tables.lists.c
    row = database.execute(select(tables.lists).where(known.serial == serial)).first()
    if row is None or row.digest != drafts.digest_of_signed(found):
        raise Refused(f"list {serial} is not what was drafted here, or not all of it")
    if row.published_s is None:
        database.execute(update(tables.lists).where(known.serial == serial).values(published_s=now_s))
        store.note(database, now_s, "end" if row.ends else "publish", row.records)


def revoked_serials(database: Connection, now_s: int) -> list[int]:
    """Revoked certificates that would still hold otherwise."""
    known = tables.certificates.c
    wanted = select(known.serial).where(known.revoked_s.is_not(None), known.until_s >= now_s).order_by(known.serial)
    return list(database.scalars(wanted))


def _next_serial(database: Connection, line: _Line, issued_s: int) -> int:
    known = tables.lists.c
    serial = database.scalar(select(func.max(known.serial))) or 0
    mine = (known.scheme == line.scheme, known.kind == line.kind)
    last_s = database.scalar(select(func.max(known.issued_s)).where(*mine)) or 0
    if issued_s < last_s:
        raise Refused("the last list was issued later than this one would be")
    return serial + 1


def _earlier(database: Connection, line: _Line, region: int) -> list[int]:
    known = tables.lists.c
    mine = (known.scheme == line.scheme, known.kind == line.kind, known.region == region)
    published = select(known.serial).where(*mine, known.published_s.is_not(None))
    return list(database.scalars(published.order_by(known.serial.desc()).limit(_DELTAS)))


def _of(line: _Line, issued_s: int) -> tuple[ColumnElement[bool], ...]:
    """The uploads whose records may stand on such a list."""
    known = tables.uploads.c
    stands = or_(known.until_s.is_(None), known.until_s > issued_s), known.withdrawn_s.is_(None)
    return known.scheme == line.scheme, known.kind == line.kind, *stands


def _mark(database: Connection, line: _Line, issued_s: int, rule: rules.Rule, serial: int) -> int:
    """Note in which list each record stood whole for the first time; return the slot at which records end."""
    end_slot = issued_s // schemes.get(line.scheme).SLOT_S - rule.tolerance
    known, of_line = tables.records.c, select(tables.uploads.c.id).where(*_of(line, issued_s))
    database.execute(
        update(tables.records)
        .where(known.listed.is_(None), known.first_slot + known["count"] <= end_slot, known.upload.in_(of_line))
        .values(listed=serial)
    )
    return end_slot


def _records(database: Connection, line: _Line, issued_s: int, end_slot: int, base: int) -> list[bytes]:
    """Packed records, in the order of their keys, which says nothing about who uploaded when."""
    oldest_slot = (issued_s - _RETENTION_S) // schemes.get(line.scheme).SLOT_S
    known = tables.records.c
    wanted = (
        select(known.key, known.first_slot, known.first_index, known["count"], known.mark)
        .join(tables.uploads)
        .where(*_of(line, issued_s), known.first_slot < end_slot)
        .where(known.first_slot + known["count"] > oldest_slot, or_(known.listed.is_(None), known.listed > base))
        .order_by(known.key, known.first_slot)
    )
    rows = database.execute(wanted)
    return [
        keylist.pack_record(key, first, index, min(count, end_slot - first), mark)
        for key, first, index, count, mark in rows
    ]
