"""Facts of attacks on the schedule: how far a liar moves windows, how soon it is left behind, what noise may cost."""

import numpy as np
import pytest

from tools import ROOT
from tools.bench import power
from tools.bench.energy import Board
from tools.bench.study import cases, contact, more, rooms

BOARD = Board.load(ROOT / "boards" / "esp32c3")


@pytest.mark.parametrize("lie_ms", more.LIES_MS)
@pytest.mark.parametrize(("ppm", "hours", "back_s"), [(20, 0, 600), (20, 10, 900), (power.INTERNAL_PPM, 1, 1200)])
def test_liar_moves_windows_within_the_stated_bound_and_is_left_behind(lie_ms, ppm, hours, back_s):
    found = more.liar(lie_ms, ppm, hours)
    assert found["moved_ms"] <= found["bound_ms"]
    assert found["back_with_an_honest_token_after_s"] <= back_s


def test_liar_that_goes_away_is_forgotten_by_a_token_that_stays_alone():
    plan_maker = more.Schedule(20)
    plan_maker.confirmed(0)
    plan_maker.grid.pull(1000, [400] * 20, True)
    assert plan_maker.grid.shift_ms(2000) > 300
    assert plan_maker.grid.shift_ms(2 * 3_600_000) < 100


def test_invented_adverts_do_not_keep_the_radio_on():
    flood = power.play(BOARD, [power.Period(24, 10_000)])
    listening_s = flood.mah["receive"] * 3600 / BOARD.current_ma["rx"]
    assert listening_s <= 0.006 * 86400
    assert flood.total_mah <= 2.2 * power.play(BOARD, power.SCENARIOS["usual"][1]).total_mah


def test_company_that_comes_and_goes_costs_no_more_than_three_usual_days():
    worst = more.come_and_go(BOARD)
    assert power.play(BOARD, [power.Period(24, 200)]).total_mah < worst
    assert worst <= 3 * power.play(BOARD, power.SCENARIOS["usual"][1]).total_mah


def test_jammer_costs_less_than_company():
    jammed = power.play(BOARD, [power.Period(24, 0)]).total_mah
    assert jammed <= power.play(BOARD, power.SCENARIOS["usual"][1]).total_mah


def test_adverts_that_overlap_are_lost_and_no_others():
    assert list(contact.collided(np.array([1.0, 2.0, 1.0003, 3.0]))) == [True, False, True, False]


def test_room_of_twenty_that_comes_at_once_finds_itself():
    found = cases.summarize(rooms.room(20, np.random.default_rng(1)))
    assert found["found_15min"]["value"] > 0.98
