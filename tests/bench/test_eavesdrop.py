# Facts about what a visit tells someone with an antenna: a short `emask bench attack eavesdrop`, and its controls.
import json

import numpy as np

from tests.bench.scenes import emask, spoilt
from tools.bench.attack import eavesdrop

VISITS = 12


def test_visit_of_a_warned_token_and_sizes_of_an_upload_are_like_any_other():
    done = emask("bench", "attack", "eavesdrop", "--visits", 16, "--seed", 3, "--json")
    facts = json.loads(done.stdout)
    assert done.exit_code == 0
    assert all(facts[kind]["within_chance"] for kind in ("alerted", "contact", "upload_without_times"))
    assert not facts["upload"]["within_chance"], "the pause for the wearer is seen: the control, and a known leak"


def test_listener_sees_a_token_whose_alert_takes_time(tmp_path):
    slow = (
        "standing = device.alert_open()\n    for _ in range(400 if standing else 0):\n        store.latest(spec.ALERT)"
    )
    image = spoilt(tmp_path, "firmware/status.py", "standing = device.alert_open()", slow)
    found = eavesdrop.run(image, VISITS, 2, lambda: None, ("calm", "alerted"))
    assert not found["alerted"]["within_chance"]


def test_listener_knows_nothing_where_nothing_differs_and_all_where_something_does():
    rng = np.random.default_rng(3)

    def visits(count, extra_ms=0.0):
        return [
            [(way, 30, float(30 * n + rng.integers(0, 3) + extra_ms)) for n, way in enumerate((0, 1) * 9)]
            for _ in range(count)
        ]

    assert eavesdrop.compare(visits(60), visits(60), 1)["within_chance"]
    assert eavesdrop.compare(visits(60), visits(60, 5.0), 1)["best_feature"] > 0.95
    fixed = [[(0, 30, 0.0)] * 4] * 20
    assert eavesdrop.compare(fixed, fixed, 1) == {
        "nearest": 0.5,
        "best_feature": 0.5,
        "chance_up_to": 0.745,
        "within_chance": True,
    }
