"""Owns the facts of the programme's end on the token: by a signed list, cut at any write. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
import vm_tracing as tracing  # noqa: E402
import vm_wipe as wiping  # noqa: E402
from vm_firmware import board, peer, spec  # noqa: E402

UTC = rig.UTC
END = {"flags": spec.LIST_END}


def ending(serial=9, **how):
    """A signed list that ends the programme."""
    return rig._list([], serial, UTC + 90000, flags=spec.LIST_END, **how)


def compared(device):
    """As chores.Chores does once a list waits."""
    from matching import Matching

    if device.list_waits:
        asyncio.run(Matching(device).run())


def told(device, data, certificate=rig.CERTIFICATE):
    """The token's answer to a list that a kiosk hands to it, and what it did then."""
    found = rig.Visit(device, device.own_s(), certificate).hand(data)
    compared(device)
    return found


def is_over(device, secrets):
    return device.state.ended and wiping.is_blank(device, secrets) and not device.list_waits


def test_signed_end_wipes_and_silences_the_token_for_good():
    device, secrets, _ = wiping.worn()
    assert told(device, ending()) == rig._acked(spec.LIST_OK)
    assert is_over(device, secrets)
    sent = len(device.radio.sent)
    asyncio.run(rig.Listener(device, lambda: None)._shelf())
    assert len(device.radio.sent) == sent and not any(secret in bytes(board.rtc) for secret in secrets)
    for reason in (board.WAKE_POWER, board.WAKE_TIMER, board.WAKE_RESET):
        again = rig.boot(reason)
        assert is_over(again, secrets), reason


def test_ended_token_says_so_to_kiosks_and_is_handed_to_nobody():
    device, _, _ = wiping.worn()
    told(device, ending())
    visit = rig.Visit(device, UTC + 200000)
    assert visit.status[2] & spec.STATE_ENDED and visit.status[2] & spec.STATE_SHELF
    assert visit.ask(spec.ASK_HANDOVER) == (spec.UPLOAD_NOT_ASKED, [])
    assert device.state.shelf and device.state.ended
    assert visit.hand(rig._list([], 10, UTC + 180000)) == rig._refused(spec.REFUSED_NOT_NOW)
    assert not rig.Visit(wiping.worn()[0], UTC + 200000).status[2] & spec.STATE_ENDED


def test_end_is_said_at_the_button_and_then_a_kiosk_may_come():
    import alerter

    from emask import rhythm

    device, _, _ = wiping.worn()
    opened = []
    for beats in (0, 4):
        board.outputs = []
        asyncio.run(alerter.Press(device, lambda: opened.append(1)).run())
        assert board.outputs.count(("led", True)) == board.outputs.count(("motor", True)) == beats
        told(device, ending())
    assert len(opened) == 2
    assert rhythm.ended() not in [rhythm.alert(grade, heard, False) for grade in (1, 2) for heard in (0, 1)]


def test_end_of_another_region_of_another_key_or_replayed_is_refused():
    device, secrets, _ = wiping.worn()
    other = peer.certificate(spec.LIST_KEY, 1, key=peer.KIOSK)
    by_recovery = peer.certificate(spec.LIST_KEY, 1, root=peer.RECOVERY)
    whole = bytearray(ending())
    at = 152 + 8 + 4 + 4 + 4 + 1  # the manifest's flags
    plain = bytearray(rig._list([], 9, UTC + 90000))
    assert whole[at] == spec.LIST_END and plain[at] == 0
    plain[at] = spec.LIST_END
    for why, data, answer in (
        ("another region", ending(region=5), spec.LIST_WRONG_REGION),
        ("another kind", ending(kind=spec.F1_LIST), spec.LIST_NOT_TRUSTED),
        ("a plain list with the flag put in", bytes(plain), spec.LIST_NOT_TRUSTED),
        ("signed by a kiosk", ending(key=peer.KIOSK), spec.LIST_NOT_TRUSTED),
        ("a kiosk's key as a list key", ending(key=peer.ROOT), spec.LIST_NOT_TRUSTED),
        ("a list key of no root", peer.list_file([], 9, UTC, vouched=by_recovery, **END), spec.LIST_NOT_TRUSTED),
        ("a kiosk's certificate", peer.list_file([], 9, UTC, vouched=rig.CERTIFICATE, **END), spec.LIST_NOT_TRUSTED),
        ("older", ending(2), spec.LIST_OLD_SERIAL),
    ):
        assert told(device, data) == rig._acked(answer), why
        assert not device.state.ended and not device.state.shelf, why
    assert wiping.left(secrets) == len(secrets) and device.alert_open()
    assert told(device, peer.list_file([], 9, UTC, vouched=other, key=peer.KIOSK, **END)) == rig._acked(spec.LIST_OK)


def test_end_that_was_passed_by_a_newer_list_can_not_be_replayed():
    device, _, _ = wiping.worn()
    assert told(device, rig._list([], 9, UTC + 90000)) == rig._acked(spec.LIST_OK)
    assert told(device, ending(8)) == rig._acked(spec.LIST_OLD_SERIAL) and not device.state.ended


def test_token_on_the_shelf_takes_no_list_and_so_no_end():
    board.fresh()
    device = rig.boot()
    visit = rig.Visit(device)
    assert visit.hand(ending()) == rig._refused(spec.REFUSED_NOT_NOW) and not device.state.ended


def test_power_cut_at_any_write_leaves_it_as_it_was_or_goes_on_with_the_end():
    device, secrets, _ = wiping.worn()
    image, staged = [bytes(board.partitions[name].data) for name in ("sightings", "lists")]
    now_ms = board.now_ms
    cuts = waits = 0
    over = False
    while True:
        flash = tracing.put_back(image, now_ms)
        board.partitions["lists"].data[:] = staged
        device = rig.boot()
        visit = rig.Visit(device, UTC + 9000)
        flash.left = cuts
        try:
            assert visit.hand(ending()) == rig._acked(spec.LIST_OK)
            compared(device)
            break
        except tracing._Cut:
            pass
        flash.left = 1 << 30
        again = rig.boot()
        if again.list_waits and not again.state.ended:
            assert again.alert_open() and wiping.left(secrets) == len(secrets), cuts
            waits += 1
        compared(again)
        if over or again.state.ended:
            assert is_over(again, secrets), cuts
            over = True
        else:
            assert again.alert_open() and wiping.left(secrets) == len(secrets), cuts
        assert is_over(rig.boot(), secrets) == over, cuts
        cuts += 1
    assert is_over(device, secrets) and over and waits and cuts > 8


if __name__ == "__main__":
    rig.main(globals())
