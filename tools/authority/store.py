"""Owns the authority's database, from quotas and codes to lists and the audit. Knows no format and no rule."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE quotas (clinic INTEGER NOT NULL, kind TEXT NOT NULL, most INTEGER NOT NULL, PRIMARY KEY (clinic, kind));
CREATE TABLE codes (hash BLOB PRIMARY KEY, clinic INTEGER NOT NULL, kind TEXT NOT NULL, issued_s INTEGER NOT NULL,
                    expires_s INTEGER NOT NULL, upload INTEGER);
CREATE TABLE uploads (id INTEGER PRIMARY KEY, digest BLOB UNIQUE NOT NULL, scheme INTEGER NOT NULL, taken_s INTEGER);
CREATE TABLE records (upload INTEGER NOT NULL REFERENCES uploads, key BLOB NOT NULL, first_slot INTEGER NOT NULL,
                      first_index INTEGER NOT NULL, count INTEGER NOT NULL, listed INTEGER);
CREATE TABLE lists (serial INTEGER PRIMARY KEY, scheme INTEGER NOT NULL, region INTEGER NOT NULL,
                    issued_s INTEGER NOT NULL, records INTEGER NOT NULL);
CREATE TABLE certificates (serial INTEGER PRIMARY KEY, kind INTEGER NOT NULL, region INTEGER NOT NULL,
                           until_s INTEGER NOT NULL, revoked_s INTEGER);
CREATE TABLE audit (at_s INTEGER NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL);
PRAGMA user_version = 3;
"""
_VERSION = 3
_NAME = "authority.sqlite"


class Refused(Exception):
    """Understood, but not done; the text says why, without code or key."""


class StoreMissing(Exception):
    """The folder holds no authority, or one of another version."""


def create(folder: Path) -> None:
    """Make a new, empty database in `folder`; FileExistsError if there is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _NAME
    path.touch(mode=0o600, exist_ok=False)
    with sqlite3.connect(path) as database:
        database.executescript(_SCHEMA)
    database.close()


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database of `folder`, as one transaction: all of it is kept, or, after an exception, nothing."""
    path = folder / _NAME
    if not path.is_file():
        raise StoreMissing(f"{folder} holds no authority (emask authority init {folder})")
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            raise StoreMissing(f"{folder} was made by another version")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()


def note(database: sqlite3.Connection, at_s: int, what: str, count: int = 1) -> None:
    """One line of the audit log: when, what was done, how often. Never whose, nor with which code or key."""
    database.execute("INSERT INTO audit VALUES (?, ?, ?)", (at_s, what, count))


def audit(database: sqlite3.Connection) -> list[tuple[int, str, int]]:
    """The audit log, oldest first."""
    return database.execute("SELECT at_s, what, count FROM audit ORDER BY rowid").fetchall()
