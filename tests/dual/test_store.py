# The flash ring on a flash in RAM that refuses what real flash refuses: order, wear, carrying, damage, destruction.
import struct

from dual_support import Chance, Flash, raises, vectors

from emask import cells, spec
from emask.cells import StoreError, parse_header
from emask.pool import StoreFull
from emask.store import Store

_DAY = 20000
_SLOT = _DAY * 96
_ROOTS = 2


def _mounted(flash, cold=False):
    store = Store(flash, flash.block_bytes)
    store.mount(cold)
    return store


def _small():
    """16 blocks of 2,048 bytes: 2 are roots, 2 at most serve minutes."""
    return Flash(16, 2048)


def _payload(number, size=spec.SIGHTING_BYTES):
    return (bytes((number & 0xFF, number >> 8)) * size)[:size]


def _minute(number):
    return _payload(number, spec.HEARD_BYTES)


def _fill(store, kind, count, slot=_SLOT):
    for number in range(count):
        store.append(kind, slot + number, _minute(number) if kind == spec.HEARD else _payload(number))


def _slots(store, kind):
    return [slot - _SLOT for slot, _ in store.read(kind)]


def test_empty_store_has_nothing():
    store = _mounted(_small())
    assert list(store.read(spec.SIGHTING)) == []
    assert store.latest(spec.STATE) is None
    assert store.count(spec.HEARD) == 0
    assert (store._pool.free(), store.damaged, store.bad_blocks) == (14, 0, 0)


def test_records_come_back_by_kind_and_slot_in_order():
    store = _mounted(_small())
    _fill(store, spec.SIGHTING, 20)
    _fill(store, spec.HEARD, 5)
    store.append(spec.STATE, _SLOT, b"")
    assert list(store.read(spec.SIGHTING)) == [(_SLOT + n, _payload(n)) for n in range(20)]
    assert [slot - _SLOT for slot, _ in store.read(spec.SIGHTING, _SLOT + 3, _SLOT + 5)] == [3, 4, 5]
    assert list(store.read(spec.HEARD, _SLOT + 4)) == [(_SLOT + 4, _minute(4))]
    assert store.count(spec.HEARD) == 5 and store.latest(spec.STATE) == (_SLOT, b"")


def test_day_range_reads_that_day_alone():
    store = _mounted(_small())
    for day in range(4):
        _fill(store, spec.SIGHTING, 3, _SLOT + 96 * day)
    found = list(store.read(spec.SIGHTING, _SLOT + 96, _SLOT + 191))
    assert found == [(_SLOT + 96 + n, _payload(n)) for n in range(3)]


def test_lasting_payloads_of_every_length_survive_a_remount():
    flash = Flash(8)
    for size in range(121):
        payload = bytes([0xFF, 0][size & 1] for _ in range(size))
        _mounted(flash).append(spec.ALERT, size, payload)
        assert _mounted(flash).latest(spec.ALERT) == (size, payload)
    assert _mounted(flash).damaged == 0


def test_record_that_does_not_fit_is_refused():
    store = _mounted(_small())
    raises(StoreError, store.append, spec.STATE, 0, bytes(121))
    raises(StoreError, store.append, spec.SIGHTING, 0, bytes(31))
    raises(StoreError, store.append, spec.HEARD, 0, bytes(26))
    for kind in (0, 255):
        raises(StoreError, store.append, kind, 0, b"")
    raises(StoreError, Store, Flash(7))


def test_every_start_goes_on_where_it_ended():
    for cold in (False, True):
        flash = _small()
        for number in range(40):
            _mounted(flash, cold).append(spec.SIGHTING, _SLOT + number, _payload(number))
        assert _slots(_mounted(flash), spec.SIGHTING) == list(range(40))
        assert _mounted(flash).damaged == 0


def test_mount_takes_at_most_ten_reads():
    flash = Flash(60)
    most = 0
    for number in range(500):
        flash.reads = 0
        store = Store(flash)
        quick = store.mount(number % 3 == 0)
        assert quick or number == 0
        most = max(most, flash.reads if number else 0)
        for _ in range(4):
            store.append(spec.HEARD, _SLOT + number, _minute(number))
        store.append(spec.SIGHTING, _SLOT + number, _payload(number))
        store.append(spec.COMPACTED, _SLOT + number, b"")
        store.append(spec.STATE, _SLOT + number, bytes(54))
    assert most <= 10


