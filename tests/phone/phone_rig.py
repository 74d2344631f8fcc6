"""Owns a phone's page as built, served with its lists, and a phone that opens it, which must have no problem."""

from contextlib import contextmanager

import pytest

from tests.kiosk.browser import on
from tests.phone.emulation import Emulation
from tools.authority import core
from tools.authority import site as lists_site
from tools.phone import site
from tools.phone.gallery import PHONE, SIZE, served

__all__ = ["Phone", "built", "opened", "served", "url"]


def built(folder, root, sources, lists="lists/"):
    """The page for an authority's root in `folder`, with these lists beside it."""
    site.build(folder, site.Options(root, PHONE, lists))
    (folder / "lists").mkdir(exist_ok=True)
    lists_site.put(folder / "lists", sources)


@pytest.fixture(scope="module")
def url(world):
    """Of the page in the folder of the file's own `world`."""
    with served(world.path / "page") as address:
        yield address


@contextmanager
def opened(browser, url, now_s):
    """A phone for as long as it is used."""
    own = Phone(browser, url, now_s)
    yield own
    own.close()
    assert own.problems == []


class Phone:
    """One phone at the page `url`: a browser's context of its own."""

    def __init__(self, browser, url, now_s):
        self.context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, is_mobile=True, has_touch=True
        )
        self.page, self.url = self.context.new_page(), url
        self.problems, self._browser = [], browser
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.set_clock(now_s)
        self.page.goto(url)

    def set_clock(self, now_s):
        """The phone's own time, which stands still until the next call; its timers run on."""
        self._now_s = int(now_s)
        self.page.clock.set_fixed_time(self._now_s)

    def certify(self, authority, region=0, proxy=False):
        """Let the authority certify the key that this phone drew."""
        public = bytes.fromhex(self.module("identity.js", "hex(await m.publicKey())"))
        vouched = core.certify_kiosk(authority, public, region, self._now_s, proxy=proxy)[1]
        self.module("identity.js", "await m.take(Uint8Array.from(given), unhex(site.ROOT))", list(vouched))
        self.page.reload()

    def module(self, name, expression, given=None):
        """What an expression over a module `m` of the page gives."""
        return self.page.evaluate(
            f"""async given => {{
                const m = await import("./{name}"), site = await import("./site.js");
                const {{ hex, unhex }} = await import("./bytes.js");
                return {expression};
            }}""",
            given,
        )

    def again(self):
        """The start, without the true time that a last screen stays; and the lists that the site has by now."""
        self.page.reload()
        on(self.page, "start")

    def bluetooth(self, air):
        return Emulation(self._browser, self.page, air)

    def find(self, then):
        """Tap the button that looks for the token."""
        on(self.page, "start")
        self.page.click("[data-tap=find]")
        on(self.page, then)

    def text(self):
        return self.page.inner_text("#screen").replace("\N{NO-BREAK SPACE}", " ")

    def close(self):
        self.context.close()
