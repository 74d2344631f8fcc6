"""Facts of a token under a flood of invented identifiers: scenarios/flood.toml, its day in four hours."""

import re

import pytest

from emask import spec
from tests.bench import scenes
from tools import ROOT

_LATER_S = 75600  # off what comes after the flood
_MIDDLE_S = 39600  # off what comes in the middle of it


def _drawn_together(text):
    def nearer(found):
        at_s = int(found[2])
        return f"{found[1]}{at_s - (_LATER_S if at_s > 60000 else _MIDDLE_S if at_s > 30000 else 0)}"

    text = re.sub(r"((?:at_s|from_s|to_s|duration_s) = )(\d+)", nearer, text)
    return text.replace('"flooder.py"', f'"{ROOT / "scenarios" / "flooder.py"}"')


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flood")
    text = _drawn_together((ROOT / "scenarios" / "flood.toml").read_text())
    return scenes.play(scenes.write(folder, text), folder / "out")


def said(run):
    return (run.out / "wearer.txt").read_text()


def test_flood_pushes_out_neither_the_contact_before_nor_the_one_in_it(done):
    assert "match records=2 alert=1" in said(done)


def test_flood_ends_no_task_and_no_life(done):
    assert "crashed" not in said(done) and done.nodes["wearer"].boots == 1


def test_flood_is_bounded_per_slot_and_told(done):
    kept = scenes.mounted(done.nodes["wearer"])
    slots = [slot for slot, _ in kept.read(spec.SIGHTING)]
    assert (
        max(slots.count(slot) for slot in set(slots)) <= 64
    )  # 32 places for those that passed by, a few of them shared
    assert len(slots) > 300
    state = kept.latest(spec.STATE)[1]
    assert state[1] & 2
