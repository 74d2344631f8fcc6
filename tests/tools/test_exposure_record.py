"""The study behind the sighting record: layouts keep what they say, and the one in use is at the plateau."""

import json

from click.testing import CliRunner

from emask import spec
from tools import ROOT
from tools.cli import main
from tools.exposure import data, record_study

DATA = ROOT / "tests" / "data"
LAYOUTS = {layout.name: layout for layout in record_study.LAYOUTS}


def test_layouts_lose_what_their_bytes_can_not_hold():
    minutes = {0: [-60, -62], 4: [-91], 12: [-80, -84]}
    assert LAYOUTS["every sample"].read(minutes)[0] == (-61, -60, 2)
    assert LAYOUTS["whole slot"].read(minutes) == dict.fromkeys(minutes, (-75, -60, 5 / 3))
    assert set(LAYOUTS["whole slot, no minutes"].read(minutes)) == set(range(13))
    thirds = LAYOUTS["thirds"].read(minutes)
    assert thirds[0] == thirds[4] == (-71, -60, 1.5) and thirds[12] == (-82, -80, 2)
    assert [round(view[1]) for view in LAYOUTS["minutes, strongest"].read(minutes).values()] == [-58, -90, -78]


def test_record_in_use_is_judged_with_its_true_size():
    assert LAYOUTS["minutes, strongest"].size == spec.SIGHTING_BYTES


def test_record_in_use_beats_the_first_one_and_is_no_worse_than_every_sample(monkeypatch):
    names = ("every sample", "whole slot", "minutes, strongest")
    monkeypatch.setattr(record_study, "LAYOUTS", [LAYOUTS[name] for name in names])
    paths = [str(DATA / f"dp3t_exp34_{name}.sqlite") for name in ("party", "lunch")]
    result = CliRunner().invoke(main, ["exposure", "record-study", *paths, "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["layout"]: row for row in json.loads(result.stdout)["layouts"]}
    used, first, bound = rows["minutes, strongest"], rows["whole slot"], rows["every sample"]
    for rate in ("full", "thinned"):
        assert used[f"{rate}_by_event"] > first[f"{rate}_by_event"] + 0.01
        assert used[f"{rate}_by_event"] > bound[f"{rate}_by_event"] - 0.01
        assert used[f"{rate}_gain"][0] > 0
        assert used[f"{rate}_minutes_mae"] < first[f"{rate}_minutes_mae"]


def test_window_without_any_distance_is_left_out():
    lunch = data.load(DATA / "dp3t_exp34_lunch.sqlite")
    assert len(record_study.windows(lunch, LAYOUTS["every sample"], 0)) == 529
