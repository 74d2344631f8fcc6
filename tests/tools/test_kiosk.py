"""Facts about a visit, the kiosk's loop and its folder, with a token made of Python."""

import asyncio
import json
import stat

import pytest
from click.testing import CliRunner

from emask import keylist, spec
from tests.tools.fake_token import FakeClient, FakeToken, scanner_of
from tools import lists
from tools.cli import main
from tools.kiosk import session
from tools.kiosk.channel import VisitError
from tools.kiosk.folder import KioskFolder
from tools.kiosk.service import serve

NOW_S = 1_700_000_000.25
CODE = "ABCDEFGHJKLM"


def list_file(serial=3, count=40):
    records = [keylist.pack_record(bytes([n]) * 32, 1000 + n, 0, 96) for n in range(count)]
    return lists.build(keylist.pack_header(spec.BLUEZONE, 0, serial, int(NOW_S), count, 55, 15), records)


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "new.eml"
    source.write_bytes(list_file())
    kiosk = KioskFolder(tmp_path / "kiosk")
    kiosk.add_list(source)
    return kiosk


def run_visit(token, folder, **options):
    return asyncio.run(session.visit(FakeClient(token), lambda: NOW_S, folder, **options))


@pytest.mark.parametrize("mtu", [23, 65, 247, 517])
def test_visit_hands_over_time_and_list_at_any_mtu(folder, mtu):
    token = FakeToken(mtu=mtu)
    told = []
    result = run_visit(token, folder, progress=lambda *step: told.append(step))
    assert bytes(token.file) == folder.newest_list().data
    assert (result.complete, result.list, result.list_serial) == (True, "taken", 3)
    assert token.times == [int(NOW_S)] and result.status["list_serial"] == 0
    assert told[-1] == ("list", len(token.file), len(token.file))
    assert token.heard[-1] == spec.BYE


def test_transfer_that_was_cut_off_goes_on_where_it_stopped(folder):
    data = folder.newest_list().data
    token = FakeToken()
    token.file += data[:700]
    assert run_visit(token, folder).list == "taken"
    assert bytes(token.file) == data and token.heard.count(spec.LIST_DATA) == -(-(len(data) - 700) // 240)


def test_token_that_has_the_list_is_not_offered_it(folder):
    token = FakeToken(serial=3)
    assert run_visit(token, folder).list == "had it"
    assert spec.LIST_OFFER not in token.heard


def test_list_with_wrong_hash_is_reported(folder):
    assert run_visit(FakeToken(faults=["hash"]), folder).list == "damaged on the way"


def test_handover_leaves_shelf_mode_and_hello_does_not(folder):
    shelved, handed = FakeToken(), FakeToken()
    run_visit(shelved, folder)
    run_visit(handed, folder, handover=True)
    assert shelved.shelf and not handed.shelf


def test_upload_is_kept_for_the_owner_only(folder):
    result = run_visit(FakeToken(), folder, upload_code=CODE)
    assert (result.upload, result.uploaded) == ("taken", 1)
    (path,) = folder.uploads()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "format": "emask-upload/1",
        "code": CODE,
        "scheme": "bluezone",
        "received": int(NOW_S),
        "records": [{"key": bytes(range(32)).hex(), "first_slot": 1000, "first_index": 0, "count": 90}],
    }


def test_padded_key_is_known_as_gaen(folder):
    run_visit(FakeToken(scheme_key=bytes(range(1, 17))), folder, upload_code=CODE)
    assert json.loads(folder.uploads()[0].read_text())["scheme"] == "gaen"


def test_refused_upload_is_no_failure(folder):
    token = FakeToken()
    token.upload = None
    result = run_visit(token, folder, upload_code=CODE)
    assert result.complete and result.upload == "refused by the token" and not folder.uploads()


@pytest.mark.parametrize(
    "fault, words",
    [
        ("bad_frame", "frame"),
        ("flood", "more than it is asked for"),
        ("far_offset", "behind the list's end"),
        ("mute", "did not answer"),
    ],
)
def test_token_that_misbehaves_ends_the_visit(folder, monkeypatch, fault, words):
    monkeypatch.setattr(session, "WAIT_S", 0.05)
    with pytest.raises(VisitError, match=words):
        run_visit(FakeToken(faults=[fault]), folder)


def test_service_serves_each_token_once_and_logs_no_address(folder):
    tokens = {"C0:00:00:00:00:01": FakeToken(), "C0:00:00:00:00:02": FakeToken(faults=["bad_frame"])}
    whys = []

    async def work():
        stop = asyncio.Event()

        def on_visit(result, why):
            whys.append(why)
            if len(whys) == 2:
                stop.set()

        return await serve(scanner_of(tokens), FakeClient, folder, clock=lambda: NOW_S, stop=stop, on_visit=on_visit)

    assert asyncio.run(work()) == 1
    assert whys[0] == "" and "frame" in whys[1]
    log = (folder.path / "log.jsonl").read_text()
    assert "C0:00" not in log and [entry["complete"] for entry in folder.visits()] == [True, False]


def test_code_goes_to_one_token_only(folder):
    tokens = {"C0:00:00:00:00:01": FakeToken(), "C0:00:00:00:00:02": FakeToken()}

    async def work():
        stop, served = asyncio.Event(), []

        def on_visit(result, why):
            served.append(result.upload)
            if len(served) == 2:
                stop.set()

        await serve(
            scanner_of(tokens), FakeClient, folder, clock=lambda: NOW_S, upload_code=CODE, stop=stop, on_visit=on_visit
        )
        return served

    assert asyncio.run(work()) == ["taken", "none"]


def test_folder_refuses_a_damaged_list_and_passes_over_one(folder, tmp_path):
    damaged = bytearray(list_file(serial=9))
    damaged[100] ^= 1
    (tmp_path / "damaged.eml").write_bytes(damaged)
    with pytest.raises(lists.ListFileError, match="hash"):
        folder.add_list(tmp_path / "damaged.eml")
    (folder.inbox / "list-9999999999.eml").write_bytes(damaged)
    assert folder.newest_list().serial == 3


def test_two_lists_of_one_serial_are_refused(folder, tmp_path):
    (tmp_path / "other.eml").write_bytes(list_file(count=2))
    with pytest.raises(lists.ListFileError, match="serial 3"):
        folder.add_list(tmp_path / "other.eml")


def test_command_line_tells_what_is_in_the_folder(folder, tmp_path):
    shown = CliRunner().invoke(main, ["kiosk", "status", str(folder.path), "--json"])
    assert shown.exit_code == 0
    facts = json.loads(shown.output)
    assert facts["list_serial"] == 3 and facts["list_records"] == 40 and facts["visits"] == 0
    assert CliRunner().invoke(main, ["kiosk", "status", str(tmp_path / "none")]).exit_code == 2
    junk = tmp_path / "junk"
    junk.write_bytes(b"x" * 100)
    refused = CliRunner().invoke(main, ["kiosk", "add-list", str(folder.path), str(junk)])
    assert refused.exit_code == 2 and len(refused.output.splitlines()) == 1
