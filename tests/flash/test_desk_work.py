"""Facts about what a station needs no board for: words, settings, record, label, page, plan."""

import errno
import json
import re
import sqlite3
import urllib.request

import pytest
from serial import SerialException

from tests.flash.rig import FACTS, run
from tools.firmware import bundle
from tools.flash import label, mistakes, plan, record, settings
from tools.flash.page import Page


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EACCES, "x"), "no_permission"),
        (SerialException(errno.EACCES, "could not open port"), "no_permission"),
        (SerialException(errno.EBUSY, "could not open port"), "port_busy"),
        (SerialException("Could not exclusively lock port x"), "port_busy"),
        (SerialException("device disconnected or multiple access on port?"), "unplugged"),
        (RuntimeError("Failed to connect to ESP32-C3: No serial data received."), "no_answer"),
        (RuntimeError("Brownout detector was triggered"), "brown_out"),
        (RuntimeError("MD5 of file does not match data in flash!"), "bad_flash"),
        (RuntimeError("'x' is not an ESP32-C3 image. Use --force to flash anyway."), "bad_bundle"),
        (RuntimeError("could not enter raw repl"), "no_micropython"),
        (OSError(errno.ENOSPC, "x"), "no_disk"),
        (ValueError("24:0a:c4"), "unknown"),
    ],
)
def test_usual_mistakes_have_clear_words(error, code):
    told = mistakes.explain(error)
    assert told.code == code and told.do and "24:0a" not in str(told)


def test_dry_run_touches_no_port(made, tmp_path):
    (tmp_path / "s.toml").write_text(f'region = 84\nauthority_root = "{"11" * 32}"\n')
    (tmp_path / "port").write_bytes(b"untouched")
    given = ("flash", "run", "--bundle", made, "--settings", tmp_path / "s.toml", "--batch", "b", "--dry-run")
    answer = run(*given, "--json", "--port", tmp_path / "port", "--record", tmp_path / "r.sqlite")
    assert answer.exit_code == 0, answer.output
    facts = json.loads(answer.output)
    assert facts["ports"] == [str(tmp_path / "port")] and len(facts["writes"]) == 3
    assert (tmp_path / "port").read_bytes() == b"untouched" and not (tmp_path / "r.sqlite").exists()


def test_bad_settings_and_unsigned_bundles_are_refused_before_any_board(made, tmp_path, base):
    (tmp_path / "s.toml").write_text('region = 84\nauthority_root = "00"\n')
    given = ("--settings", tmp_path / "s.toml", "--batch", "b", "--dry-run")
    assert run("flash", "run", "--bundle", made, *given).exit_code == 2
    (tmp_path / "s.toml").write_text(f'region = 84\nauthority_root = "{"11" * 32}"\n')
    bundle.make("esp32c3", tmp_path / "unsigned", None, base)
    answer = run("flash", "run", "--bundle", tmp_path / "unsigned", *given)
    assert answer.exit_code == 2 and "not signed" in answer.output
    for wrong in ({"region": 0}, {"scheme": "x"}, {"sleep": "x"}, {"more": 1}, {"region": "1"}):
        with pytest.raises(settings.SettingsError):
            settings.parse(FACTS | wrong)


def test_closed_batch_can_not_recognise_its_boards(tmp_path):
    path = tmp_path / "r.sqlite"
    kept = record.Record(path)
    batch = kept.open_batch("b", "esp32c3", 1)
    first = kept.unit(batch, "24:0a:c4:00:00:01")
    assert kept.unit(batch, "24:0a:c4:00:00:01") == first and kept.unit(batch, "24:0a:c4:00:00:02") != first
    with pytest.raises(record.RecordError, match="of esp32c3"):
        kept.open_batch("b", "esp32", 1)
    kept.close()
    salt, tag = sqlite3.connect(path).execute("SELECT salt, tag FROM batch JOIN unit ON batch.id = batch").fetchone()
    assert salt in path.read_bytes()
    assert run("flash", "close", "--record", path, "--batch", "b").exit_code == 0
    assert salt not in path.read_bytes() and tag not in path.read_bytes()
    assert run("flash", "close", "--record", path, "--batch", "none").exit_code == 1
    assert first[1] in run("flash", "export", "--record", path).output
    with pytest.raises(record.RecordError, match="closed"):
        record.Record(path).open_batch("b", "esp32c3", 1)


def test_label_notices_a_wrong_sign():
    name = record.new_label().replace("-", "")
    for place in range(7):
        for sign in "23456789ABCDEFGHJKMNPQRSTUVWXYZ":
            changed = name[:place] + sign + name[place + 1 : 7]
            assert (record.check_sign(changed) == name[7]) == (changed == name[:7])
    assert b"<svg" in label.svg(record.new_label()) and len({record.new_label() for _ in range(100)}) == 100


def test_page_shows_the_places_to_this_computer_only():
    page = Page(lambda: {"done": 3, "places": []})
    try:
        assert json.load(urllib.request.urlopen(page.url + "state", timeout=5))["done"] == 3
        assert "Flash station" in urllib.request.urlopen(page.url, timeout=5).read().decode()
        request = urllib.request.Request(page.url + "state", headers={"Host": "evil.example:80"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=5)
    finally:
        page.close()


def test_hundred_boards_fit_into_an_hour_and_one_place_does_not():
    own = 90.0
    assert plan.simulate(100, 7, own, plan.Rates()) < 3600
    assert plan.simulate(100, 1, own, plan.Rates()) > 3600
    assert plan.simulate(0, 7, own, plan.Rates()) == 0
    hands = plan.Rates().hands_plug_s + plan.Rates().hands_press_s + plan.Rates().hands_label_s
    assert plan.simulate(1, 7, own, plan.Rates()) == pytest.approx(own + hands)


def test_every_word_for_staff_is_a_sentence():
    for what, do in mistakes.WORDS.values():
        assert re.fullmatch(r"[A-Z].*\.", what) and re.fullmatch(r"[A-Z].*[.?]", do)
