"""Owns the tests' browser, one for each file of tests; it is skipped where there is none. Knows no page.

While it is open its driver's loop runs in this thread: what needs a loop of its own runs in another.
"""

import pytest

from tools.browser import NoBrowser, opened


@pytest.fixture(scope="module")
def chromium():
    try:
        with opened() as browser:
            yield browser
    except NoBrowser as error:
        pytest.skip(f"{error}; pages are not tested in one")


def violations(page, rules=None):
    """What axe-core finds on the page as it is, in words; empty if nothing. It is put into a page once."""
    from axe_playwright_python.base import AXE_SCRIPT, AxeResults

    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], **(rules or {})}
    found = AxeResults(page.evaluate("(options) => axe.run(document, options)", options))
    return found.generate_report() if found.violations_count else ""
