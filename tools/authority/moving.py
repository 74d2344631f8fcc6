"""Owns the move of an authority from its file to a PostgreSQL server: every row once, or nothing. Prints nothing.

The file is closed first: whoever would write is refused, also by a service that runs. Then it is copied in one
transaction, compared, and last of all the folder names the server, which counts from then on. What fails opens the file
again; what is killed leaves it closed, and the same call goes on. Times are UTC seconds and passed in.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select

from tools.authority import store, tables
from tools.authority.store import Refused, StoreMissing

_ROWS = 500  # copied at once
_SUM = 2**256

Tell = Callable[[str, int], None]


def move(folder: Path, url: str, now_s: int, tell: Tell = lambda table, rows: None) -> int:
    """Move the authority in `folder` to the empty database `url`; how many rows. tell: rows of which table are there.

    Refused if it is on a server already; StoreMissing if the database can't be used, or is neither empty nor a copy
    that an earlier call made. The file stays, unused; `retention.forget` deletes it after its days.
    """
    if store.is_elsewhere(folder):
        raise Refused("this authority is in a database elsewhere already")
    if not store.is_closed(folder):
        store.check(folder)
        store.check_empty(url)
        store.shut(folder, now_s)
    try:
        with store.last_look(folder) as old, store.fresh(url) as new:
            if store.is_empty(new):
                _copy(old, new, tell)
            rows = _compare(old, new)
        store.go(folder, url)
    except BaseException:
        if not store.is_elsewhere(folder):
            store.open_again(folder)
        raise
    return rows


def _copy(old: Connection, new: Connection, tell: Tell) -> None:
    store.upgrade(new)
    for table in tables.metadata.sorted_tables:
        done = 0
        for part in old.execute(select(table)).partitions(_ROWS):
            new.execute(insert(table), [dict(row._mapping) for row in part])
            done += len(part)
            tell(table.name, done)
        _count_on(new, table)


def _count_on(new: Connection, table: Table) -> None:
    """The next row's number comes after those that were copied."""
    column = table.autoincrement_column
    if column is not None:
        newest = select(func.max(column)).scalar_subquery()
        if new.scalar(select(newest)):
            new.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), newest)))


def _compare(old: Connection, new: Connection) -> int:
    """The number of rows, which are the same on both sides; StoreMissing if they are not."""
    rows = 0
    for table in tables.metadata.sorted_tables:
        count, total = _sum(old, table)
        if (count, total) != _sum(new, table):
            raise StoreMissing("that database is not empty, and holds something else than this authority")
        rows += count
    return rows


def _sum(database: Connection, table: Table) -> tuple[int, int]:
    """Number of rows, and a sum of their hashes, which no order changes."""
    count = total = 0
    for row in database.execute(select(table)):
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest(), "big")
    return count, total % _SUM
