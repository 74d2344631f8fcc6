# The flash store on a RAM flash that refuses what NOR flash refuses: order, wrap-around, carrying, damage, destruction.
from dual_support import Flash, raises

from emask import spec
from emask.store import LogStore, StoreError

_DAY = 20000
_SLOT = _DAY * 96


def _mounted(flash, hint=None):
    store = LogStore(flash, flash.block_bytes)
    store.mount(hint)
    return store


def _small():
    """9 blocks of 512 bytes: 2 for states, 2 for the journal, 5 for sightings."""
    return Flash(9, 512)


def _payload(number, size=28):
    return bytes((number & 0xFF, number >> 8)) * (size // 2)


def _fill(store, kind, count, slot=_SLOT, size=28):
    for number in range(count):
        store.append(kind, slot + number, _payload(number, size))


def test_empty_store_has_nothing():
    store = _mounted(_small())
    assert list(store.read(spec.SIGHTING)) == []
    assert store.latest(spec.STATE) is None
    assert store.count(spec.HEARD) == 0
    assert (store.blocks, store.free_blocks, store.damaged, store.overwritten) == (9, 5, 0, 0)


def test_records_come_back_by_kind_and_slot_in_order():
    store = _mounted(_small())
    _fill(store, spec.SIGHTING, 20)
    _fill(store, spec.HEARD, 5)
    store.append(spec.STATE, _SLOT, b"")
    assert list(store.read(spec.SIGHTING)) == [(_SLOT + n, _payload(n)) for n in range(20)]
    assert [slot - _SLOT for slot, _ in store.read(spec.SIGHTING, _SLOT + 3, _SLOT + 5)] == [3, 4, 5]
    assert list(store.read(spec.HEARD, _SLOT + 4)) == [(_SLOT + 4, _payload(4))]
    assert store.count(spec.HEARD) == 5 and store.latest(spec.STATE) == (_SLOT, b"")


def test_payloads_of_every_length_survive_a_remount():
    flash = Flash(8)
    store = _mounted(flash)
    for size in range(121):
        store.append(spec.SIGHTING, size, bytes([0xFF, 0][size & 1] for _ in range(size)))
    again = _mounted(flash)
    for at, (slot, payload) in enumerate(again.read(spec.SIGHTING)):
        assert slot == at and payload == bytes([0xFF, 0][at & 1] for _ in range(at))
    assert at == 120 and again.damaged == 0
    raises(StoreError, store.append, spec.SIGHTING, 0, bytes(121))
    for kind in (0, 255):
        raises(StoreError, store.append, kind, 0, b"")


def test_remount_goes_on_where_it_ended():
    flash = _small()
    for number in range(40):
        _mounted(flash).append(spec.SIGHTING, _SLOT + number, _payload(number))
    assert [slot - _SLOT for slot, _ in _mounted(flash).read(spec.SIGHTING)] == list(range(40))


def test_latest_is_of_the_highest_slot_and_the_last_of_these():
    store = _mounted(_small())
    for slot, payload in ((5, b"a"), (7, b"b"), (7, b"c"), (6, b"d")):
        store.append(spec.STATE, slot, payload)
    assert store.latest(spec.STATE) == (7, b"c")


def test_full_log_gives_up_its_oldest_block_only():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 200)
    kept = [slot - _SLOT for slot, _ in store.read(spec.SIGHTING)]
    assert kept == list(range(kept[0], 200)) and 44 <= len(kept) <= 60
    assert store.free_blocks == 0 and store.overwritten == flash.erases[4] + sum(flash.erases[5:]) - 5
    again = _mounted(flash)
    assert [slot - _SLOT for slot, _ in again.read(spec.SIGHTING)] == kept
    assert again.free_blocks == 0


def test_wear_is_even():
    flash = _small()
    _fill(_mounted(flash), spec.SIGHTING, 600)
    assert max(flash.erases[4:]) - min(flash.erases[4:]) <= 1
    assert flash.erases[:4] == [0, 0, 0, 0]


