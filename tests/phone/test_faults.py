"""Facts about faults at a phone: each has a screen in plain words and a code, and takes nothing from the token."""

import pytest

from emask import spec
from tests.kiosk.browser import on, tap
from tests.kiosk.hall_rig import SEEN
from tests.phone.emulation import FakeAir, bluetooth_chromium
from tests.phone.phone_rig import built, opened, url
from tests.tools.fake_token import FakeToken
from tests.tools.world import NOW_S, World

__all__ = ["bluetooth_chromium", "url"]
_FULL = """() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (value, key) {
        if (key === "room") throw new DOMException("full", "QuotaExceededError");
        return put.call(this, value, key);
    };
}"""
_OFF = """() => {
    navigator.bluetooth.requestDevice = async () => { throw new DOMException("none", "NotFoundError"); };
    navigator.bluetooth.getAvailability = async () => false;
}"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    own = World(tmp_path_factory.mktemp("faults"))
    built(own.path / "page", own.root, [])
    return own


@pytest.fixture(scope="module")
def stranger(bluetooth_chromium, url):
    with opened(bluetooth_chromium, url, NOW_S) as own:
        on(own.page, "start")
        yield own


@pytest.fixture(scope="module")
def certified(bluetooth_chromium, url, world):
    with opened(bluetooth_chromium, url, NOW_S) as own:
        on(own.page, "start")
        own.certify(world.authority)
        own.module("stock.js", "await m.add(given)", "ABCDEFGHJKLM")
        yield own


@pytest.fixture
def nurse(certified):
    certified.set_clock(NOW_S)
    certified.again()
    return certified


@pytest.fixture
def own(world):
    made = FakeToken(world.root, serial=2)
    made.shelf, made.status = False, SEEN
    return made


def asks_for_an_upload(phone, air, own):
    for name, then in (("staff", "staff"), ("upload", "consent"), ("agree", "press")):
        tap(phone.page, name, then)
    air.press(own)
    tap(phone.page, "find", "which")


def test_stranger_s_phone_that_has_no_list_yet_says_so(stranger, own):
    air = FakeAir()
    with stranger.bluetooth(air):
        air.press(own)
        stranger.find("retry")
    assert "P33" in stranger.text() and own.heard == []


def test_phone_with_a_wrong_clock_gives_no_token_the_time(nurse, own):
    air = FakeAir()
    nurse.set_clock(NOW_S - spec.DAY_S)
    with nurse.bluetooth(air):
        air.press(own)
        nurse.find("retry")
    assert "P41" in nurse.text() and own.heard == []


def test_phone_without_room_takes_no_keys_from_the_token(nurse, own):
    air = FakeAir()
    nurse.page.evaluate(_FULL)
    with nurse.bluetooth(air):
        asks_for_an_upload(nurse, air, own)
        tap(nurse.page, "yes", "retry")
    assert "P31" in nurse.text() and spec.ASK not in own.heard


def test_stop_on_the_number_s_screen_ends_the_visit_without_an_upload(nurse, own):
    air = FakeAir()
    own.faults.add("slow")
    with nurse.bluetooth(air):
        asks_for_an_upload(nurse, air, own)
        tap(nurse.page, "yes", "number")
        tap(nurse.page, "stop", "start")
    assert spec.BYE not in own.heard and nurse.module("keep.js", "await m.names('uploads')") == []
    assert nurse.module("stock.js", "await m.codes()") == ["ABCDEFGHJKLM"]


def test_bluetooth_that_is_off_closes_the_phone_in_words(nurse):
    nurse.page.evaluate(_OFF)
    nurse.page.click("[data-tap=find]")
    on(nurse.page, "closed")
    assert "P12" in nurse.text()
