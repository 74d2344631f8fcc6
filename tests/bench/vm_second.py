"""Owns the facts of contacts (F1) and contacts of contacts (F2) on the token, on the VM. Run by test_firmware.py."""

import asyncio
import json
import struct
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_firmware import alert, bluezone, board, keylist, peer, spec  # noqa: E402

from emask import met  # noqa: E402

UTC = rig.UTC
DAY = UTC // 86400
DAY_MS = 86400000
CASE, FRIEND, OTHER = b"\x05" * 32, b"\x06" * 32, b"\x07" * 32
ON = peer.rules.changed(minutes=10, flags=spec.RULE_F1)
CODE = b"c" * 32
PROXY = peer.certificate(spec.PROXY_KIOSK_KEY, 11, 0, UTC - 86400, UTC + 10 * 86400)


_vouched = {}


def vouched(device):
    """The kiosk's certificate of the week; to sign one takes its time."""
    week = device.own_s() // (7 * 86400)
    if week not in _vouched:
        _vouched[week] = peer.certificate(spec.KIOSK_KEY, 9, 0, week * 7 * 86400, (week + 1) * 7 * 86400 + 1)
    return _vouched[week]


def visit(device, certificate=None):
    return rig.Visit(device, device.own_s(), certificate or vouched(device))


def hand(device, records, serial=5, **how):
    how = {"issued_s": device.own_s() + 7200, "terms": ON} | how
    return visit(device).hand(rig._list(records, serial, **how))


def compared(device, records, serial=5, **how):
    """A list came, and was compared."""
    from matching import Matching

    assert hand(device, records, serial, **how) == rig._acked(spec.LIST_OK)
    asyncio.run(Matching(device).run())


def lesser(device):
    return bool(visit(device).status[2] & spec.STATE_LESSER)


def second_key(device):
    """Whose record gave F2, as it is in flash."""
    return bytes(device.store.latest(spec.SECOND)[1][58:])


def later(device, ms):
    """Time goes by."""
    board.move(ms)
    device.radio.sent.clear()
    rig.minutes(device, 1)


def warned(**how):
    """A token that a list of the ill warned, today; the record that did it."""
    device, _ = rig.handed_over()
    (record,) = rig.beside(device, [CASE])
    compared(device, [keylist.pack_record(bytes(32), 1000, 0, 96), record], **how)
    assert device.alert[0] == DAY
    return device, record


def asked(device, flags=spec.ASK_F1, days=14, press=True, certificate=None):
    """(result, records, all that was sealed to the authority) of one visit."""
    board.pressed_ms = 90000 if press else 0
    one = visit(device, certificate)
    result, records = one.ask(flags, days, CODE)
    board.pressed_ms = 0
    return result, records, one.kiosk.text


def test_contact_gives_the_keys_of_later_days_and_what_warned_it():
    device, record = warned()
    later(device, 2 * DAY_MS)
    result, (given,), text = asked(device)
    assert result == spec.UPLOAD_GIVEN and len(text) == 482 and text[:2] == bytes((1 | spec.OF_F1, 1))
    key, first, index, count = keylist.unpack_record(given)
    own = device.identity._own
    assert (first, index) == (own.first_slot + 96, 0) and first >= (DAY + 1) * 96
    assert key == bluezone.advance(own.key, 96)[0] and count > 60
    assert text[-80:-40] == record
    met = [struct.unpack_from("<I16s", text, at) for at in (442, 462)]
    assert len({slot for slot, _ in met}) == 2
    for slot, ident in met:
        chain = bluezone.Chain(CASE, keylist.unpack_record(record)[1])
        chain.skip(slot - chain.slot)
        assert slot // 96 == DAY and ident == chain.id() + bytes(4)
    rig.minutes(device, 20)
    assert device.identity._own.key != own.key


def test_no_key_given_tells_of_the_day_of_the_contact():
    device, _ = warned()
    earlier = {rig.advert.decode(payload)[1] for _, _, payload in device.radio.sent}
    later(device, 3 * DAY_MS)
    _, records, _ = asked(device)
    for record in records:
        key, first, _, _ = keylist.unpack_record(record)
        chain = bluezone.Chain(key, first)
        ids = set()
        for _ in range(96 * 7):
            ids.add(chain.id())
            chain.step()
        assert not ids & earlier


