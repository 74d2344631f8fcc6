# Facts about `emask bench speed` and `emask bench heap`, on short days: what they print and notice.
# No figure of speed is judged here.
from __future__ import annotations

import json

import pytest

from tests.bench.scenes import emask, image
from tools.bench import heap, speed

ROW = {
    *("day", "sleep", "tokens", "hours", "jobs", "wall_s", "start_s", "cpu_bench_s", "cpu_vms_s", "asked"),
    *("token_days_per_s", "token_days_per_cpu_s", "heard", "us_per_heard", "aioble"),
}


def test_speed_gives_a_row_for_each_sleep_and_number_of_tokens():
    done = emask("bench", "speed", "--tokens", 1, "--tokens", 2, "--hours", 0.2, "--jobs", 2, "--json")
    rows = json.loads(done.stdout)
    assert [(r["sleep"], r["tokens"]) for r in rows] == [("light", 1), ("light", 2), ("deep", 1), ("deep", 2)]
    for row in rows:
        assert set(row) == ROW and row["hours"] == 0.2 and row["jobs"] == 2
        assert row["cpu_bench_s"] > 0 and row["cpu_vms_s"] > 0 and row["asked"] > 100
        assert row["token_days_per_s"] == pytest.approx(row["tokens"] * 0.2 / 24 / row["wall_s"], rel=0.2)
        assert (row["heard"] == 0) is (row["tokens"] == 1)


def test_speed_tells_people_a_line_per_row():
    done = emask("bench", "speed", "--tokens", 2, "--hours", 0.1, "--sleep", "light")
    assert done.exit_code == 0 and done.stdout.count("\n") == 1
    assert "2 tokens x 0.1 h, light sleep" in done.stdout and "token-days/s" in done.stdout


def test_speed_hears_the_same_each_time():
    heard = [speed.measure(image(), (2,), ("light",), 0.2, lambda row: None)[0]["heard"] for _ in range(2)]
    assert heard[0] == heard[1] > 0


@pytest.mark.parametrize("words", [("--tokens", 0), ("--hours", 0), ("--sleep", "none"), ("--tokens", "many")])
def test_speed_of_nothing_is_a_usage_error(words):
    assert emask("bench", "speed", *words).exit_code == 2


def test_heap_finds_a_size_between_too_small_and_enough(monkeypatch):
    monkeypatch.setattr(heap, "STEP_KIB", 32)  # a life is played for each halving
    done = emask("bench", "heap", "--hours", 1, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert set(found) == {
        "heap_kib", "shims_kib", "code_kib", "device_64_kib", "device_32_kib", "limit_kib", "hours", "aioble"
    }  # fmt: skip
    assert heap.LOW_KIB < found["heap_kib"] < heap.HIGH_KIB and 10 < found["shims_kib"] < found["heap_kib"]
    rest = found["heap_kib"] - found["shims_kib"] - found["code_kib"]
    assert found["device_64_kib"] == rest == 2 * found["device_32_kib"] and 20 < found["code_kib"] < 90
    assert found["device_32_kib"] <= found["limit_kib"] == 96, "the product's limit"
    tried = dict(line.split(" KiB: ") for line in done.stderr.splitlines())
    assert tried[str(found["heap_kib"])] == "survives"
    assert tried[str(found["heap_kib"] - heap.STEP_KIB)] == "too small"


def test_heap_that_never_suffices_is_refused_and_not_reported(monkeypatch):
    monkeypatch.setattr(heap, "HIGH_KIB", heap.LOW_KIB + heap.STEP_KIB)
    done = emask("bench", "heap", "--hours", 1)
    assert done.exit_code == 1 and f"Error: the day does not end well with {heap.HIGH_KIB} KiB" in done.stderr
    assert done.stdout == ""


def test_match_says_how_long_a_list_takes_beside_the_straightforward_way_and_the_floor():
    done = emask("bench", "match", "--records", 10, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["sightings"] == 21 * 840 and found["identifiers"] == 10 * 672
    assert found["hits"] == 5 * 4, "an hour with each of five, as in the straightforward way"
    low, middle, high = found["device_s"]
    assert low <= middle <= high and found["floor_s"] <= middle and 4 <= found["heap_kib"] < 32
    assert found["times_floor"] > 1 and found["times_straightforward"] > 0 and found["aim_s"] is None
    assert emask("bench", "match", "--records", 9).exit_code == 2
