"""Facts about every screen of the phone in a real browser: letters, targets, names (axe), text at 200 %."""

import pytest

from tests.browser import violations
from tests.kiosk.browser import chromium, on
from tests.kiosk.measures import RULES, is_as_promised, measured
from tests.phone.phone_rig import Phone, opened, served
from tests.tools.world import NOW_S
from tools.phone import site, table
from tools.phone.gallery import put

__all__ = ["chromium"]
SIZES = [(360, 740), (800, 1180)]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    site.build(folder, site.Options(bytes(32), "1900 9095"))
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def phone(chromium, url):
    """One without Web Bluetooth, as a browser on Linux is."""
    with opened(chromium, url, NOW_S) as own:
        on(own.page, "closed")
        yield own


@pytest.fixture(scope="module", params=SIZES, ids="{0[0]}x{0[1]}".format)
def screens(request, phone):
    """What each screen measures, by its name and language; each is put once."""
    phone.page.set_viewport_size({"width": request.param[0], "height": request.param[1]})
    found = {}
    for tag in table.languages():
        for name in table.ROWS:
            put(phone.page, name, tag)
            found[name, tag] = measured(phone.page)
    return found


def test_letters_targets_and_words_are_as_promised_and_all_is_in_the_window(screens):
    assert {screen: found for screen, found in screens.items() if not is_as_promised(found)} == {}


def test_text_at_twice_its_size_is_lost_nowhere(screens):
    assert [screen for screen, found in screens.items() if found["doubled"] > 0] == []


def test_axe_finds_no_violation(phone):
    phone.page.set_viewport_size({"width": 360, "height": 740})
    tags = list(table.languages())
    for number, name in enumerate(table.ROWS):
        put(phone.page, name, tags[number % len(tags)])
        assert violations(phone.page, RULES) == "", name


def test_keeper_s_page_has_large_letters_and_no_violation(chromium, url):
    own = Phone(chromium, url + "keeper.html", NOW_S)
    own.page.wait_for_selector("body[data-ready]")
    found = measured(own.page)
    assert found["letters"] >= 28 and found["target"] >= 64 and found["wide"] <= 0
    assert violations(own.page, RULES) == ""
    own.close()


def test_browser_without_bluetooth_is_told_so_in_words_and_a_code(chromium, url):
    own = Phone(chromium, url, NOW_S)
    on(own.page, "closed")
    assert "P11" in own.text()
    own.page.keyboard.press("1")
    own.page.wait_for_url("**/keeper.html")
    own.close()
