# Facts about recorded links, on the two recordings themselves: bursts, lines, holds, gaps, residuals, distances.
# Knows no bench.
from __future__ import annotations

import random
import shutil
import sqlite3
import statistics

import pytest

from tests.bench.scenes import LUNCH, PARTY
from tools.bench.links import LinkTable, RecordedLinks
from tools.bench.recording import Recording, RecordingError, Series

HOLD_S, GAP_S, BURST_GAP_S = 150, 600, 30


@pytest.fixture(scope="module", params=[PARTY, LUNCH], ids=["party", "lunch"])
def path(request):
    return request.param


@pytest.fixture(scope="module")
def recording(path):
    return Recording(path)


def rows(path):
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT receiver_id, transmitter_id, timestamp, rssi, ground_truth_distance FROM results")
        return sorted(found.fetchall(), key=lambda row: row[2])


def bursts(path):
    """(receiver, sender) -> [[(seconds from the start, dBm), ...] per burst], read without the bench's code."""
    found = {}
    every = rows(path)
    for receiver, sender, t, rssi, _ in every:
        series = found.setdefault((receiver, sender), [])
        t -= every[0][2]
        if not series or t - series[-1][-1][0] > BURST_GAP_S:
            series.append([])
        series[-1].append((t, rssi))
    return found


def test_all_people_and_samples_are_taken(path, recording):
    every = rows(path)
    assert recording.people == sorted({row[0] for row in every} | {row[1] for row in every}, key=lambda p: (len(p), p))
    assert len(recording.residuals_db) == len(every)
    assert recording.length_s == pytest.approx(every[-1][2] - every[0][2])


def test_level_is_the_line_from_burst_median_to_burst_median(path, recording):
    checked = 0
    for pair, found in bursts(path).items():
        for one, next_ in zip(found, found[1:], strict=False):
            if next_[0][0] - one[-1][0] > GAP_S:
                continue
            (t0, m0), (t1, m1) = (
                (statistics.fmean(t for t, _ in b), statistics.median(v for _, v in b)) for b in (one, next_)
            )
            assert recording.level_dbm(*pair, t0) == pytest.approx(m0)
            assert recording.level_dbm(*pair, t0 * 0.25 + t1 * 0.75) == pytest.approx(m0 * 0.25 + m1 * 0.75)
            checked += 1
    assert checked > 100


def test_level_is_held_for_150_s_beyond_the_first_and_the_last_burst(path, recording):
    for pair, found in bursts(path).items():
        first, last = found[0], found[-1]
        median = statistics.median(v for _, v in first)
        assert recording.level_dbm(*pair, first[0][0] - HOLD_S + 0.01) == median
        assert recording.level_dbm(*pair, first[0][0] - HOLD_S - 0.01) is None
        assert recording.level_dbm(*pair, last[-1][0] + HOLD_S - 0.01) == statistics.median(v for _, v in last)
        assert recording.level_dbm(*pair, last[-1][0] + HOLD_S + 0.01) is None


def test_gap_of_more_than_ten_minutes_is_not_bridged(path, recording):
    gaps = [
        (pair, one[-1][0], next_[0][0])
        for pair, found in bursts(path).items()
        for one, next_ in zip(found, found[1:], strict=False)
        if next_[0][0] - one[-1][0] > GAP_S
    ]
    assert gaps, "the recording has such gaps"
    for pair, left, back in gaps:
        assert recording.level_dbm(*pair, left + HOLD_S + 1) is None
        assert recording.level_dbm(*pair, (left + back) / 2) is None
        assert recording.level_dbm(*pair, left + HOLD_S - 1) is not None
        assert recording.level_dbm(*pair, back - HOLD_S + 1) is not None


def test_gap_of_exactly_ten_minutes_is_bridged_and_one_second_more_is_not():
    assert Series([(0.0, -60), (600.0, -80)]).at(300) == -70
    assert Series([(0.0, -60), (601.0, -80)]).at(300) is None


def test_pair_that_never_met_has_no_link(path, recording):
    met = bursts(path)
    silent = [(a, b) for a in recording.people for b in recording.people if (a, b) not in met]
    assert silent and all(recording.level_dbm(*pair, 300.0) is None for pair in silent)


def test_fading_is_drawn_from_the_recordings_own_residuals(path, recording):
    residuals = [
        v - statistics.median(x for _, x in burst)
        for found in bursts(path).values()
        for burst in found
        for _, v in burst
    ]
    assert sorted(recording.residuals_db) == sorted(residuals)
    model = RecordedLinks(recording, {p: f"token-{p}" for p in recording.people}, 0)
    rng = random.Random(1)
    drawn = [model.fading_db(rng) for _ in range(20_000)]
    assert set(drawn) <= set(residuals)
    assert statistics.pstdev(drawn) == pytest.approx(statistics.pstdev(residuals), rel=0.05)
    assert statistics.fmean(drawn) == pytest.approx(statistics.fmean(residuals), abs=0.2)


