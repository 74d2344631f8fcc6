# Facts about scenario files: what they unroll to, and that each mistake is one line and exit code 2.
# Knows no run's result.
from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench.scenes import LUNCH, PARTY, emask, emask_process, write
from tools import ROOT
from tools.bench.scenario import Scenario

BASE = """
version = 1
name = "two"
duration_s = 60
[[node]]
name = "token-{}"
count = 2
[[kiosk]]
name = "market"
"""
RECORDED = f'[[link]]\nmodel = "recording"\nfile = "{PARTY}"\n'

# fact: (the file, words that its one line must hold)
MISTAKES = {
    "no_toml": ("version = = 1", ["not a TOML file", "line 1"]),
    "no_version": (BASE.replace("version = 1", ""), ["version"]),
    "later_version": (BASE.replace("version = 1", "version = 2"), ["version"]),
    "no_node": ('version = 1\nname = "none"\nduration_s = 5\n', ["node"]),
    "unknown_key": ("durations = 3" + BASE, ["durations"]),
    "unknown_key_of_a_node": (BASE.replace("count", "colour = 3\ncount"), ["node.0", "colour"]),
    "wrong_unit": (BASE.replace("duration_s", "duration_min"), ["duration_min"]),
    "wrong_unit_of_an_event": (BASE + '[[event]]\nat_min = 2\ndo = "press"\n', ["event.0", "at_min"]),
    "wrong_type": (BASE.replace("count = 2", 'count = "two"'), ["node.0.count", "two"]),
    "number_below_its_range": (BASE.replace("duration_s = 60", "duration_s = -1"), ["duration_s"]),
    "endless_number": (BASE.replace("duration_s = 60", "duration_s = inf"), ["duration_s"]),
    "number_that_is_none": (BASE + '[[event]]\nat_s = nan\ndo = "press"\nnode = "token-01"', ["event.0.at_s"]),
    "time_without_its_offset": ("start_utc = 2026-11-24T08:00:00" + BASE, ["start_utc", "offset"]),
    "unknown_sleep": (BASE.replace("count", 'sleep = "hibernate"\ncount'), ["node.0.sleep", "hibernate"]),
    "unknown_board": (BASE.replace("count", 'board = "esp32c9"\ncount'), ["token-01", "esp32c9", "esp32c3"]),
    "ids_beside_count": (BASE.replace("count", "ids = [4]\ncount"), ["token-{}", "ids", "count"]),
    "name_of_two_nodes": (BASE.replace("token-{}", "token"), ["token", "twice"]),
    "name_of_node_and_kiosk": (BASE + '[[node]]\nname = "market"', ["market", "twice"]),
    "name_of_the_bench_itself": (BASE + '[[node]]\nname = "emask"', ["emask"]),
    "missing_script": (BASE.replace("count", 'script = "gone.py"\ncount'), ["token-{}", "gone.py"]),
    "missing_path": (BASE.replace("count", 'paths = ["gone"]\ncount'), ["token-{}", "gone"]),
    "position_of_two_numbers": (BASE.replace("count", "path = [[0, 1]]\ncount"), ["node.0.path"]),
    "position_of_a_kiosk_in_words": (BASE + 'path = [["now", "here"]]', ["kiosk.0.path"]),
    "positions_out_of_order": (BASE.replace("count", "path = [[5, 1, 1], [2, 1, 1]]\ncount"), ["token-01", "path"]),
    "event_of_an_unknown_node": (BASE + '[[event]]\nat_s = 5\ndo = "press"\nnode = "tokn-01"', ["5 s", "tokn-01"]),
    "event_without_node": (BASE + '[[event]]\nat_s = 5\ndo = "reset"', ["5 s", "node"]),
    "event_without_kiosk": (BASE + '[[event]]\nat_s = 5\ndo = "case"\nnode = "token-01"', ["5 s", "kiosk"]),
    "event_of_an_unknown_kiosk": (BASE + '[[event]]\nat_s = 5\ndo = "case"\nkiosk = "shop"', ["5 s", "shop"]),
    "event_that_runs_nothing": (BASE + '[[event]]\nat_s = 5\ndo = "emask"', ["5 s", "run"]),
    "event_after_the_end": (
        BASE + '[[event]]\nat_s = 50\nevery_s = 20\ndo = "press"\nnode = "token-*"',
        ["70", "duration_s"],
    ),
    "link_to_nobody": (BASE + '[[link]]\nmodel = "constant"\na = "token-09"', ["link.0", "token-09"]),
    "recording_without_file": (BASE + '[[link]]\nmodel = "recording"', ["link.0", "file"]),
    "recording_that_is_not_there": (BASE + RECORDED.replace("party", "wedding"), ["wedding", "no such file"]),
    "recording_that_is_no_sqlite": (BASE + RECORDED.replace(str(PARTY), "scenario.toml"), ["scenario.toml"]),
    "recording_of_other_people": (BASE + RECORDED + 'names = "person-{}"', ["person-{}"]),
}  # fmt: skip


