"""Owns the facts of the firmware's tasks, run on the MicroPython VM with a fake board and radio (test_firmware.py)."""

import asyncio
import os
import struct
import sys

_ROOT = sys.argv[1]
sys.path[:0] = [_ROOT + "/tests/bench/fakes", _ROOT + "/firmware", _ROOT + "/lib", _ROOT + "/tests/dual"]

import choice  # noqa: E402
import peer  # noqa: E402
import rtc  # noqa: E402
from device import Device  # noqa: E402
from listener import Listener  # noqa: E402
from rendezvous import Rendezvous  # noqa: E402
from session import Session  # noqa: E402
from supervisor import Supervisor  # noqa: E402

import board  # noqa: E402
from emask import advert, alert, bluezone, clock, keylist, manifest, messages, schedule, sighting, spec, window  # noqa: E402

LIST_KEY = peer.certificate(spec.LIST_KEY)

UTC = 1_900_000_000 // 900 * 900 + 60  # a minute into a slot
_real_sleep = asyncio.sleep_ms


async def _sleep_ms(ms):
    board.move(ms)
    await _real_sleep(0)


asyncio.sleep_ms = _sleep_ms


def boot(reason=board.WAKE_POWER):
    device = Device(board, board.watchdog(8000))
    device.wake(reason)
    return device


def vouched(serial=9, since_s=UTC - 86400, until_s=UTC + 10 * 86400, region=0, root=peer.ROOT):
    """A kiosk's certificate."""
    return peer.certificate(spec.KIOSK_KEY, serial, region, since_s, until_s, root=root)


CERTIFICATE = vouched()


class Visit:
    """A visit of a device up to the status: kind and body of each answer, and the kiosk's end of it."""

    def __init__(self, device, utc_s=UTC, certificate=CERTIFICATE, key=peer.KIOSK):
        self.device = device
        self.kiosk = peer.Kiosk(certificate, key)
        board.radio_up = True
        self.session = Session(device)
        self.session.prepare()
        self.nonce = self.answer(spec.HELLO, b"\2")[1]
        self.opened = self.answer(spec.SESSION, self.kiosk.session(self.nonce, utc_s))
        self.status = self.kiosk.status(self.opened[1]) if self.opened[0] == spec.STATUS else None

    def answer(self, kind, body):
        """The only reply, or an empty tuple for none."""
        board.radio_up = True
        replies = asyncio.run(self.session.answer(kind, body, board.now_ms))
        board.radio_up = False
        self.device.power.kicked = False
        return replies[0] if replies else ()

    def ask(self, flags=0, days=0, code_hash=bytes(32)):
        """(result, records) of an UPLOAD."""
        kind, body = self.answer(spec.ASK, self.kiosk.ask(flags, days, code_hash))
        assert kind == spec.UPLOAD
        result, blob = self.kiosk.reply(body)
        return result, self.kiosk.upload(blob, code_hash)

    def hand(self, data, stop=None):
        """Hand over a list; the token's last answer. stop: byte at which the link is cut."""
        stop = len(data) if stop is None else stop
        found = self.answer(spec.LIST_OFFER, data[:178])
        while found and found[0] == spec.LIST_WANT:
            at = struct.unpack("<I", found[1])[0]
            found = ()
            end = at // 4096 * 4096 + 4096 if at >= 4096 else manifest.unpack_lead(data)[1]
            while at < end and not found:
                if at >= stop:
                    return None
                piece = data[at : min(at + 240, end)]
                found = self.answer(spec.LIST_DATA, messages.pack_list_data(at, piece))
                at += len(piece)
        return found


def handed_over(utc_s=UTC):
    board.fresh()
    device = boot()
    visit = Visit(device, utc_s)
    assert visit.ask(spec.ASK_HANDOVER) == (spec.UPLOAD_NOT_ASKED, [])
    return device, visit


def minutes(device, count, chores=lambda: None):
    listener = Listener(device, chores)

    async def go():
        for _ in range(count):
            await listener._minute()

    asyncio.run(go())


def neighbour(first_slot, key=bytes(32)):
    """The advert of another token in each minute: a function of the device."""
    chain = bluezone.Chain(key, first_slot)

    def advert_now(device):
        slot = device.own_slot()
        if slot > chain.slot:
            chain.skip(slot - chain.slot)
        return bluezone.build_advert(chain, 0, 5970)

    return advert_now


def beside(device, keys, count=40, levels=(-50, -50, -50)):
    """Worn beside these people for some minutes, each heard at a level; their records."""
    first = device.own_slot()
    nows = [neighbour(first, key) for key in keys]
    for _ in range(count):
        device.radio.heard = [(at + n, levels[n], now(device)) for at in (10, 110, 210) for n, now in enumerate(nows)]
        minutes(device, 1)
    device.radio.heard = []
    minutes(device, 10)
    return [keylist.pack_record(key, first, 0, 4) for key in keys]


def test_token_blinks_for_whoever_is_connected():
    board.fresh()
    device = boot()
    board.radio_up = True
    session = Session(device)
    before_ms = board.now_ms
    assert asyncio.run(session.answer(spec.BLINK, b"", board.now_ms)) == [(spec.OK, b"")]
    assert board.now_ms - before_ms == 1200 and board.outputs == [("led", True), ("led", False)] * 3


