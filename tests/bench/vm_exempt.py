"""Owns the facts of household, pause and details on the token, on the VM. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_firmware import alert, board, keylist, peer, spec  # noqa: E402

from emask import group  # noqa: E402

UTC = rig.UTC
CLINIC = peer.certificate(spec.PROXY_KIOSK_KEY, 11, 0, UTC - 86400, UTC + 10 * 86400)
HOME = bytes(range(16))
CASE = b"\x05" * 32
SECOND = b"\x21" * 32
SECOND_CERTIFICATE = peer.certificate(spec.KIOSK_KEY, 12, 0, UTC - 86400, UTC + 10 * 86400, SECOND)


def field(value):
    return value + bytes(32 - len(value))


def ask(device, flags, value=b"", certificate=CLINIC, days=0):
    """(result, records, details) of one visit."""
    visit = rig.Visit(device, device.own_s(), certificate)
    result, records = visit.ask(flags, days, field(value))
    return result, records, visit.kiosk.details


def minutes(number):
    return number.to_bytes(2, "little")


def beside_a_case(device):
    """Worn beside a case for some minutes; the case's record."""
    (record,) = rig.beside(device, [CASE])
    return record


def compared(device, record):
    """Whether the list with this record alerts."""
    from matching import Matching

    data = rig._list([record], issued_s=device.own_s() + 7200)
    assert rig.Visit(device, device.own_s()).hand(data) == rig._acked(spec.LIST_OK)
    asyncio.run(Matching(device).run())
    return device.alert is not None


def test_contact_within_the_household_does_not_alert():
    device, _ = rig.handed_over()
    ask(device, spec.ASK_HOUSEHOLD, HOME)
    assert not compared(device, group.marked(HOME, beside_a_case(device)))


def test_contact_with_another_household_alerts():
    device, _ = rig.handed_over()
    ask(device, spec.ASK_HOUSEHOLD, HOME)
    assert compared(device, group.marked(bytes(range(1, 17)), beside_a_case(device)))


def test_household_that_was_left_alerts_again():
    device, _ = rig.handed_over()
    ask(device, spec.ASK_HOUSEHOLD, HOME)
    ask(device, spec.ASK_HOUSEHOLD)
    assert compared(device, group.marked(HOME, beside_a_case(device)))


def given(device):
    board.pressed_ms = 90000
    result, records, _ = ask(device, spec.ASK_UPLOAD, b"c" * 32, days=14)
    board.pressed_ms = 0
    assert result == spec.UPLOAD_GIVEN and records
    return records


def test_upload_bears_the_mark_of_the_household():
    device, _ = rig.handed_over()
    ask(device, spec.ASK_HOUSEHOLD, HOME)
    device = rig.boot()  # a new battery
    ask(device, 0)
    rig.Visit(device, device.own_s(), SECOND_CERTIFICATE, SECOND)  # two agree: the time is known again
    rig.minutes(device, 60)
    assert all(group.own(HOME, record) for record in given(device))


def test_upload_of_who_has_no_household_bears_a_mark_of_chance():
    marks = set()
    for _ in range(4):
        device, _ = rig.handed_over()
        rig.minutes(device, 60)
        marks |= {keylist.mark_of(record) for record in given(device)}
    assert len(marks) >= 4, "four equal ones in 16,384 would be no chance"


def test_minutes_of_a_pause_do_not_count_and_those_after_it_do():
    for length, alerts in ((60, False), (10, True)):
        device, _ = rig.handed_over()
        ask(device, spec.ASK_PAUSE, minutes(length))
        assert compared(device, beside_a_case(device)) == alerts, length


def test_pause_ends_when_it_is_told_to():
    import exempt

    device, _ = rig.handed_over()
    ask(device, spec.ASK_PAUSE, minutes(240))
    begun = device.own_s() // 60
    rig.minutes(device, 30)
    ask(device, spec.ASK_PAUSE, minutes(0))
    assert list(exempt.pauses(device)) == [begun, device.own_s() // 60]
    assert compared(device, beside_a_case(device))


def test_pauses_are_bounded_in_length_and_number_and_outlive_a_boot():
    import exempt

    device, _ = rig.handed_over()
    for _ in range(17):
        ask(device, spec.ASK_PAUSE, minutes(65535))
        rig.minutes(device, 1)
    kept = list(exempt.pauses(rig.boot()))
    assert len(kept) == 30 and kept == sorted(kept)
    assert kept[-1] - kept[-2] == spec.PAUSE_MAX_MIN


def alerted():
    device, _ = rig.handed_over()
    grade = alert.GRADE_CONTACT | 2 << 2 | 3 << 4 | 1 << 6
    device.set_alert(alert.pack(UTC // 86400, grade, 0, 5, UTC // 86400 + 14))
    return device, grade


def test_details_are_told_if_they_are_asked_for():
    device, grade = alerted()
    assert ask(device, spec.ASK_DETAILS)[2] == grade and ask(device, 0)[2] == 0
    assert ask(device, spec.ASK_DETAILS | spec.ASK_ACK_ALERT)[2] == grade
    assert ask(device, spec.ASK_DETAILS)[2] == 0, "the alert is over"


def test_kiosk_that_is_no_clinics_sets_and_learns_nothing():
    import exempt

    device, _ = alerted()
    for flags, value in ((spec.ASK_HOUSEHOLD, HOME), (spec.ASK_PAUSE, minutes(60)), (spec.ASK_DETAILS, b"")):
        assert ask(device, flags, value, rig.CERTIFICATE)[2] == 0
    assert exempt.household(device) is None and not len(exempt.pauses(device))


def test_shelved_token_joins_no_household():
    import exempt

    board.fresh()
    device = rig.boot()
    visit = rig.Visit(device, UTC, CLINIC)
    visit.ask(spec.ASK_HOUSEHOLD, 0, field(HOME))
    assert exempt.household(device) is None


if __name__ == "__main__":
    rig.main(globals())
