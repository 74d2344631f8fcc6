"""Facts about the whole thing: real firmware on the bench, and the phone's page in Chromium with emulated Bluetooth."""

import pytest

from emask import spec
from tests.kiosk.browser import on, tap
from tests.phone.bench_air import BenchAir
from tests.phone.emulation import bluetooth_chromium
from tests.phone.phone_rig import Phone, built, served
from tests.tools.world import World
from tools.authority import keyring

__all__ = ["bluetooth_chromium"]


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    own = BenchAir(tmp_path_factory.mktemp("bench"))
    yield own
    own.close()


@pytest.fixture(scope="module")
def url(air, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    built(folder, keyring.root_public(air.run.out / "authority"), [air.run.out / "newer.eml"])
    with served(folder) as address:
        yield address


@pytest.fixture
def stranger(bluetooth_chromium, url, air):
    own = Phone(bluetooth_chromium, url, air.run.utc_s())
    yield own
    own.close()
    assert own.problems == []


@pytest.fixture
def nurse(stranger, air):
    on(stranger.page, "start")
    stranger.certify(air.run.out / "authority")
    stranger.set_clock(air.run.utc_s())
    return stranger


def to_result(phone, air, name):
    air.press(name)
    phone.find("which")
    tap(phone.page, "yes", "closer")


def test_stranger_s_phone_brings_the_list_to_a_token_and_learns_nothing(stranger, air):
    on(stranger.page, "start")
    before = matched(air, "token-01")
    air.kinds.clear()
    with stranger.bluetooth(air):
        air.press("token-01")
        stranger.find("done")
        assert set(air.kinds) == {spec.LIST_OFFER, spec.LIST_DATA, spec.BYE}
        air.wait(120)
        assert matched(air, "token-01") == before + 1
        on(stranger.page, "start")
        air.kinds.clear()
        air.press("token-01")  # it has the list: the same screens
        stranger.find("done")
        assert set(air.kinds) == {spec.LIST_OFFER, spec.BYE}
    air.put_back("token-01")


def matched(air, name):
    """How many lists a token has compared."""
    return (air.run.out / f"{name}.txt").read_text().count("match records=")


def test_alerted_token_tells_its_wearer_is_acknowledged_and_takes_the_list(nurse, air):
    with nurse.bluetooth(air):
        to_result(nurse, air, "token-02")
        tap(nurse.page, "show", "alert")
        assert "ngày 24 tháng 11" in nurse.text()
        tap(nurse.page, "next", "advice")
        tap(nurse.page, "ok", "done")
    air.put_back("token-02")
    with nurse.bluetooth(air):
        to_result(nurse, air, "token-02")
        nurse.page.click("[data-tap=show]")
        nurse.page.wait_for_selector('.screen:not([data-name="closer"])')
        assert nurse.page.get_attribute(".screen", "data-name") in ("none", "waiting")
        tap(nurse.page, "next", "done")
    air.put_back("token-02")


def test_quiet_token_that_is_carried_away_is_served_at_the_next_press(nurse, air):
    with nurse.bluetooth(air):
        to_result(nurse, air, "token-03")
        air.walk_away("token-03")
        on(nurse.page, "lost")
        assert "P51" in nurse.text()
        air.come_back()
        on(nurse.page, "start")
        to_result(nurse, air, "token-03")
        tap(nurse.page, "show", "none")
        assert "Đã kiểm tra đến ngày 24 tháng 11" in nurse.text()
        tap(nurse.page, "next", "weak")
        assert "T31" in nurse.text()  # it never heard another token
    air.put_back("token-03")


def test_phone_of_another_authority_is_told_nothing(bluetooth_chromium, air, tmp_path):
    other = World(tmp_path, now_s=int(air.run.utc_s()))
    built(tmp_path / "page", other.root, [])
    with served(tmp_path / "page") as address:
        phone = Phone(bluetooth_chromium, address, air.run.utc_s())
        on(phone.page, "start")
        phone.certify(other.authority)
        with phone.bluetooth(air):
            air.press("token-03")
            phone.find("which")
            tap(phone.page, "yes", "retry")
            assert "P52" in phone.text()
        phone.close()
    air.put_back("token-03")
