"""The fit is the committed one, the evaluation says what it saw, and odd recordings end in words."""

import json
import sqlite3
from xml.etree import ElementTree

import numpy as np
import pytest
import rules as dual_rules
from click.testing import CliRunner

from emask import encounter, exposure, match
from emask import rule as rule_bytes
from tests.tools.test_exposure_data import COLUMNS, LUNCH, PARTY, made
from tools import ROOT, wire
from tools import rule as rules
from tools.cli import main
from tools.exposure import data, evaluate, fit, judge, methods, rule_files

MIT = ROOT / "tests" / "data" / "mit_matrix_rssi.csv"


def run(*args):
    return CliRunner().invoke(main, ["exposure", *map(str, args)])


def walk(pairs, seconds=1200, step=0.3, seed=1):
    """Rows of a recording in which each (receiver, sender, metres) is heard in bursts as the distance has it."""
    draw = np.random.default_rng(seed)
    rows = []
    for receiver, sender, metres in pairs:
        for burst in range(0, seconds, 150):
            for number in range(12):
                level = -78 - 16 * np.log10(metres) + draw.normal(0, 3)
                rows.append((receiver, sender, 1e9 + burst + number * step, round(level), 0, metres))
    return rows


def room(people=6, seed=1):
    draw = np.random.default_rng(seed)
    places = draw.uniform(0, 5, (people, 2))
    return [
        (str(a), str(b), float(max(0.3, np.hypot(*(places[a] - places[b])))))
        for a in range(people)
        for b in range(people)
        if a != b
    ]


def test_rule_built_in_is_the_committed_fit_and_the_fit_repeats():
    rule, baselines = rule_files.load()
    assert rule == rules.DEFAULT
    found = fit.fitted(fit.tables([data.load(PARTY), data.load(LUNCH)]))
    assert found.rule == rule
    assert methods.to_plain(found.baselines) == methods.to_plain(baselines)


def test_committed_rules_name_recordings_that_are_here():
    for path in (rule_files.DEFAULT, ROOT / "scenarios" / "lunch-rule.json"):
        plain = json.loads(path.read_text())
        sources = [ROOT / "tests" / "data" / name for name in plain["recordings"]]
        again = json.loads(rule_files.text(rules.DEFAULT, [], {}, sources))
        assert again["recordings"] == plain["recordings"]


def test_rule_of_the_demo_is_fitted_on_the_lunch_alone():
    plain = json.loads((ROOT / "scenarios" / "lunch-rule.json").read_text())
    assert list(plain["recordings"]) == [LUNCH.name]
    assert fit.fitted(fit.tables([data.load(LUNCH)])).rule._asdict() == plain["rule"]


def test_evaluation_of_the_recordings_has_every_figure():
    result = run("evaluate", PARTY, LUNCH, "--json", "--rounds", 40)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [r["name"] for r in found["recordings"]] == [PARTY.stem, LUNCH.stem]
    assert found["recordings"][1]["without_distance"] == 2823
    for part in (found, found["thinned"]):
        assert set(part["baselines"]) == {"mean RSSI", "strongest RSSI", "GAEN buckets", "log-distance"}
        for row in (part, *part["baselines"].values(), *part["per_recording"].values()):
            for name in ("auc", "precision", "recall", "pair_precision", "pair_recall"):
                low, high = row["intervals"][name]
                assert 0 <= low <= high <= 1 and low - 0.05 <= row[name] <= high + 0.05
            assert 0 < row["minutes_mae"] < 15
        assert sum(b["windows"] for b in part["calibration"]) == part["windows"]
        # What the recordings carry, with room for other draws: the engine is ahead of every baseline, if not by far.
        assert part["auc"] > max(b["auc"] for b in part["baselines"].values())
        assert part["gain"]["best_baseline"] == "strongest RSSI"
        assert part["auc"] < part["oracle_auc"] < 0.8  # which is why the aim of 0.80 can't be met on these
    assert (found["pairs"], found["windows"], found["thinned"]["windows"]) == (475, 1376, 1251)


