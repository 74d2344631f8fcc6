"""Owns the facts of the door: when it opens, to whom, how long, what comes through it. Run by test_firmware.py."""

import asyncio
import struct
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from chores import Chores  # noqa: E402
from listener import Listener  # noqa: E402
from radio import RadioError  # noqa: E402
from session import Session  # noqa: E402
from vm_firmware import alert, board, peer, spec  # noqa: E402

UTC = rig.UTC
NOT_NOW = rig._refused(spec.REFUSED_NOT_NOW)
BEGIN = (spec.LIST_WANT, struct.pack("<I", 0))
SLOT_MS = 900000


class Starter:
    """Notes what should be started, in place of a supervisor."""

    def __init__(self):
        self.made = []

    def busy(self, name):
        return False

    def once(self, name, make, deadline_ms):
        self.made.append((name, make))
        return True


class Peer:
    """Whoever connects: silent, until it is dropped. silent_ms: how long that takes."""

    def __init__(self, silent_ms=5000):
        self.silent_ms = silent_ms
        self.waited = []
        self.closed = 0

    def alive(self):
        return True

    def frame_max(self):
        return 244

    async def receive(self, wait_ms):
        self.waited.append(wait_ms)
        await asyncio.sleep_ms(min(wait_ms, self.silent_ms))
        if self.silent_ms >= wait_ms:
            raise RadioError
        return b"\0\x04"  # a frame that asks for nothing

    async def close(self):
        self.closed += 1


def live(device, slots):
    """So many slots of windows and doors."""
    starter = Starter()
    chores = Chores(device, starter)
    listener = Listener(device, lambda: None)
    end_ms = board.now_ms + slots * SLOT_MS

    async def go():
        while board.now_ms < end_ms:
            await listener._minute()
            chores.check()
            for name, make in starter.made:
                if name == "door":
                    await make().run()
            starter.made.clear()

    asyncio.run(go())


