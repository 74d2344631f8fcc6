"""Facts about the move of an authority from its file to a real PostgreSQL: nothing lost, doubled or half done."""

import json
import os
import threading
import time

import pytest
import requests
import sqlalchemy
from click.testing import CliRunner
from sqlalchemy import select

from emask import spec
from tests.tools.intake_files import KEY, NOW_S, upload
from tests.tools.postgres import cluster, new_cluster
from tests.tools.service_process import LIMIT_S, Service
from tests.tools.test_contacts import ALLOWS, FIRST, contact, new_code
from tools import codes, wire
from tools import rule as rules
from tools.authority import contacts, core, intake, moving, releases, retention, staff, store, tables, withdrawn
from tools.cli import main

__all__ = ["cluster"]
PASSWORD = "correct horse battery"
DAY_S = 86_400


class Lived:
    """An authority in a file that has something of everything; `used` and `unused` are codes of it."""

    def __init__(self, path):
        self.home, self.path = path / "authority", path
        core.init(self.home, NOW_S)
        self.used, self.unused, wrong = intake.issue_codes(self.home, 3, NOW_S)
        self.body = self.upload(self.used)
        intake.take_in(self.home, self.body, NOW_S)
        intake.take_in(self.home, self.upload(wrong, bytes(32)), NOW_S)
        core.publish(self.home, path / "1.eml", NOW_S, ALLOWS)
        contacts.set_cap(self.home, 3, NOW_S)
        intake.take_in(self.home, contact(self.home, new_code(self.home)), NOW_S)
        withdrawn.withdraw(self.home, wrong, NOW_S)
        for serial in (1, 2):
            core.certify_kiosk(self.home, bytes([serial]) * 32, 5, NOW_S)
        core.revoke(self.home, 2, NOW_S)
        for name in ("an", "binh"):
            staff.add(self.home, name, staff.RELEASE, PASSWORD, NOW_S)
        self.session = staff.log_in(self.home, "an", PASSWORD, NOW_S)
        self.propose()

    def upload(self, code, key=KEY):
        return upload(self.home, self.path / "u", code, key=key, first_slot=FIRST, count=200).read_bytes()

    def propose(self):
        person = staff.who(self.home, self.session, NOW_S)
        return releases.propose(self.home, person, 0, "bluezone", wire.pack_rule(rules.DEFAULT), NOW_S)

    def rows(self):
        with store.last_look(self.home) as database:
            return {
                table.name: sorted(map(repr, database.execute(select(table))))
                for table in tables.metadata.sorted_tables
            }


@pytest.fixture
def lived(tmp_path):
    own = Lived(tmp_path)
    yield own
    store.close(own.home)


def test_every_row_is_moved_and_the_authority_goes_on_with_it(lived, cluster):
    assert all(lived.rows().values()), "something of everything"
    url = cluster.new()
    done = CliRunner().invoke(main, ["authority", "move", str(lived.home), "--json"], env={"EMASK_DATABASE": url})
    before = lived.rows()
    assert done.exit_code == 0 and json.loads(done.output) == {"rows": sum(map(len, before.values()))}, done.output
    (lived.home / "authority.sqlite").rename(lived.path / "away")
    assert lived.rows() == before
    assert store.is_elsewhere(lived.home) and os.stat(lived.home / "database.url").st_mode & 0o77 == 0
    assert intake.take_in(lived.home, lived.body, NOW_S) == 0, "the same upload again"
    with pytest.raises(core.Refused, match="used already"):
        intake.take_in(lived.home, lived.upload(lived.used, bytes([7]) * 32), NOW_S)
    assert intake.take_in(lived.home, lived.upload(lived.unused, bytes([8]) * 32), NOW_S) == 1
    assert lived.propose() == 2 and staff.log_in(lived.home, "binh", PASSWORD, NOW_S)
    assert withdrawn.withdraw(lived.home, lived.used, NOW_S).contacts == 1
    with store.opened(lived.home) as database:
        assert "move" in [what for _, what, _ in store.audit(database)]


def test_file_from_before_the_move_holds_what_was_moved_and_its_audit_says_so(lived, cluster):
    before = lived.rows()
    moving.move(lived.home, cluster.new(), NOW_S + 5)
    after = lived.rows()
    assert len(after["audit"]) == len(before["audit"]) + 1
    del before["audit"], after["audit"]
    assert before == after


def test_database_that_is_not_empty_is_refused_and_the_file_still_counts(lived, cluster):
    url = cluster.new()
    core.init(lived.path / "other", NOW_S, database=url)
    store.close(lived.path / "other")
    before = lived.rows()
    with pytest.raises(store.StoreMissing, match="not empty"):
        moving.move(lived.home, url, NOW_S)
    assert lived.rows() == before and intake.issue_codes(lived.home, 1, NOW_S)


@pytest.mark.parametrize(
    "url", ["sqlite:///x", "postgresql://u@127.0.0.1:9/n", "x", "postgresql+psycopg://127.0.0.1:9/n"]
)
def test_database_that_can_not_be_used_is_told_in_words(lived, url):
    done = CliRunner().invoke(main, ["authority", "move", str(lived.home), "--database", url])
    assert done.exit_code == 2 and "the database can't be used" in done.output
    assert intake.issue_codes(lived.home, 1, NOW_S)


