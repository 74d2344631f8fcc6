# Segments, confirmed times, and the dates they give to ticks.
from dual_support import vectors

from emask import clock

_UTC = 1785000000


def test_anchor_is_the_golden_one_and_reads_back():
    record = clock.pack_anchor(3, 7200, _UTC, 250, 2, 1)
    assert record.hex() == vectors("golden")["anchor"]
    assert clock.unpack_anchor(record) == (3, 7200, _UTC, 250, 2, 1)
    assert clock.unpack_anchor(record[:-1]) is None


def test_lost_clock_counts_on_from_the_last_known_slot():
    own = clock.SegmentClock(4, 5000, 1983000)
    assert own.utc_s(5000) is None
    assert own.slot_estimate(5000) == 1983001
    assert own.slot_estimate(5000 + 899999) == 1983001
    assert own.slot_estimate(5000 + 900000) == 1983002
    assert own.minute(5000 + 125000) == 2


def test_confirmed_time_is_kept_to_the_millisecond():
    own = clock.SegmentClock(4, 5000)
    record = own.confirm(8123, _UTC, 450, 2, 1)
    assert own.own_ms(8123) == _UTC * 1000 + 450
    assert own.own_ms(9123) == _UTC * 1000 + 1450
    assert own.utc_s(9123) == _UTC + 1
    segment, tick_s, utc_s, utc_ms, uncertainty_s, flags = clock.unpack_anchor(record)
    assert (segment, tick_s, uncertainty_s, flags) == (4, 3, 2, 1)
    assert utc_s * 1000 + utc_ms == _UTC * 1000 + 450 - 123


def test_slots_never_go_backwards():
    own = clock.SegmentClock(1)
    own.confirm(0, _UTC)
    slot = own.slot_estimate(0)
    ten_minutes = own.scheme_slot(0, 600)
    own.confirm(1000, _UTC - 800)
    assert own.slot_estimate(2000) == slot
    assert slot * 900 // 600 <= own.scheme_slot(2000, 600) <= ten_minutes
    assert own.slot_estimate(6000000) > slot


def test_after_a_jump_back_own_slots_are_true_and_the_stores_go_on():
    own = clock.SegmentClock(1)
    own.confirm(0, _UTC)
    slot = own.slot_estimate(0)
    own.confirm(1000, _UTC - 50000)
    assert own.scheme_slot(2000, 900) == (_UTC - 50000) // 900
    assert [own.slot_estimate(2000 + 900000 * count) for count in (0, 1, 2)] == [slot + 1, slot + 2, slot + 3]
    again = clock.unpack_state(own.pack_state())
    assert again.slot_estimate(2000 + 900000 * 3) == slot + 4
    own.confirm(4000000, _UTC + 86400)  # forward once more
    assert own.slot_estimate(4000000) == (_UTC + 86400) // 900


def test_doubt_grows_with_the_clocks_error_and_says_what_is_certain():
    own = clock.SegmentClock(4, 5000, 1983000)
    assert own.certain_slot(5000 + 900000, 20) == 1983002  # by ticks alone
    own.confirm(5000, _UTC, 0, 3600)
    assert own.doubt_ms(5000, 20) == 3600000
    assert own.doubt_ms(5000 + 86400000, 20) == 3600000 + 1728
    assert own.certain_slot(5000, 20) == (_UTC - 3600) // 900
    assert clock.unpack_state(own.pack_state()).doubt_ms(5000, 20) == 3600000


def test_anchor_of_a_jump_takes_the_place_of_those_before_it():
    records = [
        clock.pack_anchor(1, 100, _UTC + 90000, 0, 2),
        clock.pack_anchor(2, 100, _UTC - 9000, 0, 2),
        clock.pack_anchor(1, 200, _UTC, 0, 2, clock.FROM_ANEW),
        clock.pack_anchor(1, 300, _UTC + 100, 0, 2),
    ]
    anchors = clock.Anchors(records)
    assert anchors.utc_of(1, 0) == _UTC - 200 and anchors.utc_of(1, 250) == _UTC + 50
    assert anchors.utc_of(2, 100) == _UTC - 9000


def test_state_survives_sleep():
    own = clock.SegmentClock(9, 777, 1983000)
    own.confirm(5777, _UTC, 3)
    own.slot_estimate(5777)
    state = own.pack_state()
    assert len(state) == clock.STATE_BYTES
    woken = clock.unpack_state(state)
    assert (woken.segment, woken.start_ms, woken.anchored) == (9, 777, True)
    assert woken.own_ms(99999) == own.own_ms(99999)
    assert woken.slot_estimate(0) == own.slot_estimate(0)
    assert clock.unpack_state(b"") is None


def test_tick_is_dated_backwards_and_forwards_of_one_anchor():
    anchors = clock.Anchors([clock.pack_anchor(1, 3600, _UTC, 0, 2)])
    assert anchors.utc_of(1, 3600) == _UTC
    assert anchors.utc_of(1, 0) == _UTC - 3600
    assert anchors.utc_of(1, 10000) == _UTC + 6400
    assert anchors.utc_of(2, 3600) is None


def test_between_two_anchors_time_runs_evenly():
    # A clock that is 1 % slow: 3,600 s of ticks took 3,636 s.
    records = [clock.pack_anchor(1, 7200, _UTC + 3636, 0, 2), clock.pack_anchor(1, 3600, _UTC, 0, 2)]
    anchors = clock.Anchors(records)
    assert anchors.utc_of(1, 3600) == _UTC
    assert anchors.utc_of(1, 5400) == _UTC + 1818
    assert anchors.utc_of(1, 7200) == _UTC + 3636
    assert anchors.utc_of(1, 7300) == _UTC + 3736


def test_error_grows_with_distance_from_the_nearest_anchor():
    anchors = clock.Anchors(
        [clock.pack_anchor(1, 0, _UTC, 0, 2), clock.pack_anchor(1, 20000, _UTC + 20000, 0, 5)], 5000
    )
    assert anchors.date(1, 0)[1] == 2
    assert anchors.date(1, 1000)[1] == 7
    assert anchors.date(1, 20000)[1] == 5
    assert anchors.date(1, 19000)[1] == 10
    assert anchors.date(3, 0) is None


def test_same_anchor_twice_and_noise_change_nothing():
    record = clock.pack_anchor(1, 100, _UTC, 0, 0)
    anchors = clock.Anchors([record, record, b"noise", b""])
    assert anchors.utc_of(1, 200) == _UTC + 100


def test_minute_is_unwrapped_next_to_the_newest_anchor():
    tick_s = (65536 + 100) * 60
    anchors = clock.Anchors([clock.pack_anchor(1, 60, _UTC - 1, 0, 0), clock.pack_anchor(1, tick_s, _UTC, 0, 0)])
    assert anchors.tick_of(1, 100) == tick_s
    assert anchors.tick_of(1, 65530) == 65530 * 60
