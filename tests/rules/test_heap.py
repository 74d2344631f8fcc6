"""Owns the rule of the heap: a token's day with visits, a list, matching and an alert lives in what the chip has."""

from tools.bench import heap
from tools.bench.image import prepare

_HOURS = 2.0  # the slots of the last half hour are never in a list


def test_a_token_lives_in_its_heap():
    image = prepare(None)
    limit = heap.LIMIT_32_BIT_KIB * heap.HALF + sum(heap.beside_kib(image))
    assert heap.survives(image, heap.day(_HOURS), limit)


def test_a_token_lives_in_its_heap_when_lists_come_unasked():
    image = prepare(None)
    limit = heap.LIMIT_32_BIT_KIB * heap.HALF + sum(heap.beside_kib(image))
    assert heap.survives(image, heap.unpressed_day(_HOURS), limit)


def test_a_heap_that_is_too_small_is_noticed():
    assert not heap.survives(prepare(None), heap.day(_HOURS), heap.LOW_KIB)
