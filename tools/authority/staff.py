"""Owns who of the authority's staff may do what: accounts, roles, sessions. Knows no web and no upload.

Passwords are kept as argon2id hashes, session tokens as SHA-256. Times are UTC seconds and passed in.
"""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, delete, insert, select, update

from tools.authority import store
from tools.authority.store import Refused
from tools.authority.tables import sessions, staff

CLINIC, RELEASE, ADMIN = "clinic", "release", "admin"
ROLES = (CLINIC, RELEASE, ADMIN)
SESSION_S = 8 * 3_600
_SHORTEST_PASSWORD = 12
_FREE_TRIES = 4
_LONGEST_WAIT_S = 3_600
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex())  # a name that is unknown takes as long as one that is


@dataclass(frozen=True)
class Person:
    """Who is logged in. clinic: the number of the clinic for which codes may be asked; 0: none."""

    id: int
    name: str
    role: str
    clinic: int


def add(folder: Path, name: str, role: str, password: str, now_s: int, clinic: int = 0) -> None:
    """A new account. Refused if the name is taken, the password short, or a clinic's person has no clinic."""
    if role not in ROLES:
        raise Refused(f"a role is one of {', '.join(ROLES)}")
    if (role == CLINIC) != bool(clinic):
        raise Refused("a person of a clinic needs the clinic's number, and nobody else has one")
    hashed = _hashed(password)
    with store.opened(folder) as database:
        if database.execute(select(staff.c.id).where(staff.c.name == name)).first():
            raise Refused("that name is taken")
        database.execute(insert(staff).values(_new(name, role, clinic, hashed)))
        store.note(database, now_s, "add-staff")


def set_password(folder: Path, name: str, password: str, now_s: int) -> None:
    """A new password; whoever is logged in under the name is logged out."""
    hashed = _hashed(password)
    with store.opened(folder) as database:
        number = _known(database, name)
        values = {"password": hashed, "failures": 0, "locked_until_s": 0}
        database.execute(update(staff).where(staff.c.id == number).values(values))
        database.execute(delete(sessions).where(sessions.c.staff == number))
        store.note(database, now_s, "set-password")


def disable(folder: Path, name: str, now_s: int) -> None:
    """The account stays, so that releases keep their two names, and nobody can log in to it."""
    with store.opened(folder) as database:
        number = _known(database, name)
        database.execute(update(staff).where(staff.c.id == number).values(disabled=True))
        database.execute(delete(sessions).where(sessions.c.staff == number))
        store.note(database, now_s, "disable-staff")


def log_in(folder: Path, name: str, password: str, now_s: int) -> str:
    """A token for the next eight hours. Refused, in the same words and time, if name or password is wrong."""
    with store.opened(folder) as database:
        row = database.execute(select(staff).where(staff.c.name == name)).first()
        if row is not None and now_s < row.locked_until_s:
            raise Refused("too many wrong passwords: wait an hour at most, or ask an administrator")
        if _fits(row.password if row else _NOBODY, password) and row is not None and not row.disabled:
            return _session(database, row.id, now_s)
        if row is not None:
            _count_failure(database, row, now_s)
    raise Refused("name or password is wrong")


def who(folder: Path, token: str, now_s: int) -> Person | None:
    """The person of a token; None if it does not hold."""
    wanted = (
        select(staff)
        .join(sessions, sessions.c.staff == staff.c.id)
        .where(sessions.c.token == _digest(token), sessions.c.until_s > now_s, ~staff.c.disabled)
    )
    with store.reading(folder) as database:
        row = database.execute(wanted).first()
    return Person(row.id, row.name, row.role, row.clinic) if row else None


def log_out(folder: Path, token: str) -> None:
    with store.opened(folder) as database:
        database.execute(delete(sessions).where(sessions.c.token == _digest(token)))


def _new(name: str, role: str, clinic: int, hashed: str) -> dict:
    free = {"failures": 0, "locked_until_s": 0, "disabled": False}
    return {"name": name, "role": role, "clinic": clinic, "password": hashed} | free


def releases_lists(database: Connection) -> bool:
    """Whether there is staff that releases lists."""
    return database.execute(select(staff.c.id).where(staff.c.role == RELEASE)).first() is not None


def _session(database: Connection, number: int, now_s: int) -> str:
    token = secrets.token_urlsafe(32)
    database.execute(delete(sessions).where(sessions.c.until_s <= now_s))
    database.execute(insert(sessions).values(token=_digest(token), staff=number, until_s=now_s + SESSION_S))
    database.execute(update(staff).where(staff.c.id == number).values(failures=0, locked_until_s=0))
    return token


def _count_failure(database: Connection, row, now_s: int) -> None:
    failures = row.failures + 1
    wait_s = min(_LONGEST_WAIT_S, 15 << min(failures - _FREE_TRIES - 1, 10)) if failures > _FREE_TRIES else 0
    values = {"failures": failures, "locked_until_s": now_s + wait_s}
    database.execute(update(staff).where(staff.c.id == row.id).values(values))


def _known(database: Connection, name: str) -> int:
    row = database.execute(select(staff.c.id).where(staff.c.name == name)).first()
    if row is None:
        raise Refused("nobody has that name")
    return row.id


def _hashed(password: str) -> str:
    if len(password) < _SHORTEST_PASSWORD:
        raise Refused(f"a password has at least {_SHORTEST_PASSWORD} signs")
    return _HASHER.hash(password)


def _fits(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
