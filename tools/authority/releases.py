"""Owns the two persons that a release of a list needs: who proposed it, who agreed, what came of it. Knows no key.

Times are UTC seconds and passed in.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Select, insert, select, update

from emask import scheme as schemes
from emask.rule import unpack
from emask.spec import F0_LIST, RULE_F1
from tools.authority import store
from tools.authority.staff import Person
from tools.authority.store import Refused
from tools.authority.tables import lists, releases, staff
from tools.lists import KINDS

GOOD_S = 24 * 3_600  # a proposal that nobody agreed to in this time is void, and so is an agreement not made use of
_SHOWN = 20


@dataclass(frozen=True)
class Release:
    """One proposal. state: proposed, approved, void, or drafted and then published under `serial`.

    kind: f0 or f1; contacts: whom the list warns may give their own keys to the list f1.
    """

    id: int
    kind: str
    contacts: bool
    region: int
    scheme: str
    proposed_s: int
    proposed_by: str
    approved_by: str
    serial: int
    state: str


def propose(folder: Path, person: Person, region: int, scheme: str, rule: bytes, now_s: int, kind: str = "f0") -> int:
    """The number of a new proposal. `rule` as it is signed (SPEC 5.1)."""
    try:
        unpack(rule)
        number = schemes.get(scheme).NUMBER
    except ValueError as error:
        raise Refused(str(error)) from None
    values = {"region": region, "scheme": number, "rule": rule, "proposed_s": now_s, "proposed_by": person.id}
    values |= {"kind": KINDS[kind]}
    with store.opened(folder) as database:
        made = database.execute(insert(releases).values(values)).inserted_primary_key
        store.note(database, now_s, "propose-release")
    assert made is not None
    return made[0]


def approve(folder: Path, person: Person, number: int, now_s: int) -> None:
    """Agree to another person's proposal; Refused if it is one's own, void, or agreed to already."""
    with store.opened(folder) as database:
        row = database.execute(select(releases).where(releases.c.id == number)).first()
        if row is None:
            raise Refused("there is no such proposal")
        if row.proposed_by == person.id:
            raise Refused("a second person has to agree")
        if row.approved_by is not None:
            raise Refused("that proposal has been agreed to already")
        if now_s > row.proposed_s + GOOD_S:
            raise Refused("that proposal is older than a day: propose it again")
        values = {"approved_s": now_s, "approved_by": person.id}
        database.execute(update(releases).where(releases.c.id == number).values(values))
        store.note(database, now_s, "approve-release")


def take(database: Connection, number: int, now_s: int):
    """The row of a release that two persons agreed on, to be drafted now; Refused if it can't be."""
    row = database.execute(select(releases).where(releases.c.id == number)).first()
    if row is None or row.approved_by is None:
        raise Refused("two persons have to agree on that release first")
    if row.serial is not None:
        raise Refused(f"that release has become list {row.serial}")
    if now_s > row.approved_s + GOOD_S:
        raise Refused("that release was agreed on more than a day ago: propose it again")
    return row


def done(database: Connection, number: int, serial: int) -> None:
    database.execute(update(releases).where(releases.c.id == number).values(serial=serial))


def agreed(database: Connection, number: int) -> tuple[str, ...]:
    """The names of the two who agreed."""
    row = database.execute(_named().where(releases.c.id == number)).one()
    return row.first, row.second


def newest(folder: Path, now_s: int) -> list[Release]:
    """The last proposals, newest first."""
    with store.reading(folder) as database:
        rows = database.execute(_named().order_by(releases.c.id.desc()).limit(_SHOWN))
        return [_release(row, now_s) for row in rows]


def _named() -> Select:
    """Releases with the names of their two persons, and when their list was published."""
    first, second = staff.alias(), staff.alias()
    return (
        select(releases, first.c.name.label("first"), second.c.name.label("second"), lists.c.published_s)
        .join(first, first.c.id == releases.c.proposed_by)
        .outerjoin(second, second.c.id == releases.c.approved_by)
        .outerjoin(lists, lists.c.serial == releases.c.serial)
    )


def _release(row, now_s: int) -> Release:
    since_s = row.proposed_s if row.approved_s is None else row.approved_s
    state = "proposed" if row.approved_s is None else "approved"
    if row.serial is not None:
        state = "drafted" if row.published_s is None else "published"
    elif now_s > since_s + GOOD_S:
        state = "void"
    scheme = schemes.get(row.scheme).NAME
    kind = next(name for name, known in KINDS.items() if known == row.kind)
    contacts = row.kind == F0_LIST and bool(unpack(row.rule)[-1] & RULE_F1)
    return Release(
        row.id, kind, contacts, row.region, scheme, row.proposed_s, row.first, row.second or "", row.serial or 0, state
    )
