"""Facts of `emask bench trace`: known traces give their own figures back, and what is no trace is refused."""

import json

import pytest
from click.testing import CliRunner

from tools import ROOT
from tools.bench import trace
from tools.bench.energy import Board
from tools.cli import main

BOARD = Board.load(ROOT / "boards" / "esp32c3")


def made(path, header, scale_t, scale_i, factor=1.0):
    """A trace of a minute's and a meeting's wake-ups with `factor` times the model's charge, sleep of 6 uA between."""
    model = trace.expected(BOARD, "deep")
    lines, at_s = [header], 0.0
    for kind in ("minute", "minute", "meeting", "minute"):
        awake_s, charge = model[kind]["seconds"], model[kind]["mc"] * factor
        for length_s, ma in ((20.0, 0.006), (awake_s, charge / awake_s)):
            steps = round(length_s / 0.001)
            lines += [f"{(at_s + length_s * n / steps) / scale_t:.6f},{ma / scale_i:.6f}" for n in range(steps)]
            at_s += length_s
    lines.append(f"{at_s / scale_t:.6f},{0.006 / scale_i:.6f}")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("header", "scale_t", "scale_i"),
    [("Timestamp(ms),Current(uA)", 1e-3, 1e-3), ("time_s,current_ma", 1, 1), ("time_ms,current_ma", 1e-3, 1)],
)
def test_trace_of_the_model_has_the_ratio_one(tmp_path, header, scale_t, scale_i):
    made(tmp_path / "t.csv", header, scale_t, scale_i)
    rows = {row["what"]: row for row in trace.compare(tmp_path / "t.csv", BOARD)["rows"]}
    assert rows["minute"]["count"] in (2, 3) and rows["meeting"]["count"] == 1
    assert rows["minute"]["ratio"] == pytest.approx(1, abs=0.02)
    assert rows["meeting"]["ratio"] == pytest.approx(1, abs=0.02)
    assert rows["sleep"]["measured"] == pytest.approx(0.006, abs=1e-4)


def test_twice_the_charge_is_twice_the_ratio(tmp_path):
    made(tmp_path / "t.csv", "time_s,current_ma", 1, 1, factor=2.0)
    done = CliRunner().invoke(main, ["bench", "trace", str(tmp_path / "t.csv"), "--json"])
    assert done.exit_code == 0
    rows = {row["what"]: row for row in json.loads(done.output)["rows"]}
    assert rows["meeting"]["ratio"] == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n3,4\n", "time_s,current_ma\n1,x\n", "time_s,current_ma\n2,1\n1,1\n", "time_s,current_ma\n1\n"],
)
def test_what_is_no_trace_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    done = CliRunner().invoke(main, ["bench", "trace", str(tmp_path / "t.csv")])
    assert done.exit_code == 2 and "Traceback" not in done.output and "t.csv" in done.output
