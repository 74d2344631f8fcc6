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
        _check_empty(url)
        write_whole(folder / _ELSEWHERE, url.encode() + b"\n", 0o600)
    migrate(folder)


def _check_empty(url: str) -> None:
    try:
        with _server(url).connect() as database:
            found = sqlalchemy.inspect(database).get_table_names()
    except (DBAPIError, ArgumentError, NoSuchModuleError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreMissing(f"the database can't be used: {str(cause).splitlines()[0]}") from None
    if found:
        raise StoreMissing("that database is not empty")


def migrate(folder: Path) -> None:
    """Bring the database to this version's form, whole or not at all."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with _engine(folder).begin() as database:
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
        raise StoreMissing(f"{folder} was made by another version (emask authority migrate {folder})")


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
