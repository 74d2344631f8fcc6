"""Owns the tests' browser: Chromium as the system has it, one for each file of tests, and waiting for a screen.

While it is open its driver's loop runs in this thread: what needs a loop of its own runs in another.
"""

import shutil

import pytest

from tools.kiosk.hall.gallery import ARGUMENTS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WITHOUT = "there is no Chromium here (Debian's package is chromium); the kiosk's page is not tested"
_LIMIT_MS = 20_000


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip(WITHOUT)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def on(page, name):
    """Wait until screen `name` is shown."""
    page.wait_for_selector(f'.screen[data-name="{name}"]', timeout=_LIMIT_MS)


def tap(page, name, then):
    """Tap a button and wait for the screen that follows."""
    page.click(f'[data-tap="{name}"]', timeout=_LIMIT_MS)
    on(page, then)
