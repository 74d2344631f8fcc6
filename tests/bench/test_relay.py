"""Facts of identifiers that somebody repeats in another place: scenarios/relay.toml."""

import pytest

from tests.bench import scenes
from tools import ROOT


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return scenes.play(ROOT / "scenarios" / "relay.toml", tmp_path_factory.mktemp("relay") / "out")


def minutes_heard(run, name):
    return sum(len(minutes) for minutes in scenes.sightings(run.nodes[name])[0].values())


def alerts(run, name):
    return [line for line in (run.out / f"{name}.txt").read_text().splitlines() if line.startswith("match ")]


def test_both_wearers_heard_the_relay(done):
    assert minutes_heard(done, "soon") >= 25 and minutes_heard(done, "late") >= 25


def test_identifier_repeated_an_hour_later_alerts_nobody(done):
    assert alerts(done, "late") == ["match records=1 alert=0"]


def test_identifier_repeated_within_its_slot_alerts_and_that_is_not_defended(done):
    assert alerts(done, "soon") == ["match records=1 alert=1"]
