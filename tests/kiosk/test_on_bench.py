"""Facts about the whole thing: real firmware on the bench, the kiosk's page beside the panel of hands, a browser."""

import json
import threading

import pytest

from emask import spec
from tests.bench.scenes import mounted
from tests.kiosk.browser import chromium, on, tap
from tests.kiosk.hall_rig import free_port
from tools.authority import keyring, listing, signer
from tools.authority.signer import Keys
from tools.bench.command import command
from tools.bench.image import prepare
from tools.bench.tray.demo import Demo

__all__ = ["chromium"]
PACE = 4.0


class Shown:
    """The demonstration in a thread; `panel` is its address."""

    def __init__(self, folder):
        self.demo = Demo(prepare(None), folder / "out", command, pace=PACE)
        self._port, self._ready = free_port(), threading.Event()
        self.panel = f"http://127.0.0.1:{self._port}/"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(300)

    def _run(self):
        self.demo.prelude()
        self.demo.run(free_port(), self._port, self._ready.set)

    def close(self):
        self.demo.stop()
        self._thread.join(20)
        self.demo.close()

    def rest(self):
        """A last screen goes, and a token that was served may be served again: 75 s of the bench's time."""
        self.demo.skip(90)

    def visits(self):
        return self.demo.run_of.kiosks["hall"].folder.visits()


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    own = Shown(tmp_path_factory.mktemp("demo"))
    yield own
    own.close()


@pytest.fixture
def panel(chromium, shown):
    page = chromium.new_page(viewport={"width": 1500, "height": 700})
    page.goto(shown.panel)
    yield page
    page.close()


@pytest.fixture
def kiosk(panel, shown):
    shown.rest()
    frame = panel.wait_for_selector("iframe").content_frame()
    on(frame, "start")
    return frame


def lay_down(panel, token):
    panel.click(f'[data-token="{token}"] [data-do=tray]')
    press(panel, token, 100)


def press(panel, token, ms):
    panel.hover(f'[data-token="{token}"] [data-do=press]')
    panel.mouse.down()
    panel.wait_for_timeout(ms)
    panel.mouse.up()


def take_away(panel, token):
    panel.click(f'[data-token="{token}"] [data-do=tray]')


def test_alerted_token_tells_its_wearer_is_acknowledged_and_then_is_quiet(panel, kiosk, shown):
    lay_down(panel, "token-02")
    on(kiosk, "which")
    tap(kiosk, "yes", "closer")
    tap(kiosk, "show", "alert")
    assert "ngày 24 tháng 11" in kiosk.inner_text("#screen").replace("\N{NO-BREAK SPACE}", " ")
    tap(kiosk, "next", "advice")
    tap(kiosk, "ok", "slip")
    tap(kiosk, "skip", "done")
    assert shown.visits()[-1]["list"] == "taken"
    shown.rest()
    on(kiosk, "start")
    press(panel, "token-02", 100)
    on(kiosk, "which")
    tap(kiosk, "yes", "closer")
    kiosk.click("[data-tap=show]")
    kiosk.wait_for_selector('.screen:not([data-name="closer"])')
    assert kiosk.get_attribute(".screen", "data-name") in ("none", "waiting")
    kiosk.click("[data-tap=next]")
    on(kiosk, "slip")
    tap(kiosk, "skip", "done")
    take_away(panel, "token-02")


def test_upload_needs_the_number_and_two_seconds_on_the_button(panel, kiosk, shown):
    on(kiosk, "start")
    tap(kiosk, "staff", "staff")
    tap(kiosk, "upload", "consent")
    tap(kiosk, "agree", "press")
    lay_down(panel, "token-03")
    on(kiosk, "which")
    tap(kiosk, "yes", "number")
    digits = [int(digit) for digit in kiosk.locator(".digits b").all_inner_texts()]
    assert all(1 <= digit <= 6 for digit in digits) and len(digits) == 2
    shown.demo.skip(sum(digits) * 0.7 + 4)
    press(panel, "token-03", 4000 / PACE)
    on(kiosk, "given")
    (path,) = shown.demo.run_of.kiosks["hall"].folder.uploads()
    assert json.loads(path.read_text())["format"] == "emask-upload/2"
    take_away(panel, "token-03")


def test_found_token_is_wiped_by_whoever_holds_its_button(panel, kiosk, shown):
    on(kiosk, "start")
    tap(kiosk, "found", "erase")
    tap(kiosk, "wipe", "press")
    lay_down(panel, "token-03")
    on(kiosk, "which")
    tap(kiosk, "yes", "number")
    shown.demo.skip(4)
    press(panel, "token-03", 4000 / PACE)
    on(kiosk, "wiped")
    assert shown.visits()[-1]["upload"] == "wiped"
    own = mounted(shown.demo.run_of.nodes["token-03"])
    assert not any(own.count(kind) for kind in (spec.SIGHTING, spec.HEARD, spec.KEY, spec.ANCHOR, spec.ALERT))
    take_away(panel, "token-03")


def test_battery_pulled_in_the_visit_is_said_in_words(panel, kiosk, shown):
    on(kiosk, "start")
    lay_down(panel, "token-01")
    on(kiosk, "which")
    panel.click('[data-token="token-01"] [data-do=battery]')
    on(kiosk, "lost")
    panel.click('[data-token="token-01"] [data-do=battery]')
    shown.rest()
    on(kiosk, "start")
    press(panel, "token-01", 100)
    on(kiosk, "which")
    tap(kiosk, "yes", "closer")


def test_signed_end_asks_for_the_token_back_and_so_does_each_later_press(panel, kiosk, shown):
    own = shown.demo.run_of
    now_s = int(own.utc_s())
    end = listing.draft_end(own.out / "authority", 0, now_s)
    (data,) = signer.sign(end, Keys(keyring.holders(own.out / "authority")), now_s).values()
    (own.out / "end.eml").write_bytes(data)
    own.kiosks["hall"].folder.add_list(own.out / "end.eml")
    on(kiosk, "start")
    lay_down(panel, "token-02")
    on(kiosk, "which")
    tap(kiosk, "yes", "closer")
    kiosk.click("[data-tap=show]")
    kiosk.click("[data-tap=next]")
    on(kiosk, "slip")
    tap(kiosk, "skip", "ended")
    shown.rest()
    on(kiosk, "start")
    token = mounted(own.nodes["token-02"])
    assert not any(token.count(kind) for kind in (spec.SIGHTING, spec.HEARD, spec.KEY, spec.ANCHOR, spec.ALERT))
    tap(kiosk, "staff", "staff")
    tap(kiosk, "handover", "press")
    press(panel, "token-02", 100)
    on(kiosk, "which")
    tap(kiosk, "yes", "ended")
    assert "Xin trả thẻ" in kiosk.inner_text("#screen").replace("\N{NO-BREAK SPACE}", " ")
    assert shown.visits()[-1]["errand"] == "handover" and shown.visits()[-1]["list"] == "none"
    take_away(panel, "token-02")
