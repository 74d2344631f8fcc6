# From levels to minutes within the distance, and the decision: levels, surroundings, robustness, whom it leaves out.
from emask import rule, sighting
from emask.exposure import Exposure, chance

_DAY = 20660
_MIDNIGHT = _DAY * 1440
_NOON = _MIDNIGHT + 720
_SLOT = 15
_NEAR, _FAR = -70, -98
_FIELDS = ("distance_dm", "minutes", "tolerance", "bias", "slope", "share", "context", "still_low", "still_high")
_FIELDS += ("correction_db", "tx_low", "tx_high", "least", "bridge", "rigid", "still", "noise", "patience", "flags")


def _rule(**change):
    # The rule built in, with changes; MicroPython's namedtuple has no _replace.
    return rule.Rule(*[change.pop(name, value) for name, value in zip(_FIELDS, rule.DEFAULT)])


class _Wearer:
    """What one token heard: sightings of the case (records 0, 1 ...) and of strangers."""

    def __init__(self, **change):
        self.exposure = Exposure(_rule(**change))
        self._heard = []

    def hear(self, minute, levels, record=None, tx=0, still=False, id_slot=None):
        """levels: dBm or None for each minute from `minute` on; cut into sightings at the quarters of an hour."""
        at = 0
        while at < len(levels):
            first = minute + at
            part = levels[at : at + _SLOT - first % _SLOT]
            packed = bytearray(8)
            for number, dbm in enumerate(part):
                code = 0 if dbm is None else sighting.level_code(dbm)
                packed[number >> 1] |= code << 4 * (number & 1)
            if any(packed):
                self._heard.append((first, bytes(packed)))
                if record is not None:
                    slot = first // _SLOT if id_slot is None else id_slot
                    self.exposure.hit(record, slot, first, tx, bytes(packed), still)
            at += len(part)

    def decide(self):
        context = self.exposure.context
        for take in (context.hear, context.compare):
            for minute, levels in self._heard:
                if context.wants(minute):
                    take(minute, levels)
        return self.exposure.decision()


def _wander(count, dbm=_NEAR, span=12):
    # Levels as worn tokens have them: about dbm, within +-span/2, never the same for long.
    state = 12345
    found = []
    for _ in range(count):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        found.append(dbm - span // 2 + (state >> 16) % (span + 1))
    return found


def test_chance_is_the_logistic_function():
    for odds, exact in (
        (0, 128),
        (256, 187),
        (-256, 69),
        (512, 225),
        (1280, 254),
        (-1280, 2),
        (99999, 255),
        (-99999, 1),
    ):
        assert abs(chance(odds) - exact) <= 1, (odds, chance(odds))
    found = [chance(odds) for odds in range(-1500, 1500, 7)]
    assert found == sorted(found)


def test_twenty_minutes_beside_a_case_alert_and_across_the_room_do_not():
    for dbm, minutes, alerts in ((_NEAR, 20, True), (_NEAR, 10, False), (_FAR, 20, False), (_FAR, 480, False)):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(minutes, dbm), 0)
        found = wearer.decide()
        assert (found is not None) == alerts, (dbm, minutes)
        if alerts:
            assert found.day == _DAY and found.minutes == minutes


def test_decision_says_how_long_how_near_and_how_sure():
    by_length = []
    for minutes in (20, 40, 90, 300):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(minutes), 0)
        by_length.append(wearer.decide())
    assert [found.length for found in by_length] == [0, 1, 2, 3]
    assert by_length[0].certainty <= by_length[3].certainty == 3
    by_level = []
    for dbm in (-82, -66):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(60, dbm), 0)
        by_level.append(wearer.decide())
    assert by_level[0].nearness < by_level[1].nearness


def test_level_counts_against_the_power_it_was_sent_with():
    # 12 dB more sent and 12 dB more heard is the same distance.
    found = []
    for tx in (-12, 0, 8):
        wearer = _Wearer(share=0)
        wearer.hear(_NOON, _wander(30, _NEAR + tx), 0, tx)
        found.append(wearer.decide().minutes)
    assert found == [30, 30, 30]
    weak = _Wearer(share=0)
    weak.hear(_NOON, _wander(30, -88), 0, 10)
    assert weak.decide() is None


def test_correction_of_the_authority_moves_every_level():
    wearer = _Wearer(correction_db=25)
    wearer.hear(_NOON, _wander(30), 0)
    assert wearer.decide() is None


