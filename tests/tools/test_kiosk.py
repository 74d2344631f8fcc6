"""Facts about a visit, the kiosk's loop and its folder, with a token made of Python."""

import asyncio
import json
import stat

import pytest
from click.testing import CliRunner

from emask import handshake, keylist, spec
from tests.tools.fake_token import FakeClient, FakeToken, scanner_of
from tests.tools.world import World
from tools import lists
from tools.authority import core, intake, keyring
from tools.authority.upload import read_upload
from tools.cli import main
from tools.kiosk import identity, session
from tools.kiosk.channel import VisitError
from tools.kiosk.identity import IdentityError
from tools.kiosk.service import serve
from tools.kiosk.wish import Wish

NOW_S = 1_700_000_000.25
CODE = "ABCDEFGHJKLM"
F1_CODE = "1BCDEFGHJKLM"


def records(count):
    return [keylist.pack_record(bytes([n % 251]) * 32, 1000 + n, 0, 96) for n in range(count)]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def folder(world):
    world.kiosk.add_list(world.written("new.eml", world.list_file(records(140))))
    return world.kiosk


PIECE = 13 * 18 - 7  # of a list, that fills 13 frames at MTU 23


@pytest.fixture
def token(world):
    return lambda **how: FakeToken(world.root, **how)


def run_visit(token, folder, **options):
    return asyncio.run(session.visit(FakeClient(token), lambda: NOW_S, folder, **options))


@pytest.mark.parametrize("mtu", [23, 65, 247, 517])
def test_visit_hands_over_time_and_list_at_any_mtu(folder, token, mtu):
    own = token(mtu=mtu)
    own.shelf = False
    told = []
    result = run_visit(own, folder, progress=lambda *step: told.append(step))
    assert bytes(own.file) == folder.list_for(0).data
    assert (result.complete, result.list, result.list_serial) == (True, "taken", 3)
    assert own.times == [int(NOW_S)] and result.status["list_serial"] == 0
    assert told[-1] == ("list", len(own.file), len(own.file))
    assert own.heard[:3] == [spec.HELLO, spec.SESSION, spec.ASK] and own.heard[-1] == spec.BYE


