# Rhythms: felt, then seen, then heard; grades that nobody takes for each other; short enough to be waited for.
from emask import rhythm

MOTOR, LED, BUZZER = rhythm.MOTOR, rhythm.LED, rhythm.BUZZER


def parts(steps):
    return [part for _on, _off, part in steps]


def beats(steps, part):
    return [on for on, _off, one in steps if one == part]


def test_alert_is_felt_then_seen_then_heard():
    order = parts(rhythm.alert(1, False, True))
    assert order == sorted(order, key=(MOTOR, LED, BUZZER).index)
    assert set(order) == {MOTOR, LED, BUZZER}


def test_each_part_says_the_same():
    said = rhythm.alert(2, False, True)
    assert beats(said, MOTOR) == beats(said, LED) == beats(said, BUZZER)


def test_grades_differ_by_rhythm_alone():
    contact, lesser = rhythm.alert(1, False, False), rhythm.alert(2, False, False)
    assert beats(contact, MOTOR) == [rhythm.LONG_MS] * 3
    assert beats(lesser, MOTOR) == [rhythm.SHORT_MS] * 6
    assert rhythm.LONG_MS >= 3 * rhythm.SHORT_MS


def test_unknown_grade_is_signalled_as_a_contact():
    assert rhythm.alert(0, False, False) == rhythm.alert(3, False, False) == rhythm.alert(1, False, False)


def test_reminder_is_one_long_and_never_beeps():
    for aloud in (False, True):
        said = rhythm.alert(1, True, aloud)
        assert beats(said, MOTOR) == beats(said, LED) == [rhythm.LONG_MS] and not beats(said, BUZZER)


def test_that_an_alert_was_a_mistake_is_said_like_nothing_else_and_never_beeps():
    said = rhythm.taken_back()
    assert beats(said, MOTOR) == beats(said, LED) == [rhythm.SHORT_MS, rhythm.LONG_MS] and not beats(said, BUZZER)


def test_low_battery_is_a_long_flash_and_its_level_in_short_ones():
    for level in (1, 2, 3):
        said = rhythm.light(level)
        assert parts(said) == [LED] * (1 + level)
        assert beats(said, LED) == [rhythm.LONG_MS] + [rhythm.SHORT_MS] * level


def test_alive_is_one_flash_too_short_for_any_other():
    assert rhythm.light(0) == [(rhythm.ALIVE_MS, 0, LED)] and rhythm.ALIVE_MS * 10 < rhythm.SHORT_MS


def test_end_is_felt_and_seen_at_once_and_is_no_alert():
    assert parts(rhythm.ended()) == [MOTOR | LED] * 4
    long, short = rhythm.LONG_MS, rhythm.SHORT_MS
    assert beats(rhythm.ended(), MOTOR | LED) == [long, short, long, short]
    assert sum([on + off for on, off, _ in rhythm.ended()]) < 5000


def test_space_rests_longer_than_a_gap():
    (_, short_ms, _), (_, rest_ms, _), _ = rhythm.steps(".. .", (LED,))
    assert (short_ms, rest_ms) == (rhythm.GAP_MS, 2 * rhythm.GAP_MS)


def test_no_rhythm_takes_longer_than_a_breath():
    for grade in (1, 2):
        assert sum([on + off for on, off, _ in rhythm.alert(grade, False, True)]) < 15000
