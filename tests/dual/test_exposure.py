# From levels to minutes within the distance, and the decision: levels, receiver, robustness, whom it leaves out.
import rules

from emask import sighting
from emask.context import MORE, Context
from emask.encounter import Encounter, chance, odds
from emask.exposure import Exposure

_DAY = 20660
_MIDNIGHT = _DAY * 1440
_NOON = _MIDNIGHT + 720
_SLOT = 15
_NEAR, _FAR = -70, -98
_PART = _NOON // 240
_PLACE = MORE  # of noon's block


class _Wearer:
    """What one token heard: sightings of the case (records 0, 1 ...) and of strangers."""

    def __init__(self, **change):
        self.rule = rules.changed(**change)
        self.exposure = Exposure(self.rule)
        self._heard = []
        self._of_record = []

    def hear(self, minute, levels, record=None, tx=0, still=False, id_slot=None, adverts=6):
        """levels: dBm or None for each minute from `minute` on; cut into sightings at the quarters of an hour."""
        at = 0
        while at < len(levels):
            first = minute + at
            part = levels[at : at + _SLOT - first % _SLOT]
            packed = bytearray(8)
            heard = 0
            for number, dbm in enumerate(part):
                code = 0 if dbm is None else sighting.level_code(dbm)
                packed[number >> 1] |= code << 4 * (number & 1)
                heard += code > 0
            if heard:
                levels_of = bytes(packed)
                self._heard.append((first, min(255, adverts * heard), levels_of))
                if record is not None:
                    slot = first // _SLOT if id_slot is None else id_slot
                    self.exposure.hit(record, slot, first, tx, min(255, adverts * heard), levels_of, still)
                    self._of_record.append((record, (_PART, first, tx, still, min(255, adverts * heard), levels_of)))
            at += len(part)

    def decide(self):
        """(day, minutes, length, nearness, certainty) or None."""
        for _ in self.exposure.run(lambda part: self._heard):
            pass
        found = self.exposure.decided
        return found and found[:2] + (found[2] & 3, found[2] >> 2 & 3, found[2] >> 4)

    def minutes(self):
        found = self.decide()
        return found and found[1]

    def evidence(self, place=_PLACE, record=0):
        """(level, more) of a block of the part after noon, as the engine sees it."""
        context = Context(_PART)
        for one in self._heard:
            context.hear(*one)
        sender = Encounter(self.rule, context)
        for of_record, fields in self._of_record:
            if of_record == record:
                sender.add(*fields)
        return sender.evidence(place)


def _wander(count, dbm=_NEAR, span=12):
    # Levels as worn tokens have them: about dbm, within +-span/2, never the same for long.
    state = 12345
    found = []
    for _ in range(count):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        found.append(dbm - span // 2 + (state >> 16) % (span + 1))
    return found


def test_chance_is_the_logistic_function():
    for log_odds, exact in (
        (0, 128),
        (256, 187),
        (-256, 69),
        (512, 225),
        (1280, 254),
        (-1280, 2),
        (99999, 255),
        (-99999, 1),
    ):
        assert abs(chance(log_odds) - exact) <= 1, (log_odds, chance(log_odds))
    found = [chance(log_odds) for log_odds in range(-1500, 1500, 7)]
    assert found == sorted(found)


def test_twenty_minutes_beside_a_case_alert_and_across_the_room_do_not():
    for dbm, minutes, alerts in ((_NEAR, 20, True), (_NEAR, 10, False), (_FAR, 20, False), (_FAR, 480, False)):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(minutes, dbm), 0)
        found = wearer.decide()
        assert (found is not None) == alerts, (dbm, minutes)
        if alerts:
            assert found[:2] == (_DAY, minutes)


def test_minutes_are_counted_wherever_the_encounter_begins_in_its_block():
    for start in range(5):
        wearer = _Wearer()
        wearer.hear(_NOON + start, _wander(21), 0)
        assert wearer.minutes() == 21


def test_decision_says_how_long_how_near_and_how_sure():
    by_length = []
    for minutes in (20, 40, 90, 300):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(minutes), 0)
        by_length.append(wearer.decide())
    assert [found[2] for found in by_length] == [0, 1, 2, 3]
    assert by_length[0][4] <= by_length[3][4] == 3
    by_level = []
    for dbm in (-81, -66):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(60, dbm), 0)
        by_level.append(wearer.decide())
    assert by_level[0][3] < by_level[1][3]


def test_level_counts_against_the_power_it_was_sent_with():
    # 12 dB more sent and 12 dB more heard is the same distance.
    for tx in (-12, 0, 8):
        wearer = _Wearer(share=0)
        wearer.hear(_NOON, _wander(30, _NEAR + tx), 0, tx)
        assert wearer.minutes() == 30
    weak = _Wearer(share=0)
    weak.hear(_NOON, _wander(30, -88), 0, 10)
    assert weak.decide() is None


