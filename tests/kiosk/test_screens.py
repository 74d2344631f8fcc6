"""Facts about every screen in a real browser: sizes of letters and targets, contrast and names (axe), text at 200 %."""

import pytest

from tests.browser import violations
from tests.kiosk.browser import chromium
from tests.kiosk.measures import RULES, is_as_promised, measured
from tools.kiosk.hall import flow, words
from tools.kiosk.hall.gallery import SIZES, Gallery, put

__all__ = ["chromium"]
TAGS = list(words.load_all())


@pytest.fixture(scope="module")
def gallery():
    own = Gallery()
    with own.served() as url:
        own.url = url
        yield own


@pytest.fixture(scope="module", params=SIZES, ids="{0[0]}x{0[1]}".format)
def screens(request, chromium, gallery):
    """What each screen measures, by its name and language; each is put once."""
    page = chromium.new_page(viewport={"width": request.param[0], "height": request.param[1]})
    page.goto(gallery.url)
    found = {}
    for tag in TAGS:
        for name in flow.TABLE:
            put(gallery, page, name, tag)
            found[name, tag] = measured(page)
    page.close()
    return found


def test_letters_targets_and_words_are_as_promised_and_all_is_in_the_window(screens):
    assert {screen: found for screen, found in screens.items() if not is_as_promised(found)} == {}


def test_text_at_twice_its_size_is_lost_nowhere(screens):
    assert [screen for screen, found in screens.items() if found["doubled"] > 0] == []


def test_axe_finds_no_violation(chromium, gallery):
    page = chromium.new_page(viewport={"width": 800, "height": 480})
    page.goto(gallery.url)
    for number, name in enumerate(flow.TABLE):
        put(gallery, page, name, TAGS[number % len(TAGS)])
        assert violations(page, RULES) == "", name
    page.close()


def test_nothing_blinks_for_who_wants_no_motion(chromium, gallery):
    page = chromium.new_page(reduced_motion="reduce")
    page.goto(gallery.url)
    put(gallery, page, "which", "vi")
    assert page.evaluate("getComputedStyle(document.querySelector('.blinks')).animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate("getComputedStyle(document.querySelector('.blinks')).animationName") == "blink"
    page.close()


def test_page_says_when_its_server_is_gone(chromium):
    own = Gallery()
    with own.served() as url:
        page = chromium.new_page()
        page.goto(url)
        put(own, page, "start", "vi")
    page.wait_for_selector("#down:not([hidden])")
    assert "K62" in page.inner_text("#down") and "đang khởi" in page.inner_text("#down")
    page.close()
