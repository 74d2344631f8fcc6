"""Facts about the whole thing: real firmware on the bench, and the phone's page in Chromium with emulated Bluetooth."""

import json
import struct

import pytest

from emask import spec
from tests.bench.scenes import mounted
from tests.kiosk.browser import on, tap
from tests.phone.bench_air import BenchAir
from tests.phone.emulation import bluetooth_chromium
from tests.phone.phone_rig import Phone, built, opened, served
from tests.tools.world import World
from tools import lists, wire
from tools import rule as rules
from tools.authority import core, keyring, listing, signer, withdrawn
from tools.authority import site as lists_site
from tools.authority.signer import Keys
from tools.phone import table

__all__ = ["bluetooth_chromium"]
RULE = rules.DEFAULT._replace(minutes=10, flags=rules.DEFAULT.flags | rules.F1_TOO)


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    own = BenchAir(tmp_path_factory.mktemp("bench"))
    yield own
    own.close()


@pytest.fixture(scope="module")
def page(air, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    built(folder, keyring.root_public(air.run.out / "authority"), [air.run.out / "newer.eml"])
    return folder


@pytest.fixture(scope="module")
def url(page):
    with served(page) as address:
        yield address


@pytest.fixture
def stranger(bluetooth_chromium, url, air):
    with opened(bluetooth_chromium, url, air.run.utc_s()) as own:
        on(own.page, "start")
        yield own


@pytest.fixture(scope="module")
def nurse(bluetooth_chromium, url, air):
    """With a clinic's certificate."""
    with opened(bluetooth_chromium, url, air.run.utc_s()) as own:
        on(own.page, "start")
        own.certify(air.run.out / "authority", proxy=True)
        yield own


@pytest.fixture
def clinic(nurse, air):
    """The nurse's phone at its start."""
    nurse.set_clock(air.run.utc_s())
    nurse.again()
    return nurse


def to_result(phone, air, name):
    air.press(name)
    phone.find("which")
    tap(phone.page, "yes", "closer")


def errand(phone, air, name, *taps):
    """The staff's taps, a token's button, and its wearer's yes, which the last screen of `taps` follows."""
    *before, last = taps
    for button, then in (("staff", "staff"), *before):
        tap(phone.page, button, then)
    air.press(name)
    tap(phone.page, "find", "which")
    tap(phone.page, "yes", last)


def kept(air, name, kind):
    """The newest record of a kind in a token's flash, or None."""
    found = mounted(air.run.nodes[name]).latest(kind)
    return found and bytes(found[1])


def compared(air, name):
    """How many lists a token has compared."""
    return (air.run.out / f"{name}.txt").read_text().count("match records=")


def test_stranger_s_phone_brings_the_list_to_a_token_and_learns_nothing(stranger, air):
    before = compared(air, "token-01")
    air.kinds.clear()
    with stranger.bluetooth(air):
        air.press("token-01")
        stranger.find("done")
        assert set(air.kinds) == {spec.LIST_OFFER, spec.LIST_DATA, spec.BYE}
    air.wait(120)
    assert compared(air, "token-01") == before + 1
    stranger.again()
    air.kinds.clear()
    with stranger.bluetooth(air):
        air.press("token-01")  # it has the list: the same screens
        stranger.find("done")
        assert set(air.kinds) == {spec.LIST_OFFER, spec.BYE}
    air.put_back("token-01")


def test_quiet_token_that_is_carried_away_is_served_at_the_next_press(clinic, air):
    with clinic.bluetooth(air):
        to_result(clinic, air, "token-03")
        air.walk_away("token-03")
        on(clinic.page, "lost")
        assert "P51" in clinic.text()
        air.come_back()
    clinic.again()
    with clinic.bluetooth(air):
        to_result(clinic, air, "token-03")
        tap(clinic.page, "show", "none")
        assert "Đã kiểm tra đến ngày 24 tháng 11" in clinic.text()
        tap(clinic.page, "next", "weak")
        assert "T31" in clinic.text()  # it never heard another token
    air.put_back("token-03")


def test_tokens_of_one_household_hold_the_same_secret_and_one_of_them_pauses(clinic, air):
    with clinic.bluetooth(air):
        home = ("more", "tasks"), ("household", "household"), ("agree", "press")
        errand(clinic, air, "token-01", *home, "joined")
        air.put_back("token-01")
        tap(clinic.page, "another", "press")
        air.press("token-03")
        tap(clinic.page, "find", "which")
        tap(clinic.page, "yes", "joined")
        tap(clinic.page, "finish", "start")
        secrets = {kept(air, name, spec.HOUSEHOLD) for name in ("token-01", "token-03")}
        assert len(secrets) == 1 and any(secrets.pop())
        errand(clinic, air, "token-03", ("more", "tasks"), ("pause", "pause"), ("four", "press"), "paused")
    begins, ends = struct.unpack("<II", kept(air, "token-03", spec.PAUSES))
    assert ends - begins == 240
    air.put_back("token-03")


def test_contact_that_no_list_warned_gives_nothing(clinic, air):
    clinic.module("stock.js", "await m.add(given)", "1BCDEFGHJKLM")
    with clinic.bluetooth(air):
        errand(clinic, air, "token-03", ("more", "tasks"), ("contact", "since"), ("agree", "press"), "kept")
    assert clinic.module("stock.js", "await m.codes()") == ["1BCDEFGHJKLM"]
    air.put_back("token-03")


def test_alerted_token_tells_its_wearer_and_a_health_worker_and_is_acknowledged(clinic, air):
    grades = wire.details(kept(air, "token-02", spec.ALERT)[2])
    with clinic.bluetooth(air):
        to_result(clinic, air, "token-02")
        tap(clinic.page, "show", "alert")
        assert "ngày 24 tháng 11" in clinic.text()
        tap(clinic.page, "next", "advice")
        tap(clinic.page, "details", "details")
        said = table.languages()["vi"].say("details", **dict(zip(("length", "near", "sure"), grades, strict=True)))
        assert said.replace("\N{NO-BREAK SPACE}", " ") in clinic.text()
        tap(clinic.page, "next", "done")
    air.put_back("token-02")


def listed(phone, air, page, sources):
    """The site has these lists too, and the phone fetches them."""
    lists_site.put(page / "lists", sources)
    phone.set_clock(air.run.utc_s())
    phone.again()


def visited(phone, air, name):
    """[the result, the last screen] of a visit; the token compares its list after it."""
    with phone.bluetooth(air):
        to_result(phone, air, name)
        phone.page.click("[data-tap=show]")
        phone.page.wait_for_selector('.screen:not([data-name="closer"])')
        result = phone.page.get_attribute(".screen", "data-name")
        phone.page.click("[data-tap=next]")
        phone.page.wait_for_selector("[data-name=done], [data-name=ended]")
        last = phone.page.get_attribute(".screen", "data-name")
    air.put_back(name)
    air.wait(180)
    return [result, last]


def test_alert_is_taken_back_then_a_contact_s_keys_come_and_then_the_programme_ends(clinic, air, page):
    authority, now_s = air.run.out / "authority", int(air.run.utc_s())
    (upload,) = air.run.kiosks["station"].folder.uploads()
    withdrawn.withdraw(authority, json.loads(upload.read_text())["code"], now_s)
    core.publish(authority, air.run.out / "third.eml", now_s, RULE)
    listed(clinic, air, page, [air.run.out / "third.eml"])
    assert visited(clinic, air, "token-02")[0] in ("none", "waiting")

    terms = lists.Terms(0, 1, now_s, 1, wire.pack_rule(RULE), kind=spec.F1_LIST)
    records = lists.load(air.run.out / "newer.eml").records()
    (air.run.out / "contacts.eml").write_bytes(
        lists.build(terms, records, *keyring.list_key(keyring.holders(authority)))
    )
    listed(clinic, air, page, [air.run.out / "contacts.eml"])
    assert visited(clinic, air, "token-02") == ["withdrawn", "done"]

    ending = listing.draft_end(authority, 0, now_s)
    (data,) = signer.sign(ending, Keys(keyring.holders(authority)), now_s).values()
    (air.run.out / "end.eml").write_bytes(data)
    listed(clinic, air, page, [air.run.out / "end.eml"])
    assert visited(clinic, air, "token-02") == ["lesser", "ended"]
    assert not any(kept(air, "token-02", kind) for kind in (spec.KEY, spec.ALERT, spec.SECOND))


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
