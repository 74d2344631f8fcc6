# Matching: tolerance, dates, two identifiers, midnight, pieces; and what it hands to the decision.
from collections import namedtuple

import rules
from dual_support import Flash

from emask import clock, keylist, scheme, sighting, spec
from emask.match import Matcher
from emask.store import Store

_DAY = 20660
_MIDNIGHT = _DAY * 86400
_NOON = _MIDNIGHT + 43200
_ISSUED = _MIDNIGHT + 3 * 86400
_KEY = bytes(range(32))
_ALL = 0x7FFF
_Header = namedtuple("_Header", ("scheme", "issued_s", "rule"))  # of manifest.Manifest


class _World:
    """A store and anchors: tick 0 of segment 1 is midnight of _DAY, unless told otherwise."""

    def __init__(self, ppm=0, tick_s=0, utc_s=_MIDNIGHT, uncertainty_s=0, blocks=24):
        self.store = Store(Flash(blocks))
        self.store.mount()
        self.anchors = clock.Anchors([clock.pack_anchor(1, tick_s, utc_s, 0, uncertainty_s)], ppm)
        self.number = 1

    def hear(self, ident, at_s, minutes=_ALL, mean=-60, tx=0, segment=1, slot=None):
        minute = (at_s - _MIDNIGHT) // 60
        record = sighting.pack(self.number, ident, segment, minute, 30, mean, tx, sighting.flat(minutes, mean))
        self.store.append(spec.SIGHTING, at_s // 900 if slot is None else slot, record)

    def encounter(self, key, at_s, slots, **how):
        """Each ID of the chain whose day begins at midnight of _DAY, heard in its own slot."""
        for number in range(slots):
            slot = at_s // 900 + number
            self.hear(_ident(key, slot), slot * 900, **how)

    def decide(self, records, issued_s=_ISSUED, minutes=15, tolerance=2, capacity=1024, own_group=None):
        header = _Header(self.number, issued_s, _sharp(minutes, tolerance))
        matcher = Matcher(header, self.store, self.anchors, capacity, own_group)
        self.steps = sum([1 for _ in matcher.run(lambda: iter(records))])
        self.matcher = matcher
        found = matcher.exposure.decided
        return found and found[:2]


def _sharp(minutes, tolerance):
    # Near at -66 dBm and up as sent with 0 dBm, far at -70 and down; what is around plays no part.
    sharp = {"bias": -3000, "slope": 1000, "share": 0, "adverts": 0, "least": 128}
    return rules.changed(minutes=minutes, tolerance=tolerance, rigid=0, at_rest=255, noise=0, **sharp)


def _ident(key, slot):
    chain = scheme.get(1).Chain(key, _MIDNIGHT // 900)
    chain.skip(slot - _MIDNIGHT // 900)
    return chain.id()


def _record(key=_KEY, first=_MIDNIGHT // 900, count=96, index=0):
    return keylist.pack_record(key, first, index, count)


def test_half_an_hour_near_a_case_alerts_with_day_and_minutes():
    world = _World()
    world.encounter(_KEY, _NOON, 2)
    assert world.decide([_record(bytes(32)), _record()]) == (_DAY, 30)


def test_strangers_never_match():
    world = _World()
    world.encounter(bytes([9]) * 32, _NOON, 8)
    assert world.decide([_record(), _record(bytes(32))]) is None
    assert world.decide([]) is None
    assert _World().decide([_record()]) is None


def test_identifier_that_differs_in_any_one_byte_is_another():
    for place in range(12):
        world = _World()
        for number in range(4):
            other = bytearray(_ident(_KEY, _NOON // 900 + number))
            other[place] ^= 1
            world.hear(bytes(other), _NOON + 900 * number)
        assert world.decide([_record()]) is None, place


def test_one_identifier_for_less_than_the_rules_minutes_is_no_contact():
    world = _World()
    world.hear(_ident(_KEY, _NOON // 900), _NOON, 0x0FFF)
    assert world.decide([_record()], minutes=13) is None
    assert world.decide([_record()], minutes=12) == (_DAY, 12)


def test_two_identifiers_add_up():
    world = _World()
    world.encounter(_KEY, _NOON, 2, minutes=0x00FF)
    assert world.decide([_record()]) == (_DAY, 16)
    assert world.decide([_record()], minutes=17) is None


def test_attenuation_takes_tx_power_into_account():
    for tx, mean, near in ((0, -66, True), (0, -70, False), (8, -58, True), (8, -62, False), (-12, -78, True)):
        world = _World()
        world.encounter(_KEY, _NOON, 2, tx=tx, mean=mean)
        assert (world.decide([_record()]) is not None) == near
    world = _World()
    world.encounter(_KEY, _NOON, 2, tx=spec.TX_UNKNOWN, mean=-66)
    assert world.decide([_record()])
    world = _World()
    world.encounter(_KEY, _NOON, 2, mean=spec.RSSI_UNKNOWN)
    assert world.decide([_record()]) is None


def test_days_without_a_hit_are_not_compared_again():
    world = _World()
    walks = []

    def compared(done, reached):
        walks.clear()
        header = _Header(1, _MIDNIGHT + 6 * 86400, _sharp(15, 2))
        matcher = Matcher(header, world.store, world.anchors, 1024, None, done, reached)
        for _ in matcher.run(lambda: iter([_record()] if not walks.append(1) else ())):
            yield matcher.done, matcher.reached

    for day in range(6):
        world.encounter(_KEY if day == 2 else bytes([9]) * 32, _NOON + day * 86400, 4)
    marks = list(compared(0, 0))
    assert len(walks) == 6
    halfway = [mark for mark in marks if mark[0] == 0b110000][0]
    list(compared(*halfway))
    assert len(walks) == 4, "the third day and those after it"
    list(compared(*marks[-1]))
    assert len(walks) == 1, "the third day alone"


def test_record_of_the_own_group_alerts_nobody():
    world = _World()
    world.encounter(_KEY, _NOON, 2)
    assert world.decide([_record()], own_group=lambda record: record[:32] == _KEY) is None
    assert world.decide([_record()], own_group=lambda record: record[:32] != _KEY) == (_DAY, 30)


def test_far_identifiers_make_a_contact_but_no_minutes():
    world = _World()
    world.encounter(_KEY, _NOON, 1, minutes=0x03FF)
    world.encounter(_KEY, _NOON + 900, 3, mean=-90)
    assert world.decide([_record()], minutes=10) == (_DAY, 10)


def test_identifier_heard_far_from_its_slot_does_not_count():
    for late_slots, counts in ((0, True), (2, True), (3, False), (-2, True), (-3, False), (48, False)):
        world = _World()
        for number in range(2):
            slot = _NOON // 900 + number
            world.hear(_ident(_KEY, slot), (slot + late_slots) * 900 + 60, 0x1FFF)
        assert (world.decide([_record()]) is not None) == counts, late_slots


def test_unsure_clock_widens_the_tolerance_up_to_eight_slots():
    for uncertainty_s, late_slots, counts in ((0, 5, False), (3600, 5, True), (60000, 8, True), (60000, 9, False)):
        world = _World(uncertainty_s=uncertainty_s)
        for number in range(2):
            slot = _NOON // 900 + number
            world.hear(_ident(_KEY, slot), (slot + late_slots) * 900 + 60, 0x1FFF)
        assert (world.decide([_record()]) is not None) == counts


def test_sighting_after_the_lists_issue_never_matches():
    world = _World()
    world.encounter(_KEY, _NOON, 4)
    assert world.decide([_record()], issued_s=_NOON + 3600)
    assert world.decide([_record()], issued_s=_NOON - 60) is None
    assert world.decide([_record()], issued_s=_NOON + 1800) == (_DAY, 30)


def test_sightings_are_dated_by_an_anchor_that_came_later():
    # The store's slots are three days off; the anchor, two hours after, puts them right.
    world = _World(tick_s=43200 + 7200, utc_s=_NOON + 7200)
    for number in range(2):
        slot = _NOON // 900 + number
        world.hear(_ident(_KEY, slot), slot * 900, slot=slot - 288)
    assert world.decide([_record()]) == (_DAY, 30)


def test_segment_without_any_date_is_matched_by_the_stores_slots():
    world = _World()
    world.encounter(_KEY, _NOON, 2, segment=7)
    assert world.decide([_record()]) is not None


def test_encounter_across_midnight_is_one():
    world = _World()
    world.encounter(_KEY, _MIDNIGHT + 86400 - 900, 2, minutes=0x00FF)
    found = world.decide([_record(count=192)])
    assert found[1] == 16 and found[0] in (_DAY, _DAY + 1)


def test_encounter_across_two_keys_of_a_day_chain_follows_the_chain():
    world = _World()
    world.encounter(_KEY, _MIDNIGHT + 2 * 86400 - 3600, 8)
    assert world.decide([_record(count=672)])[1] == 120


def test_minutes_further_apart_than_a_day_do_not_add_up():
    world = _World()
    world.encounter(_KEY, _NOON, 2, minutes=0x000F)
    world.encounter(_KEY, _NOON + 86400, 2, minutes=0x000F)
    assert world.decide([_record(count=672)], minutes=15) is None
    assert world.decide([_record(count=672)], minutes=8) == (_DAY + 1, 8)


def test_minute_near_two_cases_counts_once():
    world = _World()
    world.encounter(_KEY, _NOON, 2, minutes=0x00FF)
    world.encounter(bytes(32), _NOON, 2, minutes=0x00FF)
    records = [_record(), _record(bytes(32))]
    assert world.decide(records, minutes=17) is None
    assert world.decide(records, minutes=16)[1] == 16


def test_repeated_sighting_counts_once():
    world = _World()
    for _ in range(3):
        world.encounter(_KEY, _NOON, 2, minutes=0x001F)
    assert world.decide([_record()], minutes=11) is None


def test_only_the_records_own_slots_count():
    world = _World()
    world.encounter(_KEY, _NOON, 4)
    noon = _NOON // 900
    assert world.decide([_record(first=noon + 4, index=52, count=40)]) is None
    assert world.decide([_record(first=noon + 2, index=50, count=2)])[1] == 30


def test_pieces_of_any_size_decide_the_same():
    world = _World()
    for number in range(40):
        world.encounter(bytes([number + 1]) * 32, _NOON, 2)
        if number == 20:
            world.encounter(_KEY, _NOON, 2)
    steps = []
    for capacity in (1, 2, 7, 1024):
        assert world.decide([_record(bytes(32)), _record()], capacity=capacity) == (_DAY, 30)
        steps.append(world.steps)
    assert steps == sorted(steps)[::-1] and steps[-1] * 5 < steps[0]


def test_too_many_hits_are_counted_and_still_decided():
    world = _World(blocks=18)
    world.encounter(_KEY, _MIDNIGHT, 672)
    assert world.decide([_record(count=672)], issued_s=_MIDNIGHT + 8 * 86400)[1] == 1440
    assert world.matcher.exposure.hits_dropped == 672 - 640


def test_sighting_written_twice_is_one_hit():
    world = _World()
    for _ in range(3):
        world.encounter(_KEY, _MIDNIGHT, 96)
    assert world.decide([_record()])[1] == 1440
    assert world.matcher.exposure.hits_dropped == 0


def test_hostile_record_is_bounded_and_harmless():
    world = _World()
    world.encounter(_KEY, _NOON, 2)
    hostile = [keylist.pack_record(_KEY, first, index, 65535) for first in (0, 0xFFFFFFFF) for index in (0, 65535)]
    assert world.decide(hostile) is None


def test_gaen_sightings_match_and_open_their_tx_power():
    tek = bytes(range(16))
    gaen = scheme.get(2)
    for tx, mean, near in ((8, -58, True), (8, -62, False)):
        world = _World()
        world.number = 2
        for slot in (_NOON // 600, _NOON // 600 + 1):
            chain = gaen.Chain(tek, slot)
            sealed = chain.aem(b"\x40" + bytes((tx,)) + b"\0\0")[1]
            world.hear(chain.id(), slot * 600, 0x03FF, mean, sealed - 256 if sealed > 127 else sealed)
        record = keylist.pack_record(tek, _MIDNIGHT // 600, _MIDNIGHT // 600 & 0xFFFF, 144)
        found = world.decide([record])
        assert (found == (_DAY, 20)) if near else found is None


def test_other_schemes_sightings_are_left_out():
    world = _World()
    world.encounter(_KEY, _NOON, 2)
    world.number = 2
    assert world.decide([keylist.pack_record(bytes(16), _MIDNIGHT // 600, 0, 144)]) is None
