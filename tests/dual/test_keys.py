# Own keys: when fresh ones are due, and what is published of them.
from dual_support import vectors

from emask import clock, keylist, keys, scheme

_UTC = 1785000000
_SLOT = _UTC // 900
_KEY = bytes(range(32))


def _own(slot, segment=1, anchored=True, key=_KEY, number=1, offset_s=_UTC):
    return keys.new_key(number, key, slot, segment, offset_s, anchored)


def _published(own, anchors, until, since):
    return [keylist.unpack_record(record) for record in keys.records(own, anchors, until, since)]


def _ids(record, number=1):
    key, slot, index, count = record
    rules = scheme.get(number)
    chain = rules.Chain(key[: rules.KEY_BYTES], slot, index)
    found = {}
    for _ in range(count):
        found[chain.slot] = chain.id()
        chain.step()
    return found


def test_key_record_is_the_golden_one_and_reads_back():
    own = keys.OwnKey(1, _KEY, 1983333, 0, 3, 1784990000, True)
    assert own.pack().hex() == vectors("golden")["key"]
    again = keys.unpack(own.pack())
    assert again.pack() == own.pack()
    assert (again.first_slot, again.segment, again.offset_s, again.anchored) == (1983333, 3, 1784990000, True)
    for record in (b"", bytes(48), b"\x03" + own.pack()[1:], own.pack()[:47]):
        assert keys.unpack(record) is None


def test_gaen_key_reads_back_with_its_16_bytes():
    own = _own(2642976, number=2)
    again = keys.unpack(own.pack())
    assert again.key == bytes(range(16)) and again.first_index == 2642976 & 0xFFFF
    assert again.chain(2642980).interval == 2642980


def test_fresh_key_is_due_after_seven_days_a_lost_clock_or_a_first_time():
    own = _own(1000)
    assert not own.needs_new(1000, 1, True) and not own.needs_new(1671, 1, True)
    assert own.needs_new(1672, 1, True) and own.needs_new(999, 1, True)
    assert own.needs_new(1001, 2, False)
    lost = _own(1000, anchored=False)
    assert not lost.needs_new(1001, 1, False) and lost.needs_new(1001, 1, True)
    assert _own(1000, number=2).needs_new(1144, 1, True)


def test_published_record_gives_the_very_ids_that_were_sent():
    own = _own(_SLOT)
    anchors = clock.Anchors([clock.pack_anchor(1, 0, _UTC, 0, 0)])
    record = _published([own], anchors, _SLOT + 200, _SLOT)[0]
    sent = _ids(record)
    assert sorted(sent) == list(range(_SLOT, _SLOT + 200))
    assert all([own.chain(slot).id() == ident for slot, ident in sent.items()])


def test_earlier_days_are_left_out_by_a_later_key():
    own = _own(_SLOT)
    record = _published([own], clock.Anchors(), _SLOT + 300, _SLOT + 200)[0]
    assert record[0] != _KEY and record[1:] == (_SLOT + 200, 200 - 192, 100)
    assert _ids(record)[_SLOT + 250] == own.chain(_SLOT + 250).id()


def test_chain_ends_where_the_next_begins_and_repeats_count_once():
    one, two = _own(_SLOT), _own(_SLOT + 50, key=bytes(32))
    found = _published([two, one, two], clock.Anchors(), _SLOT + 80, _SLOT - 1000)
    assert [record[1:] for record in found] == [(_SLOT, 0, 50), (_SLOT + 50, 0, 30)]


def test_two_weeks_of_chains_make_at_most_three_records():
    own = [_own(_SLOT + 672 * week) for week in range(4)]
    until = _SLOT + 672 * 3 + 100
    found = _published(own, clock.Anchors(), until, until - 14 * 96)
    assert len(found) == 3
    assert sum([record[3] for record in found]) == 14 * 96


def test_key_of_a_lost_clock_is_published_at_its_true_slots():
    # The token believes that it is three days earlier; then its time is confirmed at tick 7,200 s.
    behind_s = 3 * 86400
    lost = _own(_SLOT - 3 * 96, anchored=False, offset_s=_UTC - behind_s)
    fresh = _own(_SLOT + 8, key=bytes(32))
    anchors = clock.Anchors([clock.pack_anchor(1, 7200, _UTC + 7200, 0, 2)])
    found = _published([lost, fresh], anchors, _SLOT + 20, _SLOT - 1000)
    assert [record[1:] for record in found] == [(_SLOT, 0, 8), (_SLOT + 8, 0, 12)]
    assert _ids(found[0])[_SLOT + 3] == lost.chain(_SLOT - 3 * 96 + 3).id()


def test_drift_found_later_moves_the_published_slots():
    # A clock 1 % fast for 100,000 s: at the end it is 1,000 s ahead, in the middle about half a slot.
    own = _own(_SLOT)
    anchors = clock.Anchors([clock.pack_anchor(1, 0, _UTC, 0, 0), clock.pack_anchor(1, 400000, _UTC + 390000, 0, 0)])
    record = _published([own], anchors, _SLOT + 400, 0)[0]
    assert -7 <= record[1] - _SLOT <= -4


def test_gaen_record_of_a_wrong_clock_still_gives_the_sent_ids():
    slot = _UTC // 600
    lost = _own(slot - 1000, anchored=False, number=2, offset_s=_UTC - 600000)
    anchors = clock.Anchors([clock.pack_anchor(1, 100, _UTC + 100, 0, 0)])
    record = _published([lost], anchors, slot + 10, 0)[0]
    assert record[1] == slot
    assert _ids(record, 2)[slot + 4] == lost.chain(slot - 996).id()


def test_nothing_is_published_of_slots_outside():
    own = _own(_SLOT)
    assert keys.records([own], clock.Anchors(), _SLOT, 0) == []
    assert keys.records([own], clock.Anchors(), _SLOT + 2000, _SLOT + 672) == []
    assert keys.records([], clock.Anchors(), _SLOT, 0) == []


def test_whole_days_only_leave_no_key_that_tells_of_slots_before():
    own = _own(_SLOT)
    found = keys.records([own], clock.Anchors(), _SLOT + 400, _SLOT + 150, True)
    assert [keylist.unpack_record(record)[1:] for record in found] == [(_SLOT + 192, 0, 208)]
    found = keys.records([own], clock.Anchors(), _SLOT + 400, _SLOT + 192, True)
    assert [keylist.unpack_record(record)[1] for record in found] == [_SLOT + 192]
    found = keys.records([own], clock.Anchors(), _SLOT + 40, _SLOT - 7, True)
    assert [keylist.unpack_record(record)[1:] for record in found] == [(_SLOT, 0, 40)]


def test_gaen_key_that_began_before_is_not_given_at_all_where_days_are_whole():
    slot = _UTC // 600
    own = [_own(slot + 144 * day, number=2) for day in range(3)]
    found = keys.records(own, clock.Anchors(), slot + 400, slot + 50, True)
    assert [keylist.unpack_record(record)[1] for record in found] == [slot + 144, slot + 288]
