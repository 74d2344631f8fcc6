"""Owns pictures of all screens: the page's server over a flow that goes where it is told, and a browser.

Used by `emask kiosk screens`, which makes the pictures of docs/KIOSK, and by the tests of sizes and contrast.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from tools.kiosk.hall import flow, web, words
from tools.kiosk.hall.page import Page
from tools.kiosk.hall.report import Finding, Report

SIZES = ((800, 480), (1024, 600))
_DAY, _CONTACT = date(2026, 11, 24), date(2026, 11, 21)
_FIELDS: dict[str, dict[str, Any]] = {
    "weak": {"code": "T41"},
    "battery": {"code": "T11"},
    "empty": {"code": "T12"},
    "unjoined": {"code": "K51"},
    "unmoved": {"code": "K51"},
    "nottoken": {"code": "K83"},
    "unerased": {"code": "K84"},
    "details": {"length": 2, "near": 3, "sure": 1},
    "broken": {"code": "T12 T41"},
    "given": {"receipt": "BCDEFGHJKLMN"},
    "noted": {"receipt": "1CDEFGHJKLMN"},
    "number": {"a": 3, "b": 5},
    "still": {"a": 6, "b": 2},
    "lost": {"code": "K51"},
    "retry": {"code": "K52"},
    "unprinted": {"code": "K71"},
}
_SHARES = {"checking": 0.5, "leave": 0.6, "moving": 0.4}
_WAIT_MS = 10_000


class Gallery:
    """Screens one by one. show() may be called from another thread than the server's."""

    def __init__(self) -> None:
        self.languages = words.load_all()
        self._page = Page(self.languages)
        self._flow = flow.Flow(clinic=True, phone=words.tied("1900 9095"))
        self._flow.certified = True
        self._flow.fault = "K11"
        self._shown = self._page.show(self._flow, next(iter(self.languages)))
        self._feed = web.Feed(lambda: json.dumps(vars(self._shown)))
        self._app = web.application(self._feed, self._whole, lambda number, tap: False, lambda tag: False)

    def _whole(self) -> str:
        return self._page.whole(self._shown, list(self.languages.values()))

    def show(self, name: str, tag: str) -> int:
        """Put a screen; its number."""
        own = self._flow
        result = name if name in ("alert", "withdrawn", "lesser", "waiting", "new", "stale") else "none"
        day = None if result in ("waiting", "new") else _DAY
        own.report = Report(result, day, _CONTACT, (Finding("T11"),), False)
        fault, own.fault = own.fault, own.fault if name == "closed" else ""
        own.go(name, **_FIELDS.get(name, {}))
        own.fault = fault
        if name in _SHARES:
            {"checking": own.checking, "leave": own.news, "moving": own.moving}[name](_SHARES[name])
        self._shown = self._page.show(own, tag)
        self._loop.call_soon_threadsafe(self._feed.tell)
        return self._shown.number

    @contextmanager
    def served(self) -> Iterator[str]:
        """The page's address while it is served, in a thread."""
        ready, server = threading.Event(), web.Server(self._app, 0)

        async def run() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            async with server:
                ready.set()
                await self._over.wait()

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        ready.wait()
        try:
            yield f"http://{web.HOST}:{server.port}/"
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join()


def put(gallery: Gallery, page: Any, name: str, tag: str) -> None:
    """Show a screen on a Playwright page and wait until it is there."""
    number = gallery.show(name, tag)
    page.wait_for_selector(f'html[lang="{tag}"] .screen[data-number="{number}"]', timeout=_WAIT_MS)


def draw(browser: Any, out: Path, names: list[str], tags: list[str], told: Callable[[], None]) -> list[Path]:
    """PNG files of screens in each size of SIZES: NAME-TAG-WIDTHxHEIGHT.png; told() after each."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    gallery = Gallery()
    with gallery.served() as url:
        for width, height in SIZES:
            page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            page.goto(url)
            for name in names:
                for tag in tags:
                    put(gallery, page, name, tag)
                    made.append(out / f"{name}-{tag}-{width}x{height}.png")
                    page.screenshot(path=made[-1])
                    told()
            page.close()
    return made
