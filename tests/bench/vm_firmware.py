"""Owns the facts of the firmware's tasks, run on the MicroPython VM with a fake board and radio (test_firmware.py)."""

import asyncio
import struct
import sys
from hashlib import sha256

_ROOT = sys.argv[1]
sys.path[:0] = [_ROOT + "/tests/bench/fakes", _ROOT + "/firmware", _ROOT + "/lib"]

import rtc  # noqa: E402
from device import Device  # noqa: E402
from listener import Listener  # noqa: E402
from rendezvous import Rendezvous  # noqa: E402
from session import Session  # noqa: E402
from supervisor import Supervisor  # noqa: E402

import board  # noqa: E402
from emask import advert, alert, bluezone, clock, keylist, messages, schedule, sighting, spec  # noqa: E402

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


def handed_over(utc_s=UTC):
    board.fresh()
    device = boot()
    hello = messages.pack(spec.HANDOVER, 1, utc_s, 0, 2, 0)
    board.radio_up = True
    session = Session(device)
    assert session.answer(spec.HANDOVER, hello)[0][0] == spec.STATUS
    board.radio_up = False
    device.power._kicked = False  # nobody slept yet
    return device, session


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
    device.rendezvous._shift_ms = -5300  # windows now straddle the whole minute, and so slots' ends
    minutes(device, 20)
    for start, end, _ in device.radio.sent:
        assert device.clock.own_ms(start) // 900000 == device.clock.own_ms(end) // 900000
    spans = [end - start for start, end, _ in device.radio.sent]
    assert min(spans) < 400 < max(spans)


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
    assert fields[4] >= 3 * 13 and fields[6] == -60 and abs(fields[5] + 60) <= 2


def test_visit_takes_the_window():
    device, _ = handed_over()
    device.radio.up = True
    minutes(device, 2)
    assert not device.radio.sent and device.state.missed == 2


# -- boots


def test_deep_sleep_restores_key_clock_and_counters():
    device, _ = handed_over()
    minutes(device, 3)
    device.freeze()
    sent = device.radio.sent[-1][2]
    board.move(50000)
    again = boot(board.WAKE_TIMER)
    minutes(again, 1)
    assert again._store is None  # a boot that hears nothing does not touch the flash
    assert again.radio.sent[-1][2] == sent
    assert again.clock.utc_s(board.now_ms) == device.clock.utc_s(board.now_ms)


def test_deep_sleep_boot_uses_the_window_it_woke_for():
    device, _ = handed_over()
    minutes(device, 3)
    last_ms = device.radio.sent[-1][0]
    plan = device.rendezvous.plan(board.now_ms, device.clock, device.own_slot())
    device.freeze()
    board.now_ms = plan.start_ms - device.rendezvous.lead_ms + 70
    again = boot(board.WAKE_TIMER)
    minutes(again, 1)
    assert 59000 < again.radio.sent[-1][0] - last_ms < 61000


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
    again.rendezvous._search_ms = 1 << 40
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
        assert rtc.unpack(bad, 10) is None
    assert rtc.unpack(good[:-1], 10) is None and rtc.unpack(b"", 10) is None
    assert rtc.unpack(good, 10)


def test_key_is_replaced_after_a_week():
    device, _ = handed_over()
    minutes(device, 1)
    first = device.identity._own.key
    board.move(7 * 86400000)
    minutes(device, 1)
    assert device.identity._own.key != first


# -- rendezvous


def _plans(ppm_clock, count, heard=()):
    meet = Rendezvous(20)
    found = []
    now_ms = 1000
    meet.confirmed(now_ms)
    for _ in range(count):
        plan = meet.plan(now_ms, ppm_clock, 1)
        meet.opened(plan, ppm_clock, plan.start_ms, lambda n: bytes(n))
        meet.closed(plan, ppm_clock, [(plan.point_ms + ms, field) for ms, field in heard])
        found.append(plan)
        now_ms = plan.start_ms + plan.length_ms
    return found


