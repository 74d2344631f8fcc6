"""Facts about what a station needs no board for: words, settings, record, label, page, plan."""

import errno
import json
import re
import sqlite3
import tempfile
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from serial import SerialException

from tests.flash.rig import FACTS, run
from tools.firmware import bundle
from tools.flash import label, mistakes, plan, record, settings, show
from tools.flash.station import Options, Station

SETTINGS = f'region = 84\nauthority_root = "{"11" * 32}"\nauthority_recovery = "{"22" * 32}"\n'
_values = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
_names = st.sampled_from(["board", "chip", "version", "aioble", "bootloader_offset", "files", "format"])
json_facts = st.dictionaries(_names, _values, min_size=1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EACCES, "x"), "no_permission"),
        (SerialException(errno.EACCES, "could not open port"), "no_permission"),
        (SerialException(errno.EBUSY, "could not open port"), "port_busy"),
        (SerialException("Could not exclusively lock port x"), "port_busy"),
        (SerialException("device disconnected or multiple access on port?"), "unplugged"),
        (RuntimeError("Failed to connect to ESP32-C3: No serial data received."), "no_answer"),
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
    (tmp_path / "s.toml").write_text(SETTINGS)
    (tmp_path / "port").write_bytes(b"untouched")
    given = ("flash", "run", "--bundle", made, "--settings", tmp_path / "s.toml", "--batch", "b", "--dry-run")
    answer = run(*given, "--json", "--port", tmp_path / "port", "--record", tmp_path / "r.sqlite")
    assert answer.exit_code == 0, answer.output
    facts = json.loads(answer.output)
    assert facts["ports"] == [str(tmp_path / "port")] and len(facts["writes"]) == 3
    assert (tmp_path / "port").read_bytes() == b"untouched" and not (tmp_path / "r.sqlite").exists()


def test_bad_settings_and_unsigned_bundles_are_refused_before_any_board(made, tmp_path, base):
    (tmp_path / "s.toml").write_text(SETTINGS.replace("22", "00"))
    given = ("--settings", tmp_path / "s.toml", "--batch", "b", "--dry-run")
    assert run("flash", "run", "--bundle", made, *given).exit_code == 2
    (tmp_path / "s.toml").write_text(SETTINGS)
    bundle.make("esp32c3", tmp_path / "unsigned", None, base)
    answer = run("flash", "run", "--bundle", tmp_path / "unsigned", *given)
    assert answer.exit_code == 2 and "not signed" in answer.output
    for wrong in (
        {"region": 0},
        {"scheme": "x"},
        {"sleep": "x"},
        {"more": 1},
        {"region": "1"},
        {"authority_root": "11"},
        {"authority_recovery": 1},
    ):
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


def test_station_without_a_board_suspects_the_cable(tmp_path, capsys):
    kept = record.Record(tmp_path / "r.sqlite")
    idle = Station(Options(tmp_path, FACTS, tmp_path), kept, kept.open_batch("b", "esp32c3", 1), list)
    with show.Bars("") as bars:
        for _ in range(60):
            idle.look()
            bars.draw(idle, False)
    assert capsys.readouterr().err.count("many carry only power") == 1


def test_rubbish_is_refused_in_one_line(made, tmp_path):
    (tmp_path / "s.toml").write_text(SETTINGS)
    (tmp_path / "r.sqlite").write_bytes(bytes(range(256)) * 4)
    start = ("flash", "run", "--bundle", made, "--settings", tmp_path / "s.toml", "--count", "0")
    rubbish = (
        ("flash", "export", "--record", tmp_path / "r.sqlite"),
        ("flash", "labels", "--record", tmp_path / "r.sqlite", "--batch", "b"),
        ("flash", "close", "--record", tmp_path / "none.sqlite", "--batch", "b"),
        (*start, "--batch", "b", "--record", tmp_path / "r.sqlite"),
        (*start, "--batch", " "),
        (*start, "--batch", "b", "--page-port", "99999"),
        (*start, "--batch", "b", "--settings", "/dev/null"),
    )
    for arguments in rubbish:
        answer = run(*arguments)
        assert answer.exit_code == 2 and answer.output.splitlines()[-1].startswith("Error: "), answer.output


