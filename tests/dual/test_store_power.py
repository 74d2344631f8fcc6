# The flash ring under cuts of power at every byte of a few operations, on both interpreters. The long trials are in
# tests/tools/test_ring.py and in `emask ring powercut`.
from dual_support import Chance, Flash, PowerCut

from emask import spec
from emask.store import Store

_SLOT = 20000 * 96


def _mounted(flash):
    flash.power = None
    store = Store(flash, flash.block_bytes)
    store.mount()
    return store


def _payload(number):
    return bytes([number & 0xFF]) * spec.SIGHTING_BYTES


def _numbers(store, kind):
    found = []
    for slot, payload in store.read(kind):
        assert payload == _payload(slot - _SLOT)
        found.append(slot - _SLOT)
    return found


def _cut_everywhere(before, powers):
    whole = Flash(12, 2048)
    store = _mounted(whole)
    for number in range(before):
        store.append(spec.SIGHTING, _SLOT + number, _payload(number))
    for power in powers:
        flash = Flash(12, 2048, Chance(power))
        flash.data[:] = whole.data
        store = _mounted(flash)
        done = before
        flash.power = power
        try:
            for number in range(before, before + 3):
                store.append(spec.SIGHTING, _SLOT + number, _payload(number))
                done += 1
        except PowerCut:
            pass
        found = _numbers(_mounted(flash), spec.SIGHTING)
        assert found in (list(range(done)), list(range(done + 1))), power
        store = _mounted(flash)
        assert _numbers(store, spec.SIGHTING) == found, power
        store.append(spec.SIGHTING, _SLOT + 50, _payload(50))
        assert _numbers(_mounted(flash), spec.SIGHTING) == found + [50], power


def test_cut_at_any_byte_of_an_append():
    _cut_everywhere(2, range(0, 110))


def test_cut_at_any_byte_of_an_append_that_opens_a_block():
    _cut_everywhere(55, range(0, 180))


def test_cut_while_keys_are_written_again_brings_no_old_state_back():
    for power in range(0, 900, 7):
        flash = Flash(12, 2048, Chance(power))
        store = _mounted(flash)
        store.append(spec.KEY, _SLOT, bytes(48))
        for number in range(28):
            store.append(spec.STATE, _SLOT + number, bytes([number]) * 40)
        flash.power = power
        last = 27
        try:
            for number in range(28, 36):
                store.append(spec.STATE, _SLOT + number, bytes([number]) * 40)
                last = number
        except PowerCut:
            pass
        found = _mounted(flash).latest(spec.STATE)[0] - _SLOT
        assert found in (last, last + 1), power
        store = _mounted(flash)
        assert store.latest(spec.STATE)[0] - _SLOT == found
        assert list(store.read(spec.KEY)) == [(_SLOT, bytes(48))]


def test_record_cut_in_its_last_byte_does_not_come_and_go():
    for seed in range(30):
        flash = Flash(12, 2048, Chance(seed))
        store = _mounted(flash)
        store.append(spec.ALERT, _SLOT, b"first")
        flash.power = 31
        try:
            store.append(spec.ALERT, _SLOT, b"a second one of 24 bytes")
        except PowerCut:
            pass
        seen = {_mounted(flash).latest(spec.ALERT) for _ in range(8)}
        assert len(seen) == 1


def test_purge_cut_anywhere_is_finished_by_the_next():
    for power in range(0, 300, 5):
        flash = Flash(16, 2048, Chance(power))
        store = _mounted(flash)
        for number in range(4):
            store.append(spec.SIGHTING, _SLOT + 48 * number, b"S" * 32)
        store.append(spec.KEY, _SLOT, b"J" * 48)
        store.append(spec.KEY, _SLOT + 96, b"K" * 48)
        flash.power = power
        try:
            store.purge(20004, 3, 3)
        except PowerCut:
            pass
        store = _mounted(flash)
        while not store.purge(20004, 3, 3):
            pass
        assert [slot for slot, _ in store.read(spec.SIGHTING)] == [_SLOT + 96, _SLOT + 144], power
        assert bytes(flash.data).count(b"S" * 32) == 2 and bytes(flash.data).count(b"K" * 48) == 1, power
        assert b"JJJJ" not in bytes(flash.data), power