def test_contact_of_today_has_nothing_to_give_yet():
    device, _ = warned()
    assert asked(device)[:2] == (spec.UPLOAD_NOTHING, [])


def test_off_by_default_the_wearer_is_not_even_asked():
    device, _ = warned(terms=peer.RULE)
    later(device, 2 * DAY_MS)
    board.outputs.clear()
    assert asked(device)[:2] == (spec.UPLOAD_NOTHING, [])
    assert ("motor", True) not in board.outputs
    assert hand(device, [], 9, kind=spec.F1_LIST) == rig._acked(spec.LIST_NOT_TRUSTED)
    assert device.store.latest(spec.SECOND) is None


def test_list_without_the_parameter_turns_it_off_and_what_warned_is_forgotten():
    device, _ = warned()
    later(device, 2 * DAY_MS)
    compared(device, [], 6, terms=peer.RULE)
    assert device.alert_open() and asked(device)[:2] == (spec.UPLOAD_NOTHING, [])
    assert not any(device.store.latest(spec.SECOND)[1])
    compared(device, [], 7)
    assert asked(device)[:2] == (spec.UPLOAD_NOTHING, [])


def test_contact_that_does_not_press_or_whom_somebody_speaks_for_gives_nothing():
    device, _ = warned()
    later(device, 2 * DAY_MS)
    own = device.identity._own.key
    assert asked(device, press=False)[:2] == (spec.UPLOAD_NOT_AGREED, [])
    assert asked(device, spec.ASK_F1 | spec.ASK_PROXY, press=False, certificate=PROXY)[0] == spec.UPLOAD_NOT_AGREED
    assert asked(device, days=0)[0] == asked(device, days=15)[0] == spec.UPLOAD_NOT_ASKED
    rig.minutes(device, 20)
    assert device.identity._own.key == own


def test_warning_that_was_ended_at_a_kiosk_may_still_be_followed_until_it_expires():
    device, _ = warned()
    later(device, 2 * DAY_MS)
    visit(device).ask(spec.ASK_ACK_ALERT)
    assert not device.alert_open() and asked(device)[0] == spec.UPLOAD_GIVEN
    later(device, 12 * DAY_MS)
    assert asked(device)[0] == spec.UPLOAD_GIVEN
    later(device, DAY_MS)
    assert asked(device)[0] == spec.UPLOAD_NOTHING
    compared(device, [], 6)
    assert not any(device.store.latest(spec.SECOND)[1][10:])


def test_list_of_contacts_tells_a_kiosk_and_nobody_else():
    import alerter

    device, _ = rig.handed_over()
    compared(device, [], 5)
    (friend,) = rig.beside(device, [FRIEND])
    board.outputs.clear()
    compared(device, [friend], 6, kind=spec.F1_LIST)
    assert device.alert is None and not alerter.due(device) and not board.outputs
    status = visit(device).status
    assert status[2] & spec.STATE_LESSER and not status[2] & (spec.STATE_ALERT | spec.STATE_LIST_WAITS)
    assert (status[4], status[6]) == (5, 0)  # the list of the ill that it has; no day
    later(device, 14 * DAY_MS)
    assert visit(device).status[2] & spec.STATE_LESSER
    later(device, DAY_MS)
    assert not visit(device).status[2] & spec.STATE_LESSER


def test_withdrawn_record_of_a_contact_takes_f2_back_and_another_one_keeps_it():
    device, _ = rig.handed_over()
    compared(device, [], 5)
    records = rig.beside(device, [FRIEND, OTHER])
    compared(device, records, 6, kind=spec.F1_LIST)
    compared(device, records, 7, kind=spec.F1_LIST, withdrawn=[met.mark(CASE, 7), met.mark(FRIEND, 6)])
    assert lesser(device)
    told = second_key(device)
    rest = [record for record in records if record[:32] != told]
    compared(device, rest, 8, kind=spec.F1_LIST, withdrawn=[met.mark(told, 8)])
    assert lesser(device) and second_key(device) == rest[0][:32] != told
    compared(device, [], 9, kind=spec.F1_LIST, withdrawn=[met.mark(told, 9), met.mark(rest[0][:32], 9)])
    assert not lesser(device)
    compared(device, [], 10, kind=spec.F1_LIST)
    assert not lesser(device)