def test_matrix_csv_is_judged_as_pairs_of_trials():
    result = run("evaluate", MIT, "--json", "--rounds", 20)
    found = json.loads(result.stdout)
    assert found["pairs"] == found["windows"] == 48 and found["windows_near"] == 24
    assert found["recordings"][0]["without_rssi"] > 0


def test_plots_are_well_formed_pictures_of_their_subject(tmp_path):
    assert run("evaluate", LUNCH, "--rounds", 20, "--plots", tmp_path).exit_code == 0
    for folder in (tmp_path, tmp_path / "thinned"):
        for name, words_in in (("roc", "strongest RSSI"), ("calibration", "probability"), ("minutes", "true minutes")):
            text = (folder / f"{name}.svg").read_text()
            assert ElementTree.fromstring(text).tag.endswith("svg") and words_in in text


def test_engine_tells_near_from_far_where_levels_follow_distance(tmp_path):
    train = made(tmp_path / "train.sqlite", [row for n in (1, 2) for row in walk(renamed(room(6, n), n), seed=n)])
    unseen = made(tmp_path / "unseen.sqlite", walk(room(8, 9), seed=9))
    rule = tmp_path / "rule.json"
    assert run("fit", train, "--out", rule).exit_code == 0
    found = json.loads(run("evaluate", unseen, "--rule", rule, "--json", "--rounds", 20).stdout)
    assert found["auc"] > 0.85 and found["minutes_mae"] < 5


def renamed(pairs, number):
    return [(f"{number}-{a}", f"{number}-{b}", metres) for a, b, metres in pairs]


def test_receiver_that_adds_ten_db_is_told_nearly_the_same():
    pairs = room(7, 4)
    near = {}
    for shift in (0, 10):
        rows = [row[:3] + (row[3] + shift * (row[0] == "0"),) + row[4:] for row in walk(pairs, seed=4)]
        samples = tuple(data.Sample(r[0], r[1], r[2] - 1e9, r[3], 0, r[5]) for r in sorted(rows, key=lambda r: r[2]))
        windows = judge.windows(data.Recording("x", samples), rules.DEFAULT)
        near[shift] = [w.evidence[0] for w in windows if w.receiver == "0"]
    shifted = np.mean(near[10]) - np.mean(near[0])
    assert 3 < shifted < 8


def test_odd_recordings_are_judged_as_far_as_they_go(tmp_path):
    rows = [(r[0], r[1], r[2] * 1000, str(r[3]), None, str(r[5])) for r in walk(room(5, 2))]
    rows += [("0", "9", 1e12 + 5000, 127, None, None), ("0", "9", None, None, None, None), (None,) * 6] * 3
    rows = [row[:5] + (None,) if n % 3 == 0 else row for n, row in enumerate(rows)]
    result = run("evaluate", made(tmp_path / "odd.sqlite", rows), "--json", "--rounds", 20)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["pairs"] == 20 and found["recordings"][0]["skipped_rows"] == 6
    assert found["recordings"][0]["without_rssi"] == 3


def test_recording_of_one_kind_of_window_has_no_auc_but_the_rest(tmp_path):
    path = made(tmp_path / "near.sqlite", walk([("a", "b", 1.0), ("b", "a", 1.0)]))
    found = json.loads(run("evaluate", path, "--json", "--rounds", 20).stdout)
    assert found["auc"] is None and found["gain"]["auc"] is None and found["recall"] is not None
    assert run("evaluate", path, "--rounds", 20).exit_code == 0
    assert run("fit", path).exit_code == 1


@pytest.mark.parametrize("command", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ([], COLUMNS, "holds no sample"),
        ([("a", "b", 1, -70, 0, None)], COLUMNS, "true distance"),
        ([("a", 1)], "receiver_id, rssi", "lacks"),
    ],
)
def test_recording_that_can_not_be_judged_ends_with_code_2(tmp_path, command, rows, columns, said):
    result = run(command, made(tmp_path / "bad.sqlite", rows, columns))
    assert result.exit_code == 2 and said in result.output and "Traceback" not in result.output


