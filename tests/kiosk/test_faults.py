"""Facts about a kiosk in trouble: each fault has a screen, a staff code and a log line, and loses nothing."""

import json
import time

import pytest

from emask import spec
from tests.kiosk.hall_rig import ALERTED, Hall
from tests.tools.world import NOW_S
from tools.codes import PLAIN
from tools.kiosk.hall import faults, stock

CODE = "ABCDEFGHJKLM"
_LIMIT_S = 30


@pytest.fixture
def hall(tmp_path):
    own = Hall(tmp_path, clinic=True)
    (own.folder.path / "codes.txt").write_text(CODE + "\n")
    return own


def shows(hall, name, code=None):
    """Wait until the kiosk shows a screen; its code."""
    until = time.monotonic() + _LIMIT_S
    while hall.kiosk.flow.screen.name != name:
        assert time.monotonic() < until, hall.kiosk.flow.screen
        time.sleep(0.01)
    if code is not None:
        assert hall.kiosk.flow.screen.fields["code"] == code
    return True


def tap(hall, name):
    hall.do(lambda: hall.kiosk.desk.tap(hall.kiosk.flow.screen.number, name))


def told(hall):
    """Codes of the folder's log, in order."""
    lines = (hall.folder.path / "log.jsonl").read_text().splitlines() if hall.folder.visits() or has_log(hall) else []
    return [entry["fault"] for entry in map(json.loads, lines) if "fault" in entry]


def has_log(hall):
    return (hall.folder.path / "log.jsonl").exists()


def test_kiosk_without_adapter_says_so_and_goes_on_when_it_is_back(hall):
    hall.tray.pulled = True
    with hall:
        shows(hall, "closed", "K11")
        hall.tray.pulled = False
        shows(hall, "start")
        hall.tray.press(hall.token())
        shows(hall, "which")
    assert told(hall) == ["K11"]


def test_adapter_pulled_in_a_visit_ends_it_and_closes_the_kiosk(hall):
    with hall:
        own = hall.token(ALERTED)
        hall.tray.press(own)
        shows(hall, "which")
        hall.tray.pulled = True
        tap(hall, "yes")
        shows(hall, "lost", "K51")
        shows(hall, "closed", "K11")
    assert spec.ASK not in own.heard


def test_token_that_walks_away_keeps_its_warning(hall):
    with hall:
        own = hall.token(ALERTED)
        address = hall.tray.press(own)
        shows(hall, "which")
        tap(hall, "yes")
        shows(hall, "closer")
        hall.tray.tokens.pop(address)
        shows(hall, "lost", "K51")
        assert spec.ASK not in own.heard and not hall.folder.visits()[-1]["complete"]
        hall.tray.press(own)
        shows(hall, "which")


def test_two_tokens_at_once_wait_until_one_is_taken_away(hall):
    with hall:
        hall.tray.press(hall.token())
        second = hall.tray.press(hall.token())
        shows(hall, "two")
        hall.tray.tokens.pop(second)
        shows(hall, "which")


def test_folder_whose_lists_are_all_damaged_closes_the_kiosk(hall):
    (path,) = hall.folder.inbox.iterdir()
    good = path.read_bytes()
    path.write_bytes(good[:-100])
    with hall:
        shows(hall, "closed", "K33")
        path.write_bytes(good)
        shows(hall, "start")


def test_full_disk_closes_the_kiosk_until_there_is_room(hall):
    hall.free = lambda: 1000
    with hall:
        shows(hall, "closed", "K31")
        hall.free = lambda: 1 << 30
        shows(hall, "start")


def test_disk_that_fills_during_a_visit_takes_no_keys_from_the_token(hall, monkeypatch):
    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(hall.folder), "make_room", full)
    with hall:
        own = hall.token()
        for name in ("staff", "upload", "agree"):
            tap(hall, name)
        hall.tray.press(own)
        shows(hall, "which")
        tap(hall, "yes")
        shows(hall, "retry", "K31")
        assert spec.ASK not in own.heard and stock.first(hall.folder, PLAIN) == CODE


