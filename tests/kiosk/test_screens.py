"""Facts about every screen in a real browser: sizes of letters and targets, contrast and names (axe), text at 200 %."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.kiosk.browser import chromium
from tools.kiosk.hall import flow, words
from tools.kiosk.hall.gallery import SIZES, Gallery, put

__all__ = ["chromium"]
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
TAGS = list(words.load_all())
# What a screen measures: its smallest letters, smallest target, and what lies outside the window.
MEASURES = """() => {
  const shown = (element) => element.getClientRects().length && getComputedStyle(element).visibility !== "hidden";
  const texts = [...document.querySelectorAll("body *")].filter((element) => shown(element)
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  const targets = [...document.querySelectorAll("button")].map((button) => button.getBoundingClientRect());
  return {
    letters: Math.min(...texts.map((element) => parseFloat(getComputedStyle(element).fontSize))),
    target: Math.min(1000, ...targets.map((box) => Math.min(box.width, box.height))),
    wide: document.documentElement.scrollWidth - innerWidth,
    high: document.documentElement.scrollHeight - innerHeight,
    pictures: document.querySelectorAll("main svg").length,
    words: document.querySelector("main").innerText.split(/[ \\n]+/).filter((word) => /[\\p{L}\\d]/u.test(word)).length,
  };
}"""


@pytest.fixture(scope="module")
def gallery():
    own = Gallery()
    with own.served() as url:
        own.url = url
        yield own


@pytest.fixture(scope="module", params=SIZES, ids="{0[0]}x{0[1]}".format)
def page(request, chromium, gallery):
    own = chromium.new_page(viewport={"width": request.param[0], "height": request.param[1]})
    own.goto(gallery.url)
    yield own
    own.close()


@pytest.mark.parametrize("tag", TAGS)
def test_letters_targets_and_words_are_as_promised_and_all_is_in_the_window(page, gallery, tag):
    for name in flow.TABLE:
        put(gallery, page, name, tag)
        found = page.evaluate(MEASURES)
        assert found["letters"] >= 28, (name, found)
        assert found["target"] >= 64, (name, found)
        assert found["wide"] <= 0 and found["high"] <= 0, (name, found)
        assert found["pictures"] == 1, name
        assert found["words"] <= words.MOST_WORDS, (name, found)


@pytest.mark.parametrize("tag", TAGS)
def test_text_at_twice_its_size_is_lost_nowhere(page, gallery, tag):
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for name in flow.TABLE:
        put(gallery, page, name, tag)
        assert page.evaluate(MEASURES)["wide"] <= 0, name
    page.evaluate("document.documentElement.style.fontSize = ''")


def test_axe_finds_no_violation(chromium, gallery):
    page = chromium.new_page(viewport={"width": 800, "height": 480})
    page.goto(gallery.url)
    for number, name in enumerate(flow.TABLE):
        put(gallery, page, name, TAGS[number % len(TAGS)])
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, (name, found.generate_report())
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
