"""Facts about codes, the intake of uploads and the lists that come of them."""

import json
import stat

import pytest
from click.testing import CliRunner

from emask import certificate, keylist, manifest, spec
from tests.tools.intake_files import KEY, NOW_S, SLOT, upload
from tools import lists
from tools import rule as rules
from tools.authority import core, intake, keyring, store
from tools.cli import main


@pytest.fixture
def folder(tmp_path):
    core.init(tmp_path / "authority", NOW_S)
    return tmp_path / "authority"


def test_code_holds_once(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    assert intake.ingest(folder, upload(folder, tmp_path / "a", code), NOW_S) == 1
    assert intake.ingest(folder, tmp_path / "a", NOW_S) == 0  # the same file again
    with pytest.raises(core.Refused, match="used"):
        intake.ingest(folder, upload(folder, tmp_path / "b", code, count=9), NOW_S)


def test_unknown_and_expired_codes_are_refused(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    with pytest.raises(core.Refused, match="never issued"):
        intake.ingest(folder, upload(folder, tmp_path / "a", "A" * 12), NOW_S)
    with pytest.raises(core.Refused, match="expired"):
        intake.ingest(folder, upload(folder, tmp_path / "b", code, received=NOW_S + 15 * 86400), NOW_S + 15 * 86400)
    with pytest.raises(core.Refused, match="expired"):
        intake.ingest(folder, upload(folder, tmp_path / "b", code), NOW_S + 22 * 86400)
    assert intake.ingest(folder, tmp_path / "b", NOW_S + 20 * 86400) == 1  # made in time, and long on its way


def test_codes_are_kept_as_hashes_only(folder):
    codes = intake.issue_codes(folder, 50, NOW_S)
    assert len(set(codes)) == 50 and all(len(code) == spec.CODE_BYTES for code in codes)
    raw = (folder / "authority.sqlite").read_bytes()
    assert not any(code.encode() in raw for code in codes)
    assert stat.S_IMODE((folder / "authority.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "emask-upload/1"},
        {"visit": "00"},
        {"visit": "zz" * 32},
        {"visit": bytes(32).hex()},
        {"sealed": "00" * 530},
        {"sealed": "00"},
        {"count": 0},
        {"count": 10_000},
        {"first_slot": SLOT},
        {"records": 0},
        {"scheme": 3},
        {"scheme": 2},
        {"extra": 1},
        {"received": None},
    ],
)
def test_upload_that_cannot_be_is_refused_and_costs_no_code(folder, tmp_path, changes):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    with pytest.raises(core.UploadError) as caught:
        intake.ingest(folder, upload(folder, tmp_path / "bad", code, **changes), NOW_S)
    assert KEY.hex() not in str(caught.value)
    assert intake.ingest(folder, upload(folder, tmp_path / "good", code), NOW_S) == 1


def test_upload_of_another_code_or_visit_is_refused(folder, tmp_path):
    one, two = intake.issue_codes(folder, 2, NOW_S)
    path = upload(folder, tmp_path / "a", one)
    plain = json.loads(path.read_text())
    for change in ({"code": two}, {"visit": "11" * 32}):
        (tmp_path / "b").write_text(json.dumps({**plain, **change}))
        with pytest.raises(core.UploadError, match="sealed"):
            intake.ingest(folder, tmp_path / "b", NOW_S)


def test_upload_to_another_authority_is_refused(folder, tmp_path):
    core.init(tmp_path / "other", NOW_S)
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    with pytest.raises(core.UploadError, match="sealed"):
        intake.ingest(folder, upload(tmp_path / "other", tmp_path / "a", code), NOW_S)


def test_replay_of_an_upload_is_refused(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    path = upload(folder, tmp_path / "a", code)
    intake.ingest(folder, path, NOW_S)
    (tmp_path / "b").write_text(path.read_text() + " ")
    with pytest.raises(core.Refused, match="used"):
        intake.ingest(folder, tmp_path / "b", NOW_S)


@pytest.mark.parametrize("data", [b"", b"[", b"[" * 50_000, b"\xff\xfe", b"null", b" " * 70_000])
def test_bytes_that_are_no_upload_are_refused(folder, tmp_path, data):
    (tmp_path / "junk").write_bytes(data)
    with pytest.raises(core.UploadError):
        intake.ingest(folder, tmp_path / "junk", NOW_S)


def test_list_holds_only_slots_that_ended_before_it(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "a", code, first_slot=SLOT - 100, count=100), NOW_S)
    done = core.publish(folder, tmp_path / "list.eml", NOW_S, rules.DEFAULT._replace(minutes=10))
    taken = lists.load(done.path, keyring.root_public(folder))
    head = taken.header
    assert (head.scheme, head.region, head.serial, head.issued_s, head.count) == (spec.BLUEZONE, 0, 1, NOW_S, 1)
    assert head.rule == rules.DEFAULT._replace(minutes=10)
    key, first, index, count = keylist.unpack_record(taken.records()[0])
    assert (key, first, index) == (KEY, SLOT - 100, 7) and first + count == SLOT - spec.TOLERANCE_SLOTS


def test_mark_of_a_household_is_passed_on_unread(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    marked = SLOT - 200 | 0x5C << 24, 150 | 0x2A << 10
    intake.ingest(folder, upload(folder, tmp_path / "a", code, first_slot=marked[0], count=marked[1]), NOW_S)
    done = core.publish(folder, tmp_path / "list.eml", NOW_S, rules.DEFAULT)
    (record,) = lists.load(done.path, keyring.root_public(folder)).records()
    assert keylist.mark_of(record) == 0x2A5C
    assert keylist.unpack_record(record) == (KEY, SLOT - 200, 7, 150)


def test_short_lists_hold_what_is_new_since(folder, tmp_path):
    codes = intake.issue_codes(folder, 3, NOW_S)
    for number, code in enumerate(codes, 1):
        intake.ingest(folder, upload(folder, tmp_path / code, code, key=bytes([number]) * 32), NOW_S)
        done = core.publish(folder, tmp_path / f"{number}.eml", NOW_S + number)
    shorts = {taken.header.base: taken for taken in map(lists.load, done.deltas)}
    assert sorted(shorts) == [1, 2] and lists.load(done.path).header.count == 3
    assert [keylist.unpack_record(record)[0][0] for record in shorts[1].records()] == [2, 3]
    assert [keylist.unpack_record(record)[0][0] for record in shorts[2].records()] == [3]


def test_record_that_a_list_had_to_cut_stands_whole_in_the_next(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "a", code, first_slot=SLOT - 100, count=100), NOW_S)
    core.publish(folder, tmp_path / "1.eml", NOW_S)
    done = core.publish(folder, tmp_path / "2.eml", NOW_S + 3 * 900)
    (short,) = [lists.load(path) for path in done.deltas]
    assert keylist.unpack_record(short.records()[0])[3] == 100


def test_revoked_certificate_stands_in_lists_until_it_would_have_ended(folder, tmp_path):
    serial, _ = core.certify_kiosk(folder, bytes(32), 0, NOW_S)
    core.revoke(folder, serial, NOW_S)
    with pytest.raises(core.Refused, match="already"):
        core.revoke(folder, serial, NOW_S)
    with pytest.raises(core.Refused, match="no kiosk"):
        core.revoke(folder, keyring.FIRST_SERIAL, NOW_S)
    assert lists.load(core.publish(folder, tmp_path / "1.eml", NOW_S).path).header.revoked == (serial,)
    later = core.publish(folder, tmp_path / "2.eml", NOW_S + 15 * 86400)
    assert lists.load(later.path).header.revoked == ()


def test_list_of_a_changed_key_is_good_and_the_old_key_is_kept(folder, tmp_path):
    serial = core.change_list_key(folder, NOW_S)
    taken = lists.load(core.publish(folder, tmp_path / "1.eml", NOW_S).path, keyring.root_public(folder))
    assert certificate.unpack(manifest.block(taken.data)[0]).serial == serial > keyring.FIRST_SERIAL


def test_list_with_a_changed_byte_or_another_root_is_refused(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "a", code), NOW_S)
    data = core.publish(folder, tmp_path / "1.eml", NOW_S).path.read_bytes()
    root = keyring.root_public(folder)
    for at in (0, 9, 60, 150, 153, 160, 182, 240, 300, 4096, 8191):
        with pytest.raises(lists.ListFileError):
            lists.parse(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], root)
    for size in (0, 100, 4096, 8191):
        with pytest.raises(lists.ListFileError):
            lists.parse(data[:size], root)
    with pytest.raises(lists.ListFileError, match="not signed"):
        lists.parse(data, bytes(range(32)))


