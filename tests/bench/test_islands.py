# Facts about islands: who is on which, and that a run's bytes don't depend on how many are played at a time.
# Knows the run and the links; no protocol.
from __future__ import annotations

import hashlib
import json

import pytest

from tests.bench.scenes import image, write
from tools.bench import islands
from tools.bench.links import ConstantLink, LinkTable
from tools.bench.run import Run
from tools.bench.scenario import Scenario

# Four tokens handed over together, then in twos, alone, and in other twos; one loses its battery on an island.
PARTING = """
version = 1
name = "parting"
seed = 5
start_utc = 2026-11-24T08:00:00Z
duration_s = 2400

[[node]]
name = "token-{}"
count = 4
sleep = "SLEEP"
on_shelf = true
clock_spread_ppm = 20

[[kiosk]]
name = "station"
handover = true

[[event]]
at_s = 20
do = "press"
node = "token-*"
every_s = 30

[[event]]
at_s = 800.5
do = "battery_out"
node = "token-02"
off_s = 40

[[event]]
at_s = 1500
do = "press"
node = "token-03"
"""
LINK = """
[[link]]
model = "constant"
a = "{}"
b = "{}"
from_s = {}
to_s = {}
"""
MEETINGS = (
    *(("station", f"token-0{n}", 0, 200) for n in (1, 2, 3, 4)),
    ("token-01", "token-02", 300.25, 1200),
    ("token-03", "token-04", 300.25, 900),
    ("token-01", "token-03", 1600, 2400),
    ("token-02", "token-04", 1700, 2300),
)


def parting(folder, sleep, more=""):
    folder.mkdir()
    links = "".join(LINK.format(*meeting) for meeting in MEETINGS)
    return write(folder, PARTING.replace("SLEEP", sleep) + links + more)


def played(path, out, jobs):
    """Digest of all that a run wrote, by name."""
    run = Run(Scenario.load(path), image(), out, jobs=jobs)
    try:
        run.play()
    finally:
        run.engine.close()
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.glob("*.*") if p.is_file()}


@pytest.fixture(scope="module", params=["light", "deep"])
def one_at_a_time(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    path = parting(folder / "scene", request.param)
    return path, folder, played(path, folder / "one", 1)


def test_bytes_of_a_run_do_not_depend_on_how_many_islands_are_played_at_a_time(one_at_a_time):
    path, folder, found = one_at_a_time
    assert played(path, folder / "three", 3) == found
    assert {"log.jsonl", "token-01.flash", "token-04.txt"} <= set(found)


def test_log_of_islands_is_in_the_order_of_time_and_tells_of_all(one_at_a_time):
    _, folder, _ = one_at_a_time
    records = [json.loads(line) for line in (folder / "one" / "log.jsonl").read_text().splitlines()]
    times = [record["t_us"] for record in records]
    assert times == sorted(times) and times[-1] > 2_300_000_000
    heard = {(r["node"][-1], sender[-1]) for r in records if r["ev"] == "scan" for sender in r["heard"]}
    assert {("1", "2"), ("3", "4"), ("1", "3"), ("4", "2")} <= heard and not {("1", "4"), ("2", "3")} & heard


def test_tokens_do_on_islands_what_they_do_all_on_one(one_at_a_time, tmp_path):
    """A second kiosk that is too far away to be heard joins all of them all the time."""
    _, folder, apart = one_at_a_time
    sleep = "deep" if '"deep_sleep"' in (folder / "one" / "log.jsonl").read_text() else "light"
    far = '[[kiosk]]\nname = "far"\n[[link]]\nmodel = "constant"\na = "far"\nrssi_dbm = -127\n'
    together = played(parting(tmp_path / "scene", sleep, far), tmp_path / "out", 3)
    tokens = {name: digest for name, digest in apart.items() if name.startswith("token")}
    assert len(tokens) == 8 and tokens == {name: together[name] for name in tokens}


def test_groups_are_what_pairs_join_without_that_of_the_kiosks():
    names = ["a", "b", "c", "d", "e", "k", "l"]
    assert islands.groups(names, [("a", "c"), ("d", "k")], ["k", "l"]) == [["a", "c"], ["b"], ["e"]]
    assert islands.groups(["a", "b"], [], []) == [["a"], ["b"]]


def test_links_that_change_by_the_clock_say_when_and_whom_they_join():
    links = LinkTable(None)
    links.add(ConstantLink("a", "b", -60, 0, 5))
    links.add(ConstantLink("*", "c", -60, 7))
    assert links.changes_us() == [5, 7]
    assert [links.joined("abc", t) for t in (0, 5, 7)] == [[("a", "b")], [], [("a", "c"), ("b", "c")]]