def test_lie_about_tx_power_is_believed_within_bounds_only():
    minutes = []
    for tx in (-21, -100, -128):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(30, -106), 0, tx)
        found = wearer.decide()
        minutes.append(found and found.minutes)
    assert minutes[0] == minutes[1] == minutes[2]
    loud = _Wearer()
    loud.hear(_NOON, _wander(30, -50, 2), 0, 126)
    assert loud.exposure.evidence(0, _NOON, _NOON + 60)[_NOON // 5][0] >= -50 - 21 - 4


def test_receivers_own_offset_is_mostly_taken_off():
    # A radio that adds 10 dB hears everybody so much stronger.
    shares = []
    for more in (0, 10):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(30, -84 + more, 2), 0)
        for stranger in range(12):
            wearer.hear(_NOON, _wander(30, -84 - stranger % 3 + more, 2))
        wearer.decide()
        seen = wearer.exposure.evidence(0, _NOON, _NOON + 60)
        shares.append(sum([level for level, _, _ in seen.values()]) // len(seen))
    assert 2 <= shares[1] - shares[0] <= 6
    assert Exposure(_rule()).context.offset_db(1) == 0


def test_offset_of_few_strangers_is_believed_little():
    offsets = []
    for strangers in (1, 4, 40):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(15, -65, 0), 0)
        for _ in range(strangers):
            wearer.hear(_NOON, _wander(15, -65, 0))
        wearer.decide()
        offsets.append(wearer.exposure.context.offset_db(_NOON // 5))
    assert 0 < offsets[0] < offsets[1] < offsets[2] <= 20


def test_stillness_tells_sitting_people_from_walking_ones():
    found = []
    for moving in (False, True):
        wearer = _Wearer()
        for stranger in range(10):
            base = -60 - 4 * stranger
            for quarter in range(4):
                levels = []
                for block in range(3):
                    shift = 28 - 8 * ((stranger + 3 * block + quarter) % 8) if moving else 0
                    levels += _wander(5, base + shift, 4)
                wearer.hear(_NOON + 15 * quarter, levels, 0 if stranger == 0 else None)
        wearer.decide()
        found.append(wearer.exposure.context.stillness(_DAY))
    assert found[0] > 52 > 26 > found[1]


def test_surroundings_of_a_doubtful_block_decide_where_people_sit_still():
    # The same level in between: beside a case all the time, or passing by once.
    odds = Exposure(_rule()).odds
    assert odds(-86, -70, 64) > odds(-86, None, 64) > odds(-86, -100, 64)
    assert odds(-86, -70, 20) == odds(-86, -100, 20)


def test_missing_levels_count_for_nothing_but_are_heard():
    wearer = _Wearer()
    wearer.hear(_NOON, [127] * 60, 0)
    assert wearer.decide() is None
    mixed = _Wearer()
    mixed.hear(_NOON, [127, -70, 127, -74] * 10, 0)
    assert mixed.decide().minutes == 40


def test_one_strong_packet_among_weak_ones_is_not_a_contact():
    wearer = _Wearer()
    wearer.hear(_NOON, _wander(60, _FAR, 4)[:30] + [-40] + _wander(60, _FAR, 4)[:29], 0)
    assert wearer.decide() is None


def test_encounter_in_pieces_adds_up_within_a_day_only():
    pieces = _Wearer()
    for hour in range(4):
        pieces.hear(_NOON + 60 * hour, _wander(5), 0)
    assert pieces.decide().minutes == 20
    apart = _Wearer()
    for day in range(4):
        apart.hear(_NOON + 1440 * day, _wander(8), 0, id_slot=day)
    assert apart.decide() is None


def test_short_silence_in_an_encounter_is_bridged_and_a_long_one_is_not():
    for silence, minutes in ((4, 24), (30, 20)):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(10) + [None] * silence + _wander(10), 0)
        assert wearer.decide().minutes == minutes


def test_midnight_divides_nothing():
    wearer = _Wearer()
    wearer.hear(_MIDNIGHT + 1440 - 10, _wander(8) + [None] * 4 + _wander(8), 0)
    assert wearer.decide().minutes == 20


def test_one_minute_near_makes_not_all_its_block_so():
    wearer = _Wearer()
    wearer.hear(_NOON, [-66, -98, -98, -98, -98] * 12, 0)
    assert wearer.decide() is None
    assert wearer.exposure.minutes(0, _DAY) <= 12


def test_minutes_further_away_take_off_what_they_give_by_chance():
    # A colleague across the room all day, of whose minutes one in six looks near; and half an hour at the same table.
    far = [-70 if block % 6 == 0 else -94 for block in range(96) for _ in range(5)]
    for noise, alerts in ((0, True), (64, False)):
        wearer = _Wearer(noise=noise, context=0)
        wearer.hear(_NOON, far, 0)
        assert (wearer.decide() is not None) == alerts
    lunch = _Wearer(context=0)
    lunch.hear(_NOON, far[:240] + _wander(30) + far[:210], 0)
    assert lunch.decide().minutes >= 15


def test_clock_step_makes_no_minute_twice():
    wearer = _Wearer()
    wearer.hear(_NOON, _wander(12), 0)
    wearer.hear(_NOON + 2, _wander(12), 0, id_slot=1)
    assert wearer.exposure.minutes(0, _DAY) == 14
    assert wearer.decide() is None


def test_two_cases_at_once_count_each_minute_once():
    wearer = _Wearer()
    wearer.hear(_NOON, _wander(12), 0)
    wearer.hear(_NOON + 20, _wander(2), 0)
    wearer.hear(_NOON, _wander(12), 1)
    wearer.hear(_NOON + 20, _wander(2), 1)
    assert wearer.decide() is None


def test_level_that_never_changes_is_no_wearer():
    hook = [-45, -45, -46, -44] * 120
    night = _Wearer()
    night.hear(_NOON, hook, 0)
    assert night.decide() is None
    off = _Wearer(rigid=0)
    off.hear(_NOON, hook, 0)
    assert off.decide().minutes == 480
    # A morning on the hook does not hide the lunch that follows.
    both = _Wearer()
    both.hear(_NOON, hook[:240] + [None] * 30 + _wander(20), 0)
    assert both.decide().minutes == 20


def test_unchanging_level_over_midnight_is_one_thing():
    wearer = _Wearer()
    wearer.hear(_MIDNIGHT + 1440 - 70, [-45] * 140, 0)
    assert wearer.decide() is None


def test_minutes_of_an_own_token_that_lies_about_count_up_to_the_rules_limit():
    for still, alerts in ((60, True), (10, False), (255, True)):
        wearer = _Wearer(still=still)
        wearer.hear(_NOON, _wander(300), 0, still=True)
        found = wearer.decide()
        assert (found is not None) == alerts
        assert not alerts or found.minutes == (60 if still == 60 else 300)


def test_pause_leaves_its_minutes_out():
    for first, last, minutes in ((_NOON, _NOON + 59, None), (_NOON + 30, _NOON + 59, 30), (0, 10, 60)):
        wearer = _Wearer()
        wearer.hear(_NOON, _wander(60), 0)
        wearer.exposure.pause(first, last)
        found = wearer.decide()
        assert (found and found.minutes) == minutes


def test_own_group_is_left_out_unless_the_rule_says_otherwise():
    for flags, alerts in ((0, False), (rule.GROUPS_TOO, True)):
        wearer = _Wearer(flags=flags)
        wearer.hear(_NOON, _wander(60), 0)
        wearer.exposure.leave_out(0)
        assert (wearer.decide() is not None) == alerts


def test_one_identifier_heard_for_less_than_the_rules_minutes_is_no_contact():
    # As a relay makes it: one identifier, repeated elsewhere.
    wearer = _Wearer(minutes=14)
    wearer.hear(_NOON, _wander(13), 0)
    wearer.hear(_NOON, _wander(14), 1)
    assert wearer.decide().minutes == 14
    relayed = _Wearer(minutes=14)
    relayed.hear(_NOON, _wander(13), 0, id_slot=7)
    assert relayed.decide() is None


def test_state_is_bounded_whatever_is_heard():
    wearer = _Wearer()
    for slot in range(700):
        wearer.hear(_MIDNIGHT + _SLOT * slot, _wander(15), 0)
    assert len(wearer.exposure) == 640 and wearer.exposure.hits_dropped == 60
    assert wearer.decide().minutes == 1440


def test_extreme_levels_and_powers_stay_in_range():
    for dbm in (-128, -1, 20, 126):
        for tx in (-128, 127):
            wearer = _Wearer()
            for record in range(3):
                wearer.hear(_NOON, [dbm] * 40, record, tx)
            wearer.decide()
            for seen in wearer.exposure.evidence(0, _NOON, _NOON + 60).values():
                assert 0 <= chance(wearer.exposure.odds(*seen)) <= 255
