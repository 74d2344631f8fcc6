"""Facts about a box of boards at the station: real esptool, mpremote and VM, behind a pty; the ROM is a mock.

All boards of the box are at the station at once, the good and the bad: most of a board's time is waiting.
"""

import csv
import fcntl
import io
import json
import os
import pty
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.flash import rig
from tools import ROOT
from tools.firmware import bundle
from tools.flash import mistakes, plan

# Number on the desk -> what is wrong with it: options of desk.py, environment, how it ends.
BAD = {
    5: ((), {"HEARD": "0"}, "radio_deaf"),
    6: ((), {"HANDS": "0"}, "no_hands"),
    7: ((), {"BATTERY_MV": "3100"}, "weak_battery"),
    8: (("--chip", "esp32s3"), {}, "wrong_chip"),
    9: (("--fault", "small"), {}, "small_flash"),
    10: (("--fault", "rot"), {}, "bad_flash"),
    11: (("--fault", "locked"), {}, "locked"),
    12: (("--fault", "silent"), {}, "no_answer"),
    13: (("--fault", "brown_out"), {}, "brown_out"),
}
UNPLUGGED = {
    3: "70000",
    4: "20000",
}  # in the middle of the product (the base takes about 49,000 bytes), and of the base


@pytest.fixture(scope="module")
def box(made, desk):
    """Boards after one run of the station: .places by number, .record, .desk, .ports, .folder."""
    ports = {1: desk.put(1)}
    ports |= {number: desk.put(number, "--unplug", at) for number, at in UNPLUGGED.items()}
    ports |= {number: desk.put(number, *options, **environment) for number, (options, environment, _) in BAD.items()}
    unit, kept = rig.station(made, desk.folder, list(ports.values()))
    places = dict(zip(ports, rig.settle(unit, list(ports.values())), strict=True))
    return SimpleNamespace(places=places, record=kept, desk=desk, ports=ports, folder=desk.folder)


def test_boards_side_by_side_become_tokens(made, box):
    good = [box.places[number] for number in (1, 3, 4)]
    assert [place.phase for place in good] == ["done"] * 3, box.places
    flash = (box.folder / "flash-1.bin").read_bytes()
    found = bundle.load(made)
    for part in found.parts:
        assert flash[part.offset : part.offset + part.size] == part.path.read_bytes()
    assert box.desk.partition(1, "romfs").startswith(found.product.payload)
    labels = [place.label for place in good]
    assert len(set(labels)) == 3 and all((box.folder / "labels" / f"{name}.pdf").exists() for name in labels)
    rows = [row for row in csv.DictReader(io.StringIO(box.record.csv("box 1"))) if row["state"] == "done"]
    assert sorted(row["label"] for row in rows) == sorted(labels)
    assert {row["heard"] for row in rows} == {"1"}


def test_tokens_have_keys_of_their_own_and_the_record_has_none(box):
    stores = [box.desk.partition(number, "sightings") for number in (1, 3)]
    assert all(store.strip(b"\xff") for store in stores) and stores[0] != stores[1]
    written = (box.folder / "flash.sqlite").read_bytes()
    for store in stores:
        used = store.rstrip(b"\xff")
        secrets = {bytes(used[at : at + 16]) for at in range(len(used) - 16)}
        assert not [piece for piece in secrets if len(set(piece)) > 8 and piece in written]
    assert b"24:0a:c4" not in written


def test_board_whose_cable_came_out_goes_on_where_it_stopped(box):
    assert box.places[3].bytes["rom"] < 5000  # the second time the base was not sent again
    assert box.places[4].bytes["rom"] > 40000
    assert box.record.csv().count(box.places[3].label) == 1


@pytest.mark.parametrize("number", BAD)
def test_board_that_is_not_good_is_stopped_with_its_reason(box, number):
    place, code = box.places[number], BAD[number][2]
    assert (place.phase, place.code) == ("stopped", code), place
    assert place.words.startswith(mistakes.WORDS[code][0])
    assert code in box.record.csv() or not place.label  # a board is known once it has told its number


def test_finished_board_is_not_flashed_again(made, box):
    before = box.record.csv()
    unit, kept = rig.station(made, box.folder, [box.ports[1]])
    place = rig.settle(unit, [box.ports[1]])[0]
    assert (place.label, place.bytes) == (box.places[1].label, {}) and "before" in place.words
    assert kept.csv() == before


def test_plan_counts_the_bytes_that_really_go_over_the_cable(made, box):
    sent = box.places[1].bytes
    rates = plan.Rates(erase_block_s=0, verify_s=0)
    own = plan.machine_s(bundle.load(made), rates)
    assert abs(own["base"] * rates.baud / 10 - sent["rom"]) < 0.1 * sent["rom"]
    assert abs(own["product"] * rates.repl_bytes_s - sent["repl"]) < 0.1 * sent["repl"]


def worker(made, port, before="pass"):
    """The last word of the whole worker at a port. before: a line of Python that runs once all is imported."""
    job = {"port": str(port), "bundle": str(made), "settings": rig.FACTS, "update": False, "baud": 115200}
    job |= {"reset": "no-reset", "radio_ms": 1, "hands_ms": 1, "beacon": False}
    start = f"import os, sys; from tools.flash import worker; {before}; sys.exit(worker.main())"
    done = subprocess.run(
        [sys.executable, "-c", start],
        input=json.dumps(job) + "\n", capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["code"]


def test_port_that_is_gone_is_told_as_a_cable_that_came_out(made, tmp_path):
    assert worker(made, tmp_path / "port") == "unplugged"


def test_port_that_another_program_has_is_told_by_the_real_libraries(made):
    master, slave = pty.openpty()
    try:
        fcntl.flock(slave, fcntl.LOCK_EX)  # as pyserial does, in a terminal or another station
        assert worker(made, os.ttyname(slave)) == "port_busy"
    finally:
        os.close(slave)
        os.close(master)


def test_port_of_another_user_is_told_by_the_real_libraries(made):
    master, slave = pty.openpty()
    os.chmod(os.ttyname(slave), 0)
    # Root may open everything: its worker becomes another user before it opens the port.
    look = "lambda *given: (os.geteuid() or os.seteuid(65534)) or look(*given)"
    other = f"look = worker.Worker.step_look; worker.Worker.step_look = {look}"
    try:
        assert worker(made, os.ttyname(slave), other) == "no_permission"
    finally:
        os.close(slave)
        os.close(master)