def test_store_without_a_root_reads_all_headers_and_makes_one():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 40)
    store.append(spec.ALERT, _SLOT, b"alert")
    flash.data[0:4096] = bytes(28) + b"\xff" * 4068
    again = Store(flash, 2048)
    assert not again.mount() and again.mount()
    assert _slots(again, spec.SIGHTING) == list(range(40)) and again.latest(spec.ALERT) == (_SLOT, b"alert")


def test_damaged_newest_root_entry_is_not_believed():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 40)
    end = [at for at in range(2048 + 32, 4096, 32) if flash.data[at] != 0xFF][-1]
    flash.data[end + 2] ^= 0xFF
    again = Store(flash, 2048)
    assert not again.mount()
    _fill(again, spec.SIGHTING, 1, _SLOT + 40)
    assert _slots(_mounted(flash), spec.SIGHTING) == list(range(41))


def test_keys_anchors_and_the_last_of_the_rest_live_on():
    flash = Flash(16)
    store = _mounted(flash)
    for number in range(3):
        store.append(spec.KEY, _SLOT + number, _payload(number, 48))
        store.append(spec.ANCHOR, _SLOT + number, _payload(number, 14))
    store.append(spec.ALERT, _SLOT, b"alert")
    for number in range(500):
        store.append(spec.STATE, _SLOT + number // 10, _payload(number, 54))
        if number % 50 == 0:
            store = _mounted(flash)
    assert list(store.read(spec.KEY)) == [(_SLOT + n, _payload(n, 48)) for n in range(3)]
    assert list(store.read(spec.ANCHOR)) == [(_SLOT + n, _payload(n, 14)) for n in range(3)]
    assert store.latest(spec.ALERT) == (_SLOT, b"alert")
    assert store.latest(spec.STATE) == (_SLOT + 49, _payload(499, 54))


def test_of_very_many_keys_and_anchors_the_last_live_on():
    flash = Flash(16)
    store = _mounted(flash)
    for number in range(200):
        store.append(spec.KEY, _SLOT + number, _payload(number, 48))
        store.append(spec.ANCHOR, _SLOT + number, _payload(number, 14))
    assert _slots(store, spec.KEY)[-12:] == list(range(188, 200))
    assert _slots(store, spec.ANCHOR)[-25:] == list(range(175, 200))


def test_only_one_block_has_lasting_records():
    flash = _small()
    store = _mounted(flash)
    for number in range(60):
        store.append(spec.KEY, _SLOT + number, b"K" * 48)
        holders = [at for at in range(0, len(flash.data), 2048) if b"KKKK" in bytes(flash.data[at : at + 2048])]
        assert len(holders) == 1


def test_last_is_the_one_written_last():
    store = _mounted(_small())
    for slot, payload in ((5, b"a"), (7, b"b"), (6, b"c")):
        store.append(spec.STATE, slot, payload)
    assert store.latest(spec.STATE) == (6, b"c")
    for slot in (_SLOT, _SLOT + 100):
        store.append(spec.HEARD, slot, _minute(slot & 1))
    assert store.latest(spec.HEARD)[0] == _SLOT + 100


def test_few_sightings_are_counted_and_many_are_estimated():
    store = _mounted(Flash(24))
    for number in range(700):
        store.append(spec.SIGHTING, 96 * 20000 + number // 100, bytes(32))
        if number in (2, 300):
            assert store.about() == number + 1
    assert 700 <= store.about() < 700 + 113


def test_merged_minutes_give_their_blocks_back():
    store = _mounted(_small())
    for number in range(300):
        for _ in range(3):
            store.append(spec.HEARD, _SLOT + number // 4, _minute(number))
        if number % 4 == 3:
            store.append(spec.COMPACTED, _SLOT + number // 4, b"")
    assert store._pool.free() >= 14 - 3
    for number in range(40):
        store.append(spec.HEARD, _SLOT + 75, _minute(number))
    assert list(store.read(spec.HEARD, _SLOT + 75)) == [(_SLOT + 75, _minute(n)) for n in range(40)]


def test_minutes_that_are_never_merged_are_refused_in_the_end_and_none_is_lost():
    store = _mounted(_small())
    raises(StoreFull, _fill, store, spec.HEARD, 160)
    assert _slots(store, spec.HEARD) == list(range(96))


def test_full_store_refuses_sightings_and_gives_none_up():
    store = _mounted(_small())
    raises(StoreFull, _fill, store, spec.SIGHTING, 900)
    kept = _slots(store, spec.SIGHTING)
    assert kept == list(range(len(kept))) and len(kept) >= 360
    assert store.room()[0] == 0
    for number in range(40):
        store.append(spec.HEARD, _SLOT + 900, _minute(number))
        store.append(spec.STATE, _SLOT + 900, _payload(number))
    assert _slots(_mounted(store._blocks._device), spec.SIGHTING) == kept


def test_wear_is_even_in_use():
    flash = Flash(24, 1024)
    store = _mounted(flash)
    for number in range(4000):
        slot = _SLOT + number // 4
        store.append(spec.HEARD, slot, _minute(number))
        if number % 8 == 3:
            store.append(spec.SIGHTING, slot, _payload(number))
        if number % 4 == 3:
            store.append(spec.COMPACTED, slot, b"")
            store.append(spec.STATE, slot, bytes(54))
        if number % 384 == 383:
            assert store.purge(slot // 96, 3, 3, 99)
    assert min(flash.erases) >= 6 and max(flash.erases) - min(flash.erases) <= 6


def test_damaged_record_is_skipped_and_counted_and_the_rest_stays():
    for at in range(36):
        flash = _small()
        store = _mounted(flash)
        _fill(store, spec.SIGHTING, 5)
        position = [place for place, _slot, _payload in store.scan(spec.SIGHTING)][2]
        old = flash.data[position + at]
        flash.data[position + at] = old & 0x55 if old & 0x55 != old else old ^ 0xFF
        again = _mounted(flash)
        assert _slots(again, spec.SIGHTING) == [0, 1, 3, 4], at
        assert again.damaged == 1
        again.append(spec.SIGHTING, _SLOT + 5, _payload(5))
        assert again.latest(spec.SIGHTING) == (_SLOT + 5, _payload(5))


def test_damaged_lasting_record_does_not_take_the_next_with_it():
    for at in range(0, 64, 3):
        flash = _small()
        store = _mounted(flash)
        for number in range(4):
            store.append(spec.KEY, _SLOT + number, _payload(number, 48))
        position = [place for place, _slot, _payload in store.scan(spec.KEY)][1]
        flash.data[position + at] ^= 0xFF
        assert _slots(_mounted(flash), spec.KEY) == ([0, 1, 2, 3] if at >= 56 else [0, 2, 3]), at


def test_damaged_header_costs_its_block_only():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 130)
    second = [place for place, _slot, _payload in store.scan(spec.SIGHTING)][56] // 2048
    flash.data[second * 2048 + 20] ^= 1
    assert _slots(_mounted(flash), spec.SIGHTING) == list(range(56)) + list(range(96, 130))


def test_identifier_from_the_air_cannot_pose_as_a_record():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 2)
    place = [place for place, _slot, _payload in store.scan(spec.SIGHTING)][0]
    image = bytes(flash.data[place : place + 36])  # a whole good record, as bytes, elsewhere
    flash.data[place + 72 : place + 108] = image
    assert _slots(_mounted(flash), spec.SIGHTING) == [0, 1]


def test_read_at_gives_what_scan_found_there_and_nothing_else():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 40)
    for place, slot, payload in list(store.scan(spec.SIGHTING)):
        assert store.read_at(spec.SIGHTING, place) == (slot, payload)
        assert store.read_at(spec.SIGHTING, place + 4) is None
        assert store.read_at(spec.HEARD, place) is None


def test_purge_leaves_nothing_older_in_the_image_and_all_of_the_rest():
    flash = Flash(24, 2048)
    store = _mounted(flash)
    for day in range(10):
        slot = _SLOT + 96 * day
        tag = bytes([0x41 + day])
        store.append(spec.KEY, slot, tag * 48)
        for _ in range(5):
            store.append(spec.HEARD, slot, tag * 25)
            store.append(spec.SIGHTING, slot, tag * 32)
        store.append(spec.COMPACTED, slot, b"")
    while not store.purge(_DAY + 9, 3, 2):
        pass
    assert _slots(store, spec.SIGHTING) == [96 * day for day in range(6, 10) for _ in range(5)]
    assert _slots(store, spec.KEY) == [96 * day for day in (7, 8, 9)]
    found = [day for day in range(10) if bytes([0x41 + day]) * 12 in bytes(flash.data)]
    assert found == [6, 7, 8, 9] and bytes([0x41 + 6]) * 40 not in bytes(flash.data)
    assert store.latest(spec.COMPACTED)[0] == _SLOT + 96 * 9
    again = _mounted(flash, True)
    assert _slots(again, spec.SIGHTING) == [96 * day for day in range(6, 10) for _ in range(5)]


def test_purge_erases_only_so_much_at_a_time():
    flash = Flash(24, 1024)
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 200)
    while not store.purge(_DAY + 2, 21, 21):
        pass
    before = sum(flash.erases)
    calls = 1
    while not store.purge(_DAY + 50, 21, 21, 2):
        calls += 1
    assert 3 < calls <= 5 and sum(flash.erases) - before <= 2 * calls
    assert _slots(store, spec.SIGHTING) == []


def test_undated_sightings_go_with_those_after_them():
    flash = Flash(24, 2048)
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 5, 7)
    assert store.purge(_DAY, 21, 21, 99)
    assert store.count(spec.SIGHTING) == 5
    assert store.purge(_DAY + 21, 21, 21, 99)
    assert store.count(spec.SIGHTING) == 5
    assert store.purge(_DAY + 22, 21, 21, 99)
    assert store.count(spec.SIGHTING) == 0 and _payload(3) not in bytes(flash.data)


