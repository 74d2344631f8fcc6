"""Owns the facts of alerts whose records a list withdraws, on the VM. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_firmware import alert, board, peer, spec  # noqa: E402

from emask import met  # noqa: E402

FIRST, SECOND, OTHER = b"\x05" * 32, b"\x06" * 32, b"\x07" * 32
DAY = rig.UTC // 86400


def hand(device, records, serial, withdrawn=(), **how):
    """The token's answer to a list."""
    marks = [met.mark(key, serial) for key in withdrawn]
    data = rig._list(records, serial, device.own_s() + 7200, withdrawn=marks, **how)
    found = rig.Visit(device, device.own_s()).hand(data)
    device.let_go()
    return found


def take(device, records, serial, withdrawn=()):
    """A list comes and is compared."""
    from matching import Matching

    assert hand(device, records, serial, withdrawn) == rig._acked(spec.LIST_OK)
    asyncio.run(Matching(device).run())


def alerted(keys=(FIRST,)):
    device, _ = rig.handed_over()
    records = rig.beside(device, keys)
    take(device, records, 5)
    assert device.alert_open()
    return device, records


def says(device):
    """What the status says of an alert: its day, or that it was taken back."""
    status = rig.Visit(device, device.own_s()).status
    assert bool(status[2] & spec.STATE_ALERT) == (status[6] > spec.ALERT_TAKEN_BACK)
    return status[6]


def test_withdrawn_record_takes_its_alert_back_and_the_wearer_is_told():
    import alerter

    device, _ = alerted()
    assert says(device) == DAY
    take(device, [], 6, [OTHER, FIRST])
    assert not device.alert_open() and says(device) == spec.ALERT_TAKEN_BACK
    again = rig.boot()
    assert not again.alert_open() and again.alert_unsaid()
    board.outputs.clear()
    asyncio.run(alerter.Signal(again).run())
    assert rig.lit() == ["motor"] * 2 + ["led"] * 2, "nobody else hears it"
    assert again.alert_next_ms - board.now_ms > 80_000_000, "a reminder a day"


def test_long_press_or_a_kiosk_ends_the_telling():
    import alerter

    for by_press in (True, False):
        device, _ = alerted()
        take(device, [], 6, [FIRST])
        if by_press:
            board.pressed_ms = 5000
            asyncio.run(alerter.Press(device, None).run())
            board.pressed_ms = 0
        else:
            rig.Visit(device, device.own_s()).ask(spec.ASK_ACK_ALERT)
        assert not device.alert_unsaid() and not device.alert_open() and says(device) == 0


def test_telling_ends_when_the_alert_would_have():
    device, _ = alerted()
    take(device, [], 6, [FIRST])
    assert alert.unsaid(device.alert, DAY + 14) and not alert.unsaid(device.alert, DAY + 15)


def test_withdrawal_of_what_never_matched_changes_nothing():
    device, _ = alerted()
    before = device.alert, bytes(device.store.latest(spec.MET)[1])
    take(device, [], 6, [OTHER, SECOND])
    assert (device.alert, bytes(device.store.latest(spec.MET)[1])) == before
    device, _ = rig.handed_over()
    rig.beside(device, [FIRST])
    take(device, [], 6, [FIRST])
    assert device.alert is None and device.store.latest(spec.MET) is None


def test_of_two_contacts_the_one_that_is_left_still_warns():
    device, _ = alerted((FIRST, SECOND))
    device.set_alert(alert.flagged(device.alert, alert.HEARD))
    device.alert_next_ms = 12345
    take(device, [], 6, [FIRST])
    assert device.alert_open() and device.alert[2] == alert.HEARD and device.alert_next_ms == 12345, "no new signal"
    take(device, [], 7, [FIRST, SECOND])
    assert not device.alert_open() and says(device) == spec.ALERT_TAKEN_BACK


def test_contact_that_is_left_but_was_not_near_does_not_warn():
    device, _ = rig.handed_over()
    take(device, rig.beside(device, [FIRST, SECOND], 40, (-50, -95)), 5)
    assert device.alert_open() and len(met.unpack(device.store.latest(spec.MET)[1])[1]) == 2
    take(device, [], 6, [FIRST])
    assert not device.alert_open()


def test_alert_of_more_records_than_are_kept_is_not_taken_back_by_some_of_them():
    device, _ = alerted((FIRST, SECOND, OTHER))
    kept = [record[:32] for record in met.unpack(device.store.latest(spec.MET)[1])[1]]
    take(device, [], 6, kept)
    assert len(kept) == 2 and device.alert_open()


def test_alert_that_was_taken_back_does_not_come_back_and_another_contact_warns():
    device, records = alerted()
    take(device, [], 6, [FIRST])
    take(device, [], 7, [FIRST])
    assert says(device) == spec.ALERT_TAKEN_BACK, "nor is it told anew"
    assert hand(device, records, 5) == rig._acked(spec.LIST_OLD_SERIAL), "a replayed list"
    others = rig.beside(device, [SECOND])
    take(device, others, 8, [FIRST])
    assert device.alert_open() and says(device) == DAY


def test_alert_before_the_one_taken_back_does_not_come_back():
    device, _ = alerted()
    rig.Visit(device, device.own_s()).ask(spec.ASK_ACK_ALERT)
    old = device.alert
    for _ in range(96):
        board.move(900_000)
        rig.minutes(device, 1)
    later = rig.beside(device, [SECOND])
    take(device, later, 6)
    assert device.alert_open() and device.alert[0] > old[0]
    take(device, [], 7, [SECOND])
    assert not device.alert_open() and device.alert[0] == old[0]


def test_withdrawal_that_the_authority_did_not_sign_is_not_believed():
    device, _ = alerted()
    assert hand(device, [], 6, [FIRST], key=peer.KIOSK) == rig._acked(spec.LIST_NOT_TRUSTED)
    assert device.alert_open() and not device.list_waits


def cut_off(device, writes):
    """Compare, with a reset at that write; the device as it is after it."""
    from matching import Matching

    store = device.store
    append = store.append
    left = [writes]

    def cut(kind, slot, payload):
        left[0] -= 1
        if not left[0]:
            raise board.Reset
        append(kind, slot, payload)

    store.append = cut
    try:
        asyncio.run(Matching(device).run())
    except board.Reset:
        device = rig.boot()
        if device.list_waits:
            asyncio.run(Matching(device).run())
    store.append = append
    return device


def test_cut_of_power_at_any_write_ends_in_the_same():
    for writes in range(1, 6):
        device, _ = alerted()
        assert hand(device, [], 6, [FIRST]) == rig._acked(spec.LIST_OK)
        device = cut_off(device, writes)
        assert not device.alert_open() and says(device) == spec.ALERT_TAKEN_BACK, writes


if __name__ == "__main__":
    rig.main(globals())
