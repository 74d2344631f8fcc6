"""Facts of tokens in company: what all of them have in common moves nobody, and no timing joins two identifiers."""

import numpy as np
import pytest

from tools.bench.image import prepare
from tools.bench.study import company, linking, more


@pytest.mark.parametrize("heard_late_ms", [-3.0, 3.0])
def test_tokens_that_all_hear_late_stay_among_their_own_clocks(heard_late_ms):
    found = company.model(4, 5, 3, heard_late_ms)
    assert found["outside_ms"] <= 450 and found["spread_ms"] <= 10 and found["heard_per_minute"] > 0.97


def test_without_the_way_back_to_the_own_time_they_would_be_led_away():
    with more.parameters(_LEAN_US=0):
        found = company.model(4, 5, 3, 3.0)
    assert abs(found["moved_ms"][-1]) > 450


def test_firmware_in_company_stays_where_its_clocks_say(tmp_path):
    found = company.firmware(prepare(), tmp_path, 2, 3, 1)
    assert found["most_moved_ms"] <= 450 and found["spread_ms"] <= 20 and found["heard_per_minute"] > 0.97


def _made(kept, noise=1.0, scenes=40, turn=1.0):
    """Scenes whose features are noise but for what a token keeps of each: `kept` holds one deviation a feature."""
    rng = np.random.default_rng(2)
    made = []
    for _ in range(scenes):
        own = rng.normal(0, 1, (linking.TOKENS, len(linking.FEATURES))) * kept
        before, after = (rng.normal(0, noise, own.shape) for _ in range(2))
        made.append((before + own, after + turn * own + 50))  # what all have in common joins nobody
    return made


@pytest.mark.parametrize("feature", range(len(linking.FEATURES)))
def test_classifier_joins_by_any_one_feature_that_is_kept(feature):
    found = linking.judge(_made(np.eye(len(linking.FEATURES))[feature] * 3))
    assert found["low"] > 0.15 and not found["within_chance"], linking.FEATURES[feature]


def test_classifier_joins_what_turns_its_sign_at_the_slots_end():
    assert linking.judge(_made(np.eye(len(linking.FEATURES))[0] * 3, turn=-1.0))["low"] > 0.15


def test_classifier_joins_nothing_where_nothing_is_kept():
    found = linking.judge(_made(np.zeros(len(linking.FEATURES)), scenes=100))
    assert found["within_chance"] and abs(found["right"] - 0.1) < 0.03


def test_classifier_joins_tokens_without_a_shift():
    """The clocks that the shift hides are there to be seen: real scenes, the shift taken away."""
    with more.parameters(JITTER_MS=0):
        scenes = [linking.scene(np.random.default_rng([7, number]), 1800) for number in range(5)]
    assert linking.judge(scenes)["low"] > 0.12
