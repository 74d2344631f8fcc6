# The store under cuts of power at any byte: the record being written may be lost, and nothing else.
from dual_support import Flash, PowerCut

from emask import spec
from emask.store import LogStore

_SLOT = 20000 * 96


def _mounted(flash):
    flash.power = None
    store = LogStore(flash, flash.block_bytes)
    store.mount()
    return store


def _written(flash, kind, first, count, power, size):
    """Append until the power fails; returns how many were acknowledged."""
    store = _mounted(flash)
    flash.power = power
    done = 0
    try:
        for number in range(first, first + count):
            store.append(kind, _SLOT + number, bytes([number & 0xFF]) * size)
            done += 1
    except PowerCut:
        pass
    flash.power = None
    return done


def _numbers(store, kind):
    found = []
    for slot, payload in store.read(kind):
        assert payload == bytes([(slot - _SLOT) & 0xFF]) * len(payload)
        found.append(slot - _SLOT)
    return found


def _cut_everywhere(kind, before, powers, size):
    for power in powers:
        flash = Flash(6, 256)
        assert _written(flash, kind, 0, before, None, size) == before
        kept = _numbers(_mounted(flash), kind)
        done = _written(flash, kind, before, 3, power, size)
        found = _numbers(_mounted(flash), kind)
        acknowledged = list(range(before, before + done))
        wanted = [number for number in kept if number in found] + acknowledged
        assert [n for n in found if n < before + done] == wanted, power
        if kind == spec.SIGHTING:  # what is missing of the old ones went with whole blocks, for the new ones
            assert kept[len(kept) - len(wanted) + done :] == wanted[: len(wanted) - done]
        assert _written(flash, kind, before + 3, 2, None, size) == 2
        assert _numbers(_mounted(flash), kind)[-2:] == [before + 3, before + 4], power


def test_cut_at_any_byte_of_an_append_in_a_fresh_block():
    _cut_everywhere(spec.SIGHTING, 2, range(0, 121), 28)


def test_cut_at_any_byte_of_an_append_that_opens_the_next_block():
    _cut_everywhere(spec.SIGHTING, 6, range(0, 150), 28)


def test_cut_at_any_byte_of_an_append_that_erases_the_oldest_block():
    _cut_everywhere(spec.SIGHTING, 12, range(0, 150), 28)


def test_cut_with_payloads_that_look_blank_or_zero():
    for number in (255, 256):
        _cut_everywhere(spec.SIGHTING, number, range(0, 130, 3), 28)


def test_cut_at_any_byte_while_keys_are_carried():
    for power in range(0, 500, 3):
        flash = Flash(6, 512)
        store = _mounted(flash)
        for number in range(3):
            store.append(spec.KEY, _SLOT + number, bytes([number]) * 48)
        for number in range(13):
            store.append(spec.STATE, _SLOT + number, bytes([number]) * 40)
        flash.power = power
        last = 12
        try:
            for number in range(13, 18):
                store.append(spec.STATE, _SLOT + number, bytes([number]) * 40)
                last = number
        except PowerCut:
            pass
        store = _mounted(flash)
        for _ in range(2):
            assert sorted(set(_numbers(store, spec.KEY))) == [0, 1, 2], power
            state = store.latest(spec.STATE)[0] - _SLOT
            assert state in (last, last + 1), power
            last = 60
            for number in range(18, 61):
                store.append(spec.STATE, _SLOT + number, bytes([number]) * 40)


def test_many_cuts_one_after_another_lose_only_what_was_not_acknowledged():
    flash = Flash(8, 512)
    acknowledged = []
    for number in range(140):
        if _written(flash, spec.SIGHTING, number, 1, number * 7 % 61, 28):
            acknowledged.append(number)
    found = _numbers(_mounted(flash), spec.SIGHTING)
    assert [n for n in found if n in acknowledged] == [n for n in acknowledged if n >= found[0]]


def test_cut_in_the_middle_of_destroying_is_made_good_by_the_next_try():
    for power in range(0, 62, 2):
        flash = Flash(6, 512)
        store = _mounted(flash)
        for number in range(4):
            store.append(spec.SIGHTING, _SLOT + 96 * number // 2, b"S" * 28)
        flash.power = power
        try:
            store.destroy_day(20000)
        except PowerCut:
            pass
        store = _mounted(flash)
        store.destroy_day(20000)
        assert [slot for slot, _ in store.read(spec.SIGHTING)] == [_SLOT + 96, _SLOT + 144], power
        assert bytes(flash.data).count(b"S") == 56, power
