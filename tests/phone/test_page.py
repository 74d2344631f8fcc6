"""Facts about the phone's page in Chromium with emulated Bluetooth, and tokens made of Python."""

import shutil

import pytest

from emask import keylist, spec
from tests.kiosk.browser import on, tap
from tests.kiosk.hall_rig import ALERTED, SEEN
from tests.phone.emulation import FakeAir, bluetooth_chromium
from tests.phone.phone_rig import Phone, built, opened, served, url
from tests.tools.fake_token import FakeToken
from tests.tools.world import NOW_S, World

__all__ = ["bluetooth_chromium", "url"]
RECORDS = [keylist.pack_record(bytes([n]) * 32, 1000 + n, 0, 96) for n in range(40)]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    own = World(tmp_path_factory.mktemp("phone"), region=7)
    new = own.written("new.eml", own.list_file(RECORDS, issued_s=NOW_S - 3600))
    built(own.path / "page", own.root, [new])
    return own


@pytest.fixture
def stranger(bluetooth_chromium, url):
    with opened(bluetooth_chromium, url, NOW_S) as own:
        yield own


@pytest.fixture(scope="module")
def certified(bluetooth_chromium, url, world):
    with opened(bluetooth_chromium, url, NOW_S) as own:
        on(own.page, "start")
        own.certify(world.authority, region=7)
        yield own


@pytest.fixture
def nurse(certified):
    """A phone with a kiosk's certificate, at its start."""
    certified.again()
    return certified


def token(world, status=SEEN, **how):
    own = FakeToken(world.root, serial=2, **how)
    own.shelf, own.status = False, status
    return own


def to_result(phone, air, own):
    air.press(own)
    phone.find("which")
    tap(phone.page, "yes", "closer")


def test_wearer_without_warning_is_told_up_to_when_and_gets_the_list(nurse, world):
    air, own = FakeAir(), token(world)
    with nurse.bluetooth(air):
        to_result(nurse, air, own)
        tap(nurse.page, "show", "none")
        assert "Không thấy cảnh báo" in nurse.text() and "ngày 15 tháng 11" in nurse.text()
        tap(nurse.page, "next", "done")
    assert (own.serial, own.asked, own.times) == (3, 0, [NOW_S])
    assert own.heard[-1] == spec.BYE


def test_wearer_with_a_warning_is_told_what_to_do_and_it_ends(nurse, world):
    air, own = FakeAir(), token(world, ALERTED)
    with nurse.bluetooth(air):
        to_result(nurse, air, own)
        assert "riêng mình" in nurse.text() and "gần người bệnh" not in nurse.text()
        tap(nurse.page, "show", "alert")
        assert "ngày 11 tháng 11" in nurse.text()
        tap(nurse.page, "next", "advice")
        assert "1900\N{NO-BREAK SPACE}9095" in nurse.page.inner_text("#screen")
        tap(nurse.page, "ok", "done")
    assert own.asked == spec.ASK_ACK_ALERT


def test_wearer_whose_warning_was_a_mistake_reads_so_once(nurse, world):
    air, own = FakeAir(), token(world, SEEN | {"alert_day": spec.ALERT_TAKEN_BACK})
    with nurse.bluetooth(air):
        to_result(nurse, air, own)
        tap(nurse.page, "show", "withdrawn")
        assert "là nhầm" in nurse.text() and "không phải xét nghiệm" in nurse.text()
        tap(nurse.page, "next", "done")
    assert own.asked == spec.ASK_ACK_ALERT


def test_wearer_who_met_a_warned_contact_reads_that_and_whom_to_call(nurse, world):
    air, own = FakeAir(), token(world, SEEN | {"state": spec.STATE_TIME_KNOWN | spec.STATE_LESSER})
    with nurse.bluetooth(air):
        to_result(nurse, air, own)
        tap(nurse.page, "show", "lesser")
        assert "đã nhận cảnh báo" in nurse.text() and "1900 9095" in nurse.text() and "ngày" not in nurse.text()
        tap(nurse.page, "next", "done")
    assert own.asked == 0


def test_token_whose_programme_is_over_is_asked_for_whatever_was_wanted_of_it(nurse, world):
    air, own = FakeAir(), token(world, {"state": spec.STATE_ENDED})
    with nurse.bluetooth(air):
        for name, then in (("staff", "staff"), ("handover", "press")):
            tap(nurse.page, name, then)
        air.press(own)
        nurse.page.click("[data-tap=find]")
        on(nurse.page, "which")
        tap(nurse.page, "yes", "ended")
        assert "Xin trả thẻ" in nurse.text()
    assert own.asked == 0 and spec.LIST_OFFER not in own.heard


class Watched:
    """Names of all screens that a phone showed."""

    def __init__(self, phone):
        self._page = phone.page
        self._page.evaluate(
            """() => {
                const main = document.getElementById("screen");
                window.seen = [];
                new MutationObserver(() => seen.push(main.querySelector(".screen").dataset.name))
                    .observe(main, { childList: true });
            }"""
        )

    def names(self):
        return list(dict.fromkeys(self._page.evaluate("seen")))


