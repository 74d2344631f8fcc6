"""Facts of the way from an ill person to a contact and to a contact of the contact: scenarios/contacts.toml."""

import datetime
import struct

import pytest

from emask import keylist, spec
from tests.bench import scenes
from tools import ROOT, lists

FIRST_DAY = datetime.date(2026, 11, 24).toordinal() - datetime.date(1970, 1, 1).toordinal()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return scenes.play(ROOT / "scenarios" / "contacts.toml", tmp_path_factory.mktemp("contacts") / "out")


def said(run, name, begins):
    return [line for line in (run.out / f"{name}.txt").read_text().splitlines() if line.startswith(begins)]


def kept(run, name, kind):
    found = scenes.mounted(run.nodes[name]).latest(kind)
    return found and found[1]


def test_contact_is_warned_by_the_list_of_the_ill_and_the_other_is_not(done):
    assert said(done, "friend", "match ") == ["match records=1 alert=1"]
    assert said(done, "other", "match ") == ["match records=1 alert=0", "match records=1 alert=0"]


def test_contact_stands_on_the_list_of_contacts_with_the_keys_of_later_days(done):
    (record,) = lists.load(done.out / "contacts.eml").records()
    _, first, _, count = keylist.unpack_record(record)
    assert first >= 96 * (FIRST_DAY + 1) and count >= 2
    assert len(lists.load(done.out / "ill.eml").records()) == 1
    assert (done.out / "emask.txt").read_text().count("1 records taken") == 2


def test_contact_of_the_contact_is_told_by_a_kiosk_alone(done):
    day, grade, may, serial, last_day = struct.unpack_from("<HBBIH", kept(done, "other", spec.SECOND))
    assert (day, grade, may, serial, last_day) == (FIRST_DAY + 1, 2, spec.RULE_F1, 2, FIRST_DAY + 15)
    assert kept(done, "other", spec.ALERT) is None and not said(done, "other", "alert")
    assert said(done, "friend", "alert signal")


def test_no_token_crashed(done):
    assert not any(said(done, name, "crash") for name in done.nodes)
