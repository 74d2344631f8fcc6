"""Owns the authority's database: where it is, its transactions, its audit log. Knows no table but the audit's.

SQLite in DIR/authority.sqlite, or what DIR/database.url names. One transaction writes at a time, on either: quotas and
serials are read and used in the same breath.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, event, insert, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from tools.authority import tables
from tools.files import write_whole

_FILE = "authority.sqlite"
_ELSEWHERE = "database.url"
_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_WAIT_S = 30
_VERSION = text("SELECT version_num FROM alembic_version")  # Alembic's own way to ask takes ten times as long
_SET_VERSION = text("UPDATE alembic_version SET version_num = :version")
_CLOSED = "moved-"  # before the version of a file that is being moved to a server
_ONE_WRITER = 0x656D61736B  # the key of PostgreSQL's advisory lock


class Refused(Exception):
    """Understood, but not done; the text says why, without code or key."""


class StoreMissing(Exception):
    """The folder holds no authority, or one of another version; or its database does not answer."""


def create(folder: Path, url: str | None = None) -> None:
    """Make a new authority's tables, in `folder` or in the empty database `url`; FileExistsError if there is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / _FILE).exists() or (folder / _ELSEWHERE).exists():
        raise FileExistsError(folder)
    if url is None:
        (folder / _FILE).touch(mode=0o600, exist_ok=False)
    else:
        check_empty(url)
        go(folder, url)
    migrate(folder)


def check_empty(url: str) -> None:
    """StoreMissing if that is no PostgreSQL database that can be used, or there is something in it."""
    if not url.startswith("postgresql+psycopg://"):
        raise StoreMissing("the database can't be used: postgresql+psycopg://USER:PASSWORD@HOST/NAME is wanted")
    try:
        with _server(url).connect() as database:
            empty = is_empty(database)
    except (DBAPIError, ArgumentError, NoSuchModuleError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreMissing(f"the database can't be used: {str(cause).splitlines()[0]}") from None
    if not empty:
        raise StoreMissing("that database is not empty")


def is_empty(database: Connection) -> bool:
    """Whether it has no table."""
    return not sqlalchemy.inspect(database).get_table_names()


def migrate(folder: Path) -> None:
    """Bring the database to this version's form, whole or not at all."""
    with _engine(folder).begin() as database:
        _check_open(folder, database)
        upgrade(database)


def upgrade(database: Connection) -> None:
    """The same in a transaction of the caller's."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = database
    command.upgrade(config, "head")


def check(folder: Path) -> None:
    """StoreMissing if the folder holds no authority of this version."""
    with reading(folder):
        pass


@contextmanager
def opened(folder: Path) -> Iterator[Connection]:
    """The database, as one transaction: all of it is kept, or, after an exception, nothing. One at a time."""
    with _engine(folder).begin() as database:
        if database.dialect.name == "postgresql":
            database.execute(select(sqlalchemy.func.pg_advisory_xact_lock(_ONE_WRITER)))
        _check_version(folder, database)
        yield database


@contextmanager
def reading(folder: Path) -> Iterator[Connection]:
    """The database for reading, as of one moment, beside whoever writes."""
    with _engine(folder).connect().execution_options(emask_reads=True) as database:
        _check_version(folder, database)
        yield database


def is_elsewhere(folder: Path) -> bool:
    """Whether a server holds the authority, not a file in the folder."""
    return (folder / _ELSEWHERE).is_file()


def is_closed(folder: Path) -> bool:
    """Whether the file was shut for a move that has not ended; StoreMissing if that was by another version."""
    with last_look(folder) as database:
        version = _version(database)
    if version.startswith(_CLOSED) and version != f"{_CLOSED}{_head()}":
        raise StoreMissing(f"{folder} was being moved by another version, which has to end it")
    return version.startswith(_CLOSED)


def shut(folder: Path, now_s: int) -> None:
    """From now on every writer and reader of the file is refused, until it is opened again or is elsewhere."""
    with opened(folder) as database:
        note(database, now_s, "move")
        database.execute(_SET_VERSION, {"version": f"{_CLOSED}{_head()}"})


def open_again(folder: Path) -> None:
    """The move came to nothing: the file counts as before."""
    with _engine(folder).begin() as database:
        database.execute(_SET_VERSION, {"version": _head()})


@contextmanager
def last_look(folder: Path) -> Iterator[Connection]:
    """The database for reading, even if the file is shut."""
    with _engine(folder).connect().execution_options(emask_reads=True) as database:
        yield database


@contextmanager
def fresh(url: str) -> Iterator[Connection]:
    """A database of no folder yet, as one transaction. One at a time."""
    with _server(url).begin() as database:
        database.execute(select(sqlalchemy.func.pg_advisory_xact_lock(_ONE_WRITER)))
        yield database


def go(folder: Path, url: str) -> None:
    """From now on the database `url` is the folder's."""
    write_whole(folder / _ELSEWHERE, url.encode() + b"\n", 0o600)


def drop_file(folder: Path) -> None:
    """Delete what a move has left."""
    if is_elsewhere(folder):
        for ending in ("", "-wal", "-shm"):
            (folder / (_FILE + ending)).unlink(missing_ok=True)


def close(folder: Path) -> None:
    """Give up idle connections, so that the database may be moved, copied or dropped."""
    _engine(folder).dispose()


def note(database: Connection, at_s: int, what: str, count: int = 1) -> None:
    """One line of the audit log: when, what was done, how often. Never whose, nor with which code or key."""
    database.execute(insert(tables.audit).values(at_s=at_s, what=what, count=count))


def audit(database: Connection, most: int | None = None) -> list[tuple[int, str, int]]:
    """The audit log, oldest first; only its newest lines if `most` is given."""
    kept = tables.audit.c
    wanted = select(kept.at_s, kept.what, kept["count"]).order_by(kept.id.desc()).limit(most)
    return [(at_s, what, count) for at_s, what, count in database.execute(wanted)][::-1]


def _check_version(folder: Path, database: Connection) -> None:
    if database.scalar(_VERSION) != _head():
        _check_open(folder, database)
        raise StoreMissing(f"{folder} was made by another version (emask authority migrate {folder})")


def _version(database: Connection) -> str:
    return database.scalar(_VERSION) or ""


def _check_open(folder: Path, database: Connection) -> None:
    known = sqlalchemy.inspect(database).has_table("alembic_version")
    if known and _version(database).startswith(_CLOSED):
        raise StoreMissing(f"{folder} is being moved to another database (emask authority move {folder} goes on)")


@functools.cache
def _head() -> str | None:
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def _engine(folder: Path) -> Engine:
    if (folder / _ELSEWHERE).is_file():
        return _server((folder / _ELSEWHERE).read_text(encoding="utf-8").strip())
    path = folder / _FILE
    if not path.is_file():
        raise StoreMissing(f"{folder} holds no authority (emask authority init {folder})")
    return _file(str(path.resolve()))


@functools.lru_cache(maxsize=8)
def _server(url: str) -> Engine:
    return sqlalchemy.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": _WAIT_S})


@functools.lru_cache(maxsize=8)
def _file(path: str) -> Engine:
    url = URL.create("sqlite", database=path)
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": _WAIT_S}, poolclass=sqlalchemy.NullPool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(raw, record) -> None:
    raw.isolation_level = None  # the driver begins nothing by itself
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA secure_delete = ON")


def _begin(database: Connection) -> None:
    reads = database.get_execution_options().get("emask_reads")
    database.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