def test_authority_that_is_on_a_server_is_not_moved_again(lived, cluster):
    moving.move(lived.home, cluster.new(), NOW_S)
    with pytest.raises(store.Refused, match="elsewhere already"):
        moving.move(lived.home, cluster.new(), NOW_S)


def killed(lived, url, patch):
    """A move in a process that dies at a step."""
    child = os.fork()
    if not child:
        try:
            patch(lambda *_: os._exit(9))
            moving.move(lived.home, url, NOW_S)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


KILLS = {
    "before the first row": (moving, "_copy"),
    "before the numbers go on": (moving, "_count_on"),
    "before it is compared": (moving, "_compare"),
    "before the folder names the server": (store, "go"),
}


@pytest.mark.parametrize("step", KILLS)
def test_move_that_was_killed_takes_nothing_in_until_it_was_called_again(lived, cluster, step):
    url, before = cluster.new(), lived.rows()
    module, name = KILLS[step]
    killed(lived, url, lambda die: setattr(module, name, die))
    for command in ("issue-codes", "migrate"):
        done = CliRunner().invoke(main, ["authority", command, str(lived.home)])
        assert done.exit_code == 2 and "emask authority move" in done.output
    moving.move(lived.home, url, NOW_S)
    after = lived.rows()
    assert len(after.pop("audit")) == len(before.pop("audit")) + 1 and after == before
    assert intake.take_in(lived.home, lived.upload(lived.unused, bytes([8]) * 32), NOW_S) == 1


@pytest.mark.parametrize("step", KILLS)
def test_move_that_fails_leaves_the_file_as_it_was(lived, cluster, step, monkeypatch):
    url = cluster.new()
    module, name = KILLS[step]

    def fail(*_):
        raise OSError("disk")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk"):
        patch.setattr(module, name, fail)
        moving.move(lived.home, url, NOW_S)
    assert not store.is_elsewhere(lived.home) and intake.issue_codes(lived.home, 1, NOW_S)
    if step == "before the folder names the server":  # what was copied is behind now
        with pytest.raises(store.StoreMissing, match="not empty"):
            moving.move(lived.home, url, NOW_S)
        url = cluster.new()
    moving.move(lived.home, url, NOW_S)


def test_codes_that_are_given_during_the_move_are_all_there(lived, cluster, monkeypatch):
    given, refused, copying = [], [], threading.Event()

    def ask():
        for _ in range(200):
            try:
                given.extend(intake.issue_codes(lived.home, 1, NOW_S))
                if store.is_elsewhere(lived.home):
                    return
            except store.StoreMissing:
                refused.append(1)
                copying.set()

    copy = moving._copy

    def slowly(*how):
        assert copying.wait(60)
        copy(*how)

    monkeypatch.setattr(moving, "_copy", slowly)
    asking = threading.Thread(target=ask)
    asking.start()
    moving.move(lived.home, cluster.new(), NOW_S)
    asking.join(60)
    with store.reading(lived.home) as database:
        kept = set(database.scalars(select(tables.codes.c.hash)))
    assert refused and given and {wire.code_hash(code) for code in given} <= kept


def test_service_that_runs_answers_503_meanwhile_and_goes_on_with_the_server(lived, cluster, monkeypatch):
    first, second = (
        lived.upload(code, bytes([number]) * 32)
        for number, code in enumerate(intake.issue_codes(lived.home, 2, int(time.time())))
    )
    copy, answers = moving._copy, []

    def send(body):
        answer = requests.post(own.address + "/v1/uploads", data=body, timeout=LIMIT_S)
        answers.append(answer.status_code)
        return answer

    def watched(*how):
        send(second)
        copy(*how)

    monkeypatch.setattr(moving, "_copy", watched)
    with Service(lived.home) as own:
        send(first)
        moving.move(lived.home, cluster.new(), NOW_S)
        assert [send(second).json()["records"], send(first).json()["records"]] == [1, 0]
    assert answers == [200, 503, 200, 200]


def test_old_file_is_deleted_a_week_later(lived, cluster):
    moving.move(lived.home, cluster.new(), NOW_S)
    for days, there in ((6, True), (7, False)):
        retention.forget(lived.home, NOW_S + days * DAY_S)
        assert bool(list(lived.home.glob("authority.sqlite*"))) == there


def test_file_that_counts_is_never_deleted(lived):
    with store.opened(lived.home) as database:
        store.note(database, NOW_S, "move")
    retention.forget(lived.home, NOW_S + 30 * DAY_S)
    assert (lived.home / "authority.sqlite").exists()


def test_server_that_goes_away_in_the_middle_leaves_the_file(lived, monkeypatch):
    own = new_cluster()
    try:
        copy = moving._copy

        def cut(old, new, tell):
            own.kill()
            copy(old, new, tell)

        monkeypatch.setattr(moving, "_copy", cut)
        with pytest.raises(sqlalchemy.exc.OperationalError):
            moving.move(lived.home, own.new(), NOW_S)
        assert intake.issue_codes(lived.home, 1, NOW_S, kind=codes.PLAIN)
        own.start()
    finally:
        own.close()
    assert spec.F1_LIST and not store.is_elsewhere(lived.home)
