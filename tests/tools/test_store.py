"""Facts about the authority's database, on SQLite and on a real PostgreSQL: transactions, one writer, versions."""

import sqlite3
import stat
import threading

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import func, select, text

from tests.tools.intake_files import upload
from tests.tools.postgres import cluster, new_cluster
from tools import ROOT, codes
from tools.authority import core, intake, store, tables
from tools.cli import main

__all__ = ["cluster"]
NOW_S = 1_700_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(request, tmp_path):
    url = request.getfixturevalue("cluster").new() if request.param == "postgresql" else None
    core.init(tmp_path / "authority", NOW_S, database=url)
    yield tmp_path / "authority"
    store.close(tmp_path / "authority")


def counted(folder, table):
    with store.reading(folder) as database:
        return database.execute(select(func.count()).select_from(table)).scalar_one()


def test_upload_goes_from_code_to_list(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    path = upload(folder, tmp_path / "a", code)
    assert [intake.ingest(folder, path, NOW_S) for _ in range(2)] == [1, 0]
    first = core.publish(folder, tmp_path / "list.eml", NOW_S)
    second = core.publish(folder, tmp_path / "list.eml", NOW_S + 900)
    assert (first.serial, first.records, second.serial, len(second.deltas)) == (1, 1, 2, 1)
    with store.reading(folder) as database:
        whats = [what for _, what, _ in store.audit(database)]
    assert whats == ["init", "issue-codes", "ingest", "publish", "publish"]


def test_what_fails_half_way_leaves_nothing(folder):
    with pytest.raises(ZeroDivisionError), store.opened(folder) as database:
        store.note(database, NOW_S, "never")
        raise ZeroDivisionError
    assert counted(folder, tables.audit) == 1


def test_quota_holds_when_many_ask_at_once(folder):
    intake.set_quota(folder, 7, codes.PLAIN, 20, NOW_S)
    given, refused = [], []

    def ask():
        for _ in range(5):
            try:
                given.extend(intake.issue_codes(folder, 3, NOW_S, clinic=7))
            except core.Refused:
                refused.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(set(given)), len(refused)) == (18, 14)
    assert counted(folder, tables.codes) == 18


def test_one_upload_that_comes_twice_at_once_counts_once(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    path = upload(folder, tmp_path / "a", code)
    results = []
    threads = [threading.Thread(target=lambda: results.append(intake.ingest(folder, path, NOW_S))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [0, 0, 0, 1] and counted(folder, tables.records) == 1


def test_migrated_database_has_the_form_that_the_programs_expect(folder):
    with store.reading(folder) as database:
        context = MigrationContext.configure(database, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_lists_from_before_drafts_count_as_published():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "tools" / "authority" / "migrations"))
    with sqlalchemy.create_engine("sqlite://").begin() as database:
        config.attributes["connection"] = database
        command.upgrade(config, "0002")
        database.execute(text("INSERT INTO lists VALUES (7, 1, 0, :at, 3)"), {"at": NOW_S})
        command.upgrade(config, "0003")
        assert database.execute(text("SELECT serial, published_s, digest FROM lists")).all() == [(7, NOW_S, None)]


def test_database_of_another_version_is_refused_until_it_is_migrated(folder):
    with store.opened(folder) as database:
        database.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(store.StoreMissing, match="another version"):
        intake.issue_codes(folder, 1, NOW_S)
    assert CliRunner().invoke(main, ["authority", "issue-codes", str(folder)]).exit_code == 2


def test_database_that_is_not_empty_is_refused(cluster, tmp_path):
    url = cluster.new()
    core.init(tmp_path / "one", NOW_S, database=url)
    store.close(tmp_path / "one")
    with pytest.raises(store.StoreMissing, match="not empty"):
        core.init(tmp_path / "two", NOW_S, database=url)
    assert not (tmp_path / "two" / "database.url").exists()


def test_server_that_is_away_is_told_in_words_and_without_its_address(tmp_path):
    url = "postgresql+psycopg://emask:SECRET@127.0.0.1:9/none"
    done = CliRunner().invoke(main, ["authority", "init", str(tmp_path / "a")], env={"EMASK_DATABASE": url})
    assert done.exit_code == 2 and "the database can't be used" in done.output and "SECRET" not in done.output
    assert CliRunner().invoke(main, ["authority", "init", str(tmp_path / "a"), "--database", "x"]).exit_code == 2


def test_address_of_the_database_is_for_its_owner_only(cluster, tmp_path):
    core.init(tmp_path / "a", NOW_S, database=cluster.new())
    assert stat.S_IMODE((tmp_path / "a" / "database.url").stat().st_mode) == 0o600
    store.close(tmp_path / "a")


def test_server_that_was_killed_and_came_back_is_used_again(tmp_path):
    own = new_cluster()
    try:
        core.init(tmp_path / "a", NOW_S, database=own.new())
        (code,) = intake.issue_codes(tmp_path / "a", 1, NOW_S)
        own.kill()
        with pytest.raises(sqlalchemy.exc.OperationalError):
            intake.issue_codes(tmp_path / "a", 1, NOW_S)
        own.start()
        assert intake.ingest(tmp_path / "a", upload(tmp_path / "a", tmp_path / "u", code), NOW_S) == 1
    finally:
        store.close(tmp_path / "a")
        own.close()


def test_what_was_deleted_can_not_be_read_in_the_file(tmp_path):
    folder = tmp_path / "a"
    core.init(folder, NOW_S)
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    key = bytes(range(100, 132))
    intake.ingest(folder, upload(folder, tmp_path / "u", code, key=key), NOW_S)
    with store.opened(folder) as database:
        database.execute(tables.records.delete())
    store.close(folder)
    assert all(key not in path.read_bytes() for path in folder.glob("authority.sqlite*"))
    assert sqlite3.connect(folder / "authority.sqlite").execute("SELECT count(*) FROM records").fetchone() == (0,)
