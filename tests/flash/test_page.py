"""Facts about the station's page: what a real Chromium shows of each state, with axe-core over it; who may read it."""

import json
import shutil
import urllib.request

import pytest

from tools.flash.mistakes import Mistake
from tools.flash.page import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CARDS = [
    ("working", "product", "TEYM-MTA3", "It writes the product.", "Working", "It writes the product."),
    ("press", "hands", "A2CD-9F3H", "Press the button when it blinks and shakes.", "Press the button", "Press the"),
    ("done", "keep", "QQRT-77XK", "Stick label QQRT-77XK on it.", "Done", "Stick label QQRT-77XK on it."),
    (
        "stopped",
        "look",
        "",
        str(Mistake("wrong_chip", wanted="ESP32-C3", found="ESP32-S3")),
        "Stop",
        "this is ESP32-S3",
    ),
]


@pytest.fixture
def shown():
    """The page of a station whose state is shown.state."""

    class Shown:
        state = {"done": 0, "places": []}

    page = Page(lambda: Shown.state)
    Shown.url = page.url
    Shown.close = page.close
    yield Shown
    page.close()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here (Debian's package is chromium); the station's page is not tested")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def place(number, phase, step, label, words):
    return {"port": f"/dev/ttyACM{number}", "phase": phase, "step": step, "label": label, "words": words, "all": 0.5}


def test_page_tells_each_state_in_words_and_axe_finds_nothing(shown, browser):
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": 1280, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(shown.url)
    page.wait_for_selector("text=No board is plugged in.")
    assert Axe().run(page).violations_count == 0
    shown.state = {"done": 12, "places": [place(number, *card[:4]) for number, card in enumerate(CARDS)]}
    page.wait_for_selector("article >> nth=3")
    for number, (*_, label, _, head, words) in enumerate(CARDS):
        text = page.locator("article").nth(number).inner_text()
        assert head in text and words in text and label in text and f"/dev/ttyACM{number}" in text
    assert page.inner_text("[role=status]") == "Finished: 12, stopped: 1"
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []


def test_page_shows_a_name_as_text_never_as_a_program(shown, browser):
    shown.state = {"done": 0, "places": [place(0, "stopped", "look", "", "<img src=x onerror=document.title='taken'>")]}
    page = browser.new_page()
    page.goto(shown.url)
    page.wait_for_selector("text=<img src=x")
    assert page.title() == "Flash station"


def test_page_says_when_the_station_has_ended(shown, browser):
    page = browser.new_page()
    page.goto(shown.url)
    page.wait_for_selector("text=Finished: 0")
    shown.close()
    page.wait_for_selector("text=The station is not running.")


def test_page_is_for_this_computer_only(shown):
    assert json.load(urllib.request.urlopen(shown.url + "state", timeout=5))["done"] == 0
    request = urllib.request.Request(shown.url + "state", headers={"Host": "evil.example:80"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=5)