def test_transfer_that_was_cut_off_goes_on_where_it_stopped(folder, token):
    data = folder.list_for(0).data
    own = token()
    own.file += data[:8192]
    assert run_visit(own, folder, wish=Wish(handover=True)).list == "taken"
    assert bytes(own.file) == data and own.heard.count(spec.LIST_DATA) == -(-4096 // PIECE)


def test_block_that_was_spoilt_is_sent_again_alone(folder, token):
    own = token(faults=["spoil"])
    assert run_visit(own, folder, wish=Wish(handover=True)).list == "taken"
    assert bytes(own.file) == folder.list_for(0).data
    assert own.heard.count(spec.LIST_DATA) == -(-310 // PIECE) + 3 * -(-4096 // PIECE)


def test_token_that_has_the_list_is_not_offered_it(folder, token):
    own = token(serial=3)
    own.shelf = False
    assert run_visit(own, folder).list == "had it"
    assert spec.LIST_OFFER not in own.heard


def of_contacts(world, serial):
    return world.written("f1.eml", world.list_file(records(9), serial=serial, kind=spec.F1_LIST))


def test_list_of_contacts_goes_to_who_has_that_of_the_ill_and_never_in_its_place(world, folder, token):
    folder.add_list(of_contacts(world, 7))
    assert folder.list_for(0).serial == 3 and folder.list_of_contacts().serial == 7
    new, own = token(), token(serial=3)
    new.shelf = own.shelf = False
    first, second = run_visit(new, folder), run_visit(own, folder)
    assert (first.list, first.contacts, first.list_serial) == ("taken", "none", 3)
    assert bytes(new.file) == folder.list_for(0).data
    assert (second.list, second.contacts, second.list_serial) == ("had it", "taken", 3)
    assert bytes(own.file) == folder.list_of_contacts().data
    assert run_visit(token(serial=3), folder).contacts == "none"  # on the shelf


def test_lists_of_the_two_kinds_do_not_replace_each_other(world, folder):
    folder.add_list(of_contacts(world, 7))
    folder.add_list(world.written("newer.eml", world.list_file(records(9), serial=8)))
    folder.add_list(of_contacts(world, 9))
    assert [taken.serial for taken in folder.sound_lists()] == [8, 9]  # that of the ill first


def test_code_that_begins_with_1_asks_for_the_upload_of_a_contact(folder, token):
    own = token()
    assert run_visit(own, folder, wish=Wish(code=F1_CODE)).upload == "taken"
    assert (own.asked, own.days) == (spec.ASK_F1, 14)


def test_token_gets_the_shortest_list_that_leaves_no_gap(world, folder, token):
    for base in (1, 2):
        world.kiosk.add_list(world.written("short.eml", world.list_file(records(3), serial=3, base=base)))
    assert [folder.list_for(serial).header.base for serial in (0, 1, 2)] == [0, 1, 2]


def test_handover_leaves_shelf_mode_and_no_list_goes_to_the_shelf(folder, token):
    shelved, handed = token(), token()
    assert run_visit(shelved, folder).list == "none"
    run_visit(handed, folder, wish=Wish(handover=True))
    assert shelved.shelf and not handed.shelf


def test_upload_is_kept_for_the_owner_only_and_sealed(world, folder, token):
    own = token()
    shown = []
    result = run_visit(own, folder, wish=Wish(code=CODE), show=shown.append)
    assert (result.upload, own.days) == ("taken", 14)
    assert shown == [handshake.number(own.whole)]
    (path,) = folder.uploads()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    upload = read_upload(path.read_bytes(), int(NOW_S), keyring.seal_keys(world.authority))
    assert (upload.code, upload.scheme) == (CODE, spec.BLUEZONE)
    assert [(r.key, r.first_slot, r.count) for r in upload.records] == [(bytes(range(32)), 1000, 90)]
    assert bytes(range(32)).hex() not in path.read_text()


def test_upload_goes_from_token_to_list(world, folder, token):
    (code,) = intake.issue_codes(world.authority, 1, int(NOW_S))
    run_visit(token(), folder, wish=Wish(code=code))
    assert intake.ingest(world.authority, folder.uploads()[0], int(NOW_S)) == 1
    done = core.publish(world.authority, world.path / "9.eml", int(NOW_S))
    assert done.records == 0  # its slots are 14 days old and more


def test_refused_upload_is_no_failure(folder, token):
    result = run_visit(token(agrees=False), folder, wish=Wish(code=CODE))
    assert result.complete and result.upload == "the wearer did not agree" and not folder.uploads()


def test_every_visit_has_the_same_frames_whatever_is_asked(folder, token):
    def lengths(own, wish):
        seen = []
        client = FakeClient(own)
        send = own._send
        own._send = lambda kind, body: (seen.append((kind, len(body))), send(kind, body))
        write = client.write_gatt_char

        async def counted(where, data, response=None):
            seen.append(("frame", len(data)))
            await write(where, data, response)

        client.write_gatt_char = counted
        asyncio.run(session.visit(client, lambda: NOW_S, folder, wish=wish))
        return seen

    plain = lengths(token(serial=3), Wish())
    lesser = token(serial=3)
    lesser.status = {"state": spec.STATE_TIME_KNOWN | spec.STATE_LESSER}
    for own, wish in (
        (token(serial=3), Wish(code=CODE)),
        (token(serial=3, agrees=False), Wish(code=CODE)),
        (token(serial=3), Wish(code=F1_CODE)),
        (token(serial=3, agrees=False), Wish(code=F1_CODE)),
        (lesser, Wish()),
        (token(serial=3), Wish(end_alert=True)),
    ):
        assert lengths(own, wish) == plain


@pytest.mark.parametrize(
    "fault, words",
    [
        ("bad_frame", "frame"),
        ("flood", "more than it is asked for"),
        ("far_offset", "behind the list's end"),
        ("mute", "did not answer"),
        ("other_key", "another key than it promised"),
        ("junk_status", "not sealed to this visit"),
        ("junk_upload", "not of this visit"),
        ("unasked", "not asked"),
    ],
)
def test_token_that_misbehaves_ends_the_visit(folder, token, monkeypatch, fault, words):
    monkeypatch.setattr(session, "WAIT_S", 0.05)
    with pytest.raises(VisitError, match=words):
        run_visit(token(faults=[fault]), folder, wish=Wish(handover=True))
    assert not folder.uploads()


def greeting(*answers):
    """A wearer who watches the light as often as there are answers, and says the last of them."""

    async def greet(blink):
        for _ in answers:
            await blink()
        return answers[-1]

    return greet


def test_token_blinks_until_the_wearer_knows_it(folder, token):
    own = token()
    assert run_visit(own, folder, greet=greeting(None, None, True)).complete
    assert own.heard[:4] == [spec.BLINK] * 3 + [spec.HELLO]


def test_token_of_someone_else_is_asked_nothing(folder, token):
    own = token()
    with pytest.raises(session.NotMine):
        run_visit(own, folder, greet=greeting(False))
    assert own.heard == [spec.BLINK]


def test_person_decides_by_what_the_token_said_and_it_waits(folder, token, monkeypatch):
    own, seen = token(), []
    monkeypatch.setattr(session, "_NUDGE_S", 0.01)

    async def decide(status):
        seen.append(status)
        while own.nudges < 3:
            await asyncio.sleep(0.001)
        return Wish(end_alert=True)

    assert run_visit(own, folder, decide=decide).complete
    assert seen[0]["battery_mv"] == 3900 and own.asked == spec.ASK_ACK_ALERT


def test_service_serves_each_token_once_and_logs_no_address(folder, token):
    tokens = {"C0:00:00:00:00:01": token(), "C0:00:00:00:00:02": token(faults=["bad_frame"])}
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


def test_code_goes_to_one_token_only(folder, token):
    tokens = {"C0:00:00:00:00:01": token(), "C0:00:00:00:00:02": token()}

    async def work():
        stop, served = asyncio.Event(), []

        def on_visit(result, why):
            served.append(result.upload)
            if len(served) == 2:
                stop.set()

        await serve(
            scanner_of(tokens),
            FakeClient,
            folder,
            clock=lambda: NOW_S,
            wish=Wish(code=CODE),
            stop=stop,
            on_visit=on_visit,
        )
        return served

    assert asyncio.run(work()) == ["taken", "none"]


def test_folder_refuses_a_damaged_list_and_passes_over_one(world, folder):
    damaged = bytearray(world.list_file(records(140), serial=9))
    damaged[5000] ^= 1
    with pytest.raises(lists.ListFileError, match="hash"):
        folder.add_list(world.written("damaged.eml", damaged))
    (folder.inbox / "list-0-9999999999-0.eml").write_bytes(damaged)
    assert folder.list_for(0).serial == 3


def test_folder_refuses_a_list_of_another_authority(world, folder, tmp_path):
    other = World(tmp_path / "other")
    with pytest.raises(lists.ListFileError, match="not signed"):
        folder.add_list(world.written("other.eml", other.list_file(records(2))))


def test_two_lists_of_one_serial_are_refused(world, folder):
    with pytest.raises(lists.ListFileError, match="serial 3"):
        folder.add_list(world.written("other.eml", world.list_file(records(2))))


def test_kiosk_without_a_certificate_that_holds_serves_nobody(world, folder, token):
    for clock_s, words in ((NOW_S + 15 * 86400, "does not hold now"), (NOW_S - 60, "does not hold now")):
        with pytest.raises(IdentityError, match=words):
            asyncio.run(session.visit(FakeClient(token()), lambda clock_s=clock_s: clock_s, folder))
    (folder.path / "kiosk.cert").unlink()
    with pytest.raises(IdentityError, match="no certificate"):
        run_visit(token(), folder)


def test_certificate_of_another_kiosk_or_root_is_not_taken(world, folder, tmp_path):
    other = world.new_kiosk("second")
    stranger = World(tmp_path / "elsewhere").kiosk
    for path in (other.path, stranger.path):
        assert not identity.take_certificate(folder.path, (path / "kiosk.cert").read_bytes())
    assert not identity.take_certificate(folder.path, b"junk")


def test_carrier_brings_lists_and_certificate_and_takes_uploads_until_receipt(world, folder, token, tmp_path):
    carrier = tmp_path / "carrier"
    carrier.mkdir()
    run = CliRunner().invoke
    home, later = str(world.authority), int(NOW_S) + 5 * 86400
    public = str(folder.path / "kiosk.pub")
    assert not run(
        main, ["authority", "certify-kiosk", home, public, "--out", str(carrier / "k.cert"), "--at", str(later)]
    ).exit_code
    (carrier / "4.eml").write_bytes(world.list_file(records(5), serial=4))
    (code,) = intake.issue_codes(world.authority, 1, int(NOW_S))
    run_visit(token(), folder, wish=Wish(code=code))
    sync = ["kiosk", "sync", str(folder.path), str(carrier), "--json"]
    first = json.loads(run(main, sync).output)
    counts = {"lists": 1, "root": False, "certificate": True, "sent": 1, "received": 0}
    assert first == {**counts, "refused": [], "failed": []}
    assert folder.list_for(0).serial == 4 and len(folder.uploads()) == 1
    assert json.loads(run(main, sync).output)["sent"] == 0  # it is there already
    assert run(main, ["authority", "ingest", home, str(carrier / "uploads"), "--at", str(later)]).exit_code == 0
    assert json.loads(run(main, sync).output)["received"] == 1
    assert not folder.uploads() and not list((carrier / "uploads").iterdir())
    (carrier / "5.eml").write_bytes(b"junk")
    refused = run(main, sync)
    assert refused.exit_code == 1 and json.loads(refused.output)["refused"] == ["5.eml: list is cut short"]


def test_kiosk_draws_its_key_once(world, tmp_path):
    run = CliRunner().invoke
    root = str(world.authority / "root.pub")
    assert run(main, ["kiosk", "init", str(tmp_path / "new"), "--root", root]).exit_code == 0
    assert run(main, ["kiosk", "init", str(tmp_path / "new"), "--root", root]).exit_code == 1
    assert len((tmp_path / "new" / "kiosk.pub").read_text().strip()) == 64


def test_command_line_tells_what_is_in_the_folder(folder, tmp_path):
    shown = CliRunner().invoke(main, ["kiosk", "status", str(folder.path), "--json"])
    assert shown.exit_code == 0
    facts = json.loads(shown.output)
    assert facts["list_serial"] == 3 and facts["list_records"] == 140 and facts["visits"] == 0
    assert CliRunner().invoke(main, ["kiosk", "status", str(tmp_path / "none")]).exit_code == 2
    junk = tmp_path / "junk"
    junk.write_bytes(b"x" * 100)
    refused = CliRunner().invoke(main, ["kiosk", "add-list", str(folder.path), str(junk)])
    assert refused.exit_code == 2 and len(refused.output.splitlines()) == 1
