"""Contacts, and what only looks like one: how the rules of the token tell them apart."""

import json

import pytest
from click.testing import CliRunner

from tools.cli import main
from tools.exposure import scenes

DRAWS = 4
FAR = ("across a large room", "passing in a corridor", "thin wall, evening")  # told by levels alone, so not always


@pytest.fixture(scope="module")
def rows():
    result = CliRunner().invoke(main, ["exposure", "scenes", "--draws", str(DRAWS), "--json"])
    assert result.exit_code == 0, result.output
    return {row["scene"]: row for row in json.loads(result.stdout)["scenes"]}


def named(rows, start):
    return next(row for name, row in rows.items() if name.startswith(start))


def test_contacts_alert(rows):
    assert all(row["as built in"] == 1 for row in rows.values() if row["contact"])


def test_hook_box_and_bedside_tables_behind_a_wall_alert_nobody_and_would_without_the_rule(rows):
    for start in ("three keyrings", "box of a hundred", "thin wall, night"):
        row = named(rows, start)
        assert row["as built in"] <= 1 / DRAWS and row["no rigid rule"] == 1, start


def test_motion_sensor_tells_a_drawer_that_is_opened(rows):
    row = named(rows, "drawer")
    assert row["motion sensor"] == 0 and row["as built in"] < row["no rigid rule"] == 1


def test_household_and_home_are_left_in_peace_once_told(rows):
    for start in ("household", "care home"):
        row = named(rows, start)
        assert row["as built in"] == 1 and row["group told"] == 0


def test_pause_of_a_protected_nurse_alerts_nobody(rows):
    row = named(rows, "nurse in protective")
    assert row["as built in"] == 1 and row["pause used"] == 0


def test_each_scene_is_the_same_again_for_the_same_seed():
    scene = next(s for s in scenes.SCENES if s.name.startswith("across"))
    first, second = (scenes._heard(scene.stretches, scenes.random.Random("1")).levels for _ in range(2))
    assert first == second
