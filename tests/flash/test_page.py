"""Facts about the station's page: what a real Chromium shows of each state, with axe-core over it; who may read it."""

import json
import urllib.request

import pytest

from tests.browser import chromium, violations
from tools.flash.mistakes import Mistake
from tools.flash.page import Page

__all__ = ["chromium"]
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


def place(number, phase, step, label, words):
    return {"port": f"/dev/ttyACM{number}", "phase": phase, "step": step, "label": label, "words": words, "all": 0.5}


def test_page_tells_each_state_in_words_and_axe_finds_nothing(shown, chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(shown.url)
    page.wait_for_selector("text=No board is plugged in.")
    assert violations(page) == ""
    shown.state = {"done": 12, "places": [place(number, *card[:4]) for number, card in enumerate(CARDS)]}
    page.wait_for_selector("article >> nth=3")
    for number, (*_, label, _, head, words) in enumerate(CARDS):
        text = page.locator("article").nth(number).inner_text()
        assert head in text and words in text and label in text and f"/dev/ttyACM{number}" in text
    assert page.inner_text("[role=status]") == "Finished: 12, stopped: 1"
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []


def test_page_shows_a_name_as_text_never_as_a_program(shown, chromium):
    shown.state = {"done": 0, "places": [place(0, "stopped", "look", "", "<img src=x onerror=document.title='taken'>")]}
    page = chromium.new_page()
    page.goto(shown.url)
    page.wait_for_selector("text=<img src=x")
    assert page.title() == "Flash station"


def test_page_says_when_the_station_has_ended(shown, chromium):
    page = chromium.new_page()
    page.goto(shown.url)
    page.wait_for_selector("text=Finished: 0")
    shown.close()
    page.wait_for_selector("text=The station is not running.")


def test_page_is_for_this_computer_only(shown):
    assert json.load(urllib.request.urlopen(shown.url + "state", timeout=5))["done"] == 0
    request = urllib.request.Request(shown.url + "state", headers={"Host": "evil.example:80"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=5)
