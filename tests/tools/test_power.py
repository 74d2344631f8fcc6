"""Facts of the energy model: boards' tables, the day's charge, and its agreement with the firmware on the bench."""

import ast
import json
import tomllib
from dataclasses import replace

import pytest
from click.testing import CliRunner

from emask import schedule
from tests.rules import code
from tools import ROOT
from tools.bench import power
from tools.bench.energy import Board
from tools.bench.image import prepare
from tools.bench.run import Run
from tools.bench.speed import crowd
from tools.cli import main

BOARDS = ("esp32", "esp32c3", "esp32s3", "esp32c6")


def board(name="esp32c3"):
    return Board.load(ROOT / "boards" / name)


def constants(path):
    """Module constants of a device file, by name."""
    found = {}
    for node in code.tree(path).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Tuple):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


@pytest.mark.parametrize("name", BOARDS)
def test_every_figure_of_a_board_names_its_source(name):
    table = tomllib.loads((ROOT / "boards" / name / "power.toml").read_text(encoding="utf-8"))
    for part in ("current_ma", "time_us", "cost_us", "battery"):
        for entry in table[part].values():
            assert any(mark in entry["source"] for mark in ("[DS]", "[V]", "[M]", "[S]", "[E]"))


@pytest.mark.parametrize("name", BOARDS)
def test_every_scenario_of_every_board_has_all_keys(name):
    result = CliRunner().invoke(main, ["bench", "power", "--board", name, "--scenario", "usual", "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert {"mah_per_day", "percent_per_day", "days", "consumers", "model"} <= set(facts)
    assert facts["mah_per_day"] == pytest.approx(sum(facts["consumers"].values()), abs=0.01)
    assert facts["percent_per_day"] == pytest.approx(100 * facts["mah_per_day"] / facts["battery_mah"], abs=0.01)
    assert "not a measurement" in facts["model"]


def test_unknown_board_and_scenario_are_named():
    for words in (["--board", "esp9"], ["--scenario", "moon"]):
        result = CliRunner().invoke(main, ["bench", "power", *words])
        assert result.exit_code == 2 and words[1] in result.output


def test_product_board_sleeps_as_the_model_says():
    own, facts = board(), power.report(board(), "usual")
    said = constants(ROOT / "boards" / "esp32c3" / "board.py")
    assert f'"SLEEP", "{facts["sleep"]}")' in (ROOT / "boards" / "common" / "espchip.py").read_text(encoding="utf-8")
    assert abs(said["DEEP_FROM_MS"] - facts["deep_from_ms"]) <= 500
    assert said["CLOCK_ERROR_PPM"] == own.clock_error_ppm and said["ADVERT_MS"] == own.advert_ms
    assert said["BATTERY_MAH"] == own.battery_mah


def test_aim_of_three_percent_a_day_is_kept():
    assert power.report(board(), "usual")["percent_per_day"] <= 3.0


@pytest.mark.parametrize("name", BOARDS)
def test_low_battery_cue_comes_a_week_before_the_end(name):
    low_mv = constants(ROOT / "boards" / name / "board.py")["BATTERY_LOW_MV"]
    assert low_mv == tuple(3300 + 850 * percent // 100 for percent in board(name).low_percent)  # account.battery_mv
    assert power.report(board(name), "usual")["days_after_cue"] >= 7


def test_motion_sensor_saves_at_night_and_only_what_lies_still():
    usual = power.SCENARIOS["usual"][1]
    plain, seen = (power.play(board(), usual, motion=motion).windows for motion in (False, True))
    assert plain[schedule.MINUTE] - seen[schedule.MINUTE] > 300 and plain[schedule.MEETING] == seen[schedule.MEETING]
    crowd = power.SCENARIOS["crowd"][1]
    assert power.play(board(), crowd, motion=True).mah == power.play(board(), crowd).mah


def test_alone_costs_less_than_company_and_each_level_less_than_the_one_before():
    day = {name: power.play(board(), periods).total_mah for name, (_, periods) in power.SCENARIOS.items()}
    usual = power.SCENARIOS["usual"][1]
    night = power.play(board(), [power.Period(8, 0), power.Period(16, 3)]).total_mah
    assert night < day["home"] < day["crowd"]
    levels = [
        power.play(board(), usual, level=level).total_mah
        for level in (schedule.FULL, schedule.LOW, schedule.LOWER, schedule.LOWEST)
    ]
    assert levels == sorted(levels, reverse=True) and levels[3] < 0.5 * levels[0]


@pytest.mark.parametrize(("sleep", "count"), [("light", 1), ("light", 4), ("deep", 1), ("deep", 4)])
def test_model_agrees_with_the_firmware_on_the_bench(sleep, count, tmp_path):
    """Three hours after the hand-over, some together or one alone: what the bench charges, and the sum."""
    run = Run(handed_over(sleep, count, HOURS + 0.25), prepare(), tmp_path)
    before = {}
    run.engine.at("", 900_000_000, lambda: before.update(run.nodes["token-01"].account.charge_mah()))
    try:
        run.play()
        after = run.nodes["token-01"].account.charge_mah()
    finally:
        run.engine.close()
    used = {name: (after[name] - before[name]) * 24 / HOURS for name in after}
    scene = power.play(board(), [power.Period(HOURS, count - 1)], sleep=sleep, visits=0, hours=HOURS, warm=0).mah
    day = {name: value * 24 / HOURS for name, value in scene.items() if name != "cell"}
    assert sum(used.values()) == pytest.approx(sum(day.values()), rel=0.05), (used, day)
    for name in ("sleep", "receive", "radio start"):
        assert used[name] == pytest.approx(day[name], rel=0.06), (name, used, day)


HOURS = 3.0


def handed_over(sleep, count, hours):
    """Tokens that a kiosk gives the time in the first minutes, side by side."""
    base = crowd(sleep, count, hours)
    links = [{"model": "constant", "a": "station", "to_s": 800}, *base.links]  # its scanner asks, and is answered
    return replace(base, links=links)