def doors(device):
    """(number of the slot, ms into it, UUID, length) of each time that it was connectable."""
    own = device.clock.own_ms
    return [(own(a) // SLOT_MS, own(a) % SLOT_MS, uuid, b - a) for a, uuid, b in device.radio.opened]


class Pushed(rig.Visit):
    """A connection through the door."""

    def __init__(self, device, door=True):
        self.device = device
        board.radio_up = True
        self.session = Session(device, door)
        if not door:
            self.session.prepare()


def vouched_by(certificate):
    return peer.list_file([], 6, UTC + 86400, vouched=certificate)


# -- when


def test_door_opens_once_a_slot_at_a_minute_of_chance():
    device, _ = rig.handed_over()
    now = rig.neighbour(device.own_slot())
    device.radio.heard = [(10, -60, now(device))]
    live(device, 40)
    found = doors(device)
    slots = [slot for slot, _, _, _ in found]
    assert slots == list(range(slots[0], slots[0] + len(slots))) and len(slots) >= 40
    assert {(uuid, ms) for _, _, uuid, ms in found} == {(spec.DOOR_UUID, 400)}
    minutes = {at // 60000 for _, at, _, _ in found[1:]}
    assert len(minutes) >= 5 and max(minutes) <= 11


def test_door_opens_once_a_slot_for_who_is_alone_too():
    device, _ = rig.handed_over()
    live(device, 30)
    slots = [slot for slot, _, _, _ in doors(device)]
    assert slots == list(range(slots[0], slots[0] + len(slots))) and len(slots) >= 30


def test_door_is_the_same_whatever_the_token_holds():
    def opened(prepare):
        device, _ = rig.handed_over()
        prepare(device)
        live(device, 12)
        found = doors(device)[:12]
        return [slot - found[0][0] for slot, _, _, _ in found], {row[2:] for row in found}

    def listed(device):
        assert Pushed(device).hand(rig._list([])) == rig._acked(spec.LIST_OK)

    def matched(device):
        listed(device)
        device.lists.matched(True)

    plain = opened(lambda device: None)
    day = UTC // 86400
    for prepare in (
        listed,
        matched,
        lambda device: device.set_alert(alert.pack(day - 3, alert.GRADE_CONTACT, 0, 5, day + 14)),
        lambda device: setattr(device.rendezvous, "held_ms", 1 << 30),
    ):
        assert opened(prepare) == plain


def test_door_stays_shut_on_the_shelf():
    board.fresh()
    device = rig.boot()
    chores, starter = Chores(device, Starter()), Starter()
    chores._supervisor = starter
    chores.check()
    assert not starter.made


def test_door_outlives_deep_sleep_and_opens_after_a_loss_of_power():
    device, _ = rig.handed_over()
    live(device, 1)
    plan = device.rendezvous
    plan.held_ms = 12345
    device.freeze()
    again = rig.boot(board.WAKE_TIMER).rendezvous
    assert (again.door_ms, again.held_ms) == (plan.door_ms, 12345) and plan.door_ms > board.now_ms
    board.now_ms = 1000
    assert rig.boot(board.WAKE_TIMER).rendezvous.door_ms == 0


# -- for how long


def test_silent_peer_is_dropped_after_five_seconds():
    device, _ = rig.handed_over()
    device.radio.visitor = visitor = Peer()
    live(device, 1)
    assert visitor.waited[0] == 5000 and visitor.closed >= 1


def test_peers_hold_the_door_open_for_a_bounded_time_a_day():
    device, _ = rig.handed_over()
    device.radio.visitor = Peer(silent_ms=3000)
    before_ms = board.now_ms
    held = []
    rendezvous = device.rendezvous
    plain = type(rendezvous).door

    def door(self, *given):
        held.append(self.held_ms)
        plain(self, *given)

    type(rendezvous).door = door
    try:
        live(device, 96)
    finally:
        type(rendezvous).door = plain
    days = (board.now_ms - before_ms) / 86400000
    used_ms = rendezvous.held_ms + sum([min(2000, ms) for ms in held])
    assert used_ms <= 90000 + 43000 + 96 * 2000 * days + 4000
    assert used_ms > 90000 and len(held) >= 96  # it opens all the same


def test_token_that_compares_a_list_lets_nobody_in():
    device, _ = rig.handed_over()
    device.radio.visitor = visitor = Peer()
    device.list_waits = True
    live(device, 1)
    assert device.radio.opened and not visitor.waited and visitor.closed == len(device.radio.opened)


def test_list_is_compared_once_the_visit_is_over():
    """Memory has room for one of the two."""
    device, _ = rig.handed_over()
    device.list_waits = True
    starter = Starter()
    chores = Chores(device, starter)
    meanwhile = []

    async def welcome(*_):
        chores.check()
        meanwhile.extend(name for name, _ in starter.made)

    device.radio.welcome = welcome
    chores._visit()
    ((name, make),) = starter.made
    asyncio.run(make().run())
    assert name == "visit" and "matching" not in meanwhile
    chores.check()
    assert "matching" in [name for name, _ in starter.made]


def test_peer_at_the_door_gives_way_to_a_wearer_who_presses():
    device, _ = rig.handed_over()
    device.radio.visitor = visitor = Peer(silent_ms=1000)
    device.called = True
    live(device, 1)
    assert visitor.closed and not visitor.waited


# -- what


def test_list_comes_through_the_door_from_anyone():
    device, _ = rig.handed_over()
    assert Pushed(device).hand(rig._list(rig._records(150))) == rig._acked(spec.LIST_OK)
    assert device.list_waits and device.list_info.serial == 5


def test_nothing_but_lists_comes_through_the_door():
    device, _ = rig.handed_over()
    visit = rig.Visit(device)
    for kind, body in (
        (spec.HELLO, b"\2"),
        (spec.SESSION, visit.kiosk.session(visit.nonce, UTC)),
        (spec.ASK, bytes(52)),
        (spec.BLINK, b""),
        (spec.ROOT, bytes(144)),
        (spec.LIST_WANT, bytes(4)),
        (99, b""),
    ):
        assert Pushed(device).answer(kind, body) == NOT_NOW, kind
    assert not board.outputs
    assert Pushed(device).answer(spec.BYE, b"") == (spec.OK, b"")


def test_answers_at_the_door_are_numbers_of_the_protocol():
    device, _ = rig.handed_over()
    data = rig._list([])
    for make in (lambda: data[:178], lambda: bytes(178), lambda: rig._list([], region=3)[:178]):
        kind, body = Pushed(device).answer(spec.LIST_OFFER, make())
        assert kind in (spec.LIST_WANT, spec.LIST_ACK) and len(body) <= 4


def test_rogue_lists_are_refused_at_the_door():
    device, _ = rig.handed_over()
    assert Pushed(device).hand(rig._list([])) == rig._acked(spec.LIST_OK)
    device.lists.matched(True)
    for why, data, result in (
        ("older", rig._list([], 4), spec.LIST_OLD_SERIAL),
        ("another region", rig._list([], 6, region=3), spec.LIST_WRONG_REGION),
        ("a gap", rig._list([], 9, base=8), spec.LIST_GAP),
        ("another root", vouched_by(peer.certificate(spec.LIST_KEY, root=peer.NEW_ROOT)), spec.LIST_NOT_TRUSTED),
        ("a kiosk's key", vouched_by(rig.CERTIFICATE), spec.LIST_NOT_TRUSTED),
    ):
        assert Pushed(device).hand(data) == rig._acked(result), why
    spoilt = bytearray(rig._list([], 6))
    spoilt[190] ^= 1
    assert Pushed(device).hand(bytes(spoilt)) == rig._acked(spec.LIST_NOT_TRUSTED)
    assert device.list_info.serial == 5
    assert Pushed(device).hand(rig._list([], 6)) == rig._acked(spec.LIST_OK)


def test_two_offers_are_heard_and_no_more():
    device, _ = rig.handed_over()
    pushed = Pushed(device)
    gap = rig._list([], 9, base=8)[:178]
    assert [pushed.answer(spec.LIST_OFFER, gap) for _ in range(2)] == [rig._acked(spec.LIST_GAP)] * 2
    assert pushed.answer(spec.LIST_OFFER, rig._list([])[:178]) == NOT_NOW


def test_door_tells_nothing_of_how_far_a_list_has_come():
    device, _ = rig.handed_over()
    data = rig._list(rig._records(250))
    assert rig.Visit(device).hand(data, stop=9000) is None
    assert device.list_info.blocks == 2
    assert Pushed(device).answer(spec.LIST_OFFER, data[:178]) == BEGIN
    assert Pushed(device).hand(data, stop=9000) is None
    assert Pushed(device).answer(spec.LIST_OFFER, data[:178]) == BEGIN
    assert Pushed(device).hand(data) == rig._acked(spec.LIST_OK)


def test_stranger_in_a_visit_may_offer_all_that_they_carry():
    device, _ = rig.handed_over()
    first = Pushed(device, door=False)
    for serial in (9, 8, 7, 6):
        assert first.answer(spec.LIST_OFFER, rig._list([], serial, region=3)[:178]) == rig._acked(
            spec.LIST_WRONG_REGION
        )
    assert first.hand(rig._list([])) == rig._acked(spec.LIST_OK)


def test_stranger_in_a_visit_brings_lists_and_nothing_else():
    device, _ = rig.handed_over()
    data = rig._list(rig._records(250))
    first = Pushed(device, door=False)
    assert first.hand(data, stop=9000) is None
    for kind, body in ((spec.HELLO, b"\2"), (spec.ASK, bytes(52)), (spec.BLINK, b"")):
        assert first.answer(kind, body) == NOT_NOW
    again = Pushed(device, door=False)
    assert again.answer(spec.LIST_OFFER, data[:178]) == (spec.LIST_WANT, struct.pack("<I", 8192))
    assert Pushed(device, door=False).hand(data) == rig._acked(spec.LIST_OK)


def test_list_is_the_lower_bound_of_time_also_by_the_door():
    device, _ = rig.handed_over()
    later = UTC + 40 * 86400
    assert device.known_s() < later
    assert Pushed(device).hand(rig._list([], issued_s=later)) == rig._acked(spec.LIST_OK)
    assert device.known_s() >= later
    assert rig.Visit(device).opened == rig._refused(spec.REFUSED_NOT_TRUSTED)  # that kiosk's term is over


def test_token_on_the_shelf_takes_no_list_from_anyone():
    board.fresh()
    device = rig.boot()
    assert Pushed(device).answer(spec.LIST_OFFER, rig._list([])[:178]) == NOT_NOW


if __name__ == "__main__":
    rig.main(globals())
