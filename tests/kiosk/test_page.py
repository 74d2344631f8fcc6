"""Facts about the kiosk's page in a real browser, with tokens made of Python."""

import pytest

from emask import spec
from tests.kiosk.browser import chromium, on, tap
from tests.kiosk.hall_rig import ALERTED, SEEN, Hall
from tests.tools.world import NOW_S
from tools import signing
from tools.authority import core

__all__ = ["chromium"]
SIZES = [(800, 480), (1024, 600)]


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with Hall(tmp_path_factory.mktemp("hall"), clinic=True) as own:
        (own.folder.path / "codes.txt").write_text("ABCDEFGHJKLM\nPCDEFGHJKLMN\nBCDEFGHJKLMN\n")
        yield own


@pytest.fixture
def page(chromium, hall):
    context = chromium.new_context(viewport={"width": 800, "height": 480})
    own = context.new_page()
    problems = []
    own.on("pageerror", lambda error: problems.append(str(error)))
    own.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    own.goto(hall.url)
    on(own, "start")
    yield own
    context.close()
    hall.reset()
    assert problems == []


def text(page):
    return page.inner_text("#screen").replace("\N{NO-BREAK SPACE}", " ")


def to_result(page, hall, token):
    hall.tray.press(token)
    on(page, "which")
    tap(page, "yes", "closer")


def test_wearer_without_warning_is_told_up_to_when_and_that_it_is_no_test(page, hall):
    own = hall.token()
    to_result(page, hall, own)
    tap(page, "show", "none")
    said = text(page)
    assert "Không thấy cảnh báo" in said and "ngày 15 tháng 11" in said and "không phải xét nghiệm" in said
    tap(page, "next", "slip")
    assert page.locator(".slip p").count() == 4 and not page.locator(".slip").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".slip").is_visible() and not page.locator(".screen").is_visible()
    page.emulate_media(media="screen")
    tap(page, "skip", "done")
    assert own.serial == 3 and own.asked == 0


def test_wearer_with_a_warning_is_told_what_to_do_and_it_ends(page, hall):
    own = hall.token(ALERTED)
    to_result(page, hall, own)
    assert "riêng mình" in text(page) and "gần người bệnh" not in text(page)
    tap(page, "show", "alert")
    assert "ngày 11 tháng 11" in text(page)
    tap(page, "next", "advice")
    assert "1900\N{NO-BREAK SPACE}9095" in page.inner_text("#screen")
    tap(page, "refer", "referred")
    tap(page, "next", "slip")
    assert page.locator(".slip p").count() == 5
    tap(page, "skip", "done")
    assert own.asked == 4
    assert hall.folder.visits()[-1]["referred"] is True


def test_english_is_a_tap_away_and_the_next_person_has_vietnamese_again(page, hall):
    page.click('[data-language="en"]')
    page.wait_for_selector('html[lang="en"]')
    assert "Press the token's button" in text(page)
    hall.tray.press(hall.token())
    on(page, "which")
    assert "blinking" in text(page)
    tap(page, "no", "start")
    page.wait_for_selector('html[lang="vi"]')


def test_upload_shows_the_number_and_strikes_out_its_code(page, hall):
    own = hall.token()
    tap(page, "staff", "staff")
    tap(page, "upload", "consent")
    tap(page, "agree", "press")
    hall.tray.press(own)
    on(page, "which")
    tap(page, "yes", "given")
    assert page.inner_text(".receipt").split() == ["ABCD", "EFGH", "JKLM"], "by which it could be taken back"
    assert len(hall.folder.uploads()) == 1 and own.days == 14
    assert (hall.folder.path / "codes.txt").read_text() == "PCDEFGHJKLMN\nBCDEFGHJKLMN\n"
    last = hall.folder.visits()[-1]
    assert (last["errand"], last["proxy"], last["upload"]) == ("upload", False, "taken")


@pytest.fixture
def clinic_kiosk(hall):
    """The kiosk with a clinic's certificate."""
    path = hall.folder.path / "kiosk.cert"
    before = path.read_bytes()
    public = signing.load_public(hall.folder.path / "kiosk.pub")
    path.write_bytes(core.certify_kiosk(hall.world.authority, public, 0, NOW_S, proxy=True)[1])
    yield
    path.write_bytes(before)


