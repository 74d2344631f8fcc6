"""The arithmetic of judging, against counts by hand and against itself by other ways."""

import numpy as np
import pytest

from tools.exposure import stats


def test_auc_is_the_share_of_pairs_in_order():
    scores, truth = [1, 2, 2, 3, 5], [False, True, False, True, False]
    pairs = [
        (a > b) + (a == b) / 2
        for a, x in zip(scores, truth, strict=True)
        for b, y in zip(scores, truth, strict=True)
        if x > y
    ]
    assert stats.auc(scores, truth) == pytest.approx(sum(pairs) / len(pairs))
    assert stats.auc([1, 2], [True, True]) is None and stats.auc([], []) is None


def test_weighted_auc_counts_a_row_as_often_as_its_weight():
    draw = np.random.default_rng(3)
    scores, truth = draw.integers(0, 9, 60).astype(float), draw.random(60) < 0.4
    weights = draw.integers(0, 4, 60).astype(float)
    times = weights.astype(int)
    again = stats.auc(np.repeat(scores, times), np.repeat(truth, times))
    assert stats.weighted_auc(scores, truth, weights) == pytest.approx(again)


def test_logistic_finds_the_line_that_made_the_labels():
    draw = np.random.default_rng(4)
    features = draw.normal(-70, 8, (4000, 2))
    truth = draw.random(4000) < 1 / (1 + np.exp(-(0.3 * features[:, 0] - 0.1 * features[:, 1] + 14)))
    model = stats.Logistic(features, truth)
    assert model.weights == pytest.approx([0.3, -0.1], abs=0.03) and model.bias == pytest.approx(14, abs=1.5)


def test_bootstrap_interval_holds_the_measure_and_narrows_with_people():
    draw = np.random.default_rng(5)

    def interval(people):
        pairs = [(str(a), str(b)) for a in range(people) for b in range(people) if a != b]
        values = draw.normal(0, 1, len(pairs)) + 1
        return stats.bootstrap(pairs, lambda w: float((values * w).sum() / w.sum()) if w.any() else None, 200, 1)

    few, many = interval(5), interval(30)
    assert few[0] < 1 < few[1] and many[0] < 1 < many[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert stats.bootstrap([("a", "b")], lambda w: None, 20, 1) is None


def test_roc_goes_from_none_to_all_and_holds_the_auc():
    draw = np.random.default_rng(6)
    scores, truth = draw.integers(0, 20, 200).astype(float), draw.random(200) < 0.5
    false, true = stats.roc(scores, truth)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(stats.auc(scores, truth))
