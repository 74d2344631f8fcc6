# Facts of the village: whom a list reaches by the model, and the model beside the firmware that ships.
import json
import random

import pytest

from tests.bench.scenes import emask, play, write
from tests.bench.test_door import SCENE
from tools.bench.village import doors, people

TOKENS, HANDED_S, END_S = 6, 1005, 3000


def test_list_reaches_most_who_are_worn_within_a_day_and_fixed_kiosks_alone_do_not(tmp_path):
    done = emask("bench", "village", "--seed", 1, "--out", tmp_path, "--json")
    facts = json.loads(done.stdout)
    none, fixed, both = facts["cases"]
    assert done.exit_code == 0 and json.loads((tmp_path / "village.json").read_text()) == facts
    assert none["percent"] < 20 and none["percent_of_others"] == 0 and none["mah_a_day"] == 0
    assert 60 < fixed["percent"] < 80
    assert both["percent"] >= 95 and both["percent_of_others"] >= 95
    assert both["mah_a_day"] < both["mah_a_day_at_most"] < 0.6
    assert "SYNTHETIC" in facts["about"].upper() and "model" in facts["about"]


def test_unknown_board_is_named():
    done = emask("bench", "village", "--board", "esp9")
    assert done.exit_code == 2 and "esp9" in done.output


def test_everyone_is_somewhere_at_each_minute_and_home_at_midnight():
    folk = people.inhabit(random.Random(1), 2)
    assert 200 < len(folk) < 400 and {person.role for person in folk} == set(people._DAYS)
    for person in folk:
        assert person.place(0) == person.place(people.DAY_MIN - 1) == person.home
        assert len({person.place(minute) for minute in range(2 * people.DAY_MIN)}) <= 12


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Six tokens beside a kiosk that gets a list: (seconds after it at which each took it, lengths of connections)."""
    folder = tmp_path_factory.mktemp("village")
    scene = SCENE.replace("PUSH", "true").replace("count = 3", f"count = {TOKENS}").replace("3600", str(END_S))
    events = []
    play(write(folder, scene), folder / "out", before=lambda run: run.engine.log.watch.append(events.append))
    taken = [e["t_us"] / 1e6 - HANDED_S for e in events if e["ev"] == "drop" and e["list"] == "taken"]
    links = [(e["t_us"] / 1e6, e["state"]) for e in events if e["ev"] == "link" and e["node"] == "station"]
    ups = [at for at, state in links if state == "up" and at > HANDED_S]
    downs = [at for at, state in links if state == "down" and at > HANDED_S]
    return taken, [down - up for up, down in zip(ups, downs, strict=False)]


def test_model_finds_as_many_as_the_firmware_does(bench):
    taken, _ = bench
    begin = HANDED_S // 60 + 1
    folk = [people.Person("old", "hall", True, False, ((0, "hall"),)) for _ in range(TOKENS)]
    kiosk = [doors.Kiosk("hall", ((0, "hall"),), begin, False)]
    for minutes in (10, 20, 30):
        got = [len(doors.play(random.Random(seed), folk, kiosk, begin, begin + minutes).got) for seed in range(300)]
        got.sort()
        seen = sum(at <= minutes * 60 for at in taken)
        assert got[1] <= seen <= got[-2], (minutes, seen, got[1], got[-2])
    assert len(taken) == TOKENS


def test_connections_last_as_long_as_the_model_says(bench):
    _, lengths = bench
    news = sorted(lengths)[-TOKENS:]
    others = sorted(lengths)[:-TOKENS]
    assert sum(news) / len(news) == pytest.approx(doors.NEWS_S, rel=0.15)
    assert others and sum(others) / len(others) == pytest.approx(doors.NO_NEWS_S, rel=0.15)
