"""Owns the facts of time on the token: what it believes, keeps and passes over (SPEC 1.3). Run by test_firmware.py."""

import json
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from matching import Matching  # noqa: E402
from vm_firmware import board, keylist, peer, sighting, spec  # noqa: E402

UTC = rig.UTC
DAY_S = 86400
SECOND, THIRD = b"\x21" * 32, b"\x22" * 32  # kiosks' secrets


def vouched(key, serial):
    return peer.certificate(spec.KIOSK_KEY, serial, 0, UTC - DAY_S, UTC + 13 * DAY_S, key)


OTHER, ANOTHER = vouched(SECOND, 20), vouched(THIRD, 21)
LATE = peer.certificate(spec.KIOSK_KEY, 30, 0, UTC + 5 * DAY_S, UTC + 19 * DAY_S, SECOND)


def at(device, utc_s, certificate=rig.CERTIFICATE, key=peer.KIOSK):
    """A visit at a kiosk that says it is utc_s."""
    visit = rig.Visit(device, utc_s, certificate, key)
    assert visit.status
    return visit


def told(device, utc_s, source=b"one."):
    """What a visit does with the time, without the visit: dozens of these in a test."""
    device.timekeeper().told(source, board.now_ms, utc_s, 0, 2)
    device.power.kicked = False


def other(device, utc_s):
    return at(device, utc_s, OTHER, SECOND)


def off_s(device, utc_s):
    """How far the token's clock is ahead of this time."""
    return device.own_s() - utc_s


def now_s(start_ms):
    """The true time, of a token that was handed over at UTC at this tick."""
    return UTC + (board.now_ms - start_ms) // 1000


def worn(count=0):
    """A token in use, and the tick at which it was handed over."""
    device, _ = rig.handed_over()
    start_ms = board.now_ms
    rig.minutes(device, count)
    return device, start_ms


def restarted(off_s):
    """The token after its battery was out for off_s."""
    board.now_ms, board.rtc = off_s, b""  # ticks begin anew
    again = rig.boot()
    again.rendezvous.schedule._search_ms = 1 << 40
    return again


def kept(device, kind):
    return sorted([bytes(record) for _slot, record in device.store.read(kind)])


def in_company(device, count, key=bytes(32), first=None):
    """Some minutes beside another token."""
    advert_now = rig.neighbour(device.own_slot() if first is None else first, key)
    for _ in range(count):
        device.radio.heard = [(ms, -50, advert_now(device)) for ms in (10, 110, 210)]
        rig.minutes(device, 1)
    device.radio.heard = []


def match(device):
    import asyncio

    asyncio.run(Matching(device).run())


# -- a kiosk alone


def test_time_within_the_own_doubt_is_taken():
    device, start_ms = worn()
    board.move(DAY_S * 1000)
    at(device, now_s(start_ms) + 3)
    assert off_s(device, now_s(start_ms)) == 3


def test_stolen_kiosk_alone_moves_nothing_forwards_or_backwards():
    device, start_ms = worn()
    in_company(device, 40)
    own = device.identity._own.key
    before = [kept(device, kind) for kind in (spec.SIGHTING, spec.HEARD, spec.KEY, spec.ANCHOR)]
    for jump_s in (60, 3600, 9 * DAY_S, -3600, -DAY_S + 600, 8 * DAY_S, 900, -900):
        for _ in range(3):
            told(device, now_s(start_ms) + jump_s)
        assert off_s(device, now_s(start_ms)) == 0, jump_s
    for certificate in (rig.CERTIFICATE, rig.vouched(10), rig.vouched(11)):  # three certificates of one key
        at(device, now_s(start_ms) + 3600, certificate)
    assert off_s(device, now_s(start_ms)) == 0
    assert before == [kept(device, kind) for kind in (spec.SIGHTING, spec.HEARD, spec.KEY, spec.ANCHOR)]
    rig.minutes(device, 1)
    assert device.identity._own.key == own and device.certain_slot() == now_s(start_ms) // 900


def test_clock_is_not_led_away_in_small_steps():
    device, start_ms = worn()
    for _ in range(60):
        told(device, now_s(start_ms) + off_s(device, now_s(start_ms)) + 900)  # all of them beyond doubt
        told(device, now_s(start_ms) + off_s(device, now_s(start_ms)) + 5)
    assert abs(off_s(device, now_s(start_ms))) <= 5


def test_clock_that_may_be_wrong_is_not_made_sure_by_the_kiosk_that_set_it():
    device = restarted_with_a_list()[0]
    unsure_s = device.clock.unsure_s
    assert unsure_s > 3600
    at(device, device.own_s() + 1, ANOTHER, THIRD)
    assert device.clock.unsure_s == 2
    device = restarted_with_a_list()[0]
    other(device, device.own_s() + 1)
    assert device.clock.unsure_s == unsure_s
    other(device, device.own_s() + 600)
    assert device.clock.unsure_s == unsure_s


