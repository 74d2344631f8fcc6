"""Facts about lists that come to tokens nobody presses, by kiosks that push them: the real firmware, on the air."""

import json

from tests.bench.scenes import play, write

# Three tokens are handed over; a list is published; nobody presses again.
SCENE = """
version = 1
name = "unpressed"
seed = 3
start_utc = 2026-11-24T08:00:00Z
duration_s = 3600
[[node]]
name = "token-{}"
count = 3
sleep = "deep"
on_shelf = true
[[link]]
model = "constant"
rssi_dbm = -58.0
[[kiosk]]
name = "station"
handover = true
push = PUSH
[[event]]
at_s = 20
do = "press"
node = "token-*"
every_s = 30
[[event]]
at_s = 1000
do = "emask"
run = ["authority", "publish", "authority", "--out", "list.eml", "--issued", "{utc}"]
[[event]]
at_s = 1005
do = "emask"
run = ["kiosk", "add-list", "station", "list.eml"]
"""


def played(tmp_path, push):
    run = play(write(tmp_path, SCENE.replace("PUSH", push)), tmp_path / "out")
    said = [(run.out / f"token-0{n}.txt").read_text() for n in (1, 2, 3)]
    return run, said


def test_list_reaches_tokens_that_nobody_presses(tmp_path):
    run, said = played(tmp_path, "true")
    kiosk = run.kiosks["station"]
    assert all("match records=0" in text for text in said) and not any("crash" in text for text in said)
    assert kiosk.drops["taken"] == 3 and kiosk.visits == 3 and kiosk.broken == 0
    log = [json.loads(line) for line in (kiosk.folder.path / "log.jsonl").read_text().splitlines()]
    drops = [entry for entry in log if "drop" in entry]
    assert [set(entry) for entry in drops] == [{"at", "drop", "list_serial"}] * 3
    assert all(entry["at"] % 3600 == 0 for entry in drops) and kiosk.folder.drops() == 3


def test_kiosk_that_is_told_not_to_push_does_not(tmp_path):
    run, said = played(tmp_path, "false")
    assert not any("match" in text for text in said) and not run.kiosks["station"].drops
