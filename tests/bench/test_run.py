# Facts about runs of scenarios: repeatable to the byte, what tokens do to each other, what faults and folders do.
# Knows no protocol; privacy of what is sent and logged is test_leaks.py's.
from __future__ import annotations

import hashlib
import json

import pytest

from tests.bench.scenes import COMPANY, emask, emask_process, play, sightings, write
from tools.bench import summary

LISTEN_AND_TALK = """
import bluetooth, time
from words import WORD
ble = bluetooth.BLE()
ble.active(True)
ble.config(addr_mode=3)
heard = set()
def irq(event, data):
    if event == 5:
        heard.add(bytes(data[4]))
ble.irq(irq)
ble.gap_advertise(50000, adv_data=WORD, connectable=False)
ble.gap_scan(0, 30000, 30000)
time.sleep(3)
print(WORD, sorted(heard))
"""
SCRIPTS = """
version = 1
name = "scripts"
duration_s = 5
[[node]]
name = "one"
script = "talk.py"
paths = ["words-one"]
[[node]]
name = "two"
script = "talk.py"
paths = ["words-two"]
[[link]]
model = "constant"
"""


def company(folder, sleep):
    folder.mkdir(exist_ok=True)
    return write(folder, COMPANY.replace("SLEEP", sleep))


def prints(folder):
    """Digest of all that a run wrote, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*") if path.is_file()}


@pytest.fixture(scope="module", params=["light", "deep"])
def twice(request, tmp_path_factory):
    """The folders of two runs by the command line, in two processes that order their sets and dicts differently."""
    folder = tmp_path_factory.mktemp(request.param)
    path = company(folder, request.param)
    for number in (1, 2):
        done = emask_process("bench", "run", path, "--out", folder / str(number), hash_seed=number)
        assert done.returncode == 0, done.stderr
    return request.param, folder


def test_same_scenario_and_seed_give_the_same_bytes(twice):
    _, folder = twice
    first = prints(folder / "1")
    assert first == prints(folder / "2")
    assert {"log.jsonl", "summary.json", "token-01.txt", "token-01.flash", "token-02.flash"} <= set(first)
    log = (folder / "1" / "log.jsonl").read_text()
    assert all(f'"ev":"{kind}"' in log for kind in ("visit", "power_off", "reset", "scan", "link"))


def test_another_seed_gives_another_log(twice):
    _, folder = twice
    assert emask("bench", "run", folder / "scenario.toml", "--out", folder / "3", "--seed", 4).exit_code == 0
    first, other = ((folder / n / "log.jsonl").read_text().splitlines() for n in ("1", "3"))
    assert json.loads(first[0])["seed"] == 3 and json.loads(other[0])["seed"] == 4
    assert first[1:] != other[1:]


def test_light_sleep_goes_on_and_deep_sleep_is_a_boot(twice):
    sleep, folder = twice
    facts = json.loads((folder / "1" / "summary.json").read_text())
    boots = [node["boots"] for node in facts["nodes"]]
    assert boots == [2, 2] if sleep == "light" else min(boots) > 20
    slept = (folder / "1" / "log.jsonl").read_text().count('"ev":"deep_sleep"')
    assert slept == 0 if sleep == "light" else slept > 40


def test_tokens_hear_each_other_and_visit_whatever_their_sleep(twice):
    _, folder = twice
    facts = json.loads((folder / "1" / "summary.json").read_text())
    assert all(node["heard"] > 50 for node in facts["nodes"])
    assert facts["kiosks"] == [{"name": "station", "visits": 3, "broken": 0}]


def test_battery_pulled_comes_back_with_its_sightings(tmp_path):
    at = {}

    def before(run):
        for at_s in (600, 1499):
            run.engine.at("", at_s * 1_000_000, lambda at_s=at_s: at.update({at_s: sightings(run.nodes["token-02"])}))

    play(company(tmp_path, "light"), tmp_path / "out", before=before)
    (then, _), (now, damaged) = at[600], at[1499]
    assert {segment for segment, _ in then} == {1} and max(map(len, then.values())) >= 5
    assert damaged == 0 and all(minutes <= now[key] for key, minutes in then.items())
    assert {segment for segment, _ in now} == {1, 2}, "and it went on in a new segment"


HELD = """
version = 1
name = "held"
duration_s = 290
[[node]]
name = "token"
sleep = "SLEEP"
on_shelf = false
[[event]]
at_s = 20
do = "press"
node = "token"
hold_ms = 75000
[[event]]
at_s = 120
do = "press"
node = "token"
"""


@pytest.mark.parametrize("sleep", ["light", "deep"])
def test_button_that_was_down_when_a_sleep_began_is_heard_at_the_next_press(tmp_path, sleep):
    play(write(tmp_path, HELD.replace("SLEEP", sleep)), tmp_path / "out")
    visits = (tmp_path / "out" / "token.txt").read_text().count("visit nobody")
    assert visits == 2, "one for each press, none for the hold"


def test_reset_of_a_node_without_battery_does_nothing(tmp_path):
    text = SCRIPTS.replace("[[link]]", '[[event]]\nat_s = 1\ndo = "battery_out"\nnode = "one"\n[[event]]\nat_s = 2\n'
                           'do = "reset"\nnode = "one"\n[[link]]')  # fmt: skip
    done = play(scripts(tmp_path, text), tmp_path / "out")
    assert done.nodes["one"].boots == 1 and done.nodes["one"].account.on_us == pytest.approx(1e6, rel=0.01)


# Nodes with programs of their own


def scripts(folder, text=SCRIPTS):
    (folder / "talk.py").write_text(LISTEN_AND_TALK)
    for name in ("one", "two"):
        (folder / f"words-{name}").mkdir()
        (folder / f"words-{name}" / "words.py").write_text(f"WORD = b'{name}'\n")
    return write(folder, text)


def test_script_and_paths_of_a_node_are_its_own_and_so_is_its_output(tmp_path):
    play(scripts(tmp_path), tmp_path / "out")
    assert (tmp_path / "out" / "one.txt").read_text() == "b'one' [b'two']\n"
    assert (tmp_path / "out" / "two.txt").read_text() == "b'two' [b'one']\n"


def test_light_sleep_with_the_radio_up_ruins_it(tmp_path):
    text = LISTEN_AND_TALK.replace(
        "time.sleep(3)", "import machine\ntime.sleep(1)\nmachine.lightsleep(10)\ntime.sleep(2)"
    )
    path = scripts(tmp_path)
    (tmp_path / "talk.py").write_text(text)
    done = play(path, tmp_path / "out")
    log = (tmp_path / "out" / "log.jsonl").read_text()
    assert log.count('"radio_corrupt"') == 2
    assert all(node.radio.sent < 25 for node in done.nodes.values()), "nothing is sent in the two seconds after it"


# The command line


def test_json_is_all_of_standard_output_and_holds_the_documented_keys(tmp_path):
    done = emask_process("bench", "run", scripts(tmp_path), "--out", tmp_path / "out", "--json")
    facts = json.loads(done.stdout)
    assert facts == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert all(key.strip(" .") in facts for key in summary.summarize.__doc__.split(","))
    assert (facts["scenario"], facts["seed"], facts["duration_s"]) == ("scripts", 1, 5)
    assert [node["name"] for node in facts["nodes"]] == ["one", "two"]
    assert facts["nodes"][0]["charge_mah"] == pytest.approx(sum(facts["nodes"][0]["consumers_mah"].values()), abs=1e-3)


def test_summary_for_people_says_scenario_seed_aioble_and_that_it_is_a_model(tmp_path):
    done = emask("bench", "run", scripts(tmp_path), "--out", tmp_path / "out", "--seed", 9)
    assert "Scenario scripts, seed 9" in done.stdout and "aioble: " in done.stdout and "model" in done.stdout
    assert str(tmp_path / "out") in done.stdout


def test_folder_of_an_earlier_run_is_used_again_and_a_foreign_one_is_left_alone(tmp_path):
    path, out = scripts(tmp_path), tmp_path / "out"
    play(path, out)
    (out / "left.txt").write_text("of the run before")
    play(path, out)
    assert not (out / "left.txt").exists()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    done = emask("bench", "run", path, "--out", foreign)
    assert done.exit_code == 1 and done.stderr.startswith(f"Error: {foreign} holds something else")
    assert [p.name for p in foreign.iterdir()] == ["thesis.txt"]


def test_command_that_fails_in_a_scenario_ends_the_run_with_its_words(tmp_path):
    text = SCRIPTS.replace("[[link]]", '[[event]]\nat_s = 1\ndo = "emask"\nrun = ["kiosk", "add-list", "x", "y"]\n'
                           "[[link]]")  # fmt: skip
    done = emask("bench", "run", scripts(tmp_path, text), "--out", tmp_path / "out")
    assert done.exit_code == 1 and "emask kiosk add-list ended with" in done.stderr
    assert "Traceback" not in done.stderr
