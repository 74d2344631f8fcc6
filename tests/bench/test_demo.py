# Facts about `emask bench demo`, played whole: its facts, words and report, and the same again with the same seed.
# Truth is taken from the recording here, not from the demo's own code.
from __future__ import annotations

import html
import json
import re
import sqlite3
import statistics

import pytest

from tests.bench.scenes import PARTY, emask, emask_process
from tools import ROOT
from tools.bench.energy import CONSUMERS
from tools.bench.scenario import Scenario

PEOPLE = 18


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def played(folder):
    done = emask("bench", "demo", "--out", folder / "demo", "--seed", 1)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def facts(played, folder):
    return json.loads((folder / "demo" / "demo.json").read_text())


@pytest.fixture(scope="module")
def report(played, folder):
    return (folder / "demo" / "report.html").read_text()


def recorded_minutes(case):
    """name -> minutes of the party within 2 m of the case, by a plain count of the minutes whose median distance is."""
    with sqlite3.connect(PARTY) as db:
        rows = db.execute(
            "SELECT receiver_id, transmitter_id, timestamp, ground_truth_distance FROM results"
        ).fetchall()
    start = min(row[2] for row in rows)
    by_minute = {}
    for a, b, t, metres in rows:
        if case in (a, b):
            other = b if a == case else a
            by_minute.setdefault(other, {}).setdefault(int(t - start) // 60, []).append(metres)
    return {
        f"token-{other.zfill(2)}": (sum(statistics.median(m) <= 2 for m in minutes.values()), len(minutes))
        for other, minutes in by_minute.items()
    }


def test_everyone_has_one_line_with_the_reason_of_the_decision(facts):
    people = facts["people"]
    assert len({p["name"] for p in people}) == PEOPLE - 1 and facts["case"] not in {p["name"] for p in people}
    for person in people:
        counted = f"{person['minutes_near_by_token']} of 10 minutes counted"
        differs = person["contact"] is not None and person["contact"] != person["alert"]
        assert person["why"] and person["why"].startswith(counted) != differs, person
    assert any(p["contact"] and p["alert"] for p in people), "the demo finds contacts"
    assert any(p["contact"] is False and not p["alert"] for p in people), "and leaves others in peace"


def test_contacts_have_more_minutes_counted_than_others(facts):
    """Area under the ROC curve, chance 0.5: 0.67 to 0.90 on seeds 1 to 10, where the number above a threshold is a
    matter of luck among eight. This case is a lucky one: with each wearer as the case in turn it is 0.61."""
    counted = {True: [], False: [], None: []}
    for person in facts["people"]:
        counted[person["contact"]].append(person["minutes_near_by_token"])
    pairs = [(near, far) for near in counted[True] for far in counted[False]]
    assert sum((near > far) + (near == far) / 2 for near, far in pairs) >= 0.65 * len(pairs), counted


def test_contact_is_what_the_recorded_distances_say(facts):
    """Minutes with a sample of their own bound what the line between them may add."""
    seen = recorded_minutes(facts["case"].removeprefix("token-").lstrip("0"))
    for person in facts["people"]:
        near, sampled = seen.get(person["name"], (0, 0))
        claimed = person["minutes_near_by_distance"]
        assert claimed >= near * 0.5 and (near or claimed < 12), person
        if sampled and near == sampled:
            assert person["contact"] is not False or claimed < facts["rule"]["minutes"], person
        if person["contact"] is not None:
            assert person["contact"] == (claimed >= facts["rule"]["minutes"]), person


def test_alert_is_what_the_token_counted(facts):
    fitted = json.loads((ROOT / "scenarios" / "lunch-rule.json").read_text())["rule"]
    assert facts["rule"] == {**fitted, "minutes": 10}
    assert all(p["alert"] == (p["minutes_near_by_token"] >= 10) for p in facts["people"])


def test_table_on_the_screen_and_the_facts_say_the_same(facts, played):
    lines = dict(re.findall(r"^(token-\d\d) +((?:yes|no|unknown) +(?:YES|-) .*)$", played, re.M))
    assert len(lines) == PEOPLE - 1
    for person in facts["people"]:
        truth, alert, near, level, token, *why = lines[person["name"]].split(maxsplit=5)
        assert truth == {True: "yes", False: "no", None: "unknown"}[person["contact"]]
        assert (alert == "YES") is person["alert"] and float(near) == person["minutes_near_by_distance"]
        assert (int(level), int(token)) == (person["minutes_near_by_level"], person["minutes_near_by_token"])
        assert " ".join(why).strip() == person["why"]
    right = sum(p["contact"] is True and p["alert"] for p in facts["people"])
    assert f"Alerted of them: {right};" in played


def test_battery_pulled_came_back_with_sightings_of_before(facts, played, folder):
    ((name, kept),) = facts["battery_pulled"].items()
    assert kept["sightings"] > 10 and kept["damaged"] == 0 and f"The battery of {name} was pulled" in played
    event = next(e for e in Scenario.load(ROOT / "scenarios" / "party.toml").events if e.do == "battery_out")
    assert event.node == name and 600 < event.at_s < 600 + 1168, "in the middle of the recording"
    assert "segment=2" in (folder / "demo" / f"{name}.txt").read_text()


def test_every_token_reached_both_kiosks(facts):
    assert facts["kiosks"] == [
        {"name": "station", "visits": PEOPLE + 1, "broken": 0},
        {"name": "market", "visits": PEOPLE, "broken": 0},
    ]


def test_tokens_say_what_they_heard_missed_and_used(facts):
    assert len(facts["nodes"]) == PEOPLE
    for node in facts["nodes"]:
        assert node["heard"] > 300 and node["missed"] == sum(node["missed_why"].values())
        assert set(node["consumers_mah"]) == set(CONSUMERS)
        assert node["charge_mah"] == pytest.approx(sum(node["consumers_mah"].values()), abs=0.001)
        assert all(node["consumers_mah"][c] > 0 for c in CONSUMERS if c not in ("led", "motor", "buzzer", "radio idle"))
    alerted = {p["name"] for p in facts["people"] if p["alert"]}
    motor = {node["name"]: node["consumers_mah"]["motor"] for node in facts["nodes"]}
    others = set(motor) - alerted - {facts["case"]}  # whose token pulsed the number of the upload
    assert min(motor[name] for name in alerted) > max(motor[name] for name in others), "an alert vibrates"


def test_share_that_rests_on_the_line_between_bursts_is_told(facts, report):
    counts = facts["recording"]
    share = counts["heard_between_bursts"] / (counts["heard_between_bursts"] + counts["heard_in_bursts"])
    assert 0 < share < 1 and facts["interpolated_share"] == pytest.approx(share, abs=1e-4)
    assert f"{share:.0%} of the adverts heard" in report


# The report


def test_report_opens_nothing_from_a_network(report):
    assert not re.findall(r"<(?:script|link|img|iframe|object|embed|base|form)\b", report, re.I)
    assert not re.findall(r"""(?:src|href|action|srcset)\s*=|url\(|@import|\w+://""", report, re.I)


def test_report_has_matrix_timeline_and_energy(report, facts):
    drawings = re.findall(r"<svg.*?</svg>", report, re.DOTALL)
    assert len(drawings) == 4, "matrix, timeline, its enlarged piece, energy"
    matrix, timeline, piece, energy = drawings
    names = [node["name"] for node in facts["nodes"]]
    assert all(matrix.count(name) >= 2 for name in names), "a row and a column for everyone"
    assert timeline.count(">battery out<") <= 1 and ">button<" in timeline and ">listens<" in piece
    assert all(name in energy for name in names)
    table = report.split("Where the charge goes")[1].split("</section>")[0]
    assert all(f">{consumer}</th>" in table for consumer in CONSUMERS)


def test_report_gives_percent_and_days_of_each_battery(report, facts):
    rows = report.split("<h2>Each token</h2>")[1].split("</section>")[0].split("<tr>")
    for node in facts["nodes"]:
        (row,) = [row for row in rows if f">{node['name']}<" in row]
        percent = node["percent_per_day"]
        assert node["mah_per_day"] == pytest.approx(percent * 4, abs=0.03), "of 400 mAh"
        assert f'>{percent:.2f}</td><td class="n">{100 / percent:,.0f}</td>' in re.sub(r"\s*\n\s*", "", row)


def test_report_gives_the_reasons_and_says_that_charge_is_a_model(report, facts):
    text = html.unescape(report)
    assert all(person["why"] in text for person in facts["people"])
    assert "model" in text and "not a measurement" in text and "CC BY-ND 4.0" in text


def test_same_seed_is_the_same_demo(facts, report, folder):
    done = emask_process("bench", "demo", "--out", folder / "again", "--seed", 1, "--json", hash_seed=7)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == facts
    for name in ("demo.json", "report.html", "log.jsonl"):
        assert (folder / "again" / name).read_bytes() == (folder / "demo" / name).read_bytes(), name
