"""Facts about a swap with the real firmware on the bench: two tokens, a clinic's kiosk, what the flash then holds."""

import pytest

from emask import spec
from tools.bench import heap
from tools.bench import swap as swapped
from tools.bench.image import prepare
from tools.kiosk import swap


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    image = prepare(None)
    rule_kib = heap.LIMIT_32_BIT_KIB * heap.HALF + sum(heap.beside_kib(image))  # as in tests/rules/test_heap.py
    with swapped.Pair(image, tmp_path_factory.mktemp("swap"), 1, 5, int(rule_kib)) as own:
        own.radio(mtu=247, interval_us=30_000)
        own.wear(700.0)
        yield own


def test_what_a_worn_token_holds_is_the_new_ones_after_four_visits(pair):
    before = pair.old.held()
    assert len(before["SIGHTING"]) >= 840 and before["KEY"] and before["ANCHOR"]
    stages = []
    for stage in (pair.new, pair.old, pair.new, pair.old):
        assert pair.step(stage).upload == "moved"
        stages.append(pair.carried.stage)
    assert stages == [swap.OLD, swap.FILL, swap.END, swap.OVER]
    old, new = pair.old.held(), pair.new.held()
    for kind in ("SIGHTING", "KEY", "ANCHOR"):
        assert set(before[kind]) <= set(new[kind]) and not old[kind], kind
    assert new["STATE"][0][0] & 5 == 0 and old["STATE"][0][0] & 5 == 1  # on the shelf, wiping
    for stage in (pair.old, pair.new):
        assert not any("crash" in line or "Error" in line for line in stage.said())


def test_new_token_goes_on_and_takes_lists(pair):
    pair.new.publish(20, 3)
    result = pair.new.run(pair.new.visit())
    assert result.list == "taken" and not result.status["state"] & spec.STATE_SHELF
    pair.new.wait(900.0)
    assert any("match records=20 alert=0" in line for line in pair.new.said())
