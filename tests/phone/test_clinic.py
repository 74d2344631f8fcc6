"""Facts about what a clinic's phone asks of tokens made of Python, in Chromium with emulated Bluetooth."""

import pytest

from emask import spec
from tests.kiosk.browser import on, tap
from tests.kiosk.hall_rig import ALERTED, SEEN
from tests.phone.emulation import FakeAir, bluetooth_chromium
from tests.phone.phone_rig import Phone, built, opened, url
from tests.tools.fake_token import FakeToken
from tests.tools.world import NOW_S, World

__all__ = ["bluetooth_chromium", "url"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    own = World(tmp_path_factory.mktemp("clinic"))
    built(own.path / "page", own.root, [])
    return own


@pytest.fixture(scope="module")
def own(bluetooth_chromium, url, world):
    with opened(bluetooth_chromium, url, NOW_S) as phone:
        on(phone.page, "start")
        phone.certify(world.authority, proxy=True)
        yield phone


@pytest.fixture
def air():
    return FakeAir()


@pytest.fixture
def clinic(own, air):
    """A phone with a clinic's certificate, at its start."""
    own.page.reload()
    with own.bluetooth(air):
        on(own.page, "start")
        yield own


def token(world, status=SEEN, **how):
    made = FakeToken(world.root, serial=2, **how)
    made.shelf, made.status = False, status
    return made


def errand(phone, *taps):
    """The staff's taps, down to "find"."""
    tap(phone.page, "staff", "staff")
    for name, then in taps:
        tap(phone.page, name, then)


def find(phone, air, made, then):
    """The token's button, and the wearer's yes."""
    air.press(made)
    phone.page.click("[data-tap=find]")
    on(phone.page, "which")
    tap(phone.page, "yes", then)


def test_household_is_told_to_each_of_its_tokens_and_to_no_later_one(clinic, air, world):
    secrets = []
    for tokens in (2, 1):
        errand(clinic, ("more", "tasks"), ("household", "household"), ("agree", "press"))
        for number in range(tokens):
            made = token(world)
            find(clinic, air, made, "joined")
            assert made.asked == spec.ASK_HOUSEHOLD
            secrets.append(made.field)
            if number + 1 < tokens:
                tap(clinic.page, "another", "press")
        tap(clinic.page, "finish", "start")
    assert secrets[0] == secrets[1] != secrets[2] and any(secrets[0][:16]) and not any(secrets[0][16:])


def test_token_that_walks_away_did_not_join_and_may_try_again(clinic, air, world):
    errand(clinic, ("more", "tasks"), ("household", "household"), ("agree", "press"))
    air.press(token(world))
    clinic.page.click("[data-tap=find]")
    on(clinic.page, "which")
    air.walk_away()
    tap(clinic.page, "yes", "unjoined")
    assert "P51" in clinic.text()
    tap(clinic.page, "another", "press")
    find(clinic, air, token(world), "joined")


@pytest.mark.parametrize(("button", "minutes", "then"), [("eight", 480, "paused"), ("end", 0, "resumed")])
def test_pause_is_told_to_a_token_in_minutes(clinic, air, world, button, minutes, then):
    made = token(world)
    errand(clinic, ("more", "tasks"), ("pause", "pause"), (button, "press"))
    find(clinic, air, made, then)
    assert (made.asked, made.field) == (spec.ASK_PAUSE, minutes.to_bytes(32, "little"))


def test_health_worker_reads_how_long_how_near_how_sure_if_the_wearer_asks(clinic, air, world):
    made = token(world, ALERTED | {"battery_mv": 3550})
    made.grade = 1 | 2 << 2 | 3 << 4 | 1 << 6
    find(clinic, air, made, "closer")
    for name, then in (("show", "alert"), ("next", "advice"), ("details", "details")):
        tap(clinic.page, name, then)
    assert "hơn một giờ, rất gần, chưa chắc" in clinic.text()
    assert made.asked == spec.ASK_DETAILS | spec.ASK_ACK_ALERT
    tap(clinic.page, "next", "battery")
    assert "T11" in clinic.text()
    tap(clinic.page, "next", "done")


@pytest.mark.parametrize(
    ("first", "taps", "asks", "then"),
    [
        ("P", [("upload", "consent"), ("proxy", "press")], spec.ASK_UPLOAD | spec.ASK_PROXY, "given"),
        ("1", [("more", "tasks"), ("contact", "since"), ("agree", "press")], spec.ASK_F1, "noted"),
    ],
    ids=["representative", "contact"],
)
def test_upload_that_is_another_s_than_the_wearer_s_needs_a_code_of_its_kind(
    clinic, air, world, first, taps, asks, then
):
    clinic.module("stock.js", "await m.add(given)", f"{first}BCDEFGHJKLM")
    made = token(world)
    errand(clinic, *taps)
    find(clinic, air, made, then)
    assert (made.asked, made.days) == (asks, spec.INFECTIOUS_DAYS)
    assert clinic.module("stock.js", "await m.codes()") == []


def test_upload_without_a_code_that_is_left_asks_the_token_for_nothing(clinic, air, world):
    made = token(world)
    errand(clinic, ("upload", "consent"), ("agree", "press"))
    air.press(made)
    tap(clinic.page, "find", "retry")
    assert "P81" in clinic.text() and made.heard == []


def test_contact_that_nothing_warned_sends_nothing(clinic, air, world):
    clinic.module("stock.js", "await m.add(given)", "1CCDEFGHJKLM")
    made, waiting = token(world, agrees=False), clinic.module("keep.js", "await m.names('uploads')")
    errand(clinic, ("more", "tasks"), ("contact", "since"), ("agree", "press"))
    find(clinic, air, made, "kept")
    assert clinic.module("keep.js", "await m.names('uploads')") == waiting
    assert clinic.module("stock.js", "await m.codes()") == ["1CCDEFGHJKLM"]


def test_upload_of_a_token_that_walks_away_after_it_is_kept(clinic, air, world):
    clinic.module("stock.js", "await m.add(given)", "ABCDEFGHJKLM")
    before = len(clinic.module("keep.js", "await m.names('uploads')"))
    made = token(world)
    answer = made.write

    def leave(frame):
        if spec.ASK in made.heard:
            return air.walk_away()
        return answer(frame)

    made.write = leave
    errand(clinic, ("upload", "consent"), ("agree", "press"))
    find(clinic, air, made, "lost")
    assert spec.BYE not in made.heard
    assert len(clinic.module("keep.js", "await m.names('uploads')")) == before + 1
    assert "ABCDEFGHJKLM" not in clinic.module("stock.js", "await m.codes()")


def test_phone_without_a_clinic_s_certificate_says_so_and_has_no_details(bluetooth_chromium, url, world, air):
    phone = Phone(bluetooth_chromium, url, NOW_S)
    on(phone.page, "start")
    phone.certify(world.authority)
    with phone.bluetooth(air):
        find(phone, air, token(world, ALERTED), "closer")
        tap(phone.page, "show", "alert")
        tap(phone.page, "next", "advice")
        assert phone.page.locator("[data-tap=details]").count() == 0
        tap(phone.page, "ok", "done")
    phone.again()
    with phone.bluetooth(air):
        errand(phone, ("more", "tasks"), ("pause", "pause"), ("four", "press"))
        air.press(token(world))
        tap(phone.page, "find", "retry")
        assert "P82" in phone.text()
    phone.close()
    assert phone.problems == []
