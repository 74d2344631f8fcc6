"""Facts about finding a stolen kiosk's certificates: by the key that it was certified with, while they hold."""

import json

import pytest
from click.testing import CliRunner

from tests.tools.intake_files import NOW_S, upload
from tools.authority import core, counts, intake, kiosks, store, tables, withdrawn
from tools.cli import main

DAY_S = 86_400
ONE, OTHER = b"\x01" * 32, b"\x02" * 32


@pytest.fixture
def folder(tmp_path):
    core.init(tmp_path / "authority", NOW_S)
    return tmp_path / "authority"


def listed(folder, *words):
    done = CliRunner().invoke(main, ["authority", "kiosks", str(folder), *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_stolen_kiosk_is_found_by_its_file_with_all_certificates_that_hold(folder, tmp_path):
    for key, at_s in ((ONE, NOW_S), (OTHER, NOW_S), (ONE, NOW_S + 10 * DAY_S)):
        core.certify_kiosk(folder, key, 5, at_s)
    (tmp_path / "hall.pub").write_text(ONE.hex())
    at = ["--at", NOW_S + 11 * DAY_S]
    assert listed(folder, tmp_path / "hall.pub", *at) == [
        "2: hall.pub, region 5, until 2023-11-28",
        "4: hall.pub, region 5, until 2023-12-08",
    ]
    core.revoke(folder, 2, NOW_S)
    plain = [json.loads(line) for line in listed(folder, "--json", *at)]
    assert [(one["serial"], one["key"], one["revoked"]) for one in plain] == [
        (2, ONE.hex(), True),
        (3, OTHER.hex(), False),
        (4, ONE.hex(), False),
    ]
    assert [one.serial for one in kiosks.certified(folder, NOW_S + 15 * DAY_S)] == [4]
    assert listed(folder, "--at", NOW_S + 30 * DAY_S) == []


def test_certificate_from_before_keys_were_noted_is_shown_without(folder):
    core.certify_kiosk(folder, ONE, 0, NOW_S, proxy=True)
    with store.opened(folder) as database:
        database.execute(tables.certificates.update().values(key=None))
    assert listed(folder, "--at", NOW_S) == ["2: not noted, region 0, may ask who can't press, until 2023-11-28"]


def test_counts_are_of_kiosks_and_of_records_that_may_still_come_on_a_list(folder, tmp_path):
    core.certify_kiosk(folder, ONE, 0, NOW_S)
    with store.opened(folder) as database:
        core.want_root(database, NOW_S)
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "u", code), NOW_S)
    before = counts.counts(folder, NOW_S)
    withdrawn.withdraw(folder, code, NOW_S)
    assert (before.kiosks, before.records_unlisted) == (1, 1)
    assert counts.counts(folder, NOW_S).records_unlisted == 0
