"""Facts about the pictures and sounds of the token's rhythms."""

import wave

import numpy as np
from click.testing import CliRunner

from emask import rhythm
from tools import ROOT
from tools.bench import rhythms
from tools.cli import main


def test_picture_of_the_docs_is_the_one_of_the_code():
    assert (ROOT / "docs" / rhythms.PICTURE).read_text(encoding="utf-8") == rhythms.picture(rhythms.named())


def test_picture_has_a_bar_for_each_step():
    steps = rhythm.alert(2, False, True)
    drawn = rhythms.picture({"a < b": steps})
    assert drawn.count("<rect") == 1 + len(steps) and "a &lt; b" in drawn


def test_sound_lasts_as_long_as_the_rhythm_and_is_silent_between():
    steps = [(100, 200, rhythm.MOTOR), (100, 0, rhythm.BUZZER)]
    heard = rhythms.sound(steps)
    assert abs(len(heard) / 22_050 - 0.4) < 0.001
    assert np.abs(heard[2205:6615]).max() == 0 and np.abs(heard[:2205]).max() > 20_000
    crossings = np.count_nonzero(np.diff(np.sign(heard[6615:])) != 0) / 2 / 0.1
    assert 2_600 < crossings < 2_800  # Hz


def test_command_writes_picture_and_sounds(tmp_path):
    said = CliRunner().invoke(main, ["bench", "rhythms", "--out", str(tmp_path / "r")])
    assert said.exit_code == 0 and len(list((tmp_path / "r").glob("*.wav"))) == len(rhythms.named())
    with wave.open(str(tmp_path / "r" / "alive.wav")) as file:
        assert file.getnframes() == 22_050 * rhythm.ALIVE_MS // 1000