# -- listener


def test_shelf_is_silent_until_handed_over():
    board.fresh()
    device = boot()
    assert device.state.shelf
    asyncio.run(Listener(device, lambda: None)._shelf())
    assert not device.radio.sent and board.now_ms > 3600000


def test_each_window_sends_the_advert_of_its_slot():
    device, _ = handed_over()
    minutes(device, 20)
    assert len(device.radio.sent) == 20
    for start_ms, end_ms, payload in device.radio.sent:
        found = advert.decode(payload)
        slot = device.clock.own_ms(start_ms) // 900000
        assert found[1] == device.identity._own.chain(slot).id()
        assert device.clock.own_ms(end_ms) // 900000 == slot


def test_nothing_is_sent_past_the_slot():
    device, _ = handed_over()
    minutes(device, 16)
    device.rendezvous.schedule.grid._shift_us = -5300000  # windows now straddle the whole minute, and so slots' ends
    device.rendezvous.schedule.grid.sure_ms = -1
    minutes(device, 20)
    for start, end, _ in device.radio.sent:
        assert device.clock.own_ms(start) // 900000 == device.clock.own_ms(end) // 900000
    spans = [end - start for start, end, _ in device.radio.sent]
    assert min(spans) < 1500 < max(spans)


def test_unclean_address_sends_nothing_but_listens():
    device, _ = handed_over()
    device.radio.clean = False
    device.radio.heard = [(10, -50, neighbour(device.own_slot())(device))]
    minutes(device, 2)
    assert not device.radio.sent
    assert device.state.adverts == 2


def test_radio_that_never_starts_resets_the_device():
    device, _ = handed_over()
    device.radio.broken = True
    try:
        minutes(device, 9)
    except board.Reset:
        assert device.state.missed == 5
        return
    raise AssertionError("no reset")


def test_heard_minutes_become_one_sighting_per_slot():
    device, _ = handed_over()
    now = neighbour(device.own_slot())
    for _ in range(18):
        device.radio.heard = [(at, -60, now(device)) for at in (10, 110, 210)]
        minutes(device, 1)
    records = list(device.store.read(spec.SIGHTING))
    assert len(records) == 1
    fields = sighting.unpack(records[0][1])
    assert fields[4] >= 3 * 9 and fields[6] == -60 and abs(fields[5] + 60) <= 2


def test_sighting_of_a_token_at_rest_says_so():
    device, _ = handed_over()
    for board.moving in (True, False):
        now = neighbour(device.own_slot())
        for _ in range(18):
            device.radio.heard = [(at, -60, now(device)) for at in (10, 110, 210)]
            minutes(device, 1)
    stills = [sighting.is_still(record) for _, record in device.store.read(spec.SIGHTING)]
    assert stills[0] is False and len(stills) >= 2
    board.moving = False
    heard = [sighting.is_still(record) for _, record in device.store.read(spec.HEARD)]
    assert heard[0] is False and heard[-1] is True


def test_visit_takes_the_window():
    device, _ = handed_over()
    device.radio.up = True
    minutes(device, 2)
    assert not device.radio.sent and device.state.missed == 2


# -- what a slot adds to the flash

_NOW_SLOT = UTC // 900


def _id_of(number):
    return bytes((number & 0xFF, number >> 8, 0, 0))


def _kept(heard, most):
    chosen = choice.Choice()
    for number, dbm in heard:
        chosen.add(_id_of(number), dbm)
    chosen.limit(most)
    return [number for number in sorted({number for number, _ in heard}) if chosen.keeps(_id_of(number))]


def test_few_are_all_kept():
    assert _kept([(n, -90) for n in range(32)], 128) == list(range(32))


def test_what_lasted_comes_before_what_was_near():
    heard = [(1, -80)] * 5 + [(2, -40)] * 2 + [(3, -30)] + [(4, -25)] * 2
    assert _kept(heard, 3) == [1, 2, 4]
    assert _kept(heard, 2) == [1, 4]
    assert _kept(heard, 0) == []


def test_unknown_level_counts_as_far():
    assert _kept([(1, spec.RSSI_UNKNOWN), (2, -100)], 1) == [2]


def test_of_those_heard_once_only_a_few_are_kept():
    heard = [(n, -50) for n in range(900)] + [(n, -70) for n in range(900, 960) for _ in range(3)]
    kept = _kept(heard, choice.SLOT_MOST)
    assert kept[-60:] == list(range(900, 960)) and len(kept) == 60 + 32


def test_half_empty_store_takes_whole_slots():
    assert choice.slot_most(5000, 10000, _NOW_SLOT, _NOW_SLOT, 21) == choice.SLOT_MOST


def test_room_is_made_to_last_until_the_oldest_go():
    slot = _NOW_SLOT + 96
    new = choice.slot_most(4900, 10000, _NOW_SLOT, slot, 21)
    assert new == 4900 // (24 * 21)
    assert choice.slot_most(4900, 10000, _NOW_SLOT, slot + 20 * 96, 21) == choice.SLOT_MOST
    assert choice.slot_most(4900, 10000, slot, slot, 21) == 4900 // (24 * 22)
    assert choice.slot_most(0, 10000, _NOW_SLOT, slot, 21) == 0