def test_sightings_with_a_date_to_come_go_with_those_after_them():
    store = _mounted(Flash(24, 2048))
    _fill(store, spec.SIGHTING, 5, _SLOT + 96 * 900)
    _fill(store, spec.SIGHTING, 5, _SLOT)
    assert store.purge(_DAY + 3, 3, 3, 99) and store.count(spec.SIGHTING) == 10
    assert store.purge(_DAY + 4, 3, 3, 99) and store.count(spec.SIGHTING) == 0


def test_worn_blocks_are_passed_over_counted_and_hold_nothing():
    flash = Flash(24, 1024, Chance(3), [1000, 1000] + [6, 7] * 4 + [1000] * 14)
    store = _mounted(flash)
    for number in range(6000):
        slot = _SLOT + number // 4
        store.append(spec.HEARD, slot, _minute(number))
        if number % 4 == 3:
            store.append(spec.COMPACTED, slot, b"")
        if number % 500 == 0:
            store = _mounted(flash, True)
    assert store.bad_blocks == 8
    bad = [block for block in range(24) if parse_header(flash.data[block * 1024 : block * 1024 + 32])[1] == 7]
    assert bad == list(range(2, 10)) and not any(flash.data[2048:10240])


def test_worn_root_costs_the_quick_mount_only():
    flash = Flash(16, 2048, Chance(3), [2, 3] + [10000] * 14)
    store = _mounted(flash)
    for number in range(1500):
        store.append(spec.STATE, _SLOT + number, _payload(number))
    assert store.bad_blocks == 2
    again = Store(flash, 2048)
    assert not again.mount() and again.latest(spec.STATE) == (_SLOT + 1499, _payload(1499))


