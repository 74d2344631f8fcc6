"""Owns pictures of the phone's screens: the built page in a browser, which shows one screen after another.

Used by `emask phone screens`, which makes the pictures of docs/PHONE, and by the tests of sizes and contrast.
"""

import functools
import http.server
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.kiosk.hall.words import tied
from tools.phone import site, table

SIZE = (360, 740)
PHONE = "1900 9095"
_DAY = {"day": 24, "month": 11}
_FIELDS = {"day": _DAY, "phone": tied(PHONE), "code": "P52"}
_OWN: dict[str, dict[str, Any]] = {
    "number": {"a": 3, "b": 5},
    "still": {"a": 6, "b": 2},
    "weak": {"code": "T11"},
    "broken": {"code": "T12 T41"},
    "battery": {"code": "T11"},
    "empty": {"code": "T12"},
    "details": {"length": 2, "near": 3, "sure": 1},
    "alert": {"day": {"day": 21, "month": 11}},
}
_SHARES = {"checking": 0.5, "leave": 0.6}
_SHOW = """async ([screen, taps, tag]) => {
    const { show } = await import("./screen.js"), { language, tags } = await import("./words.js");
    const others = screen.name === "start" ? tags.filter((one) => one !== tag).map(language) : [];
    const main = document.getElementById("screen");
    main.replaceChildren();
    show(main, { screen, taps }, language(tag), others);
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder of static files, while a thread serves it on the loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def put(page: Any, name: str, tag: str) -> None:
    """Show a screen on a Playwright page that the phone's page was opened in."""
    screen = {"name": name, "number": -1, "fields": _FIELDS | _OWN.get(name, {}), "share": _SHARES.get(name)}
    page.evaluate(_SHOW, [screen, list(table.ROWS[name].taps), tag])


def draw(browser: Any, out: Path, names: list[str], tags: list[str], told: Callable[[], None]) -> list[Path]:
    """PNG files of screens: NAME-TAG.png; told() after each."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        site.build(Path(folder), site.Options(bytes(32), PHONE))
        with served(Path(folder)) as url:
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
            page.goto(url)
            page.wait_for_selector(".screen")
            for name in names:
                for tag in tags:
                    put(page, name, tag)
                    made.append(out / f"{name}-{tag}.png")
                    page.screenshot(path=made[-1])
                    told()
            page.close()
    return made
