"""Facts about the site of lists and about fetching from it, over HTTP from a real server that can be told to fail."""

import json

import pytest
from click.testing import CliRunner

from emask import keylist, spec
from tests.tools import web_server
from tests.tools.unreliable import Unreliable
from tests.tools.world import NOW_S, World
from tools import lists, signing
from tools.authority import core, site
from tools.cli import main
from tools.kiosk import fetch as fetching
from tools.kiosk import identity
from tools.kiosk.net import NetError


def fetch(folder, address):
    return fetching.fetch(folder, address, lambda name, at, size: None)


RECORDS = [keylist.pack_record(bytes([n % 251]) * 32, 1000 + n, 0, 96) for n in range(400)]  # 17 blocks


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def folder(world):
    (world.path / "site").mkdir()
    return world.path / "site"


@pytest.fixture
def server(folder):
    """(application, address)."""
    app = Unreliable(folder)
    with web_server.served(app) as address:
        yield app, address


def put(world, folder, *files):
    return site.put(folder, [world.written(f"{number}.eml", data) for number, data in enumerate(files)])


def test_site_names_the_current_lists_and_forgets_older_ones_of_the_same_line(world, folder):
    put(world, folder, world.list_file(RECORDS), world.list_file(RECORDS, serial=7, region=5))
    names = put(world, folder, world.list_file(RECORDS, serial=4), world.list_file(RECORDS[:9], serial=4, base=3))
    assert names == sorted(path.name for path in folder.glob("*.eml")) and len(names) == 3
    index = json.loads((folder / "index.json").read_text())
    assert [(entry["region"], entry["bytes"]) for entry in index["lists"]] == [
        (0, 5 * 4096),
        (0, 2 * 4096),
        (5, 5 * 4096),
    ]


def test_site_made_twice_has_the_same_index(world, folder):
    put(world, folder, world.list_file(RECORDS))
    before = (folder / "index.json").read_bytes()
    put(world, folder, world.list_file(RECORDS))
    assert (folder / "index.json").read_bytes() == before


def test_damaged_list_changes_nothing_on_the_site(world, folder):
    put(world, folder, world.list_file(RECORDS))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    bad = bytearray(world.list_file(RECORDS, serial=9))
    bad[5000] ^= 1
    with pytest.raises(lists.ListFileError):
        put(world, folder, bytes(bad))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_kiosk_takes_what_is_new_once(world, folder, server):
    app, address = server
    put(world, folder, world.list_file(RECORDS), world.list_file(RECORDS[:9], base=2))
    done = fetch(world.kiosk, address)
    assert (done.new, done.known, done.refused) == (2, 0, ())
    assert world.kiosk.list_for(2).header.count == 9 and world.kiosk.list_for(0).header.count == 400
    app.asked.clear()
    assert fetch(world.kiosk, address + "/").unchanged
    assert not [path for path in app.paths() if path.endswith(".eml")]


def test_transfer_that_is_cut_goes_on_at_the_byte_where_it_stopped(world, folder, server):
    app, address = server
    put(world, folder, world.list_file(RECORDS))
    app.cut, app.cuts = 7168, 2
    assert fetch(world.kiosk, address).new == 1
    ranges = [how for path, how in app.asked if path.endswith(".eml")]
    assert ranges == ["", "bytes=7168-", "bytes=14336-"]


def test_transfer_that_is_cut_too_often_goes_on_at_the_next_call(world, folder, server):
    app, address = server
    put(world, folder, world.list_file(RECORDS))
    app.cut, app.cuts = 1024, 100
    with pytest.raises(NetError, match="goes on next time"):
        fetch(world.kiosk, address)
    assert world.kiosk.sound_lists() == []
    app.cuts = 0
    app.asked.clear()
    assert fetch(world.kiosk, address).new == 1
    assert app.asked[-1][1] == "bytes=5120-"
    assert not list(world.kiosk.inbox.glob("*.part"))


def test_server_without_ranges_begins_again(world, folder, server):
    app, address = server
    put(world, folder, world.list_file(RECORDS))
    app.ranges, app.cut, app.cuts = False, 15000, 1
    assert fetch(world.kiosk, address).new == 1


def test_list_that_is_not_as_the_index_says_is_refused_and_asked_for_again(world, folder, server):
    _, address = server
    (name,) = put(world, folder, world.list_file(RECORDS))
    sound = (folder / name).read_bytes()
    (folder / name).write_bytes(sound[:-1] + b"x")
    assert fetch(world.kiosk, address).refused == (f"{name}: not as the index says",)
    (folder / name).write_bytes(sound)
    assert fetch(world.kiosk, address).new == 1


