"""Facts about every screen of the phone in a real browser: letters, targets, names (axe), text at 200 %."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.kiosk.browser import chromium, on
from tests.kiosk.test_screens import MEASURES, RULES
from tests.phone.phone_rig import Phone, served
from tests.tools.world import NOW_S
from tools.kiosk.hall import words
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
    own = Phone(chromium, url, NOW_S)
    on(own.page, "closed")
    yield own
    assert own.problems == []
    own.close()


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("tag", table.languages())
def test_letters_targets_and_words_are_as_promised_and_all_is_in_the_window(phone, size, tag):
    phone.page.set_viewport_size({"width": size[0], "height": size[1]})
    for name in table.ROWS:
        put(phone.page, name, tag)
        found = phone.page.evaluate(MEASURES)
        assert found["letters"] >= 28 and found["target"] >= 64, (name, found)
        assert found["wide"] <= 0 and found["high"] <= 0, (name, found)
        assert found["pictures"] == 1 and found["words"] <= words.MOST_WORDS, (name, found)


def test_text_at_twice_its_size_is_lost_nowhere(phone):
    phone.page.evaluate("document.documentElement.style.fontSize = '200%'")
    for name in table.ROWS:
        put(phone.page, name, "vi")
        assert phone.page.evaluate(MEASURES)["wide"] <= 0, name
    phone.page.evaluate("document.documentElement.style.fontSize = ''")


def test_axe_finds_no_violation(phone):
    phone.page.set_viewport_size({"width": 360, "height": 740})
    tags = list(table.languages())
    for number, name in enumerate(table.ROWS):
        put(phone.page, name, tags[number % len(tags)])
        found = Axe().run(phone.page, options=RULES)
        assert found.violations_count == 0, (name, found.generate_report())


def test_keeper_s_page_has_large_letters_and_no_violation(chromium, url):
    own = Phone(chromium, url + "keeper.html", NOW_S)
    own.page.wait_for_selector("body[data-ready]")
    found = own.page.evaluate(MEASURES)
    assert found["letters"] >= 28 and found["target"] >= 64 and found["wide"] <= 0
    checked = Axe().run(own.page, options=RULES)
    assert checked.violations_count == 0, checked.generate_report()
    own.close()


def test_browser_without_bluetooth_is_told_so_in_words_and_a_code(chromium, url):
    own = Phone(chromium, url, NOW_S)
    on(own.page, "closed")
    assert "P11" in own.text()
    own.page.keyboard.press("1")
    own.page.wait_for_url("**/keeper.html")
    own.close()