def test_windows_of_confirmed_clocks_share_the_minute():
    own = clock.SegmentClock(1)
    own.confirm(1000, UTC, 250)
    points = [own.own_ms(plan.point_ms) % 60000 for plan in _plans(own, 5)]
    assert points == [5000] * 5


def test_windows_come_once_a_minute():
    own = clock.SegmentClock(1)
    own.confirm(1000, UTC, 250)
    starts = [plan.point_ms for plan in _plans(own, 50)]
    assert [b - a for a, b in zip(starts, starts[1:])] == [60000] * 49


def test_liar_cannot_drag_a_confirmed_clock_away():
    own = clock.SegmentClock(1)
    own.confirm(1000, UTC, 0)
    plans = _plans(own, 60, [(0, 5970 + 2000)] * 5)
    assert own.own_ms(plans[-1].point_ms) % 60000 <= 5400


def test_lost_token_goes_where_others_are():
    meet = Rendezvous(20)
    own = clock.SegmentClock(1)
    plan = meet.plan(5000, own, 1)
    assert plan.search
    others_ms = 5000 + 23456  # in the middle of a window; the next begins in 59.7 s
    meet.closed(plan, own, [(others_ms, 5970)] * 3)
    after = meet.plan(70000, own, 1)
    assert not after.search
    assert (after.point_ms - others_ms + 300) % 60000 < 20
    assert after.start_ms < after.point_ms and after.length_ms == schedule.WINDOW_LOST_MS


# -- session


def _list(records, serial=5, issued_s=UTC + 86400, rule=(70, 10)):
    header = keylist.pack_header(spec.BLUEZONE, 1, serial, issued_s, len(records), rule[0], rule[1])
    body = header + b"".join(records)
    return body + sha256(body).digest()


def _hand(session, data, start=0, stop=None):
    stop = len(data) if stop is None else stop
    kind, body = session.answer(spec.LIST_OFFER, data[:24])[0]
    if kind != spec.LIST_WANT:
        return kind, body
    start = struct.unpack("<I", body)[0]
    for at in range(start, stop, 240):
        assert not session.answer(spec.LIST_DATA, messages.pack_list_data(at, data[at : min(at + 240, stop)]))
    return session.answer(spec.LIST_END, data[-32:])[0]


def _records(count):
    return [keylist.pack_record(bytes([n % 251]) * 32, 1000, 0, 96) for n in range(count)]


def test_shelf_answers_only_greetings():
    board.fresh()
    session = Session(boot())
    assert session.answer(spec.LIST_OFFER, bytes(24))[0][0] == spec.REFUSED
    hello = messages.pack(spec.HELLO, 1, UTC, 0, 2, 0)
    kind, body = session.answer(spec.HELLO, hello)[0]
    status = messages.unpack(kind, body)
    assert status[2] & spec.STATE_SHELF and not status[2] & spec.STATE_TIME_KNOWN
    assert session.answer(spec.UPLOAD_REQUEST, bytes(14))[0][0] == spec.REFUSED


def test_malformed_bodies_are_refused():
    _, session = handed_over()
    for kind in range(256):
        for body in (b"\xff", bytes(400)):
            answer = session.answer(kind, body)
            assert answer == () or answer[0][0] in (spec.REFUSED, spec.LIST_ACK, spec.LIST_WANT), kind


def test_list_arrives_whole():
    device, session = handed_over()
    assert _hand(session, _list(_records(200))) == (spec.LIST_ACK, b"\0")
    assert device.list_waits and device.lists.serial == 5
    assert list(device.lists.records()) == _records(200)
    assert _hand(session, _list(_records(3))) == (spec.LIST_ACK, bytes([spec.LIST_OLD_SERIAL]))


def test_list_goes_on_after_a_reset():
    device, session = handed_over()
    data = _list(_records(250))
    _hand(session, data, stop=9000)
    device.freeze()
    again = boot(board.WAKE_WATCHDOG)
    session = Session(again)
    session.answer(spec.HELLO, messages.pack(spec.HELLO, 1, UTC + 5, 0, 2, 0))
    kind, body = session.answer(spec.LIST_OFFER, data[:24])[0]
    assert (kind, struct.unpack("<I", body)[0]) == (spec.LIST_WANT, 8192)
    assert _hand(session, data) == (spec.LIST_ACK, b"\0")
    assert list(again.lists.records()) == _records(250)


