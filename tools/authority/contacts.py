"""Owns what a warned contact (F1) has to show for its keys to be taken, and how many such uploads are. Prints nothing.

Nothing is taken until somebody sets a cap, and a list that was signed and published allowed it. Depth one: only a
record of the ill can have warned. Times are UTC seconds and passed in.
"""

from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select

from emask import scheme as schemes
from emask import spec
from tools import codes
from tools.authority import resting, store
from tools.authority.store import Refused
from tools.authority.tables import lists, quotas, records, uploads
from tools.authority.upload import Claim, Upload, UploadError

CAP_S = 14 * spec.DAY_S
EVERYBODY = 0  # the number of no clinic
_STANDS_DAYS = 14  # after the contact's day, as an alert does


def set_cap(folder: Path, most: int, now_s: int) -> None:
    """All clinics together: at most so many uploads of contacts are taken in any 14 days."""
    with store.opened(folder) as database:
        database.execute(delete(quotas).where(quotas.c.clinic == EVERYBODY, quotas.c.kind == codes.F1.name))
        database.execute(insert(quotas).values(clinic=EVERYBODY, kind=codes.F1.name, most=most))
        store.note(database, now_s, "set-cap-f1", most)


def check(database: Connection, upload: Upload, now_s: int) -> dict:
    """What to keep: its kind, until when its records may stand, a note of what it rests on. Refused, UploadError."""
    claim = upload.claim
    if claim is None:
        raise UploadError("an upload of a contact that names no record")
    day = _day_met(claim, upload.scheme)
    until_s = (day + 1 + _STANDS_DAYS) * spec.DAY_S
    if now_s >= until_s:
        raise UploadError("the contact was too long ago")
    _check_own(upload, claim, (day + 1) * spec.DAY_S)
    to = _check_listed(database, claim, upload.scheme, now_s)
    if _taken(database, now_s) >= _cap(database):
        raise Refused("no more uploads of contacts are taken now")
    return {"kind": spec.F1_LIST, "until_s": until_s, "rests_on": resting.sealed(to, claim.record.key)}


def _day_met(claim: Claim, number: int) -> int:
    """The UTC day of the meetings, whose IDs are the record's in those slots."""
    scheme, record = schemes.get(number), claim.record
    slots = [slot for slot, _ in claim.met]
    if not slots or len(set(slots)) != len(slots):
        raise UploadError("a contact that met nobody, or twice in one slot")
    for slot, ident in claim.met:
        if not record.first_slot <= slot < record.first_slot + record.count:
            raise UploadError("a contact met the record outside its slots")
        chain = scheme.Chain(record.key[: scheme.KEY_BYTES], record.first_slot, record.first_index)
        chain.skip(slot - record.first_slot)
        if chain.id().ljust(len(ident), b"\0") != ident:
            raise UploadError("an ID is not the record's in that slot")
    days = {slot * scheme.SLOT_S // spec.DAY_S for slot in slots}
    if len(days) > 1:
        raise UploadError("a contact met the record on more days than one")
    return days.pop()


def _check_own(upload: Upload, claim: Claim, since_s: int) -> None:
    slot_s = schemes.get(upload.scheme).SLOT_S
    if any(own.first_slot * slot_s < since_s for own in upload.records):
        raise UploadError("a contact's keys begin on the day after the contact")
    if any(own.key == claim.record.key for own in upload.records):
        raise UploadError("a contact can't have met itself")


def _check_listed(database: Connection, claim: Claim, number: int, now_s: int) -> bytes | None:
    """The link of the upload that gave the record.

    UploadError unless a list that was published, and allowed this, held it, or more of it.
    """
    known, record = records.c, claim.record
    wanted = (
        select(uploads.c.link)
        .join(records)
        .join(lists, (lists.c.serial >= known.listed) & (lists.c.scheme == uploads.c.scheme))
        .where(uploads.c.kind == spec.F0_LIST, uploads.c.scheme == number, uploads.c.withdrawn_s.is_(None))
        .where(lists.c.kind == spec.F0_LIST, lists.c.published_s <= now_s, lists.c.contacts)
        .where(known.key == record.key, known.first_slot == record.first_slot)
        .where(known.first_index == record.first_index, known["count"] >= record.count)
    )
    found = database.execute(wanted.limit(1)).first()
    if found is None:
        raise UploadError("no list that allows it held that record")
    return found.link


def _taken(database: Connection, now_s: int) -> int:
    known = uploads.c
    mine = (known.kind == spec.F1_LIST, known.taken_s > now_s - CAP_S)
    return database.execute(select(func.count()).select_from(uploads).where(*mine)).scalar_one()


def _cap(database: Connection) -> int:
    mine = (quotas.c.clinic == EVERYBODY, quotas.c.kind == codes.F1.name)
    return database.scalar(select(quotas.c.most).where(*mine)) or 0