@pytest.mark.parametrize("fact", MISTAKES)
def test_mistake_is_one_line_and_exit_code_2(fact, tmp_path):
    text, words = MISTAKES[fact]
    done = emask("bench", "run", write(tmp_path, text), "--out", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert done.stdout == "" and isinstance(done.exception, SystemExit)
    assert re.fullmatch(r"Error: [^\n]+\n", done.stderr), done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert not (tmp_path / "out").exists(), "a scenario that can't be played must not touch the output folder"


def test_base_of_the_mistakes_is_none(tmp_path):
    assert emask("bench", "run", write(tmp_path, BASE), "--out", tmp_path / "out").exit_code == 0


def test_missing_file_is_named(tmp_path):
    done = emask("bench", "run", tmp_path / "gone.toml")
    assert done.exit_code == 2 and re.fullmatch(r"Error: .*gone.toml: no such file\n", done.stderr)


def test_file_of_other_bytes_is_named(tmp_path):
    done = emask("bench", "run", LUNCH, "--out", tmp_path / "out")
    assert done.exit_code == 2 and re.fullmatch(r"Error: .*lunch.sqlite: not a TOML file[^\n]*\n", done.stderr)


def test_mistake_reaches_the_shell_as_a_line_and_a_code(tmp_path):
    done = emask_process("bench", "run", write(tmp_path, BASE.replace("count", "colour = 1\ncount")))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "node.0" in done.stderr and "colour" in done.stderr


def test_output_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    done = emask("bench", "run", write(tmp_path, BASE), "--out", tmp_path / "file" / "out")
    assert done.exit_code in (1, 2) and re.fullmatch(r"Error: [^\n]*file[^\n]*\n", done.stderr), done.stderr


# What a file unrolls to


def test_count_and_ids_make_nodes_that_differ_in_name_alone(tmp_path):
    text = BASE + '[[node]]\nname = "old-{}"\nids = ["07", 8, "b"]\nsleep = "deep"\nclock_ppm = -12.5\n'
    scenario = Scenario.load(write(tmp_path, text))
    assert [n.name for n in scenario.nodes] == ["token-01", "token-02", "old-07", "old-08", "old-b"]
    assert {(n.sleep, n.clock_ppm) for n in scenario.nodes[2:]} == {("deep", -12.5)}
    assert {(n.sleep, n.scheme, n.on_shelf, n.board) for n in scenario.nodes[:2]} == {
        ("light", "bluezone", True, "esp32c3")
    }


def test_every_field_of_a_node_arrives(tmp_path):
    (tmp_path / "own.py").write_text("print(1)")
    (tmp_path / "more").mkdir()
    fields = {
        "sleep": '"deep"', "scheme": '"gaen"', "on_shelf": "false", "battery_mah": "120", "clock_ppm": "3.5",
        "clock_spread_ppm": "7", "start_s": "4", "script": '"own.py"', "paths": '["more"]', "heap_kib": "300",
        "report_latency_ms": "9", "tx_offset_db": "-4", "path": "[[0, 1, 2]]",
    }  # fmt: skip
    lines = "\n".join(f"{key} = {value}" for key, value in fields.items())
    node = Scenario.load(write(tmp_path, BASE.replace("count = 2", lines).replace("-{}", ""))).nodes[0]
    assert (node.sleep, node.scheme, node.on_shelf, node.battery_mah) == ("deep", "gaen", False, 120)
    assert (node.clock_ppm, node.clock_spread_ppm, node.start_s, node.heap_kib) == (3.5, 7, 4, 300)
    assert (node.script, node.paths) == (tmp_path / "own.py", [tmp_path / "more"])
    assert (node.report_latency_ms, node.tx_offset_db, node.path) == (9, -4, [[0, 1, 2]])


def test_pattern_of_an_event_goes_from_node_to_node(tmp_path):
    text = BASE + '[[event]]\nat_s = 20\ndo = "press"\nnode = "token-*"\nevery_s = 5\n'
    text += '[[event]]\nat_s = 22\ndo = "battery_out"\nnode = "token-02"\noff_s = 3\n'
    events = Scenario.load(write(tmp_path, text)).events
    told = [(e.at_s, e.do, e.node, e.hold_ms, e.off_s) for e in events]
    assert told == [
        (20, "press", "token-01", 500, None),
        (22, "battery_out", "token-02", 500, 3),
        (25, "press", "token-02", 500, None),
    ]


def test_seed_and_start_may_be_left_out(tmp_path):
    scenario = Scenario.load(write(tmp_path, BASE))
    assert (scenario.seed, scenario.start_utc) == (1, datetime(2026, 11, 24, 1, tzinfo=UTC))
    assert scenario.events == [] and scenario.links == [] and not scenario.kiosks[0].handover


# Files that ship


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_scenario_loads(path):
    scenario = Scenario.load(path)
    assert scenario.name == path.stem and scenario.about


def documented() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "TESTING.md").read_text(), re.DOTALL)


def test_example_of_the_document_unrolls_as_it_says(tmp_path):
    scenario = Scenario.load(write(tmp_path, documented()[0]))
    assert [(n.name, n.sleep, n.on_shelf, n.clock_ppm) for n in scenario.nodes] == [
        ("token-01", "deep", False, 20.0), ("token-02", "deep", False, 20.0)
    ]  # fmt: skip
    assert [(e.at_s, e.do, e.node, e.off_s) for e in scenario.events] == [
        (120, "press", "token-01", None), (1800, "battery_out", "token-02", 60)
    ]  # fmt: skip
    assert [kiosk.name for kiosk in scenario.kiosks] == ["kiosk"] and scenario.duration_s == 3600


@pytest.mark.parametrize("number", range(len(documented())))
def test_example_of_the_document_runs(number, tmp_path):
    path = write(tmp_path, documented()[number])
    done = emask("bench", "run", path, "--out", Path(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert all(f"\ntoken-{n:02}" in done.stdout for n in (1, 2)) and "Kiosk kiosk" in done.stdout