def test_secret_files_are_for_the_owner_only_and_the_root_can_be_put_away(folder, tmp_path):
    names = list(folder.rglob("*.key"))
    assert len(names) == 4 and all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in names)
    (folder / "offline").rename(tmp_path / "safe")
    with pytest.raises(core.KeyFileError, match="root.key"):
        core.certify_kiosk(folder, bytes(32), 0, NOW_S)
    core.publish(folder, tmp_path / "1.eml", NOW_S)
    assert core.certify_kiosk(folder, bytes(32), 0, NOW_S, offline=tmp_path / "safe")[0] == 2


def test_audit_log_says_what_and_when_but_not_whose(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "a", code), NOW_S)
    core.publish(folder, tmp_path / "1.eml", NOW_S)
    with store.opened(folder) as database:
        assert store.audit(database) == [
            (NOW_S, "init", 1),
            (NOW_S, "issue-codes", 1),
            (NOW_S, "ingest", 1),
            (NOW_S, "publish", 1),
        ]


def test_old_records_leave_the_list_and_serials_go_up(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "a", code), NOW_S)
    first = core.publish(folder, tmp_path / "1.eml", NOW_S)
    later = core.publish(folder, tmp_path / "2.eml", NOW_S + 20 * 86400)
    assert (first.serial, first.records, later.serial, later.records) == (1, 1, 2, 0)
    with pytest.raises(core.Refused, match="later"):
        core.publish(folder, tmp_path / "3.eml", NOW_S)
    assert not (tmp_path / "3.eml").exists()


