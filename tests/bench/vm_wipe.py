"""Owns the facts of wiping a token, cut at any write of it, on the VM. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
import vm_tracing as tracing  # noqa: E402
from vm_firmware import alert, board, keylist, spec  # noqa: E402

UTC = rig.UTC
CASE = b"\x05" * 32


def worn():
    """A token that met a case, took a list and is alerted; what its flash must not hold any more."""
    from matching import Matching

    device, visit = rig.handed_over()
    visit.hand(rig._list([], serial=3, revoked=(11,)))
    asyncio.run(Matching(device).run())
    first = device.own_slot()
    now = rig.neighbour(first, CASE)
    secrets = set()
    for _ in range(40):
        payload = now(device)
        secrets.add(bytes(rig.advert.decode(payload)[1]))
        device.radio.heard = [(at, -50, payload) for at in (10, 110, 210)]
        rig.minutes(device, 1)
    device.radio.heard = []
    rig.minutes(device, 30)
    device.set_alert(alert.pack(UTC // 86400, alert.GRADE_CONTACT, 0, 5, UTC // 86400 + 14))
    secrets.add(bytes(device.identity._own.key))
    secrets.add(alert.pack(*device.alert))
    return device, secrets, keylist.pack_record(CASE, first, 0, 4)


def left(secrets):
    """How many of these the whole flash still holds."""
    data = bytes(board.partitions["sightings"].data)
    return sum([secret in data for secret in secrets])


def asked(device, pressed_ms=90000):
    """The result of a visit that asks to wipe."""
    visit = rig.Visit(device, device.own_s())
    board.pressed_ms = pressed_ms
    try:
        return visit.ask(spec.ASK_WIPE)[0]
    finally:
        board.pressed_ms = 0


def is_blank(device, secrets):
    kinds = (spec.KEY, spec.ANCHOR, spec.ALERT, spec.HOUSEHOLD, spec.PAUSES, spec.MET, spec.SIGHTING, spec.HEARD)
    return (
        device.state.shelf
        and not device.state.wiping
        and not device.alert_open()
        and not any(device.store.latest(kind) for kind in kinds)
        and left(secrets) == 0
    )


def test_wiped_token_holds_nothing_of_its_wearer():
    device, secrets, _ = worn()
    assert left(secrets) == len(secrets)
    assert asked(device) == spec.UPLOAD_WIPED
    assert is_blank(device, secrets)
    assert is_blank(rig.boot(), secrets)
    own = bytes(board.rtc)
    assert not any(secret in own for secret in secrets)


def test_token_is_wiped_by_a_long_press_only():
    device, secrets, _ = worn()
    for pressed_ms in (0, 500):
        assert asked(device, pressed_ms) == spec.UPLOAD_NOT_AGREED
    assert not device.state.shelf and device.alert_open() and left(secrets) == len(secrets)


def test_wiped_token_believes_whom_it_believed():
    device, _, _ = worn()
    asked(device)
    again = rig.boot()
    assert again.trust.revoked == (11,) and again.list_info.serial == 3
    revoked = rig.Visit(again, UTC + 9000, rig.vouched(11))
    assert revoked.opened == rig._refused(spec.REFUSED_NOT_TRUSTED)


def test_next_wearer_has_a_key_and_contacts_of_their_own():
    device, secrets, record = worn()
    asked(device)
    visit = rig.Visit(device, device.own_s())
    assert visit.status[5] and visit.status[7:11] == (0, 0, 0, 0), visit.status
    visit.ask(spec.ASK_HANDOVER)
    rig.minutes(device, 2)
    assert bytes(device.identity._own.key) not in secrets
    from matching import Matching

    data = rig._list([record], serial=9, issued_s=device.own_s() + 7200)
    assert rig.Visit(device, device.own_s()).hand(data) == rig._acked(spec.LIST_OK)
    asyncio.run(Matching(device).run())
    assert device.alert is None


def without_power(device):
    """The same token after its battery was out."""
    board.now_ms, board.rtc = 5000, b""
    return rig.boot()


def test_first_time_told_after_a_wipe_needs_no_second_kiosk_and_dates_what_the_next_wearer_hears():
    from matching import Matching

    then_s = UTC + 9 * 86400
    for lost in (False, True):
        device, secrets, _ = worn()
        asked(device)
        device = without_power(device) if lost else device
        assert device.clock.anchored != lost
        rig.Visit(device, then_s).ask(spec.ASK_HANDOVER)
        assert device.clock.anchored and abs(device.own_s() - then_s) <= 2, lost
        assert len(list(device.store.read(spec.ANCHOR))) == 1 and is_first_key(device, secrets)
        first = device.own_slot()
        advert_now = rig.neighbour(first, CASE)
        for _ in range(40):
            device.radio.heard = [(at, -50, advert_now(device)) for at in (10, 110, 210)]
            rig.minutes(device, 1)
        device.radio.heard = []
        rig.minutes(device, 30)
        data = rig._list([keylist.pack_record(CASE, first, 0, 4)], serial=9, issued_s=device.own_s() + 7200)
        assert rig.Visit(device, device.own_s()).hand(data) == rig._acked(spec.LIST_OK)
        asyncio.run(Matching(device).run())
        assert device.alert and device.alert[0] == then_s // 86400, lost


def is_first_key(device, secrets):
    rig.minutes(device, 1)
    return bytes(device.identity._own.key) not in secrets and len(list(device.store.read(spec.KEY))) == 1


def test_first_time_told_after_a_wipe_is_not_before_the_last_list():
    device, _, _ = worn()
    asked(device)
    device = without_power(device)
    rig.Visit(device, UTC + 3600).ask(spec.ASK_HANDOVER)
    assert not device.state.shelf and not device.clock.anchored
    assert not list(device.store.read(spec.ANCHOR))
    rig.Visit(device, UTC + 2 * 86400)
    assert device.clock.anchored and device.own_s() == UTC + 2 * 86400


def test_shelved_token_can_be_wiped_too():
    device, secrets, _ = worn()
    rig.Visit(device, device.own_s()).ask(spec.ASK_SHELF)
    assert left(secrets) and asked(device) == spec.UPLOAD_WIPED and is_blank(device, secrets)


def test_power_cut_at_any_write_leaves_all_or_nothing():
    device, secrets, _ = worn()
    image, now_ms = bytes(board.partitions["sightings"].data), board.now_ms
    cuts = 0
    wiped = False
    while True:
        flash = tracing.put_back(image, now_ms)
        device = rig.boot()
        rig.Visit(device, UTC + 9000).ask()
        flash.left = 1 << 30
        visit = rig.Visit(device, device.own_s())
        board.pressed_ms = 90000
        flash.left = cuts
        try:
            assert visit.ask(spec.ASK_WIPE)[0] == spec.UPLOAD_WIPED
            break
        except tracing._Cut:
            pass
        flash.left = 1 << 30
        board.pressed_ms = 0
        again = rig.boot()
        if wiped or again.state.shelf:
            assert is_blank(again, secrets), cuts
            wiped = True
        else:
            assert again.alert_open() and left(secrets) == len(secrets), cuts
        cuts += 1
    assert wiped and cuts > 5


def test_reset_in_the_middle_goes_on_with_it():
    device, secrets, _ = worn()
    flash = board.partitions["sightings"]
    image = bytes(flash.data)
    flash = tracing.put_back(image, board.now_ms)
    device = rig.boot()
    rig.Visit(device, UTC + 9000).ask()
    visit = rig.Visit(device, device.own_s())
    board.pressed_ms = 90000
    flash.left = 6
    try:
        visit.ask(spec.ASK_WIPE)
        raise AssertionError("not cut")
    except tracing._Cut:
        pass
    flash.left = 1 << 30
    again = rig.boot(board.WAKE_RESET)
    assert is_blank(again, secrets)


if __name__ == "__main__":
    rig.main(globals())
