"""Facts about a kiosk's uploads by HTTP: to the real service, past lines and servers that fail as they are told."""

import contextlib
import json
import time

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from starlette.responses import JSONResponse, RedirectResponse

from emask import keylist
from tests.tools.service_process import Service
from tests.tools.web_server import served
from tests.tools.world import World
from tools.authority import intake, keyring, sample, site, store, tables
from tools.authority.web.app import Settings, make_app
from tools.cli import main
from tools.kiosk.net import NetError
from tools.kiosk.send import send

COUNT = 4
NOW_S = int(time.time())  # the service in its process has no other clock
VISIT = bytes(range(32))
TEXT = sample.text(1, [keylist.pack_record(bytes(32), NOW_S // 900 - 200, 0, 96)])


@pytest.fixture
def world(tmp_path):
    own = World(tmp_path, now_s=NOW_S)
    public = keyring.seal_key(own.authority).public_key()
    for code in intake.issue_codes(own.authority, COUNT, NOW_S):
        sealed = sample.upload(public, code, VISIT, NOW_S, TEXT)["sealed"]
        own.kiosk.store_upload(code, VISIT, bytes.fromhex(sealed), NOW_S)
    yield own
    store.close(own.authority)


def kept(world):
    with store.reading(world.authority) as database:
        return database.execute(select(func.count()).select_from(tables.uploads)).scalar_one()


class Failing:
    """The service, for which an answer is put in its place as long as there are any in `answers`.

    None: the request is dealt with, and its answer is cut off.
    """

    def __init__(self, world, *answers):
        self.app, self.answers, self.asked = make_app(Settings(world.authority)), list(answers), 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else self.app
        if answer is not None:
            return await answer(scope, receive, send)

        async def cut(message):
            await send({**message, "body": message.get("body", b"")[:9], "more_body": True})
            if message["type"] == "http.response.body":
                raise ConnectionAbortedError

        with contextlib.suppress(ConnectionAbortedError):
            await self.app(scope, receive, cut)


def sent(world, *answers):
    """(application, what was sent) past a service that fails so."""
    app = Failing(world, *answers)
    with served(app) as address:
        return app, send(world.kiosk, address, lambda name, at, size: None)


def test_one_command_exchanges_both_ways_with_the_service(world, tmp_path):
    lists_folder = tmp_path / "site"
    site.put(lists_folder, [world.written("3.eml", world.list_file([], issued_s=NOW_S))])
    with Service(world.authority, "--site", lists_folder) as service:
        sync = ["kiosk", "sync", str(world.kiosk.path), f"{service.address}/lists", "--uploads", service.address]
        first = json.loads(CliRunner().invoke(main, [*sync, "--json"]).output)
        second = CliRunner().invoke(main, sync)
    assert first == {
        "lists": 1,
        "certificate": False,
        "root": False,
        "sent": COUNT,
        "received": COUNT,
        "refused": [],
        "failed": [],
    }
    assert kept(world) == COUNT and not world.kiosk.uploads()
    assert second.exit_code == 0 and "uploads handed over: 0" in second.output


def test_uploads_leave_the_kiosk_once_and_count_once(world):
    _, done = sent(world)
    assert (done.taken, done.refused, world.kiosk.uploads(), kept(world)) == (COUNT, (), [], COUNT)
    app, done = sent(world)
    assert (app.asked, done.taken) == (0, 0)


def test_upload_whose_receipt_was_lost_is_sent_again_and_counts_once(world):
    with pytest.raises(NetError, match="the line was cut"):
        sent(world, None)
    assert (len(world.kiosk.uploads()), kept(world)) == (COUNT, 1)
    _, done = sent(world)
    assert (done.taken, kept(world), world.kiosk.uploads()) == (COUNT, COUNT, [])


def test_service_that_is_busy_for_a_moment_is_asked_again(world):
    busy = JSONResponse({"detail": "later"}, 503, {"Retry-After": "60"})
    app, done = sent(world, busy)
    assert (app.asked, done.taken) == (COUNT + 1, COUNT)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (JSONResponse({"records": 1}), "answered 200"),
        (JSONResponse({"records": 1, "sha256": "0" * 64}), "answered 200"),
        (JSONResponse([1]), "answered 200"),
        (JSONResponse({"detail": 1}, 409), "answered 409"),
        (JSONResponse({}, 404), "answered 404"),
        (RedirectResponse("https://example.org/", 307), "answered 307"),
    ],
)
def test_answer_that_is_no_receipt_keeps_the_upload_and_ends_it(world, answer, why):
    with pytest.raises(NetError, match=why):
        sent(world, make_app(Settings(world.authority)), answer)
    assert len(world.kiosk.uploads()) == COUNT - 1 and kept(world) == 1


def test_refused_upload_stays_and_the_others_are_sent(world):
    path = world.kiosk.store_upload("A" * 12, VISIT, bytes(530), NOW_S)
    _, done = sent(world)
    assert done.taken == COUNT and len(done.refused) == 1 and done.refused[0].startswith(path.name)
    assert world.kiosk.uploads() == [path]


@pytest.mark.parametrize("address", ["http://example.org", "ftp://127.0.0.1", "example.org"])
def test_uploads_are_sent_by_https_only(world, address):
    with pytest.raises(NetError, match="https:// only"):
        send(world.kiosk, address, lambda name, at, size: None)


def test_lists_come_though_uploads_can_not_go_and_the_other_way_round(world, tmp_path):
    site.put(tmp_path / "site", [world.written("3.eml", world.list_file([], issued_s=NOW_S))])
    app = make_app(Settings(world.authority, tmp_path / "site"))
    sync = ["kiosk", "sync", str(world.kiosk.path)]
    with served(app) as address:
        no_uploads = CliRunner().invoke(main, [*sync, f"{address}/lists", "--uploads", "https://127.0.0.1:9", "--json"])
        no_lists = CliRunner().invoke(main, [*sync, f"{address}/none", "--uploads", address, "--json"])
    assert no_uploads.exit_code == no_lists.exit_code == 3
    assert json.loads(no_uploads.output)["lists"] == 1 and "no connection" in json.loads(no_uploads.output)["failed"][0]
    assert json.loads(no_lists.output)["received"] == COUNT and "404" in json.loads(no_lists.output)["failed"][0]


def test_folder_and_address_of_uploads_are_not_mixed(world, tmp_path):
    mixed = ["kiosk", "sync", str(world.kiosk.path), str(tmp_path), "--uploads", "https://example.org"]
    assert CliRunner().invoke(main, mixed).exit_code == 2
    assert "no such folder" in CliRunner().invoke(main, ["kiosk", "sync", str(world.kiosk.path), "nowhere"]).output