def test_unsure_kiosk_and_time_before_the_last_list_are_passed_over():
    device, visit = rig.handed_over()
    keeper = device.timekeeper()
    assert visit.hand(rig._list([], issued_s=UTC + 7200)) == rig._acked(spec.LIST_OK)
    for utc_s, unsure_s in ((UTC + 9000, 61), (UTC + 9000, 65535), (UTC + 7000, 60)):
        for source in (b"one.", b"two."):
            keeper.told(source, board.now_ms, utc_s, 0, unsure_s)
    assert abs(off_s(device, UTC)) <= 1


# -- two kiosks, or a kiosk and a list


def test_second_kiosk_that_agrees_sets_the_time_and_dates_backwards():
    device, start_ms = worn()
    in_company(device, 40)
    own = device.identity._own.key
    truth_s = 6 * 3600 + 11  # the first kiosk's clock was slow
    other(device, now_s(start_ms) + truth_s)
    assert off_s(device, now_s(start_ms)) == 0
    board.move(7200000)
    at(device, now_s(start_ms) + truth_s + 1, ANOTHER, THIRD)
    assert off_s(device, now_s(start_ms) + truth_s) == 1
    (_, record), *_ = device.store.read(spec.SIGHTING)
    minute = sighting.unpack(record)[3]
    date_s = device.anchors().utc_of(1, device.anchors().tick_of(1, minute))
    assert 0 <= date_s - (UTC + truth_s) < 400
    rig.minutes(device, 1)
    assert device.identity._own.key != own


def test_two_kiosks_that_disagree_set_nothing():
    device, start_ms = worn()
    for _ in range(3):
        other(device, now_s(start_ms) + 7200)
        at(device, now_s(start_ms) + 7300, ANOTHER, THIRD)
    assert off_s(device, now_s(start_ms)) == 0


def test_honest_kiosks_agree_although_a_stolen_one_speaks_in_between():
    device, start_ms = worn()
    at(device, now_s(start_ms) + 7200, OTHER, SECOND)
    for jump_s in (DAY_S, -3600, 100):
        told(device, now_s(start_ms) + jump_s)
    at(device, now_s(start_ms) + 7200, ANOTHER, THIRD)
    assert off_s(device, now_s(start_ms)) == 7200