def test_representative_s_consent_has_codes_of_its_own_and_stands_in_the_log(page, hall, clinic_kiosk):
    own = hall.token()
    tap(page, "staff", "staff")
    tap(page, "upload", "consent")
    tap(page, "proxy", "press")
    hall.tray.press(own)
    on(page, "which")
    tap(page, "yes", "given")
    assert own.asked == spec.ASK_UPLOAD | spec.ASK_PROXY
    assert "PCDEFGHJKLMN" not in (hall.folder.path / "codes.txt").read_text()
    assert hall.folder.visits()[-1]["proxy"] is True


def test_household_is_told_to_each_of_its_tokens_and_to_no_later_one(page, hall, clinic_kiosk):
    secrets = []
    for tokens in (2, 1):
        tap(page, "staff", "staff")
        tap(page, "more", "tasks")
        tap(page, "household", "household")
        tap(page, "agree", "press")
        for number in range(tokens):
            own = hall.token()
            hall.tray.press(own)
            on(page, "which")
            tap(page, "yes", "joined")
            assert own.asked == spec.ASK_HOUSEHOLD
            secrets.append(own.field)
            if number + 1 < tokens:
                tap(page, "another", "press")
        tap(page, "finish", "start")
    assert secrets[0] == secrets[1] != secrets[2] and any(secrets[0][:16]) and not any(secrets[0][16:])
    assert secrets[0].hex() not in str(hall.folder.visits())


def test_pause_is_told_to_a_token_in_minutes(page, hall, clinic_kiosk):
    own = hall.token()
    tap(page, "staff", "staff")
    tap(page, "more", "tasks")
    tap(page, "pause", "pause")
    tap(page, "eight", "press")
    hall.tray.press(own)
    on(page, "which")
    tap(page, "yes", "paused")
    assert (own.asked, own.field) == (spec.ASK_PAUSE, (480).to_bytes(32, "little"))
    assert hall.folder.visits()[-1]["errand"] == "pause"


def test_kiosk_without_a_clinic_s_certificate_says_so(page, hall):
    tap(page, "staff", "staff")
    tap(page, "more", "tasks")
    tap(page, "pause", "pause")
    tap(page, "four", "press")
    hall.tray.press(hall.token())
    on(page, "retry")
    assert "K82" in text(page)


def test_health_worker_reads_how_long_how_near_how_sure_if_the_wearer_asks(page, hall, clinic_kiosk):
    own = hall.token(ALERTED)
    own.grade = 1 | 2 << 2 | 3 << 4 | 1 << 6
    to_result(page, hall, own)
    tap(page, "show", "alert")
    tap(page, "next", "advice")
    tap(page, "details", "details")
    assert "hơn một giờ, rất gần, chưa chắc" in text(page)
    assert own.asked == spec.ASK_DETAILS | spec.ASK_ACK_ALERT
    tap(page, "next", "slip")
    tap(page, "skip", "done")


def test_found_token_is_wiped_and_its_alert_never_shown(page, hall):
    own = hall.token(ALERTED)
    tap(page, "found", "erase")
    tap(page, "wipe", "press")
    hall.tray.press(own)
    on(page, "which")
    seen = watched(page)
    tap(page, "yes", "wiped")
    assert own.asked == spec.ASK_WIPE and hall.folder.visits()[-1]["upload"] == "wiped"
    assert not {"closer", "alert", "advice"} & set(seen())


def watched(page):
    """A function that says which screens were shown since."""
    page.evaluate("""() => {
      window.seen = [];
      new MutationObserver(() => window.seen.push(document.querySelector(".screen").dataset.name))
        .observe(document.getElementById("screen"), {childList: true, subtree: true});
    }""")
    return lambda: page.evaluate("window.seen")


def test_weak_battery_is_told_in_words(page, hall):
    to_result(page, hall, hall.token({**SEEN, "battery_mv": 3550}))
    tap(page, "show", "none")
    tap(page, "next", "battery")
    assert "Pin thẻ yếu" in text(page) and "sạc" in text(page) and "T11" in text(page)
    tap(page, "next", "slip")


def test_keys_alone_go_through_the_flow(page, hall):
    hall.tray.press(hall.token())
    on(page, "which")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    on(page, "closer")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.tap") == "show"
    page.keyboard.press("1")
    on(page, "none")
    page.keyboard.press("1")
    on(page, "slip")
    page.keyboard.press("2")
    on(page, "done")


def test_one_switch_goes_through_the_flow(page, hall):
    page.goto(hall.url + "?scan")
    hall.tray.press(hall.token())
    on(page, "which")
    page.wait_for_selector("button.scanned[data-tap=yes]")
    page.keyboard.press(" ")
    on(page, "closer")
