"""Owns Chromium as the system has it: where it is, and opening it by playwright. Knows no page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has no sandbox for root


class NoBrowser(Exception):
    """There is none here; the text says what would bring it."""


@contextmanager
def opened(*arguments: str) -> Iterator[Any]:
    """playwright's Browser, without a window; arguments: Chromium's. Its driver's loop runs in this thread then."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        raise NoBrowser("there is no Chromium (on Debian: apt-get install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowser("the package playwright is missing (make setup installs it)") from None
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()