def test_time_set_back_leaves_slots_true_and_the_store_in_order():
    device, start_ms = worn()
    in_company(device, 40)
    slot, back_s = device.slot(), -5 * 3600
    for kiosk in ((OTHER, SECOND), (ANOTHER, THIRD)):
        at(device, now_s(start_ms) + back_s, *kiosk)
    assert device.own_slot() == (now_s(start_ms) + back_s) // 900
    assert device.slot() == slot + 1
    sent = len(device.radio.sent)
    rig.minutes(device, 40)
    for begin_ms, _, payload in device.radio.sent[sent:]:
        true_slot = (UTC + back_s + (begin_ms - start_ms) // 1000) // 900
        assert rig.advert.decode(payload)[1] == device.identity._own.chain(true_slot).id()
    in_company(device, 20)
    rig.minutes(device, 20)
    assert len(kept(device, spec.SIGHTING)) >= 3 and device.store.latest(spec.COMPACTED)[0] > slot


def test_newer_list_bears_out_the_kiosk_that_told_the_time_of_a_slow_clock():
    for told_s, agreed in ((3600, True), (26 * 3600, False), (-3600, False)):
        device, start_ms = worn()
        days_s = 3 * DAY_S
        issued_s = now_s(start_ms) + days_s
        visit = other(device, issued_s + told_s)
        assert visit.hand(rig._list([], issued_s=issued_s)) == rig._acked(spec.LIST_OK)
        assert off_s(device, now_s(start_ms)) == (days_s + told_s if agreed else 0), told_s


def test_list_does_not_set_a_clock_that_may_be_right():
    device, start_ms = worn()
    visit = other(device, now_s(start_ms) + 7200)
    assert visit.hand(rig._list([], issued_s=now_s(start_ms) - 600)) == rig._acked(spec.LIST_OK)
    assert off_s(device, now_s(start_ms)) == 0


def test_what_waits_for_a_second_word_outlives_a_reset_but_no_loss_of_power():
    device, start_ms = worn()
    other(device, now_s(start_ms) + 7200)
    device.freeze()
    again = rig.boot(board.WAKE_WATCHDOG)
    at(again, now_s(start_ms) + 7200, ANOTHER, THIRD)
    assert off_s(again, now_s(start_ms)) == 7200
    again = restarted(60000)
    other(again, UTC + 9000)
    again = restarted(60000)
    at(again, UTC + 9000, ANOTHER, THIRD)
    assert not again.clock.anchored


def test_many_visits_do_not_push_the_anchors_of_other_segments_out():
    device, _ = worn()
    again = restarted(60000)
    for kiosk in ((OTHER, SECOND), (ANOTHER, THIRD)):
        at(again, UTC + 7200, *kiosk)
    for _ in range(40):
        told(again, again.own_s())
    assert {rig.clock.unpack_anchor(record)[0] for record in kept(again, spec.ANCHOR)} == {1, 2}


# -- lost time


def restarted_with_a_list(issued_s=UTC + 3 * DAY_S, records=()):
    """A token that was without its battery for three days, 30 minutes beside another, and then at a kiosk."""
    device, _ = worn()
    in_company(device, 20)
    again = restarted(60000)
    in_company(again, 30, b"\x05" * 32, issued_s // 900 + 20)
    visit = other(again, issued_s + 6 * 3600)
    assert not again.clock.anchored
    assert visit.hand(rig._list(list(records), issued_s=issued_s)) == rig._acked(spec.LIST_OK)
    return again, visit


def test_lost_time_goes_on_at_once_with_a_fresh_key_by_its_own_ticks():
    device, _ = worn(20)
    own = device.identity._own
    again = restarted(60000)
    rig.minutes(again, 3)
    fresh = again.identity._own
    assert fresh.key != own.key and not fresh.anchored and fresh.segment == own.segment + 1
    assert again.radio.sent


def test_contact_of_undated_time_matches_once_the_time_is_known():
    first = (UTC + 3 * DAY_S) // 900 + 20
    record = keylist.pack_record(b"\x05" * 32, first, 0, 3)
    device, _ = restarted_with_a_list(UTC + 3 * DAY_S, ())
    assert device.clock.anchored and not device.list_info.sure
    match(device)
    assert device.alert is None and device.list_info.sure == 5
    issued_s = UTC + 4 * DAY_S
    visit = at(device, device.own_s(), ANOTHER, THIRD)
    assert visit.hand(rig._list([record], serial=6, base=5, issued_s=issued_s)) == rig._acked(spec.LIST_OK)
    match(device)
    assert device.alert and device.alert[0] == first // 96


def test_list_that_was_compared_in_undated_time_is_compared_again():
    first = (UTC + 3 * DAY_S) // 900 + 20
    record = keylist.pack_record(b"\x05" * 32, first, 0, 3)
    data = rig._list([record], issued_s=first * 900 + 7200)
    worn()
    device = restarted(60000)
    in_company(device, 30, b"\x05" * 32, first)
    board.move(4 * 3600000)
    wrong_s = UTC + 6 * DAY_S  # not borne out by the list
    assert other(device, wrong_s).hand(data) == rig._acked(spec.LIST_OK)
    match(device)
    assert device.alert is None and (device.list_info.serial, device.list_info.sure) == (5, 0)
    assert other(device, wrong_s).hand(data) == rig._acked(spec.LIST_OLD_SERIAL)
    for kiosk in ((OTHER, SECOND), (ANOTHER, THIRD)):
        visit = at(device, first * 900 + 1800 + 4 * 3600, *kiosk)
    assert device.clock.anchored
    assert visit.hand(data) == rig._acked(spec.LIST_OK)
    match(device)
    assert device.alert and device.list_info.sure == 5
    assert visit.hand(data) == rig._acked(spec.LIST_OLD_SERIAL)


def test_after_a_jump_the_long_list_is_wanted_again():
    device, start_ms = worn()
    visit = at(device, now_s(start_ms))
    assert visit.hand(rig._list([], issued_s=UTC - 600)) == rig._acked(spec.LIST_OK)
    match(device)
    for kiosk in ((OTHER, SECOND), (ANOTHER, THIRD)):
        visit = at(device, now_s(start_ms) + 7200, *kiosk)
    assert visit.status[4] == 0
    assert visit.hand(rig._list([], serial=6, base=5, issued_s=UTC)) == rig._acked(spec.LIST_GAP)
    assert visit.hand(rig._list([], issued_s=UTC - 600)) == rig._acked(spec.LIST_OK)


def test_token_that_is_never_told_the_time_purges_by_its_ticks():
    board.fresh()
    device = rig.boot()
    device.set_shelf(False)
    device.power.kicked = False
    device.rendezvous.schedule._search_ms = 1 << 40
    in_company(device, 20)
    rig.minutes(device, 20)
    assert kept(device, spec.SIGHTING)
    board.move(20 * DAY_S * 1000)
    rig.minutes(device, 1)
    assert kept(device, spec.SIGHTING)
    board.move(3 * DAY_S * 1000)
    rig.minutes(device, 3)
    assert not kept(device, spec.SIGHTING) and not device.clock.anchored


def test_records_of_time_and_lists_are_the_golden_ones():
    with open(sys.argv[1] + "/tests/vectors/golden.json") as file:
        golden = json.load(file)
    device, _ = worn()
    for kind, name in ((spec.CLAIMS, "claims"), (spec.LISTINFO, "listinfo")):
        device.store.append(kind, device.slot(), bytes.fromhex(golden[name]))
    device.let_go()
    info, keeper = device.list_info, device.timekeeper()
    assert (info.state, info.serial, info.issued, info.blocks, info.sure) == (3, 77, 1785000000, 2, 70)
    assert keeper._claims == [(b"\0\1\2\3", 3, 7200, 1785000000, 2)]
    info.save()
    device.store.append(spec.CLAIMS, device.slot(), b"")
    keeper._save()
    for kind, name in ((spec.CLAIMS, "claims"), (spec.LISTINFO, "listinfo")):
        assert device.store.latest(kind)[1] == bytes.fromhex(golden[name])


rig.main(globals())