def test_correction_of_the_authority_moves_every_level():
    wearer = _Wearer(correction_db=25)
    wearer.hear(_NOON, _wander(30), 0)
    assert wearer.decide() is None


def test_lie_about_tx_power_is_believed_within_bounds_only():
    # A sender at the edge of hearing that claims to whisper, and one beside the wearer that claims to shout.
    for tx in (-21, -100, -128):
        whisper = _Wearer()
        whisper.hear(_NOON, [_FAR] * 30, 0, max(-21, tx))
        assert whisper.evidence()[0] <= _FAR + 21 + 15
        told = _Wearer()
        told.hear(_NOON, [-102] * 30, 0, tx)
        assert told.minutes() == _same_as_bound(-21, -102)
    for tx in (21, 100, 126):
        loud = _Wearer()
        loud.hear(_NOON, [-50] * 30, 0, tx)
        assert loud.minutes() == _same_as_bound(21, -50)


def _same_as_bound(tx, dbm):
    wearer = _Wearer()
    wearer.hear(_NOON, [dbm] * 30, 0, tx)
    return wearer.minutes()


def test_receivers_own_offset_is_mostly_taken_off():
    # A radio that adds 10 dB hears everybody so much stronger.
    levels = []
    for more in (0, 10):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(30, -84 + more, 2), 0)
        for stranger in range(12):
            wearer.hear(_NOON, _wander(30, -84 - stranger % 3 + more, 2))
        levels.append(wearer.evidence()[0])
    assert 2 <= levels[1] - levels[0] <= 6
    assert Context(_PART).own(_PLACE, 40) == (0, 0)


def test_offset_of_few_strangers_is_believed_little_and_a_crowd_that_shouts_moves_15_db_at_most():
    offsets = []
    for strangers, dbm in ((1, -78), (4, -78), (40, -78), (600, -50)):
        context = Context(_PART)
        for _ in range(strangers):
            context.hear(_NOON, 30, sighting.flat(0x1F, dbm))
        offsets.append(context.own(_PLACE, 0)[0])
    assert 0 < offsets[0] < offsets[1] < offsets[2] <= 7 and offsets[3] == 15


def test_who_is_heard_more_often_than_others_is_more_likely_near():
    evidence = []
    for adverts in (3, 6, 12):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(15, -84, 2), 0, adverts=adverts)
        for _ in range(6):
            wearer.hear(_NOON, _wander(15, -84, 2), adverts=6)
        evidence.append(wearer.evidence())
    assert evidence[0][1] < evidence[1][1] == 0 < evidence[2][1] <= 16
    found = [odds(wearer.rule, *one) for one in evidence]
    assert found == sorted(found) and found[0] < found[2]
    alone = _Wearer()
    alone.hear(_NOON, _wander(15), 0, adverts=1)
    assert alone.evidence()[1] == 0


def test_missing_levels_count_for_nothing_but_do_not_break_an_encounter():
    wearer = _Wearer()
    wearer.hear(_NOON, [127] * 60, 0)
    assert wearer.decide() is None
    mixed = _Wearer()
    mixed.hear(_NOON, [127, -70, 127, -74] * 10, 0)
    assert mixed.minutes() == 39  # the first one is unknown, and nothing before it speaks for it


def test_one_strong_packet_among_weak_ones_is_not_a_contact():
    wearer = _Wearer()
    wearer.hear(_NOON, _wander(60, _FAR, 4)[:30] + [-40] + _wander(60, _FAR, 4)[:29], 0)
    assert wearer.decide() is None


def test_encounter_in_pieces_adds_up_within_a_day_only():
    pieces = _Wearer()
    for hour in range(4):
        pieces.hear(_NOON + 60 * hour, _wander(5), 0)
    assert pieces.minutes() == 20
    apart = _Wearer()
    for day in range(4):
        apart.hear(_NOON + 1440 * day, _wander(8), 0, id_slot=day)
    assert apart.decide() is None


def test_short_silence_in_an_encounter_is_bridged_and_a_long_one_is_not():
    for silence, minutes in ((4, 24), (30, 20)):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(10) + [None] * silence + _wander(10), 0)
        assert wearer.minutes() == minutes


def test_encounter_heard_every_fifth_minute_is_whole():
    # As of a token whose battery is nearly empty: a window every five minutes.
    wearer = _Wearer()
    wearer.hear(_NOON, [None, None, -70, None, None] * 5, 0)
    assert wearer.minutes() == 21  # from the first to the last


def test_midnight_divides_nothing():
    wearer = _Wearer()
    wearer.hear(_MIDNIGHT + 1440 - 10, _wander(8) + [None] * 4 + _wander(8), 0)
    assert wearer.minutes() == 20