def test_levels_all_unknown_end_with_code_2(tmp_path):
    path = made(tmp_path / "mute.sqlite", [("a", "b", n, 127, 0, 1.0) for n in range(9)])
    result = run("evaluate", path)
    assert result.exit_code == 2 and "neither" in result.output or "no 5-minute window" in result.output


def test_wrong_rule_files_end_with_code_2(tmp_path):
    good = json.loads(rule_files.DEFAULT.read_text())
    wrong = [b"", b"[", b"[]", b"\xff", b'{"rule": {}}']
    for change in ({"minutes": 0}, {"bias": 40000}, {"slope": "x"}, {"rigid": 61}, {"more": 1}):
        wrong.append(json.dumps({**good, "rule": {**good["rule"], **change}}).encode())
    wrong.append(json.dumps({**good, "baselines": {}}).encode())
    for content in wrong:
        (tmp_path / "rule.json").write_bytes(content)
        result = run("evaluate", LUNCH, "--rule", tmp_path / "rule.json")
        assert result.exit_code == 2 and "Traceback" not in result.output, content
    assert run("evaluate", LUNCH, "--rule", tmp_path / "none").exit_code == 2


def test_baselines_judge_as_they_say():
    def window(*levels):
        return judge.Window("r", "a", "b", 0, levels, (-80, 0), True, 1.0)

    buckets = methods.Buckets(20)
    assert (
        buckets.score(window(-75)) == 1 and buckets.score(window(-76, -83)) == 0.5 and buckets.score(window(-84)) == 0
    )
    assert buckets.minutes(window(-75, -84)) == 2.5
    line = methods.LogDistance(-4.0, -0.05)
    assert line.metres(window(-80)) == pytest.approx(1) and line.near(window(-86)) and not line.near(window(-87))
    assert methods.Threshold("mean RSSI", -80).near(window(-70, -90))
    assert not methods.Threshold("strongest RSSI", -69).near(window(-70, -90))


def test_pairs_are_judged_by_the_rule_scaled_to_the_recording():
    windows = [judge.Window("r", "a", "b", n, (-60,), (-60, 0), n < 2, 1.0) for n in (0, 1, 3)]
    (pair,) = evaluate.pairs(windows, methods.Engine(rules.DEFAULT))
    assert (pair.true_minutes, pair.minutes, pair.rule_minutes) == (10, 15, 10)


def test_token_reads_the_fields_of_a_rule_where_the_host_puts_them():
    fields = {name.removesuffix("_db"): place for place, name in enumerate(rules.Rule._fields)}
    read = set()
    for module in (encounter, exposure, match, rule_bytes):
        places = {name: value for name, value in vars(module).items() if name[1:].lower() in fields}
        assert places and all(fields[name[1:].lower()] == place for name, place in places.items()), module
        read |= {name[1:].lower() for name in places}
    assert read == set(fields) - {"distance_dm"}


def test_rule_of_the_tests_on_both_interpreters_is_the_one_built_in():
    assert rules.Rule._fields == dual_rules.FIELDS and tuple(rules.DEFAULT) == dual_rules.BUILT_IN
    assert dual_rules.pack(rules.DEFAULT) == wire.pack_rule(rules.DEFAULT)


def test_recall_at_a_precision_is_the_best_threshold():
    windows = [judge.Window("r", "a", str(n), 0, (-60 - n,), (-60 - n, 0), n in (0, 1, 3), 1.0) for n in range(5)]
    judged = evaluate.table(windows, methods.Threshold("mean RSSI", -61))
    ones = np.ones(5)
    assert evaluate.recall_at(judged, 1.0, ones) == pytest.approx(2 / 3)
    assert evaluate.recall_at(judged, 0.75, ones) == 1 and evaluate.recall_at(judged, None, ones) is None


def test_recordings_are_left_as_they_are():
    before = PARTY.read_bytes()
    run("evaluate", PARTY, "--rounds", 20)
    assert PARTY.read_bytes() == before and not list(PARTY.parent.glob("*-journal"))
    assert sqlite3.connect(f"file:{PARTY}?mode=ro", uri=True).execute("SELECT count(*) FROM results").fetchone() == (
        5275,
    )