@settings_of_hypothesis(max_examples=60, deadline=None)
@given(changes=json_facts)
def test_any_facts_in_a_bundle_are_taken_or_refused_in_one_line(made, changes):
    facts = json.loads((made / "bundle.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        for path in made.iterdir():
            if path.name != "bundle.json":
                (Path(folder) / path.name).symlink_to(path)
        (Path(folder) / "bundle.json").write_text(json.dumps(facts | changes))
        try:
            found = bundle.load(Path(folder))
        except bundle.BundleError:
            return
    assert found.board in bundle.CHIPS and isinstance(found.version, int) and len(found.parts) == 3


def test_label_notices_a_wrong_sign():
    name = record.new_label().replace("-", "")
    for place in range(7):
        for sign in "23456789ABCDEFGHJKMNPQRSTUVWXYZ":
            changed = name[:place] + sign + name[place + 1 : 7]
            assert (record.check_sign(changed) == name[7]) == (changed == name[:7])
    assert len({record.new_label() for _ in range(100)}) == 100


@pytest.mark.parametrize("dpi", [203, 300])
def test_label_as_printed_reads_as_its_number(dpi):
    name = record.new_label()
    page = pypdfium2.PdfDocument(label.pdf(name))[0]
    assert [round(side * 25.4 / 72) for side in page.get_size()] == [28, 14]
    assert page.get_textpage().get_text_range().split() == name.split("-")
    found = zxingcpp.read_barcodes(page.render(scale=dpi / 72).to_numpy())
    assert [code.text for code in found] == [name.replace("-", "")]


@pytest.fixture
def printer(tmp_path):
    """A printer's program of this computer: printer(line of shell) -> its command; it gets the label's file as $2."""

    def make(line):
        program = tmp_path / "lp"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        return f"{program} -dlabels"

    return make


def test_label_goes_to_the_printer_with_its_file(tmp_path, printer):
    path = label.write(tmp_path, record.new_label())
    label.send(printer(f'cp "$2" {tmp_path}/printed'), path)
    assert (tmp_path / "printed").read_bytes() == path.read_bytes()


def test_printer_that_fails_is_told_with_what_it_said(tmp_path, printer):
    with pytest.raises(mistakes.Mistake, match="not printed.*The printer or class does not exist"):
        label.send(printer("echo 'lp: The printer or class does not exist.' >&2; exit 1"), tmp_path / "x")
    with pytest.raises(mistakes.Mistake, match="not printed"):
        label.send(str(tmp_path / "none"), tmp_path / "x")


def test_finished_board_stays_finished_when_its_label_does_not_print(tmp_path, printer):
    kept = record.Record(tmp_path / "r.sqlite")
    batch = kept.open_batch("b", "esp32c3", 1)
    unit, name = kept.unit(batch, "24:0a:c4:00:00:01")
    kept.end(unit)
    given = ("flash", "labels", "--record", tmp_path / "r.sqlite", "--batch", "b", "--labels", tmp_path / "again")
    answer = run(*given, "--print", printer("exit 1"))
    assert answer.exit_code == 3 and name in answer.output and "not printed" in answer.output
    assert run(*given, "--print", printer("exit 0"), name).exit_code == 0
    assert (tmp_path / "again" / f"{name}.pdf").exists()
    assert run(*given, "AAAA-AAAA").exit_code == 2
    no_program = run(*given, "--print", "no-such-lp -d x")
    assert no_program.exit_code == 2 and "cups-client" in no_program.output
    assert "done" in kept.csv("b")


def test_full_disk_of_the_record_has_its_words(tmp_path):
    kept = record.Record(tmp_path / "r.sqlite")
    database = sqlite3.connect(tmp_path / "r.sqlite")
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    kept._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError) as full:
        for number in range(1000):
            kept.open_batch(f"box {number} " + "x" * 100, "esp32c3", 1)
    assert mistakes.explain(full.value).code == "no_disk"


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