# -- boots


def test_deep_sleep_restores_key_clock_and_counters():
    device, _ = handed_over()
    minutes(device, 1)
    device.freeze()
    sent = device.radio.sent[-1][2]
    board.move(50000)
    again = boot(board.WAKE_TIMER)
    minutes(again, 1)
    assert again._store is None  # a boot that hears nothing does not touch the flash
    assert again.radio.sent[-1][2][:-2] == sent[:-2]
    assert again.clock.utc_s(board.now_ms) == device.clock.utc_s(board.now_ms)


def test_deep_sleep_boot_uses_the_window_it_woke_for():
    device, _ = handed_over()
    minutes(device, 3)
    last_ms = device.radio.sent[-1][0]
    plan = device.rendezvous.plan(board.now_ms, device.clock, 900)
    device.freeze()
    board.now_ms = plan.start_ms - device.rendezvous.lead_ms + 70
    again = boot(board.WAKE_TIMER)
    minutes(again, 1)
    assert 299000 < again.radio.sent[-1][0] - last_ms < 301000


def test_power_loss_starts_a_segment_and_never_reuses_a_key():
    device, _ = handed_over()
    minutes(device, 17)
    before = {payload for _, _, payload in device.radio.sent}
    own = device.identity._own.key
    board.now_ms = 0
    board.rtc = b"\x5a" * 300
    again = boot()
    assert again.state.segment == device.state.segment + 1
    assert not again.state.shelf and not again.clock.anchored
    again.rendezvous.schedule._search_ms = 1 << 40
    minutes(again, 3)
    assert again.identity._own.key != own
    assert not before & {payload for _, _, payload in again.radio.sent}


def test_power_loss_keeps_the_minutes():
    device, _ = handed_over()
    device.radio.heard = [(10, -50, neighbour(device.own_slot())(device))]
    minutes(device, 3)
    assert not list(device.store.read(spec.SIGHTING))
    again = boot()
    assert len(list(again.store.read(spec.SIGHTING))) == 1
    boot()  # and once only
    assert len(list(again.store.read(spec.SIGHTING))) == 1


