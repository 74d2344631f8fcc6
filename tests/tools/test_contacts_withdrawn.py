"""Facts about contacts' uploads (F1) whose case turned out to be a mistake: which are found, and who can find them."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from emask import keylist, met, spec
from tests.tools.intake_files import KEY, NOW_S, upload
from tests.tools.postgres import cluster
from tests.tools.test_contacts import ALLOWS, FIRST, MET_DAY, OWN, contact, new_code, record
from tools import lists
from tools.authority import contacts, core, intake, resting, retention, store, tables, withdrawn
from tools.cli import main

__all__ = ["cluster"]


class Case:
    """An authority that takes contacts, of one ill person with `code`, whose keys a list had."""

    def __init__(self, path, database=None):
        self.path, self.home = path, path / "authority"
        core.init(self.home, NOW_S, database=database)
        self.code = self.ill()
        core.publish(self.home, path / "1.eml", NOW_S, ALLOWS)
        contacts.set_cap(self.home, 40, NOW_S)

    def ill(self, key=KEY):
        (code,) = intake.issue_codes(self.home, 1, NOW_S)
        path = upload(self.home, self.path / "ill", code, key=key, first_slot=FIRST, count=200)
        intake.ingest(self.home, path, NOW_S)
        return code

    def warns(self, key=OWN):
        code = new_code(self.home)
        intake.take_in(self.home, contact(self.home, code, given=(record(key, (MET_DAY + 1) * 96, 0, 300),)), NOW_S)
        return code

    def of_contacts(self, at_s=NOW_S + 60):
        return lists.load(core.publish(self.home, self.path / "f1.eml", at_s, kind=spec.F1_LIST).path)

    def notes(self):
        with store.reading(self.home) as database:
            mine = tables.uploads.c.kind == spec.F1_LIST
            return list(database.scalars(select(tables.uploads.c.rests_on).where(mine)))


@pytest.fixture(params=["sqlite", "postgresql"])
def case(request, tmp_path):
    own = Case(tmp_path, request.getfixturevalue("cluster").new() if request.param == "postgresql" else None)
    yield own
    store.close(own.home)


def keys(taken):
    return [keylist.unpack_record(one)[0] for one in taken.records()]


def test_contacts_who_rest_on_a_withdrawn_upload_leave_their_list_which_names_them(case):
    case.warns()
    assert keys(case.of_contacts()) == [OWN]
    assert withdrawn.withdraw(case.home, case.code, NOW_S + 60) == withdrawn.Withdrawn(records=1, contacts=1)
    taken = case.of_contacts()
    assert keys(taken) == [] and met.mark(OWN, taken.serial) in taken.header.withdrawn
    with store.reading(case.home) as database:
        assert [line[1:] for line in store.audit(database)[-3:-1]] == [("withdraw", 1), ("withdraw-f1", 1)]


def test_contact_whom_another_case_warned_stays(case):
    case.warns()
    other = case.ill(bytes(32))
    assert withdrawn.withdraw(case.home, other, NOW_S + 60).contacts == 0
    assert keys(case.of_contacts()) == [OWN]


def test_contact_of_a_case_that_gave_the_same_key_twice_goes_with_the_last_of_them(case):
    case.warns()
    again = case.ill()
    assert withdrawn.withdraw(case.home, case.code, NOW_S + 60).contacts == 0
    taken = lists.load(core.publish(case.home, case.path / "2.eml", NOW_S + 60).path)
    assert keys(taken) == [KEY] and met.mark(KEY, taken.serial) not in taken.header.withdrawn
    assert withdrawn.withdraw(case.home, again, NOW_S + 70).contacts == 1
    assert keys(case.of_contacts(NOW_S + 80)) == []


def test_contact_that_comes_after_the_withdrawal_is_refused(case):
    withdrawn.withdraw(case.home, case.code, NOW_S + 60)
    with pytest.raises(core.UploadError, match="no list that allows it held"):
        case.warns()


def test_more_contacts_than_a_list_can_name_all_go_and_the_last_are_named(case):
    codes = [case.ill(bytes([number]) * 32) for number in range(3)]
    for number in range(spec.WITHDRAWN_MAX + 2):
        with store.opened(case.home) as database:  # the quota is not what this is about
            database.execute(tables.quotas.delete().where(tables.quotas.c.kind == "f1", tables.quotas.c.clinic == 1))
            database.execute(tables.quotas.insert().values(clinic=1, kind="f1", most=100))
        (code,) = intake.issue_codes(case.home, 1, NOW_S, kind=contacts.codes.F1)
        given = (record(bytes([number + 100]) * 32, (MET_DAY + 1) * 96, 0, 300),)
        intake.take_in(case.home, contact(case.home, code, given=given), NOW_S)
    assert withdrawn.withdraw(case.home, case.code, NOW_S + 60).contacts == spec.WITHDRAWN_MAX + 2
    taken = case.of_contacts()
    marks = {met.mark(bytes([number + 100]) * 32, taken.serial) for number in range(spec.WITHDRAWN_MAX + 2)}
    assert keys(taken) == [] and set(taken.header.withdrawn) < marks
    assert withdrawn.withdraw(case.home, codes[0], NOW_S + 70).records == 1


def test_database_tells_whom_a_contact_met_only_with_the_code_of_the_ill(case):
    own = case.warns()
    other = case.ill(bytes(32))
    (note,) = case.notes()
    assert resting.opened(case.code, note) == KEY and KEY not in note
    assert resting.opened(own, note) is resting.opened(other, note) is None
    case.warns(bytes([8]) * 32)
    assert len({*case.notes()}) == 2, "nor do two look alike that rest on the same"


def test_note_goes_when_the_contact_does(case):
    case.warns()
    retention.forget(case.home, (MET_DAY + 15) * 86400)
    assert case.notes() == [None]
    case.warns(bytes([8]) * 32)
    withdrawn.withdraw(case.home, case.code, NOW_S + 60)
    assert case.notes() == [None, None]


def test_contact_from_before_there_were_notes_is_withdrawn_by_its_own_code(case):
    with store.opened(case.home) as database:
        database.execute(tables.uploads.update().values(link=None))
    own = case.warns()
    assert case.notes() == [None]
    assert withdrawn.withdraw(case.home, case.code, NOW_S + 60).contacts == 0
    assert withdrawn.withdraw(case.home, own, NOW_S + 60) == withdrawn.Withdrawn(records=1, contacts=0)
    assert keys(case.of_contacts()) == []


def test_command_says_that_the_list_of_contacts_is_to_be_released(tmp_path):
    case = Case(tmp_path)
    for code, json_too, said in ((case.code, [], "release that list"), (case.ill(bytes(32)), ["--json"], None)):
        case.warns() if said else None
        done = CliRunner().invoke(main, ["authority", "withdraw", str(case.home), code, "--at", str(NOW_S), *json_too])
        assert done.exit_code == 0, done.output
        assert said in done.output if said else json.loads(done.output) == {"records": 1, "contacts": 0}