def test_damaged_list_is_not_taken():
    device, session = handed_over()
    data = bytearray(_list(_records(5)))
    data[100] ^= 1
    assert _hand(session, bytes(data)) == (spec.LIST_ACK, bytes([spec.LIST_BAD_HASH]))
    assert device.lists.serial == 0 and not device.list_waits


def test_gap_in_a_list_is_asked_for_once():
    _, session = handed_over()
    data = _list(_records(20))
    session.answer(spec.LIST_OFFER, data[:24])
    late = messages.pack_list_data(480, data[480:720])
    assert session.answer(spec.LIST_DATA, late)[0] == (spec.LIST_WANT, struct.pack("<I", 0))
    assert session.answer(spec.LIST_DATA, late) == ()


def test_upload_gives_what_was_sent_and_a_fresh_key():
    device, session = handed_over()
    minutes(device, 60)
    own = device.identity._own
    sent = {advert.decode(payload)[1] for _, _, payload in device.radio.sent}
    board.radio_up = True
    kind, body = session.answer(spec.UPLOAD_REQUEST, messages.pack(spec.UPLOAD_REQUEST, 14, b"123456789012"))[0]
    board.radio_up = False
    assert kind == spec.UPLOAD
    ids = []
    for record in messages.unpack_upload(body):
        key, slot, index, count = keylist.unpack_record(record)
        chain = bluezone.Chain(key, slot, index)
        for _ in range(count):
            ids.append(chain.id())
            chain.step()
    assert 2 <= len(ids) <= 4 and set(ids) <= sent
    minutes(device, 16)
    assert device.identity._own.key != own.key


# -- matching and alert


def test_contact_alerts_and_signals():
    import alerter
    from matching import Matching

    device, session = handed_over()
    first = device.own_slot()
    now = neighbour(first)
    for _ in range(40):
        device.radio.heard = [(at, -50, now(device)) for at in (10, 110, 210)]
        minutes(device, 1)
    device.radio.heard = []
    minutes(device, 10)
    issued_s = device.own_s() + 7200
    record = keylist.pack_record(bytes(32), first, 0, 4)
    assert _hand(session, _list([record], issued_s=issued_s)) == (spec.LIST_ACK, b"\0")
    board.move(8000)
    asyncio.run(Matching(device).run())
    assert device.alert and device.alert[0] == UTC // 86400
    assert not device.list_waits
    board.outputs.clear()
    asyncio.run(alerter.Signal(device).run())
    assert {name for name, on in board.outputs if on} == {"led", "motor", "buzzer"}
    assert device.alert_next_ms > board.now_ms
    again = boot()
    assert again.alert == device.alert


def test_stranger_does_not_alert():
    from matching import Matching

    device, session = handed_over()
    now = neighbour(device.own_slot(), b"\x07" * 32)
    for _ in range(40):
        device.radio.heard = [(10, -50, now(device))]
        minutes(device, 1)
    record = keylist.pack_record(bytes(32), device.own_slot() - 3, 0, 4)
    assert _hand(session, _list([record], issued_s=device.own_s() + 7200)) == (spec.LIST_ACK, b"\0")
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
    device, session = handed_over()
    device.set_alert(alert.pack(UTC // 86400, alert.GRADE_CONTACT, 0, 5, UTC // 86400 + 14))
    assert device.alert_open()
    assert session.answer(spec.ACK_ALERT, b"")[0][0] == spec.OK
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


def _main():
    names = sorted(name for name in globals() if name.startswith("test_"))
    for name in names if len(sys.argv) < 3 else sys.argv[2:]:
        try:
            globals()[name]()
            print("RESULT", name, "ok")
        except Exception as error:  # noqa: BLE001 - a runner of tests
            sys.print_exception(error, sys.stdout)
            print("RESULT", name, "failed")


_main()