def test_dead_device_is_a_store_error():
    flash = _small()
    store = _mounted(flash)
    _fill(store, spec.SIGHTING, 1)
    flash.dead = True
    raises(StoreError, store.append, spec.SIGHTING, 0, bytes(32))
    raises(StoreError, list, store.read(spec.SIGHTING))
    raises(StoreError, store.mount)


def test_layout_is_that_of_the_specification():
    header, sighting, minute, alert, entry = [bytes.fromhex(text) for text in vectors("golden")["ring"]]
    assert parse_header(header) == (7, cells.LASTING, 300, 1983333, True)
    assert cells.mark(7) + b"".join(cells.name(cells.LASTING, 300, 1983333)) == header
    for stream, seq, at, record, kind, slot in (
        (cells.SIGHTINGS, 1000, 68, sighting, spec.SIGHTING, 1983335),
        (cells.MINUTES, 999, 61, minute, spec.HEARD, 1983335),
        (cells.LASTING, 300, 32, alert, spec.ALERT, 1983335),
        (cells.ROOT, 5, 96, entry, 1, 0),
    ):
        flash = _small()
        head = cells.Head(cells.Blocks(flash, 2048), stream, 3, seq, slot // 96 * 96)
        head.end = at
        payload = record[6:-2] if stream == cells.LASTING else record[2:-2]
        assert head.write(kind, slot, payload)
        place = 3 * 2048 + at
        assert bytes(flash.data[place : place + len(record)]) == record
        assert head.record_at(at) == (kind, slot, payload)
    assert struct.unpack_from("<HIHIHI", entry, 2) == (9, 300, 0xFFFF, 0, 11, 299)
