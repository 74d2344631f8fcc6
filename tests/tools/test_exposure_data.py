"""Recordings as samples: both kinds of file, what is missing or odd in them, and the token's schedule."""

import sqlite3

import pytest
from click.testing import CliRunner

from tools import ROOT
from tools.cli import main
from tools.exposure import data

DATA = ROOT / "tests" / "data"
PARTY, LUNCH = DATA / "dp3t_exp34_party.sqlite", DATA / "dp3t_exp34_lunch.sqlite"
COLUMNS = "receiver_id, transmitter_id, timestamp, rssi, tx_power, ground_truth_distance"


def made(path, rows, columns=COLUMNS):
    database = sqlite3.connect(path)
    database.execute(f"CREATE TABLE results ({columns})")
    database.executemany(f"INSERT INTO results VALUES ({', '.join('?' * len(columns.split(',')))})", rows)
    database.commit()
    database.close()
    return path


def test_recordings_of_both_kinds_are_read_whole():
    party = data.load(PARTY)
    assert len(party.samples) == 5275 and len(party.people) == 18 and party.skipped == 0
    assert party.samples[0].t_s == 0 and 1168 < party.length_s < 1169
    matrix = data.load(DATA / "mit_matrix_rssi.csv")
    assert len({s.receiver for s in matrix.samples}) == 6
    assert {s.rssi is None for s in matrix.samples} == {True, False}
    assert min(s.distance_m for s in matrix.samples) == pytest.approx(3 * 0.3048)


def test_lunch_without_distance_is_kept_without_distance():
    assert sum(s.distance_m is None for s in data.load(LUNCH).samples) == 2823


def test_other_types_and_missing_values_are_understood(tmp_path):
    rows = [
        (1, 2, 1596121756877, "-70", "8", "1.5"),
        ("1.", b"3", 1596121757877.0, 127, None, None),
        (1.0, "2", 1596121758877, -71.4, -128, "nan"),
        (1, 2, None, -70, 0, 1.0),
        (None, 2, 1596121758877, -70, 0, 1.0),
        (1, 1, 1596121758877, -70, 0, 1.0),
        (1, 2, "soon", -70, 0, 1.0),
    ]
    found = data.load(made(tmp_path / "odd.sqlite", rows))
    assert found.skipped == 4
    assert found.samples[0] == data.Sample("1", "2", 0.0, -70, 8, 1.5)
    assert found.samples[1] == data.Sample("1.", "3", 1.0, None, None, None)
    assert found.samples[2] == data.Sample("1", "2", 2.0, -71, None, None)


def test_columns_that_may_lack_do(tmp_path):
    columns = "receiver_id, transmitter_id, timestamp, rssi, ground_truth_distance"
    found = data.load(made(tmp_path / "few.sqlite", [("a", "b", "2020-07-30T12:00:00", -70, 1)], columns))
    assert found.samples == (data.Sample("a", "b", 0.0, -70, None, 1.0),)


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        ([], COLUMNS, "holds no sample"),
        ([(None,) * 6], COLUMNS, "no sample that can be read"),
        ([("a", "b", 1, -70, 0, None)], COLUMNS, "no sample has a true distance"),
        ([("a", 1)], "receiver_id, rssi", "lacks transmitter_id, timestamp"),
    ],
)
def test_recording_that_can_not_be_judged_ends_with_code_2(tmp_path, rows, columns, words):
    path = made(tmp_path / "bad.sqlite", rows, columns)
    result = CliRunner().invoke(main, ["exposure", "record-study", str(path), str(PARTY)])
    assert result.exit_code == 2 and words in result.output


def test_file_of_another_kind_ends_with_code_2(tmp_path):
    other = tmp_path / "other"
    for content in (
        b"",
        b"\0\1\2",
        b"SQLite format 3\0",
        b"SQLite format 3\0" + bytes(5000),
        b"a,b\n1,2\n",
        b"\xff\xfe",
    ):
        other.write_bytes(content)
        result = CliRunner().invoke(main, ["exposure", "record-study", str(other), str(PARTY)])
        assert result.exit_code == 2 and "Traceback" not in result.output
    assert CliRunner().invoke(main, ["exposure", "record-study", str(tmp_path / "none"), str(PARTY)]).exit_code == 2
    sqlite3.connect(other).close()


def test_thinned_recording_has_one_short_window_a_minute():
    party = data.load(PARTY)
    thin = data.thinned(party)
    assert data.interval_s(party) == pytest.approx(0.29, abs=0.01)
    assert set(thin.samples) < set(party.samples)
    for (_, _), inside in data.grouped(thin.samples, lambda s: (s.receiver, int(s.t_s // 60))).items():
        assert inside[-1].t_s - inside[0].t_s <= 6 * data.interval_s(party)
    assert data.thinned(party) == thin and data.thinned(party, seed=2) != thin


def test_study_of_records_needs_two_recordings():
    result = CliRunner().invoke(main, ["exposure", "record-study", str(PARTY)])
    assert result.exit_code == 2 and "at least two" in result.output