def test_key_that_gave_f2_is_forgotten_with_it():
    device, _ = rig.handed_over()
    compared(device, [], 5)
    compared(device, rig.beside(device, [FRIEND]), 6, kind=spec.F1_LIST)
    later(device, 14 * DAY_MS)
    compared(device, [], 7)
    assert second_key(device) == FRIEND
    later(device, DAY_MS)
    compared(device, [], 8)
    assert second_key(device) == bytes(32)


def test_contact_of_a_contact_gives_nothing():
    device, _ = rig.handed_over()
    compared(device, [], 5)
    compared(device, rig.beside(device, [FRIEND]), 6, kind=spec.F1_LIST)
    later(device, 2 * DAY_MS)
    assert asked(device)[:2] == (spec.UPLOAD_NOTHING, [])


def test_whom_both_lists_warn_is_told_of_the_ill_only():
    device, _ = warned()
    compared(device, rig.beside(device, [FRIEND]), 6, kind=spec.F1_LIST)
    status = visit(device).status[2]
    assert status & spec.STATE_ALERT and not status & spec.STATE_LESSER


def test_list_of_contacts_leaves_the_account_of_the_others_alone():
    device, _ = rig.handed_over()
    compared(device, [], 5, revoked=(3,))
    before = device.list_info.serial, device.list_info.issued, device.list_info.sure, device.trust.revoked
    compared(device, [], 9, kind=spec.F1_LIST, revoked=(4,))
    assert (device.list_info.serial, device.list_info.issued, device.list_info.sure, device.trust.revoked) == before
    assert hand(device, [], 9, kind=spec.F1_LIST) == rig._acked(spec.LIST_OLD_SERIAL)
    assert hand(device, [], 11, kind=spec.F1_LIST, base=5) == rig._acked(spec.LIST_GAP)
    compared(device, [], 6, base=5)
    compared(device, [], 10, kind=spec.F1_LIST)


def test_answers_have_one_length_whatever_a_contact_is_asked():
    lengths = set()
    for terms in (ON, peer.RULE):
        device, _ = warned(terms=terms)
        later(device, 2 * DAY_MS)
        for flags in (0, spec.ASK_F1, spec.ASK_UPLOAD):
            board.pressed_ms = 90000
            one = visit(device)
            lengths.add((len(one.opened[1]), len(one.answer(spec.ASK, one.kiosk.ask(flags, 14, CODE))[1])))
            board.pressed_ms = 0
    assert lengths == {(110, spec.SEALED_UPLOAD_BYTES)}


def test_record_of_it_is_the_golden_one():
    import second

    with open(sys.argv[1] + "/tests/vectors/golden.json") as file:
        golden = json.load(file)
    device, _ = rig.handed_over()
    device.store.append(spec.SECOND, device.slot(), bytes.fromhex(golden["second"]))
    own = second.load(device.store)
    assert (
        own[:5] == (20660, 2, spec.RULE_F1, 78, 20674) and own[6:8] == (1983002, 1983003) and own[8] == bytes([6]) * 32
    )
    assert own[5].hex() == golden["record"] and struct.pack(second._FORMAT, *own).hex() == golden["second"]
    device.set_alert(alert.pack(1983002 // 96, alert.GRADE_CONTACT, 0, 5, 65535))
    assert second.claim(device) == ((1983002 // 96 + 1) * 96, bytes.fromhex(golden["claim"]))


def test_wiped_token_knows_of_no_contact():
    import wipe

    device, _ = warned()
    asyncio.run(wipe.wipe(device))
    assert device.store.latest(spec.SECOND) is None


if __name__ == "__main__":
    rig.main(globals())