def test_journal_does_not_push_sightings_out():
    store = _mounted(_small())
    _fill(store, spec.SIGHTING, 10)
    _fill(store, spec.HEARD, 500)
    assert store.count(spec.SIGHTING) == 10
    assert [slot - _SLOT for slot, _ in store.read(spec.HEARD)][-1] == 499


def test_keys_anchors_and_the_latest_of_the_rest_live_on():
    flash = Flash(8)
    store = _mounted(flash)
    for number in range(3):
        store.append(spec.KEY, _SLOT + number, _payload(number, 48))
        store.append(spec.ANCHOR, _SLOT + number, _payload(number, 14))
    store.append(spec.ALERT, _SLOT, b"alert")
    for number in range(500):
        store.append(spec.STATE, _SLOT + number // 10, _payload(number, 54))
        if number % 50 == 0:
            store = _mounted(flash)
    assert sorted(set(store.read(spec.KEY))) == [(_SLOT + n, _payload(n, 48)) for n in range(3)]
    assert sorted(set(store.read(spec.ANCHOR))) == [(_SLOT + n, _payload(n, 14)) for n in range(3)]
    assert store.latest(spec.ALERT) == (_SLOT, b"alert")
    assert store.latest(spec.STATE) == (_SLOT + 49, _payload(499, 54))


def test_keys_beyond_retention_are_not_carried_for_ever():
    store = _mounted(Flash(8))
    store.append(spec.KEY, _SLOT, bytes(48))
    for number in range(300):
        store.append(spec.STATE, _SLOT + 3000 + number, bytes(54))
    assert store.count(spec.KEY) == 0


def test_full_of_live_records_the_log_still_takes_more():
    store = _mounted(_small())
    for number in range(100):
        store.append(spec.KEY, _SLOT + number, _payload(number, 48))
    assert store.latest(spec.KEY) == (_SLOT + 99, _payload(99, 48))


def test_hint_makes_the_mount_short_and_gives_the_same():
    flash = Flash(60)
    store = _mounted(flash)
    for kind in (spec.SIGHTING, spec.HEARD, spec.STATE):
        _fill(store, kind, 50)
    hint = store.hint
    assert len(hint) <= 16
    flash.reads = 0
    full = _mounted(flash)
    slow, flash.reads = flash.reads, 0
    quick = LogStore(flash)
    assert quick.mount(hint) and not full.mount()
    assert flash.reads < slow + 60 and quick.hint == full.hint
    assert quick.free_blocks == full.free_blocks
    quick.append(spec.SIGHTING, _SLOT + 50, b"next")
    assert _mounted(flash).latest(spec.SIGHTING) == (_SLOT + 50, b"next")


def test_old_or_foreign_hint_is_safe():
    flash = _small()
    store = _mounted(flash)
    store.append(spec.SIGHTING, 0, b"first")
    hints = [store.hint, bytes(15), b"\xff" * 15, b"", b"x" * 15]
    for number in range(80):
        store.append(spec.SIGHTING, number, _payload(number))
        if number in (3, 30):
            hints.append(store.hint)
    expected = list(store.read(spec.SIGHTING))
    for at, hint in enumerate(hints):
        store = _mounted(flash, hint)
        store.append(spec.SIGHTING, 1000 + at, _payload(at))
        expected = [record for record in store.read(spec.SIGHTING)]
        assert expected[-1] == (1000 + at, _payload(at))
        assert [slot for slot, _ in expected[: -1 - at]] == list(range(expected[0][0], 80))


def test_damaged_record_is_skipped_and_counted_and_the_rest_stays():
    for at in range(0, 40):
        flash = _small()
        store = _mounted(flash)
        _fill(store, spec.SIGHTING, 5)
        position = [place for place, _slot, _payload in store.scan(spec.SIGHTING)][2]
        old = flash.data[position + at]
        flash.data[position + at] = old & 0x55 if old & 0x55 != old else old ^ 0xFF
        again = _mounted(flash)
        found = [slot - _SLOT for slot, _ in again.read(spec.SIGHTING)]
        again.append(spec.SIGHTING, _SLOT + 5, b"more")
        assert found == ([0, 1, 2, 3, 4] if at > 37 else [0, 1, 3, 4]), at  # the last two bytes are padding
        assert (again.damaged > 0) == (at <= 37)
        assert again.latest(spec.SIGHTING) == (_SLOT + 5, b"more")


def test_damaged_header_costs_its_block_only():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 44)
    flash.data[5 * 512 + 2] = 0
    found = [slot - _SLOT for slot, _ in _mounted(flash).read(spec.SIGHTING)]
    assert found == list(range(12)) + list(range(24, 44))


