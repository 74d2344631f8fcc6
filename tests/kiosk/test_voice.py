"""Facts about what is heard: a result by the handset alone, recorded phrases before any synthesiser, dates in words."""

import re
import shutil
import subprocess
import wave
from datetime import date

import pytest
from click.testing import CliRunner

from tools import ROOT
from tools.cli import main
from tools.kiosk.hall import flow, phrases, voice, words
from tools.kiosk.hall.flow import Screen

LANGUAGES = words.load_all()
FIELDS = {"day": date(2026, 11, 24), "phone": "1900 9095", "code": "T11", "a": 3, "b": 5}
DETAILS = {"length": 1, "near": 2, "sure": 0}
PRIVATE = [name for name, row in flow.TABLE.items() if row.private]
PUBLIC = [name for name, row in flow.TABLE.items() if not row.private]


def screen(name, number=1):
    return Screen(name, flow.TABLE[name], (), number, DETAILS if name == "details" else FIELDS)


def heard(name, tag="vi", **options):
    """(device, file's name or text) of each part."""
    own = voice.Voice("loud", **{"handset": "own", **options})
    return [
        (part.device, part.file.name if part.file else part.text) for part in own.parts(screen(name), LANGUAGES[tag])
    ]


@pytest.mark.parametrize("name", PRIVATE)
def test_private_screen_is_heard_by_the_handset_alone(name):
    loud = [what for device, what in heard(name) if device == "loud"]
    assert loud == ([LANGUAGES["vi"].speak("neutral")] if name == "closer" else [])
    assert [what for device, what in heard(name) if device == "own"]


@pytest.mark.parametrize("name", PRIVATE)
def test_without_a_handset_no_result_is_spoken(name):
    assert all(what == LANGUAGES["vi"].speak("neutral") for _, what in heard(name, handset=""))


def test_loudspeaker_says_the_same_whatever_the_result_is():
    results = ("none", "stale", "waiting", "new", "withdrawn", "alert")
    assert {tuple(part for part in heard(name) if part[0] == "loud") for name in results} == {()}


@pytest.mark.parametrize("name", PUBLIC)
def test_other_screens_are_heard_by_all(name):
    assert {device for device, _ in heard(name)} == {"loud"}


def test_recorded_phrases_come_first_and_only_whole(tmp_path):
    pack = tmp_path / "vi"
    pack.mkdir()
    for name in ("none", "day-24"):
        (pack / f"{name}.wav").touch()
    assert heard("none", packs=tmp_path)[0][1].startswith("Không thấy")  # the month is missing
    (pack / "month-11.wav").touch()
    assert [what for _, what in heard("none", packs=tmp_path)] == ["none.wav", "day-24.wav", "month-11.wav"]


def test_every_phrase_of_the_script_is_one_that_is_played(tmp_path):
    assert phrases.write(LANGUAGES["vi"], tmp_path / "vi", placeholders=True) == len(phrases.script(LANGUAGES["vi"]))
    for name in flow.TABLE:
        assert all(what.endswith(".wav") for _, what in heard(name, packs=tmp_path)), name


def test_demonstration_pack_of_a_language_without_a_synthesiser_is_all_placeholders_and_says_so(tmp_path):
    languages = ROOT / "deploy" / "kiosk" / "languages"
    said = CliRunner().invoke(
        main,
        [
            "kiosk",
            "phrases",
            str(tmp_path / "hmn"),
            "--language",
            "hmn",
            "--languages",
            str(languages),
            "--placeholders",
        ],
    )
    assert said.exit_code == 0 and "PLACEHOLDER" in said.output
    own = voice.Voice("loud", "own", tmp_path)
    hmong = words.load_all(words.FOLDER, languages)["hmn"]
    assert all(part.file for name in flow.TABLE for part in own.parts(screen(name), hmong))
    marked = (tmp_path / "hmn" / "PLACEHOLDER.txt").read_text().splitlines()
    assert "not speech" in marked[0] and len(marked) - 1 == len(list((tmp_path / "hmn").glob("*.wav")))
    with wave.open(str(tmp_path / "hmn" / "start.wav")) as file:
        assert file.getnframes() == 2000


def test_recorded_phrase_is_never_overwritten_by_a_placeholder(tmp_path):
    (tmp_path / "start.wav").write_bytes(b"a person's voice")
    phrases.write(LANGUAGES["vi"], tmp_path, placeholders=True)
    assert (tmp_path / "start.wav").read_bytes() == b"a person's voice"
    assert "\nstart.wav" not in (tmp_path / "PLACEHOLDER.txt").read_text()


def test_newer_screen_ends_what_is_being_said(monkeypatch):
    played = []
    own = voice.Voice("loud", "own")

    def play(part):
        played.append(part.text)
        if len(played) == 1:
            own.say(screen("done", 2), LANGUAGES["vi"])

    monkeypatch.setattr(voice, "_play", play)
    own.say(screen("closer", 1), LANGUAGES["vi"])  # two parts
    own.wait()
    assert played == [LANGUAGES["vi"].speak("neutral"), LANGUAGES["vi"].speak("done")]


def test_voice_that_fails_is_silence(monkeypatch):
    monkeypatch.setenv("PATH", "")
    own = voice.Voice("loud")
    own.say(screen("start"), LANGUAGES["vi"])
    own.wait()


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here (Debian's package)")
@pytest.mark.parametrize("day", [1, 4, 5, 10, 11, 15, 20, 21, 24, 25, 31])
def test_synthesiser_gives_each_word_of_a_date_its_tone(day):
    def phonemes(text):
        said = subprocess.run(["espeak-ng", "-v", "vi", "-q", "-x", text], capture_output=True, text=True, check=True)
        level = said.stdout.replace("7", "1")  # the level tone at a sentence's end
        return re.sub(r"[|_',%]", "", level).split()

    text = LANGUAGES["vi"].speak("alert", day=date(2026, 1, day)).partition(", ")[2]
    assert phonemes(text) == [sound for word in text.split() for sound in phonemes(word)]