def test_log_that_can_not_be_written_stops_nobody(hall, capfd):
    (hall.folder.path / "log.jsonl").mkdir()
    with hall:
        hall.tray.press(hall.token())
        shows(hall, "which")
        tap(hall, "yes")
        shows(hall, "closer")
        tap(hall, "show")
        tap(hall, "next")
        shows(hall, "slip")
    assert "K34" in capfd.readouterr().err


@pytest.mark.parametrize("now_s, code", [(NOW_S - 86400, "K41"), (NOW_S + 30 * 86400, "K21")])
def test_kiosk_with_a_wrong_clock_gives_no_token_the_time(hall, now_s, code):
    hall.now_s = now_s
    with hall:
        shows(hall, "closed", code)
        own = hall.token()
        hall.tray.press(own)
        time.sleep(1)
        assert own.heard == []
        hall.now_s = NOW_S
        shows(hall, "which")


@pytest.mark.parametrize(
    "left, taps", [("", ("upload",)), ("1BCDEFGHJKLM", ("upload",)), ("ABCDEFGHJKLM", ("more", "contact"))]
)
def test_upload_without_a_code_left_for_it_asks_the_token_for_nothing(hall, left, taps):
    (hall.folder.path / "codes.txt").write_text(left)
    with hall:
        own = hall.token()
        for name in ("staff", *taps, "agree"):
            tap(hall, name)
        hall.tray.press(own)
        shows(hall, "retry", "K81")
        assert own.heard == []


def test_kiosk_that_is_not_certified_for_it_asks_nobody_by_proxy(hall):
    with hall:
        own = hall.token()
        for name in ("staff", "upload", "proxy"):
            tap(hall, name)
        hall.tray.press(own)
        shows(hall, "retry", "K82")
        assert own.heard == []


def test_stop_on_the_number_s_screen_ends_the_visit_without_an_upload(hall):
    with hall:
        own = hall.token(faults=["slow"])
        for name in ("staff", "upload", "agree"):
            tap(hall, name)
        hall.tray.press(own)
        shows(hall, "which")
        tap(hall, "yes")
        shows(hall, "number")
        tap(hall, "stop")
        shows(hall, "start")
        time.sleep(0.3)
        assert hall.folder.uploads() == [] and stock.first(hall.folder, PLAIN) == CODE
        assert hall.folder.visits()[-1]["why"] == "stopped on the screen"


def test_power_cut_is_told_at_the_next_start_and_nothing_is_lost(hall):
    (hall.folder.path / "running").touch()  # what a cut leaves
    hall.folder.store_upload(CODE, bytes(32), bytes(530), NOW_S)  # stored, and the code not struck out yet
    with hall:
        shows(hall, "start")
    assert told(hall) == ["K61"] and not (hall.folder.path / "running").exists()
    assert len(hall.folder.uploads()) == 1 and stock.first(hall.folder, PLAIN) is None


def test_no_line_of_the_log_identifies_anyone(hall):
    with hall:
        address = hall.tray.press(hall.token(ALERTED))
        shows(hall, "which")
        tap(hall, "yes")
        shows(hall, "closer")
        hall.tray.tokens.clear()
        shows(hall, "lost")
    text = (hall.folder.path / "log.jsonl").read_text()
    assert address not in text and "alert" not in text and CODE not in text
    allowed = {"at", "complete", "list", "list_serial", "upload", "why", "referred", "fault", "errand", "proxy"}
    assert {key for line in text.splitlines() for key in json.loads(line)} <= allowed


def test_every_code_has_words_for_staff():
    named = {
        value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str) and value[0] == "K"
    }
    assert named == set(faults.CODES)


def test_folder_that_is_gone_closes_the_kiosk(hall):
    def gone():
        raise FileNotFoundError

    hall.free = gone
    with hall:
        shows(hall, "closed", "K32")