def test_serial_of_a_list_that_could_not_be_written_is_never_used_again(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        core.publish(folder, tmp_path / "file" / "list.eml", NOW_S)
    assert core.publish(folder, tmp_path / "list.eml", NOW_S).serial == 2


def test_second_init_and_missing_folder_are_refused(folder, tmp_path):
    with pytest.raises(core.Refused):
        core.init(folder, NOW_S)
    with pytest.raises(store.StoreMissing):
        intake.issue_codes(tmp_path / "none", 1, NOW_S)


def test_command_line_goes_from_code_to_list(tmp_path):
    run = CliRunner().invoke
    home, at = str(tmp_path / "home"), ["--at", str(NOW_S)]
    assert run(main, ["authority", "init", home, *at]).exit_code == 0
    assert run(main, ["authority", "init", home, *at]).exit_code == 1
    code = run(main, ["authority", "issue-codes", home, "--count", "2", *at]).output.split()[0]
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    upload(tmp_path / "home", outbox / "a.json", code)
    assert run(main, ["authority", "ingest", home, str(outbox), *at]).exit_code == 0
    upload(tmp_path / "home", outbox / "b.json", "B" * 12)
    assert run(main, ["authority", "ingest", home, str(outbox), *at]).exit_code == 1
    assert sorted(path.name for path in outbox.glob("*.taken")) == ["a.taken"]
    out = tmp_path / "list.eml"
    done = run(main, ["authority", "publish", home, "--out", str(out), "--issued", "2023-11-14T22:13:20Z"])
    assert done.exit_code == 0 and "1 records" in done.output
    assert lists.load(out).header.issued_s == NOW_S and lists.load(out).header.count == 1
    (tmp_path / "kiosk.pub").write_text("00" * 32)
    certify = ["authority", "certify-kiosk", home, str(tmp_path / "kiosk.pub"), "--out", str(tmp_path / "k.cert"), *at]
    assert run(main, certify).exit_code == 0 and len((tmp_path / "k.cert").read_bytes()) == 144
    assert run(main, ["authority", "revoke", home, "2", *at]).exit_code == 0
    assert run(main, ["authority", "revoke", home, "9", *at]).exit_code == 1
    assert run(main, ["authority", "change-list-key", home, *at]).exit_code == 0
    kinds = [json.loads(line)["what"] for line in run(main, ["authority", "audit", home, "--json"]).output.splitlines()]
    assert kinds[:5] == ["init", "issue-codes", "ingest", "refuse-code", "publish"]
    assert kinds[5:] == ["certify-kiosk", "revoke", "change-list-key"]
    assert run(main, ["authority", "publish", str(tmp_path / "none"), "--out", str(out)]).exit_code == 2