def test_rtc_content_is_not_trusted():
    device, _ = handed_over()
    device.freeze()
    good = board.rtc
    for at in (0, 5, 9, len(good) // 2, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 1
        assert rtc.unpack(bad, 9) is None
    assert rtc.unpack(good[:-1], 9) is None and rtc.unpack(b"", 9) is None
    assert rtc.unpack(good, 9)


def test_key_is_replaced_after_a_week():
    device, _ = handed_over()
    minutes(device, 1)
    first = device.identity._own.key
    board.move(7 * 86400000)
    minutes(device, 1)
    assert device.identity._own.key != first


# -- rendezvous


def _rendezvous(count, late_ms=0, utc_s=UTC):
    meet = Rendezvous(20, 20)
    own = clock.SegmentClock(1)
    own.confirm(1000, utc_s, 250)
    meet.confirmed(1000)
    found = []
    now_ms = 1000
    for _ in range(count):
        plan = meet.plan(now_ms, own, 900)
        meet.opened(plan, plan.start_ms + (late_ms - meet.lead_ms), os.urandom)
        meet.schedule.closed(plan, (), 0)
        found.append(own.own_ms(plan.point_ms))
        now_ms = plan.start_ms + plan.length_ms
    return meet, found


def _shifts(points):
    return [(point - 5000 + 150000) % 300000 - 150000 for point in points]


def test_windows_of_confirmed_clocks_share_the_minute():
    _, points = _rendezvous(9)
    assert max([abs(shift) for shift in _shifts(points)]) <= window.JITTER_MS


def test_windows_shift_anew_in_each_slot_from_its_first_window_on():
    _, points = _rendezvous(60)
    slots = {}
    for point, shift in zip(points, _shifts(points)):
        slots.setdefault(point // 900000, set()).add(shift)
    assert {len(shifts) for shifts in slots.values()} == {1}
    assert len({shift for shifts in slots.values() for shift in shifts}) > 8


def test_windows_shift_anew_whatever_the_number_of_the_slot():
    for slot in (0x1E8000 + 5, 0x1EFFFF - 2, 0x1F0000, 0x1E0000 + 9):
        _, points = _rendezvous(60, utc_s=slot * 900)
        assert len(set(_shifts(points))) > 8


def test_windows_shift_anew_after_the_time_was_set_back():
    meet, points = _rendezvous(6)
    own = clock.SegmentClock(1)
    own.confirm(1000, UTC - 40 * 86400, 250)
    meet.confirmed(1000)
    shifts = set()
    now_ms = 1000
    for _ in range(60):
        plan = meet.plan(now_ms, own, 900)
        meet.opened(plan, plan.start_ms, os.urandom)
        shifts.update(_shifts([own.own_ms(plan.point_ms)]))
        now_ms = plan.start_ms + plan.length_ms
    assert len(shifts) > 8


def test_lead_is_learned():
    meet, _ = _rendezvous(12, late_ms=410)
    assert 405 <= meet.lead_ms <= 411


def test_rendezvous_survives_sleep():
    meet, _ = _rendezvous(6)
    again = Rendezvous(20, 20)
    assert again.unpack(meet.pack()) and again.pack() == meet.pack()
    assert not again.unpack(meet.pack()[1:]) and not again.unpack(b"")


# -- power and battery


def lit():
    """The parts that were switched on since, in order."""
    seen = [name for name, on in board.outputs if on]
    board.outputs.clear()
    return seen


def by_day(device):
    """Move on to the morning."""
    while not alert.daytime(device.own_s()):
        board.move(3600000)
    lit()


class Started:
    """A supervisor that starts nothing, and notes the names."""

    def __init__(self):
        self.names = []

    def once(self, name, make, deadline_ms):
        self.names.append(name)


def test_low_battery_saves_and_says_so():
    import cues

    device, _ = handed_over()
    board.battery = 3400
    cues.look(device)
    assert device.rendezvous.schedule.level == schedule.LOWER
    by_day(device)
    asyncio.run(cues.LowBattery(device).run())
    assert lit() == ["led"] * 3  # a long flash and two short ones
    device.freeze()
    again = boot(board.WAKE_TIMER)
    assert again.rendezvous.schedule.level == schedule.LOWER
    board.battery = 4000
    cues.look(again)
    assert again.rendezvous.schedule.level == schedule.FULL


def test_light_says_that_the_token_is_alive_by_day_only():
    import cues

    device, _ = handed_over()
    by_day(device)
    cues.alive(device)
    assert lit() == ["led"]
    while alert.daytime(device.own_s()):
        board.move(3600000)
    cues.alive(device)
    assert lit() == []


def test_alive_light_comes_with_each_meeting():
    from chores import Chores

    device, _ = handed_over()
    device.radio.heard = [(10, -50, neighbour(device.own_slot())(device))]
    by_day(device)
    chores = Chores(device, Started())
    shown = 0
    for _ in range(60):
        minutes(device, 1)
        chores.check()
        shown += len(lit())
    assert 6 <= shown <= 12, shown  # a slot's first window looks at the battery instead


def test_battery_is_measured_once_a_slot():
    from chores import Chores

    device, _ = handed_over()
    started = Started()
    board.battery = 3500
    device.radio.heard = [(10, -50, neighbour(device.own_slot())(device))]
    chores = Chores(device, started)
    for _ in range(22):
        minutes(device, 1)
        chores.check()
    assert started.names.count("battery") in (3, 4) and set(started.names) == {"battery", "door"}, started.names


def test_processor_is_fast_only_while_somebody_needs_it():
    device, _ = handed_over()
    device.power.hold()
    device.power.hold()
    device.power.release()
    assert board.fast
    device.power.release()
    assert not board.fast


def test_short_sleep_stays_light_on_a_deep_sleeper():
    device, _ = handed_over()
    board.SLEEP = "deep"
    try:
        device.power._sleep(board.DEEP_FROM_MS - 1)
        try:
            device.power._sleep(board.DEEP_FROM_MS)
        except board.DeepSleep:
            return
        raise AssertionError("no deep sleep")
    finally:
        board.SLEEP = "light"


# -- session


def _records(count):
    return [keylist.pack_record(bytes([n % 251]) * 32, 1000, 0, 96) for n in range(count)]


def _list(records, serial=5, issued_s=UTC + 86400, **how):
    return peer.list_file(records, serial, issued_s, vouched=LIST_KEY, **how)


def _acked(result):
    return spec.LIST_ACK, bytes((result,))


def _refused(reason):
    return spec.REFUSED, bytes((reason,))


def test_shelf_answers_status_but_keeps_clock_and_lists():
    board.fresh()
    visit = Visit(boot())
    assert visit.status[2] & spec.STATE_SHELF and not visit.status[2] & spec.STATE_TIME_KNOWN
    assert visit.ask(spec.ASK_UPLOAD, 14) == (spec.UPLOAD_NOT_ASKED, [])
    assert visit.hand(_list([])) == _refused(spec.REFUSED_NOT_NOW)
    assert not visit.device.clock.anchored and visit.device.state.shelf


def test_handover_takes_the_signed_time():
    device, visit = handed_over()
    assert device.clock.utc_s(board.now_ms) == UTC
    board.move(60000)
    again = Visit(device, UTC + 61)
    assert again.status[2] & spec.STATE_TIME_KNOWN and device.clock.utc_s(board.now_ms) == UTC + 61


def test_time_counts_from_the_moment_it_came():
    device, _ = handed_over()
    board.radio_up = True
    session = Session(device)
    session.prepare()
    nonce = asyncio.run(session.answer(spec.HELLO, b"\2", board.now_ms))[0][1]
    body = peer.Kiosk(CERTIFICATE).session(nonce, UTC + 3)
    received_ms = board.now_ms
    board.move(3000)  # the check takes its time
    asyncio.run(session.answer(spec.SESSION, body, received_ms))
    assert device.clock.utc_s(board.now_ms) == UTC + 6


def test_nothing_is_served_before_the_kiosk_is_known():
    device, _ = handed_over()
    session = Session(device)
    board.radio_up = True
    session.prepare()
    for kind in (spec.SESSION, spec.ASK, spec.LIST_DATA, 0, 99):
        assert asyncio.run(session.answer(kind, bytes(52), 0)) == [_refused(spec.REFUSED_NOT_NOW)], kind
    assert asyncio.run(session.answer(spec.HELLO, b"\1", 0)) == [_refused(spec.REFUSED_PROTOCOL)]
    board.radio_up = False


def test_malformed_bodies_are_refused():
    _, visit = handed_over()
    for kind in range(256):
        for body in (b"\xff", bytes(400)):
            answer = visit.answer(kind, body)
            assert answer == () or answer[0] in (spec.REFUSED, spec.LIST_ACK, spec.LIST_WANT), kind


def test_kiosk_that_the_root_does_not_vouch_for_is_refused():
    device, _ = handed_over()
    stranger = b"s" * 32
    flipped = bytearray(CERTIFICATE)
    flipped[100] ^= 1
    for why, certificate, key in (
        ("another root", vouched(root=stranger), peer.KIOSK),
        ("another key signs", CERTIFICATE, stranger),
        ("one bit of the certificate", bytes(flipped), peer.KIOSK),
        ("a list key", LIST_KEY, peer.LIST),
        ("another region", vouched(region=7), peer.KIOSK),
        ("expired", vouched(since_s=UTC - 9 * 86400, until_s=UTC - 1), peer.KIOSK),
        ("not valid yet", vouched(since_s=UTC + 1), peer.KIOSK),
    ):
        visit = Visit(device, UTC, certificate, key)
        assert visit.opened == _refused(spec.REFUSED_NOT_TRUSTED), why
        assert visit.answer(spec.ASK, bytes(52)) == _refused(spec.REFUSED_NOT_NOW), why
    assert device.clock.utc_s(board.now_ms) == UTC


def test_expired_kiosk_can_not_set_the_clock_back_to_live_again():
    device, _ = handed_over()
    old = vouched(8, UTC - 12 * 86400, UTC - 86400)
    assert Visit(device, UTC - 2 * 86400, old).opened == _refused(spec.REFUSED_NOT_TRUSTED)


def test_session_that_was_recorded_is_refused():
    device, _ = handed_over()
    visit = Visit(device)
    body = visit.kiosk.session(visit.nonce, UTC)
    board.radio_up = True
    session = Session(device)
    session.prepare()
    assert asyncio.run(session.answer(spec.HELLO, b"\2", 0))[0][1] != visit.nonce
    assert asyncio.run(session.answer(spec.SESSION, body, 0)) == [_refused(spec.REFUSED_NOT_TRUSTED)]
    board.radio_up = False


def test_ask_that_is_not_of_this_visit_is_refused_and_changes_nothing():
    device, visit = handed_over()
    again = Visit(device)
    other = visit.kiosk.ask(spec.ASK_SHELF)
    for body in (other, bytes(52), again.kiosk.ask(spec.ASK_SHELF)[:-1], b""):
        assert again.answer(spec.ASK, body) == _refused(spec.REFUSED_NOT_TRUSTED)
    assert not device.state.shelf
    again.ask(spec.ASK_SHELF)
    assert device.state.shelf
    assert again.answer(spec.ASK, again.kiosk.ask()) == _refused(spec.REFUSED_NOT_NOW)  # one of a visit


def test_replies_have_the_same_lengths_whatever_they_say():
    device, _ = handed_over()
    minutes(device, 60)
    calm = Visit(device)
    decoy = calm.answer(spec.ASK, calm.kiosk.ask())[1]
    device.set_alert(alert.pack(UTC // 86400, alert.GRADE_CONTACT, 0, 5, UTC // 86400 + 14))
    alerted = Visit(device)
    assert alerted.status[2] & spec.STATE_ALERT and not calm.status[2] & spec.STATE_ALERT
    assert len(alerted.opened[1]) == len(calm.opened[1]) == spec.SEALED_STATUS_BYTES
    board.pressed_ms = 90000
    kind, body = alerted.answer(spec.ASK, alerted.kiosk.ask(spec.ASK_UPLOAD, 14))
    result, blob = alerted.kiosk.reply(body)
    assert result == spec.UPLOAD_GIVEN and alerted.kiosk.upload(blob)
    assert len(body) == len(decoy) == spec.SEALED_UPLOAD_BYTES


def test_no_two_visits_share_a_key_or_nonce():
    device, _ = handed_over()
    visits = [Visit(device) for _ in range(4)]
    again = boot()
    visits += [Visit(again) for _ in range(2)]
    for what in ("nonce", "opened"):
        assert len({bytes(getattr(visit, what)[-1] if what == "opened" else visit.nonce) for visit in visits}) == 6
    assert len({visit.kiosk.keys.to_token for visit in visits}) == 6


def test_no_first_boot_draws_the_keys_of_another():
    own, nonces = set(), set()
    for _ in range(3):
        device, visit = handed_over()
        minutes(device, 1)
        own.add(bytes(device.identity._own.key))
        nonces.add(bytes(visit.nonce))
    assert len(own) == 3 and len(nonces) == 3


def test_secrets_of_a_visit_are_in_no_flash_and_no_rtc_memory():
    device, _ = handed_over()
    visit = Visit(device)
    drawn = list(visit.session._secrets)
    keys = [bytes(visit.session._keys.to_token), bytes(visit.session._keys.to_kiosk)]
    assert visit.ask() == (spec.UPLOAD_NOT_ASKED, [])
    assert not hasattr(visit.session, "_secrets") and not hasattr(visit.session, "_keys")
    minutes(device, 2)
    device.freeze()
    kept = b"".join([bytes(part.data) for part in board.partitions.values()]) + board.rtc
    assert not [secret for secret in drawn + keys if secret in kept]
    assert device.identity._own.key in kept, "the search finds what is there"


# -- lists


def test_list_arrives_whole():
    device, visit = handed_over()
    assert visit.hand(_list(_records(200))) == _acked(spec.LIST_OK)
    assert device.list_waits and device.list_info.serial == 5
    assert Visit(device).status[2] & spec.STATE_LIST_WAITS
    assert list(device.lists.records()) == _records(200)


def test_list_goes_on_after_a_reset_with_another_kiosk():
    device, visit = handed_over()
    data = _list(_records(250))
    assert visit.hand(data, stop=9000) is None
    device.freeze()
    again = boot(board.WAKE_WATCHDOG)
    visit = Visit(again, UTC + 5, vouched(10))
    kind, body = visit.answer(spec.LIST_OFFER, data[:178])
    assert (kind, struct.unpack("<I", body)[0]) == (spec.LIST_WANT, 8192)
    assert visit.hand(data) == _acked(spec.LIST_OK)
    assert list(again.lists.records()) == _records(250)


def test_spoilt_chunk_is_asked_for_again_and_costs_no_other():
    device, visit = handed_over()
    data = bytearray(_list(_records(250)))
    data[9000] ^= 1
    wants = []
    answer = visit.answer

    def counted(kind, body):
        found = answer(kind, body)
        if found and found[0] == spec.LIST_WANT:
            wants.append(struct.unpack("<I", found[1])[0])
            if len(wants) == 4:
                data[9000] ^= 1
        return found

    visit.answer = counted
    assert visit.hand(data) == _acked(spec.LIST_OK)
    assert wants == [0, 4096, 8192, 8192, 12288, 16384]
    assert list(device.lists.records()) == _records(250)


def test_chunk_that_is_always_bad_ends_the_transfer():
    device, visit = handed_over()
    data = bytearray(_list(_records(5)))
    data[5000] ^= 1
    assert visit.hand(bytes(data)) == _acked(spec.LIST_BAD_HASH)
    assert device.list_info.serial == 0 and not device.list_waits


def test_list_that_is_not_for_this_token_is_not_taken():
    device, visit = handed_over()
    good = _list(_records(5))
    forged = bytearray(good)
    forged[152 + 26] ^= 1  # the rule
    other_key = peer.list_file(_records(5), 5, UTC, vouched=CERTIFICATE)
    for why, data, result in (
        ("forged", bytes(forged), spec.LIST_NOT_TRUSTED),
        ("a kiosk's certificate", other_key, spec.LIST_NOT_TRUSTED),
        ("another region", _list([], region=7), spec.LIST_WRONG_REGION),
        ("F1, which is off", _list([], kind=spec.F1_LIST), spec.LIST_NOT_TRUSTED),
        ("a gap", _list([], base=3), spec.LIST_GAP),
        ("too big for this flash", _list(_records(900)), spec.LIST_TOO_BIG),
        ("issued after its key's term", _list([], issued_s=(1 << 31) + 1), spec.LIST_NOT_TRUSTED),
        ("junk", bytes(178), spec.LIST_BAD_HASH),
    ):
        assert visit.hand(data) == _acked(result), why
        assert device.list_info.serial == 0 and not device.list_waits, why


def test_serials_only_go_up_and_no_list_is_given_up_before_it_was_compared():
    device, visit = handed_over()
    assert visit.hand(_list(_records(3))) == _acked(spec.LIST_OK)
    assert visit.hand(_list(_records(3), serial=6)) == _acked(spec.LIST_OUT_OF_ORDER)
    device.lists.matched(True)
    for serial in (4, 5):
        assert visit.hand(_list(_records(3), serial=serial)) == _acked(spec.LIST_OLD_SERIAL)
    assert visit.hand(_list(_records(2), serial=6, base=5)) == _acked(spec.LIST_OK)


def test_key_that_was_replaced_signs_no_list_any_more():
    device, visit = handed_over()
    new = peer.certificate(spec.LIST_KEY, 2)
    assert visit.hand(peer.list_file([], 5, UTC, vouched=new)) == _acked(spec.LIST_OK)
    device.lists.matched(True)
    assert visit.hand(_list([], serial=6)) == _acked(spec.LIST_NOT_TRUSTED)
    assert boot().trust._list_key_serial == 2


def test_revoked_kiosk_is_refused_from_the_list_on():
    device, visit = handed_over()
    assert visit.hand(_list([], revoked=(9,))) == _acked(spec.LIST_OK)
    assert Visit(device).opened == _refused(spec.REFUSED_NOT_TRUSTED)
    assert Visit(boot(), UTC).opened == _refused(spec.REFUSED_NOT_TRUSTED)
    assert Visit(device, UTC, vouched(10)).opened[0] == spec.STATUS


def test_certificate_that_was_checked_is_not_checked_again():
    from emask import signed

    device, _ = handed_over()
    plain, calls = signed.check_digest, []
    signed.check_digest = lambda *args: calls.append(1) or plain(*args)
    try:
        assert Visit(device).status and len(calls) == 1
        again = boot()  # not even after a loss of power
        assert Visit(again).status and len(calls) == 2
    finally:
        signed.check_digest = plain


def test_wearer_waits_for_two_multiplications_at_a_kiosk_that_is_known():
    import memory

    device, _ = handed_over()
    from emask_crypto import ed25519, x25519  # a copy of their own for this test, which stays loaded

    calls = []
    plain = ed25519.verify, x25519.multiply, memory.put_away
    try:
        memory.put_away = lambda names: None
        ed25519.verify = lambda *args: calls.append("verify") or plain[0](*args)
        x25519.multiply = lambda *args: calls.append("multiply") or plain[1](*args)
        for again in (device, boot()):  # not even after a loss of power
            visit = Visit(again)
            before = calls.index("verify")
            visit.ask()
            assert calls[before:] == ["verify", "multiply"], calls
            calls.clear()
    finally:
        ed25519.verify, x25519.multiply, memory.put_away = plain
        memory.put_away(("emask_crypto.ed25519", "emask_crypto.x25519"))


def test_gap_in_a_list_is_asked_for_once():
    _, visit = handed_over()
    data = _list(_records(20))
    visit.answer(spec.LIST_OFFER, data[:178])
    late = messages.pack_list_data(240, data[240:300])
    assert visit.answer(spec.LIST_DATA, late) == (spec.LIST_WANT, struct.pack("<I", 0))
    assert visit.answer(spec.LIST_DATA, late) == ()


# -- upload and consent


def test_upload_gives_what_was_sent_and_a_fresh_key():
    device, _ = handed_over()
    minutes(device, 20)
    own = device.identity._own
    sent = {advert.decode(payload)[1] for _, _, payload in device.radio.sent}
    board.pressed_ms = 90000
    result, records = Visit(device, device.own_s()).ask(spec.ASK_UPLOAD, 14, b"c" * 32)
    assert result == spec.UPLOAD_GIVEN
    ids = []
    for record in records:
        key, slot, index, count = keylist.unpack_record(record)
        chain = bluezone.Chain(key, slot, index)
        for _ in range(count):
            ids.append(chain.id())
            chain.step()
    assert 2 <= len(ids) <= 4 and set(ids) <= sent
    board.pressed_ms = 0
    minutes(device, 16)
    assert device.identity._own.key != own.key


def test_upload_is_sealed_to_the_authority_and_bound_to_visit_and_code():
    device, _ = handed_over()
    minutes(device, 60)
    board.pressed_ms = 90000
    visit = Visit(device, device.own_s())
    _, body = visit.answer(spec.ASK, visit.kiosk.ask(spec.ASK_UPLOAD, 14, b"c" * 32))
    blob = visit.kiosk.reply(body)[1]
    assert visit.kiosk.upload(blob, b"c" * 32)
    assert visit.kiosk.upload(blob, b"d" * 32) is None
    visit.kiosk.whole = bytes(32)
    assert visit.kiosk.upload(blob, b"c" * 32) is None


def test_wearer_who_does_not_press_gives_nothing_and_keeps_the_key():
    device, _ = handed_over()
    minutes(device, 60)
    own = device.identity._own.key
    start_ms = board.now_ms
    for pressed_ms in (0, 1500):
        board.pressed_ms = pressed_ms
        assert Visit(device, device.own_s()).ask(spec.ASK_UPLOAD, 14) == (spec.UPLOAD_NOT_AGREED, [])
    assert 120000 <= board.now_ms - start_ms < 130000
    minutes(device, 20)
    assert device.identity._own.key == own and not device.asking


def test_kiosk_that_leaves_is_not_agreed_with():
    device, _ = handed_over()
    minutes(device, 60)
    visit = Visit(device, device.own_s())
    visit.session.alive = lambda: False
    board.pressed_ms = 90000
    start_ms = board.now_ms
    assert visit.ask(spec.ASK_UPLOAD, 14) == (spec.UPLOAD_NOT_AGREED, [])
    assert board.now_ms - start_ms < 1000


def test_token_pulses_the_number_that_the_screen_shows():
    from emask import handshake

    device, _ = handed_over()
    minutes(device, 60)
    visit = Visit(device, device.own_s())
    number = handshake.number(visit.kiosk.whole)
    board.outputs.clear()
    assert visit.ask(spec.ASK_UPLOAD, 14)[0] == spec.UPLOAD_NOT_AGREED
    pulses = board.outputs.count(("led", True))
    assert pulses % sum(number) == 0 and pulses >= 2 * sum(number)
    assert board.outputs.count(("motor", True)) == pulses


def test_shelved_or_unasked_token_gives_nothing():
    device, _ = handed_over()
    minutes(device, 60)
    board.pressed_ms = 1 << 30
    for flags, days in ((0, 14), (spec.ASK_UPLOAD, 0), (spec.ASK_UPLOAD, 15), (spec.ASK_UPLOAD | spec.ASK_SHELF, 14)):
        assert Visit(device, device.own_s()).ask(flags, days) == (spec.UPLOAD_NOT_ASKED, [])


# -- matching and alert


def test_contact_alerts_and_signals():
    import alerter
    from matching import Matching

    device, _ = handed_over()
    first = device.own_slot()
    now = neighbour(first)
    for _ in range(40):
        device.radio.heard = [(at, -50, now(device)) for at in (10, 110, 210)]
        minutes(device, 1)
    device.radio.heard = []
    minutes(device, 10)
    issued_s = device.own_s() + 7200
    record = keylist.pack_record(bytes(32), first, 0, 4)
    assert Visit(device, device.own_s()).hand(_list([record], issued_s=issued_s)) == _acked(spec.LIST_OK)
    board.move(8000)
    asyncio.run(Matching(device).run())
    assert device.alert and device.alert[0] == UTC // 86400
    assert not device.list_waits and not Visit(device, device.own_s()).status[2] & spec.STATE_LIST_WAITS
    board.outputs.clear()
    asyncio.run(alerter.Signal(device).run())
    assert lit() == ["motor"] * 3 + ["led"] * 3 + ["buzzer"] * (3 if device.own_s() % 3600 < 600 else 0)
    assert device.alert_next_ms > board.now_ms
    again = boot()
    assert again.alert == device.alert


def test_stranger_does_not_alert():
    from matching import Matching

    device, _ = handed_over()
    now = neighbour(device.own_slot(), b"\x07" * 32)
    for _ in range(40):
        device.radio.heard = [(10, -50, now(device))]
        minutes(device, 1)
    record = keylist.pack_record(bytes(32), device.own_slot() - 3, 0, 4)
    data = _list([record], issued_s=device.own_s() + 7200)
    assert Visit(device, device.own_s()).hand(data) == _acked(spec.LIST_OK)
    asyncio.run(Matching(device).run())
    assert device.alert is None


def test_long_press_answers_heard():
    import alerter

    device, _ = handed_over()
    device.set_alert(alert.pack(UTC // 86400, alert.GRADE_CONTACT, 0, 5, UTC // 86400 + 14))
    visits = []
    board.pressed_ms = 5000
    asyncio.run(alerter.Press(device, lambda: visits.append(1)).run())
    assert device.alert[2] & alert.HEARD and not visits
    board.pressed_ms = 300
    asyncio.run(alerter.Press(device, lambda: visits.append(1)).run())
    assert visits


def test_kiosk_ends_the_alert():
    device, _ = handed_over()
    device.set_alert(alert.pack(UTC // 86400, alert.GRADE_CONTACT, 0, 5, UTC // 86400 + 14))
    assert device.alert_open()
    Visit(device).ask(spec.ASK_ACK_ALERT)
    assert not device.alert_open()


# -- supervisor


class _Task:
    def __init__(self, runs, error=None, wait_ms=0):
        self.runs = runs
        self.error = error
        self.wait_ms = wait_ms

    async def run(self):
        self.runs.append(board.now_ms)
        while self.wait_ms:
            await _real_sleep(1)
        if self.error:
            raise self.error


class _Holds:
    count = 0

    def hold(self):
        self.count += 1

    def release(self):
        self.count -= 1


def _stop():
    raise board.Reset


def test_crashed_task_starts_again_with_growing_pauses():
    board.fresh()
    runs = []
    crashes = []
    supervisor = Supervisor(_Holds(), board.clock_ms, lambda: crashes.append(1), _stop)

    async def go():
        await supervisor.keep("task", lambda: _Task(runs, ValueError("secret")))

    try:
        asyncio.run(go())
    except board.Reset:
        pass
    pauses = [b - a for a, b in zip(runs, runs[1:])]
    assert pauses == [1000, 2000, 4000, 8000, 16000, 32000, 60000] and len(crashes) == 8


def test_task_beyond_its_deadline_lets_the_device_sleep():
    holds = _Holds()
    crashes = []
    supervisor = Supervisor(holds, board.clock_ms, lambda: crashes.append(1), _stop)

    async def go():
        assert supervisor.once("slow", lambda: _Task([], wait_ms=1), 20)
        assert not supervisor.once("slow", lambda: _Task([]), 20)
        assert holds.count == 1
        for _ in range(200):
            await _real_sleep(1)
            if "slow" not in supervisor._running:
                break

    asyncio.run(go())
    assert holds.count == 0 and crashes


def main(facts):
    """Run the tests among these globals, or those named on the command line."""
    names = sorted(name for name in facts if name.startswith("test_"))
    for name in names if len(sys.argv) < 3 else sys.argv[2:]:
        try:
            facts[name]()
            print("RESULT", name, "ok")
        except Exception as error:  # noqa: BLE001 - a runner of tests
            sys.print_exception(error, sys.stdout)
            print("RESULT", name, "failed")


if __name__ == "__main__":
    main(globals())