def test_link_begins_when_the_scenario_says_and_counts_what_rests_on_the_line(recording):
    model = RecordedLinks(recording, {p: f"token-{p}" for p in recording.people}, 600_000_000)
    table = LinkTable(lambda *names: random.Random(str(names)))
    table.add(model)
    (receiver, sender), series = next((k, s) for k, s in recording.levels.items() if len(s.times_s) > 1)
    names = f"token-{sender}", f"token-{receiver}"
    inside, between = series.spans_s[0][0], (series.spans_s[0][1] + series.spans_s[1][0]) / 2
    for t_s in (inside, between, between):
        table.note_heard(*names, int((600 + t_s) * 1e6))
    assert (model.heard_measured, model.heard_interpolated) == (1, 2)
    second = int(series.times_s[0])
    assert table.level_dbm(*names, (600 + second) * 1_000_000) == recording.level_dbm(receiver, sender, float(second))
    assert table.level_dbm("token-99", names[1], 0) is None


def test_minute_whose_samples_have_no_distance_is_outside_every_score():
    recording = Recording(LUNCH)
    told, silent = {}, {}
    every = rows(LUNCH)
    for receiver, sender, t, _, distance in every:
        minutes = silent if distance is None else told
        minutes.setdefault((min(receiver, sender), max(receiver, sender)), set()).add(int(t - every[0][2]) // 60)
    mixed = [pair for pair in silent if pair in told]
    assert len(mixed) > 50 and len(set(silent) - set(told)) > 50
    for pair, minutes in silent.items():
        for minute in minutes - told.get(pair, set()):
            assert all(recording.distance_m(*pair, minute * 60.0 + s) is None for s in (0, 30, 59)), pair
    for pair in set(silent) - set(told):
        assert recording.near_s(*pair) == (0, 0)
    assert any(recording.near_s(*pair)[1] for pair in mixed)


# Files that are no recordings


@pytest.fixture
def copy(tmp_path):
    return shutil.copy(PARTY, tmp_path / "copy.sqlite")


def change(path, *statements):
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return path


def refused(path, words):
    with pytest.raises(RecordingError, match=words) as caught:
        Recording(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)


def test_file_cut_off_is_refused(copy):
    whole = copy.read_bytes()
    for length in (0, 50, 4096, len(whole) // 2):
        copy.write_bytes(whole[:length])
        refused(copy, "not a DP-3T recording")


def test_file_with_overwritten_pages_is_refused(copy):
    data = bytearray(copy.read_bytes())
    data[4096:] = bytes(byte ^ 0xA5 for byte in data[4096:])
    copy.write_bytes(data)
    refused(copy, "not a DP-3T recording|damaged")


def test_foreign_files_are_refused(tmp_path):
    for name, content in (("text", b"hello"), ("capture", b"btsnoop\0" + bytes(90)), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, "not a DP-3T recording")
    refused(change(tmp_path / "other.sqlite", "CREATE TABLE people(name TEXT)"), "no such table: results")
    refused(tmp_path / "gone", "no such file")
    refused(tmp_path, "no such file")


@pytest.mark.parametrize(
    "statement, words",
    [
        ("DELETE FROM results", "no sample"),
        ("ALTER TABLE results DROP COLUMN rssi", "rssi"),
        ("UPDATE results SET rssi = 'loud' WHERE db_id = 7", "damaged"),
        ("UPDATE results SET rssi = -4000 WHERE db_id = 7", "damaged"),
        ("UPDATE results SET timestamp = 'noon' WHERE db_id = 7", "damaged"),
        ("UPDATE results SET timestamp = 9e999 WHERE db_id = 7", "damaged"),
        ("UPDATE results SET ground_truth_distance = -1 WHERE db_id = 7", "damaged"),
        ("UPDATE results SET receiver_id = x'ff00' WHERE db_id = 7", "damaged"),
    ],
)
def test_changed_content_is_refused(copy, statement, words):
    refused(change(copy, statement), words)


def test_unknown_level_counts_for_no_series(copy):
    changed = Recording(change(copy, "UPDATE results SET rssi = 127 WHERE db_id % 2 = 0"))
    assert len(changed.residuals_db) == sum(row[3] != 127 for row in rows(copy)) < len(rows(copy))
    assert max(max(series.medians) for series in changed.levels.values()) < 0


def test_signs_in_the_files_name_do_no_harm(tmp_path):
    path = tmp_path / "a?mode=rwc#%41.sqlite"
    shutil.copy(PARTY, path)
    assert len(Recording(path).people) == 18
