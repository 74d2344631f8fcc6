"""Facts of the study: its parts against what can be worked out by hand, and the whole of it once, quickly."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from emask import schedule
from tools import ROOT
from tools.bench.energy import Board
from tools.bench.study import baselines, cases, contact, more, plots
from tools.cli import main

BOARD = Board.load(ROOT / "boards" / "esp32c3")


def window(length_s=0.1, scan_ms=30, listen_ms=30, sent=()):
    plan = schedule.Plan(schedule.MINUTE, 2, 0, int(length_s * 1000), 50, 20, scan_ms, listen_ms, 0)
    return contact.Window(plan, 0.0, length_s, np.array(sent), np.zeros(len(sent), dtype=int))


def test_continuous_listening_takes_nearly_every_advert():
    events = np.linspace(0.001, 0.097, 2000)
    assert contact.received(window(), events).mean() > 0.93


def test_a_tenth_of_listening_takes_a_tenth():
    events = np.random.default_rng(1).uniform(0, 3.2, 20_000)
    assert contact.received(window(3.2, 320, 32), events).mean() == pytest.approx(0.1, abs=0.012)


def test_radio_is_deaf_while_it_sends_and_when_it_does_not_listen():
    events = np.array([0.0452, 0.0501])
    assert list(contact.received(window(sent=[0.045]), events)) == [False, True]
    assert not contact.received(window(listen_ms=0), events).any()


def test_ten_hours_apart_is_found_and_a_hundred_is_not():
    by_name = {case.name: case for case in cases.CASES}
    near = cases.summarize(cases.run(by_name["crystal-10h"], 60, 3, lambda: None))
    far = cases.summarize(cases.run(by_name["crystal-100h-homes"], 10, 3, lambda: None))
    assert near["found_15min"]["value"] > 0.98 and near["minutes_of_15"] > 11
    assert far["found_15min"]["value"] < 0.95


def test_trials_are_the_same_for_the_same_seed():
    case = cases.CASES[1]
    assert cases.run(case, 4, 9, lambda: None) == cases.run(case, 4, 9, lambda: None)
    assert cases.run(case, 4, 9, lambda: None) != cases.run(case, 4, 10, lambda: None)


def test_interval_of_a_share_holds_it():
    found = cases.share(np.array([True] * 999 + [False]))
    assert found["low"] < found["value"] == 0.999 < found["high"] <= 1


def test_optimum_of_theory_is_that_of_the_paper():
    """eta = 1 % of listening alone, as in the formula 4 alpha omega / eta^2."""
    mah = (0.01 * 86 * 86400 + baselines.Costs.of(BOARD).rest_day) / 3600 + 0.4
    alpha, omega = 170 / 86, 376e-6
    assert baselines.kindt_latency_s(mah, BOARD) == pytest.approx(4 * alpha * omega / 0.01**2, rel=1e-3)


def test_wake_ups_make_unsynchronised_schedules_worse_and_charge_better():
    with_ups = [baselines.best_slotted(mah, BOARD)["found"] for mah in (5, 10, 20)]
    without = baselines.best_slotted(10, BOARD, wake_ups=False)["found"]
    assert with_ups == sorted(with_ups) and with_ups[1] < 0.3 < without


def test_loop_of_a_second_in_ten_costs_what_its_parts_cost():
    costs = baselines.Costs.of(BOARD)
    per_day = 8640 * (costs.start + 86 + costs.event / 0.105) + costs.rest_day
    assert baselines.loop_mah(BOARD, 1.0, 10.0) == pytest.approx(per_day / 3600)


def test_parameters_are_put_back():
    before = schedule.BASE_MS
    with pytest.raises(ZeroDivisionError), more.parameters(BASE_MS=7):
        assert schedule.BASE_MS == 7
        raise ZeroDivisionError
    assert before == schedule.BASE_MS


def test_picture_is_one_file_that_says_what_it_shows():
    drawn = plots.draw("T", "x", "y", [plots.Curve("a<b", [(1, 0.5), (10, 1.0)])], log_x=True)
    assert drawn.startswith("<svg xmlns") and "a&lt;b" in drawn and drawn.count("<circle") == 2


def test_whole_study_runs_quickly(tmp_path):
    done = CliRunner().invoke(main, ["bench", "study", "--quick", "--json", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert {case.name for case in cases.CASES} == set(facts["cases"])
    assert facts == json.loads((tmp_path / "study.json").read_text())
    assert facts["firmware"][1]["firmware"]["found_15min"]["value"] == 1.0
    assert [row["tokens"] for row in facts["rooms"]] == [2, 20]
    assert (tmp_path / "found-charge.svg").is_file() and (tmp_path / "found-apart.svg").is_file()
