"""Facts about codes, the intake of uploads and the lists that come of them."""

import json
import sqlite3
import stat

import pytest
from click.testing import CliRunner

from emask import keylist, spec
from tools import lists
from tools.authority import core, store
from tools.cli import main

NOW_S = 1_700_000_000
SLOT = NOW_S // 900
KEY = bytes(range(32))


@pytest.fixture
def folder(tmp_path):
    core.init(tmp_path / "authority")
    return tmp_path / "authority"


def upload(path, code, **changes):
    record = {"key": KEY.hex(), "first_slot": SLOT - 200, "first_index": 7, "count": 150}
    record.update({name: value for name, value in changes.items() if name in record})
    plain = {"format": "emask-upload/1", "code": code, "scheme": "bluezone", "records": [record], "received": NOW_S}
    plain.update({name: value for name, value in changes.items() if name not in record})
    path.write_text(json.dumps(plain))
    return path


def test_code_holds_once(folder, tmp_path):
    (code,) = core.issue_codes(folder, 1, NOW_S)
    assert core.ingest(folder, upload(tmp_path / "a", code), NOW_S) == 1
    assert core.ingest(folder, tmp_path / "a", NOW_S) == 0  # the same file again
    with pytest.raises(core.Refused, match="used"):
        core.ingest(folder, upload(tmp_path / "b", code, count=9), NOW_S)


def test_unknown_and_expired_codes_are_refused(folder, tmp_path):
    (code,) = core.issue_codes(folder, 1, NOW_S)
    with pytest.raises(core.Refused, match="never issued"):
        core.ingest(folder, upload(tmp_path / "a", "A" * 12), NOW_S)
    with pytest.raises(core.Refused, match="expired"):
        core.ingest(folder, upload(tmp_path / "b", code), NOW_S + 15 * 86400)


def test_codes_are_kept_as_hashes_only(folder):
    codes = core.issue_codes(folder, 50, NOW_S)
    assert len(set(codes)) == 50 and all(len(code) == spec.CODE_BYTES for code in codes)
    raw = (folder / "authority.sqlite").read_bytes()
    assert not any(code.encode() in raw for code in codes)
    assert stat.S_IMODE((folder / "authority.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "emask-upload/2"},
        {"key": "00"},
        {"key": "zz" * 32},
        {"count": 0},
        {"count": 10_000},
        {"count": "9"},
        {"first_slot": SLOT},
        {"first_slot": -1},
        {"first_index": 70_000},
        {"records": []},
        {"scheme": "third"},
        {"scheme": "gaen"},
        {"extra": 1},
        {"received": None},
    ],
)
def test_upload_that_cannot_be_is_refused_and_costs_no_code(folder, tmp_path, changes):
    (code,) = core.issue_codes(folder, 1, NOW_S)
    with pytest.raises(core.UploadError) as caught:
        core.ingest(folder, upload(tmp_path / "bad", code, **changes), NOW_S)
    assert KEY.hex() not in str(caught.value)
    assert core.ingest(folder, upload(tmp_path / "good", code), NOW_S) == 1


@pytest.mark.parametrize("data", [b"", b"[", b"[" * 50_000, b"\xff\xfe", b"null", b" " * 70_000])
def test_bytes_that_are_no_upload_are_refused(folder, tmp_path, data):
    (tmp_path / "junk").write_bytes(data)
    with pytest.raises(core.UploadError):
        core.ingest(folder, tmp_path / "junk", NOW_S)


def test_list_holds_only_slots_that_ended_before_it(folder, tmp_path):
    (code,) = core.issue_codes(folder, 1, NOW_S)
    core.ingest(folder, upload(tmp_path / "a", code, first_slot=SLOT - 100, count=100), NOW_S)
    done = core.publish(folder, tmp_path / "list.eml", NOW_S, core.Rule(63, 10))
    taken = lists.load(done.path)
    assert taken.header == keylist.Header(spec.BLUEZONE, 0, 1, NOW_S, 1, 63, 10, 2)
    key, first, index, count = keylist.unpack_record(taken.data, spec.LIST_HEADER_BYTES)
    assert (key, first, index) == (KEY, SLOT - 100, 7) and first + count == SLOT - spec.TOLERANCE_SLOTS


def test_old_records_leave_the_list_and_serials_go_up(folder, tmp_path):
    (code,) = core.issue_codes(folder, 1, NOW_S)
    core.ingest(folder, upload(tmp_path / "a", code), NOW_S)
    first = core.publish(folder, tmp_path / "1.eml", NOW_S)
    later = core.publish(folder, tmp_path / "2.eml", NOW_S + 20 * 86400)
    assert (first.serial, first.records, later.serial, later.records) == (1, 1, 2, 0)
    with pytest.raises(core.Refused, match="later"):
        core.publish(folder, tmp_path / "3.eml", NOW_S)
    assert not (tmp_path / "3.eml").exists()


def test_failed_write_burns_no_serial(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        core.publish(folder, tmp_path / "file" / "list.eml", NOW_S)
    assert core.publish(folder, tmp_path / "list.eml", NOW_S).serial == 1


def test_second_init_and_missing_folder_are_refused(folder, tmp_path):
    with pytest.raises(core.Refused):
        core.init(folder)
    with pytest.raises(store.StoreMissing):
        core.issue_codes(tmp_path / "none", 1, NOW_S)


def test_command_line_goes_from_code_to_list(tmp_path):
    run = CliRunner().invoke
    home, at = str(tmp_path / "home"), ["--at", str(NOW_S)]
    assert run(main, ["authority", "init", home]).exit_code == 0
    assert run(main, ["authority", "init", home]).exit_code == 1
    code = run(main, ["authority", "issue-codes", home, "--count", "2", *at]).output.split()[0]
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    upload(outbox / "a.json", code)
    assert run(main, ["authority", "ingest", home, str(outbox), *at]).exit_code == 0
    upload(outbox / "b.json", "B" * 12)
    assert run(main, ["authority", "ingest", home, str(outbox), *at]).exit_code == 1
    out = tmp_path / "list.eml"
    done = run(main, ["authority", "publish", home, "--out", str(out), "--issued", "2023-11-14T22:13:20Z"])
    assert done.exit_code == 0 and "not signed" in done.output
    assert lists.load(out).header.issued_s == NOW_S and lists.load(out).header.count == 1
    assert run(main, ["authority", "publish", str(tmp_path / "none"), "--out", str(out)]).exit_code == 2


def test_database_of_another_version_is_refused(folder):
    with sqlite3.connect(folder / "authority.sqlite") as database:
        database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(store.StoreMissing, match="version"):
        core.issue_codes(folder, 1, NOW_S)
