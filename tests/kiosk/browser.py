"""Owns waiting for the kiosk's screens in the tests' browser. Asserts nothing."""

from tests.browser import chromium

__all__ = ["chromium", "on", "tap"]
_LIMIT_MS = 60_000  # of a machine that others use; no fact waits for it


def on(page, name):
    """Wait until screen `name` is shown."""
    page.wait_for_selector(f'.screen[data-name="{name}"]', timeout=_LIMIT_MS)


def tap(page, name, then):
    """Tap a button and wait for the screen that follows."""
    page.click(f'[data-tap="{name}"]', timeout=_LIMIT_MS)
    on(page, then)