def test_stranger_s_phone_shows_the_same_of_every_token(stranger, world):
    air, shown = FakeAir(), []
    for status in (SEEN, ALERTED):
        stranger.again()
        watched, own = Watched(stranger), token(world, status)
        with stranger.bluetooth(air):
            air.press(own)
            stranger.find("done")
        shown.append(watched.names())
        assert own.serial == 3 and set(own.heard) == {spec.LIST_OFFER, spec.LIST_DATA, spec.BYE}
    assert shown[0] == shown[1] == ["seen", "leave", "done"]


def test_screen_that_nobody_touches_goes_back_to_the_start_in_time(stranger, world):
    on(stranger.page, "start")
    stranger.certify(world.authority)
    stranger.page.clock.install(time=NOW_S)
    tap(stranger.page, "staff", "staff")
    stranger.page.clock.fast_forward(39_000)
    on(stranger.page, "staff")
    stranger.page.clock.fast_forward(2_000)
    on(stranger.page, "start")


def test_page_and_lists_serve_without_a_network(stranger, world):
    on(stranger.page, "start")
    stranger.page.evaluate("navigator.serviceWorker.ready")
    stranger.context.set_offline(True)
    stranger.page.reload()
    air, own = FakeAir(), token(world)
    with stranger.bluetooth(air):
        air.press(own)
        stranger.find("done")
    assert own.serial == 3


def test_token_that_walks_away_is_said_to_be_lost_and_served_at_the_next_press(nurse, world):
    air, own = FakeAir(), token(world)
    with nurse.bluetooth(air):
        air.press(own)
        nurse.find("which")
        air.walk_away()
        tap(nurse.page, "yes", "lost")
        assert "P51" in nurse.text() and own.serial == 2
    nurse.again()
    with nurse.bluetooth(air):
        to_result(nurse, air, own)
        tap(nurse.page, "show", "none")


@pytest.mark.parametrize("fault", ["bad_frame", "junk_status", "other_key", "junk_upload", "unasked", "far_offset"])
def test_rubbish_from_a_token_ends_the_visit_and_shows_no_result(nurse, world, fault):
    air = FakeAir()
    with nurse.bluetooth(air):
        air.press(token(world, faults=[fault]))
        nurse.page.click("[data-tap=find]")
        if fault == "bad_frame":
            on(nurse.page, "retry")
        else:
            on(nurse.page, "which")
            nurse.page.click("[data-tap=yes]")
            if fault in ("junk_upload", "unasked", "far_offset"):
                on(nurse.page, "closer")
                tap(nurse.page, "show", "none")
                nurse.page.click("[data-tap=next]")
            on(nurse.page, "retry")
        assert "P52" in nurse.text()


def test_list_that_one_token_spoils_arrives_at_the_second_try(nurse, world):
    air, own = FakeAir(), token(world, faults=["spoil"])
    with nurse.bluetooth(air):
        to_result(nurse, air, own)
        tap(nurse.page, "show", "none")
        tap(nurse.page, "next", "done")
    assert own.serial == 3


def test_page_can_be_installed(stranger):
    on(stranger.page, "start")
    stranger.page.evaluate("navigator.serviceWorker.ready")
    found = stranger.context.new_cdp_session(stranger.page).send("Page.getInstallabilityErrors")
    kinds = {error["errorId"] for error in found["installabilityErrors"]}
    assert kinds <= {"in-incognito"}, kinds  # a test's context is one
    told = stranger.context.new_cdp_session(stranger.page).send("Page.getAppManifest")
    assert told["errors"] == [] and told["url"].endswith("manifest.webmanifest")


def test_page_that_was_changed_on_its_way_is_not_kept(bluetooth_chromium, world, tmp_path):
    shutil.copytree(world.path / "page", tmp_path / "page")
    with (tmp_path / "page/report.js").open("a") as file:
        file.write("// one byte more\n")
    with served(tmp_path / "page") as address:
        phone = Phone(bluetooth_chromium, address, NOW_S)
        on(phone.page, "start")
        phone.page.wait_for_function("navigator.serviceWorker.getRegistration().then((found) => !found)")
        phone.close()


def test_keys_alone_go_through_the_flow(nurse, world):
    air = FakeAir()
    with nurse.bluetooth(air):
        on(nurse.page, "start")
        air.press(token(world))
        nurse.page.keyboard.press("1")
        on(nurse.page, "which")
        nurse.page.keyboard.press("ArrowRight")
        assert nurse.page.evaluate("document.activeElement.dataset.tap") == "yes"
        nurse.page.keyboard.press("Enter")
        on(nurse.page, "closer")
        nurse.page.keyboard.press("1")
        on(nurse.page, "none")
        nurse.page.keyboard.press("1")
        on(nurse.page, "done")