def test_list_of_another_authority_is_refused(world, folder, server, tmp_path):
    _, address = server
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    put(other, folder, other.list_file(RECORDS))
    done = fetch(world.kiosk, address)
    assert done.new == 0 and len(done.refused) == 1 and world.kiosk.sound_lists() == []


def test_kiosk_of_a_region_takes_that_regions_lists_and_everybodys(tmp_path, folder, server):
    _, address = server
    (tmp_path / "five").mkdir()
    five = World(tmp_path / "five", region=5)
    put(five, folder, *(five.list_file(RECORDS[:3], serial=3 + region, region=region) for region in (0, 5, 6)))
    assert fetch(five.kiosk, address).new == 2
    assert {taken.header.region for taken in five.kiosk.sound_lists()} == {0, 5}


def test_newer_certificate_comes_along_and_an_older_one_does_not(world, folder, server):
    _, address = server
    put(world, folder, world.list_file(RECORDS))
    public = signing.load_public(world.kiosk.path / "kiosk.pub")
    _, data = core.certify_kiosk(world.authority, public, 0, NOW_S + spec.DAY_S)
    site.put(folder, [world.written("new.cert", data)])
    assert fetch(world.kiosk, address).certificate
    assert identity.load(world.kiosk.path, NOW_S + 14 * spec.DAY_S)
    assert not fetch(world.kiosk, address).certificate


def index_with(**wrong):
    entry = {"name": "x.eml", "region": 0, "bytes": 1, "sha256": "0" * 64} | wrong
    return json.dumps({"format": "emask-lists/1", "lists": [entry]}).encode()


INDEXES = [
    (b"<html>404</html>", "not JSON"),
    (b"[" * 60_000, "not JSON"),
    (b"{}", "the whole breaks the rule 'required'"),
    (index_with(name="../../x.eml"), "lists.0.name"),
    (index_with(bytes=10**9), "lists.0.bytes"),
    (index_with(sha256="0"), "lists.0.sha256"),
]


@pytest.mark.parametrize(("data", "why"), INDEXES)
def test_index_that_is_none_names_what_is_wrong_and_writes_nothing(world, folder, server, data, why):
    _, address = server
    (folder / "index.json").write_bytes(data)
    with pytest.raises(NetError, match=why):
        fetch(world.kiosk, address)
    assert not list(world.kiosk.inbox.iterdir())


def test_file_that_never_ends_fills_no_disk(world, folder, server):
    _, address = server
    (name,) = put(world, folder, world.list_file(RECORDS))
    with (folder / name).open("ab") as file:
        file.write(bytes(1_000_000))
    assert fetch(world.kiosk, address).new == 1, "what stands behind the list is not even read"
    assert sum(path.stat().st_size for path in world.kiosk.inbox.iterdir()) == 5 * 4096


@pytest.mark.parametrize(("status", "why"), [(404, "answered 404"), (302, "from one address to the next")])
def test_answer_that_is_no_list_is_told(world, folder, server, status, why):
    app, address = server
    put(world, folder, world.list_file(RECORDS))
    app.status = status
    with pytest.raises(NetError, match=why):
        fetch(world.kiosk, address)


def test_server_that_is_busy_for_a_moment_is_asked_again(world, folder, server):
    app, address = server
    put(world, folder, world.list_file(RECORDS))
    app.busy = 1
    assert fetch(world.kiosk, address).new == 1


def test_superseded_lists_leave_the_kiosk(world, folder, server):
    _, address = server
    for serial in (3, 4, 5):
        put(
            world,
            folder,
            world.list_file(RECORDS, serial=serial),
            world.list_file(RECORDS[:3], serial=serial, base=serial - 1),
        )
        fetch(world.kiosk, address)
    kept = [(taken.serial, taken.header.base) for taken in world.kiosk.sound_lists()]
    assert kept == [(5, 4), (5, 0)]


def test_commands_from_publishing_to_fetching(world, folder, server):
    _, address = server
    out = world.path / "list.eml"
    assert CliRunner().invoke(main, ["authority", "publish", str(world.authority), "--out", str(out)]).exit_code == 0
    put_there = CliRunner().invoke(main, ["authority", "site", str(folder), str(out)])
    assert put_there.exit_code == 0 and "1 lists are current" in put_there.output
    done = CliRunner().invoke(main, ["kiosk", "sync", str(world.kiosk.path), address, "--json"])
    assert done.exit_code == 0 and json.loads(done.output)["lists"] == 1
    nobody = CliRunner().invoke(main, ["kiosk", "sync", str(world.kiosk.path), "http://127.0.0.1:9", "--json"])
    assert nobody.exit_code == 3 and "can't be reached: no connection" in json.loads(nobody.output)["failed"][0]
    wrong = CliRunner().invoke(main, ["kiosk", "sync", str(world.kiosk.path), "ftp://x"])
    assert wrong.exit_code == 3 and "must begin with https://" in wrong.output
