"""Facts about `emask ids` and the entry point, by the vectors of the schemes."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from tools.cli import main

COUNTING = bytes(range(32)).hex()
TEK = "75c734c6dd1a782de7a965da5eb93125"


def run(*words):
    return CliRunner().invoke(main, ["ids", *words])


def test_bluezone_day_is_that_of_the_vectors():
    lines = run("--scheme", "bluezone", "--key", COUNTING, "--count", "97").output.split()
    assert lines[0] == "130cea6472130c185d8643df" and lines[95] == "0ae9ab99c50104e835045abf"
    assert lines[96] == "970e23c0e19de93f8cc4057b"  # the next day's key
    joined = bytes.fromhex("".join(lines[:96]))
    assert hashlib.sha256(joined).hexdigest() == "f1f9ce808924b98979728dbb9d475f305d586a4ec9539f0d7a5c8429a3559988"


def test_gaen_interval_is_that_of_the_vectors():
    lines = run("--scheme", "gaen", "--key", TEK, "--count", "144", "--interval", "2642976").output.split()
    assert lines[0] == "8be6cd371c5c891604bfbe49df845096" and lines[143] == "f431b62ecf443102ce4ed0407de54bd4"


def test_json_holds_the_identifiers_and_not_the_key():
    text = run("--key", COUNTING, "--count", "2", "--json").output
    assert json.loads(text) == {
        "scheme": "bluezone",
        "first_interval": None,
        "ids": ["130cea6472130c185d8643df", "893dae342437130ce5e23837"],
    }


@pytest.mark.parametrize(
    "words",
    [
        ("--key", "00", "--count", "1"),
        ("--key", "zz", "--count", "1"),
        ("--key", COUNTING, "--count", "0"),
        ("--scheme", "gaen", "--key", TEK, "--count", "1"),
        ("--key", COUNTING, "--count", "1", "--interval", "1"),
        ("--scheme", "third", "--key", COUNTING, "--count", "1"),
        ("--count", "1"),
        ("--scheme", "gaen", "--key", COUNTING, "--count", "1", "--interval", "1"),
    ],
)
def test_bad_input_ends_with_code_2_and_does_not_repeat_the_key(words):
    result = run(*words)
    assert result.exit_code == 2 and COUNTING not in result.output


@pytest.mark.parametrize(
    "words", [(), ("ids",), ("decode",), ("authority",), ("kiosk",), ("authority", "publish"), ("kiosk", "serve")]
)
def test_help_is_everywhere(words):
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0 and "Usage:" in result.output