def test_one_minute_near_makes_not_all_its_block_so():
    wearer = _Wearer(minutes=1)
    wearer.hear(_NOON, [-66, -98, -98, -98, -98] * 12, 0)
    assert wearer.minutes() is None or wearer.minutes() <= 12
    usual = _Wearer()
    usual.hear(_NOON, [-66, -98, -98, -98, -98] * 12, 0)
    assert usual.decide() is None


def test_minutes_further_away_take_off_what_they_give_by_chance():
    # A colleague across the room all day, of whose minutes one in six looks near; and half an hour at the same table.
    far = [-70 if block % 6 == 0 else -94 for block in range(96) for _ in range(5)]
    for noise, alerts in ((0, True), (64, False)):
        wearer = _Wearer(noise=noise)
        wearer.hear(_NOON, far, 0)
        assert (wearer.decide() is not None) == alerts
    lunch = _Wearer()
    lunch.hear(_NOON, far[:240] + _wander(30) + far[:210], 0)
    assert lunch.minutes() >= 15


def test_clock_step_makes_no_minute_twice():
    for step in (2, -2, 0):
        wearer = _Wearer(minutes=1)
        wearer.hear(_NOON, _wander(12), 0)
        wearer.hear(_NOON + step, _wander(12), 0, id_slot=1)
        assert wearer.minutes() == 12 + abs(step)


def test_two_cases_at_once_count_each_minute_once():
    wearer = _Wearer()
    for record in (0, 1):
        wearer.hear(_NOON, _wander(10), record)
        wearer.hear(_NOON + 20, _wander(4), record)
    assert wearer.decide() is None


def test_two_cases_one_after_the_other_add_up():
    wearer = _Wearer()
    wearer.hear(_NOON, _wander(10), 0, id_slot=1)
    wearer.hear(_NOON + 15, _wander(3), 0, id_slot=2)
    wearer.hear(_NOON + 30, _wander(12), 1)
    wearer.hear(_NOON + 45, _wander(3), 1)
    assert wearer.minutes() == 13 + 18  # three silent minutes of the second are bridged


def test_level_that_never_changes_is_no_wearer():
    hook = [-45, -45, -46, -44] * 120
    night = _Wearer()
    night.hear(_NOON, hook, 0)
    assert night.decide() is None
    off = _Wearer(rigid=0)
    off.hear(_NOON, hook, 0)
    assert off.minutes() == 480
    # A morning on the hook does not hide the lunch that follows.
    both = _Wearer()
    both.hear(_NOON, hook[:240] + [None] * 30 + _wander(20), 0)
    assert both.minutes() == 20


def test_unchanging_level_over_midnight_is_one_thing():
    for before in (20, 40, 60):
        wearer = _Wearer()
        wearer.hear(_MIDNIGHT + 1440 - before, [-45] * 60, 0)
        assert wearer.decide() is None


def test_minutes_of_an_own_token_that_lies_about_count_up_to_the_rules_limit():
    for at_rest, minutes in ((60, 60), (10, None), (255, 300)):
        wearer = _Wearer(at_rest=at_rest)
        wearer.hear(_NOON, _wander(300), 0, still=True)
        assert wearer.minutes() == minutes


def test_pause_leaves_its_blocks_out():
    for first, last, minutes in ((_NOON, _NOON + 59, None), (_NOON + 30, _NOON + 59, 30), (0, 10, 60)):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(60), 0)
        wearer.exposure.pauses.append((first, last))
        assert wearer.minutes() == minutes


def test_own_group_is_left_out_unless_the_rule_says_otherwise():
    for flags, alerts in ((0, False), (1, True)):
        wearer = _Wearer(flags=flags)
        wearer.hear(_NOON, _wander(60), 0)
        wearer.exposure.left_out.add(0)
        assert (wearer.decide() is not None) == alerts


def test_one_identifier_heard_for_less_than_the_rules_minutes_is_no_contact():
    # As a relay makes it: one identifier, repeated elsewhere.
    wearer = _Wearer(minutes=14)
    wearer.hear(_NOON, _wander(13), 0)
    wearer.hear(_NOON, _wander(14), 1)
    assert wearer.minutes() == 14
    relayed = _Wearer(minutes=14)
    relayed.hear(_NOON, _wander(13), 0, id_slot=7)
    assert relayed.decide() is None


def test_state_is_bounded_whatever_is_heard():
    wearer = _Wearer()
    for slot in range(700):
        wearer.hear(_MIDNIGHT + _SLOT * slot, _wander(15), 0)
    assert wearer.exposure.hits_dropped == 60
    assert wearer.minutes() == 1440


def test_extreme_levels_and_powers_stay_in_range():
    for dbm in (-128, -1, 20, 126):
        for tx in (-128, 127):
            wearer = _Wearer()
            for record in range(3):
                wearer.hear(_NOON, [dbm] * 40, record, tx, adverts=255)
            wearer.decide()
            for correction in (-128, 127):
                wearer.rule = rules.changed(correction_db=correction)
                assert 0 <= chance(odds(wearer.rule, *wearer.evidence())) <= 256