def test_identifier_from_the_air_cannot_pose_as_a_record():
    flash = _small()
    store = _mounted(flash)
    store.append(spec.SIGHTING, 1, b"x")
    image = bytes(flash.data[4 * 512 + 16 : 4 * 512 + 28])  # a whole good record, as bytes
    store.append(spec.SIGHTING, 2, bytes(8) + image + bytes(8))
    position = [place for place, _slot, _payload in store.scan(spec.SIGHTING)][1]
    flash.data[position] = 0  # its lead is lost, its payload is searched
    assert list(_mounted(flash).read(spec.SIGHTING)) == [(1, b"x")]


def test_read_at_gives_what_scan_found_there_and_nothing_else():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 30)
    places = list(store.scan(spec.SIGHTING))
    for place, slot, payload in places:
        assert store.read_at(spec.SIGHTING, place) == (slot, payload)
        assert store.read_at(spec.SIGHTING, place + 4) is None
    _fill(store, spec.SIGHTING, 200, _SLOT + 100)
    for place, slot, payload in places:
        assert store.read_at(spec.SIGHTING, place) != (slot, payload)


def test_destroyed_day_is_zero_in_flash_and_the_others_stay():
    flash = Flash(8)
    store = _mounted(flash)
    for number in range(150):
        store.append(spec.SIGHTING, _SLOT + 2 * number, b"S" * 28)
        store.append(spec.HEARD, _SLOT + 2 * number, b"H" * 28)
    store.append(spec.STATE, _SLOT + 100, b"T" * 28)
    assert store.destroy_day(_DAY + 1) == 96
    assert store.count(spec.SIGHTING) == store.count(spec.HEARD) == 150 - 48
    assert all([not _SLOT + 96 <= slot < _SLOT + 192 for slot, _ in store.read(spec.SIGHTING)])
    assert bytes(flash.data).count(b"S" * 28) == 150 - 48
    assert bytes(flash.data).count(b"H" * 28) == 150 - 48
    assert store.latest(spec.STATE) == (_SLOT + 100, b"T" * 28)
    assert store.damaged == 0
    again = _mounted(flash)
    assert again.count(spec.SIGHTING) == 150 - 48 and again.damaged == 0
    assert again.destroy_day(_DAY + 1) == 0


def test_damaged_record_of_a_destroyed_day_is_zeroed_too():
    flash = _small()
    store = _mounted(flash)
    store.append(spec.SIGHTING, _SLOT, b"S" * 28)
    flash.data[4 * 512 + 16 + 8] ^= 2
    assert store.destroy_day(_DAY) == 1
    assert bytes(flash.data).count(b"SSSS") == 0


def test_dead_device_is_a_store_error():
    flash = _small()
    store = _mounted(flash)
    flash.dead = True
    raises(StoreError, store.append, spec.SIGHTING, 0, b"")
    raises(StoreError, list, store.read(spec.SIGHTING))
    raises(StoreError, store.mount)
    raises(StoreError, LogStore, Flash(5))
