"""Owns the facts of a swap of one token for another, on the VM: what moves, and what becomes of both. Run by
test_firmware.py.
"""

import asyncio
import struct
import sys
from hashlib import sha256

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_firmware import advert, alert, board, keylist, peer, sighting, spec  # noqa: E402

from emask import handshake  # noqa: E402

UTC = rig.UTC
CLINIC = peer.certificate(spec.PROXY_KIOSK_KEY, 11, 0, UTC - 86400, UTC + 10 * 86400)
CASE, FRIEND = b"\x05" * 32, b"\x06" * 32
HOME = bytes(range(16))
MOVED = (spec.SIGHTING, spec.KEY, spec.ANCHOR, spec.ALERT, spec.HOUSEHOLD, spec.PAUSES, spec.MET, spec.SECOND)
DAY = UTC // 86400


class Token:
    """A token with flash and memory of its own: the fake board holds one at a time."""

    def __init__(self):
        self.partitions = {"sightings": board.Flash(16), "lists": board.Flash(8)}
        self.rtc = b""
        self.use()
        self.boot()

    def use(self):
        board.partitions, board.rtc = self.partitions, self.rtc
        return self

    def boot(self, reason=board.WAKE_POWER):
        """Start anew; what chores do after a visit that broke off."""
        self.device = rig.boot(reason)
        self.rtc = board.rtc
        return self

    def visit(self, certificate=CLINIC):
        self.use()
        return rig.Visit(self.device, UTC + board.now_ms // 1000, certificate)

    def kept(self, kind):
        return [bytes(payload) for _, payload in self.device.store.read(kind)]


def step(visit, flags, field=bytes(32), press=False):
    """(result, what was told with it) of one step."""
    board.pressed_ms = 90000 if press else 0
    try:
        kind, body = visit.answer(spec.ASK, visit.kiosk.ask(flags, 0, field))
    finally:
        board.pressed_ms = 0
    assert kind == spec.UPLOAD and len(body) == spec.SEALED_UPLOAD_BYTES
    return visit.kiosk.reply(body)


def moves(visit, body=b""):
    """All replies to a MOVE."""
    replies = asyncio.run(visit.session.answer(spec.MOVE, body, board.now_ms))
    visit.device.power.kicked = False
    return replies


def worn():
    """A token that met a case and a friend, belongs to a household, had a pause, and is alerted."""
    import second

    board.fresh()
    token = Token()
    rig.Visit(token.device, UTC).ask(spec.ASK_HANDOVER)
    token.records = rig.beside(token.device, [CASE, FRIEND])
    token.device.radio.heard = [(10, -50, rig.neighbour(token.device.own_slot())(token.device))]
    rig.minutes(token.device, 2)  # of a slot that is not merged yet
    store, slot = token.device.store, token.device.slot()
    for number in range(20):
        store.append(spec.SIGHTING, slot, sighting.pack(1, bytes((number,)) * 12, 1, 3, 1, -80, 0, bytes(8)))
    store.append(spec.HOUSEHOLD, slot, HOME)
    store.append(spec.PAUSES, slot, bytes(16))
    store.append(spec.MET, slot, bytes(3) + token.records[0])
    store.append(spec.SECOND, slot, bytes(struct.calcsize(second._FORMAT)))
    token.device.set_alert(alert.pack(DAY, alert.GRADE_CONTACT, alert.HEARD, 5, DAY + 14))
    token.device.freeze()
    token.device.radio.heard, token.rtc = [], board.rtc
    return token


def key_of(new):
    """The first visit: the new token's public key."""
    result, told = step(new.visit(), spec.ASK_SWAP_KEY)
    assert result == spec.SWAP_READY
    return told[:32]


def given(old, public, flags=0, press=True):
    """The second visit: the old one's public key, and its pages."""
    visit = old.visit()
    result, told = step(visit, spec.ASK_SWAP_GIVE | flags, public, press)
    assert result == spec.SWAP_READY and visit.session.more_ms == 900000
    pages = []
    while True:
        for kind, body in moves(visit):
            if kind == spec.OK:
                return told[:32], pages
            assert kind == spec.PAGE and len(body) == spec.SWAP_PAGE_BYTES
            pages.append(body)


def taken(new, enc, pages):
    """The third visit: the last replies."""
    assert step(visit := new.visit(), spec.ASK_SWAP_TAKE, enc)[0] == spec.SWAP_READY
    replies = [moves(visit, page) for page in pages][-1]
    new.rtc = board.rtc
    return replies


def swapped(old=None):
    """Two tokens after a whole swap."""
    old, new = old or worn(), Token()
    before = {kind: old.kept(kind) for kind in MOVED}
    enc, pages = given(old, key_of(new))
    ((kind, receipt),) = taken(new, enc, pages)
    assert kind == spec.RECEIPT
    assert step(old.visit(), spec.ASK_SWAP_DONE, receipt)[0] == spec.UPLOAD_WIPED
    new.use()
    return old, new, before


def test_new_token_holds_what_the_old_one_held_and_the_old_one_nothing():
    minutes = len(worn().kept(spec.HEARD))
    old, new, before = swapped()
    assert minutes
    for kind in MOVED:
        assert before[kind] and all(record in new.kept(kind) for record in before[kind]), kind
        assert not old.kept(kind), kind
    assert old.device.state.shelf and not old.device.state.wiping
    assert not new.device.state.shelf and not new.device.state.wiping
    assert new.kept(spec.ALERT)[-1] == before[spec.ALERT][-1]


def test_minutes_that_were_not_merged_become_sightings_of_the_new_token():
    _, new, before = swapped()
    rig.minutes(new.device, 30)
    assert len(new.kept(spec.SIGHTING)) > len(before[spec.SIGHTING])


def test_new_token_counts_a_segment_of_its_own_and_knows_the_time():
    old = worn()
    segment = old.device.state.segment
    _, new, _ = swapped(old)
    assert new.device.clock.segment == new.device.state.segment == segment + 1
    assert new.device.clock.anchored and abs(new.device.own_s() - UTC - board.now_ms // 1000) <= 5
    again = new.boot()
    assert again.device.state.segment == segment + 2 and not again.device.state.shelf


def compared(token, records, serial):
    """Whether a list with these records gives an alert that was not there."""
    from matching import Matching

    before = token.device.alert
    data = rig._list(records, serial=serial, issued_s=token.device.own_s() + 7200)
    assert token.visit().hand(data) == rig._acked(spec.LIST_OK)
    asyncio.run(Matching(token.device).run())
    return token.device.alert != before


def test_whom_the_old_token_met_the_new_one_finds_and_a_known_contact_not_anew():
    old = worn()
    _, new, _ = swapped(old)
    assert not compared(new, old.records[:1], 9)  # of the day of which it is alerted
    assert new.device.alert[2] & alert.HEARD and new.device.alert_open()
    old = worn()
    old.device.store.append(spec.ALERT, old.device.slot(), alert.pack(DAY - 9, 1, alert.ACKNOWLEDGED, 2, DAY + 5))
    _, new, _ = swapped(old)
    assert not new.device.alert_open() and compared(new, old.records[:1], 9)
    assert new.device.alert_open() and new.device.alert[0] == DAY


def adverts(device):
    return {bytes(advert.decode(payload)[1]) for _, _, payload in device.radio.sent}


def test_no_identifier_of_the_old_token_is_sent_by_the_new_one():
    old = worn()
    before = adverts(old.device)
    _, new, _ = swapped(old)
    rig.minutes(new.device, 40)
    assert before and adverts(new.device) and not before & adverts(new.device)


def test_upload_gives_the_slots_of_both_tokens_each_once():
    _, new, before = swapped()
    own = {record[16:48] for record in before[spec.KEY]}
    first_s = new.device.own_s()
    rig.minutes(new.device, 60)
    board.pressed_ms = 90000
    result, records = new.visit().ask(spec.ASK_UPLOAD, 14)
    board.pressed_ms = 0
    assert result == spec.UPLOAD_GIVEN and len(records) == 2
    spans = []
    for record in records:
        key, first, _, count = keylist.unpack_record(record)
        spans.append((first, first + count, key in own))
    spans.sort()
    assert [own for _, _, own in spans] == [True, False]
    assert spans[0][1] <= spans[1][0] <= first_s // 900 + 1


def test_new_token_asks_for_all_lists_again():
    _, new, _ = swapped()
    assert new.device.list_info.sure == 0 and not new.device.list_waits
    assert new.visit().status[4] == 0


def test_number_is_of_the_key_that_the_wearer_agrees_to():
    old, new = worn(), Token()
    public = key_of(new)
    visit = old.visit()
    board.outputs.clear()
    assert step(visit, spec.ASK_SWAP_GIVE, public)[0] == spec.UPLOAD_NOT_AGREED
    shown = sum(handshake.number(sha256(visit.kiosk.whole + public).digest()))
    pulses = board.outputs.count(("motor", True))
    assert pulses >= 2 * shown and pulses % shown == 0


def test_representative_may_agree():
    old, new = worn(), Token()
    public = key_of(new)
    start_ms = board.now_ms
    assert given(old, public, spec.ASK_PROXY, False)[1] and board.now_ms - start_ms >= 60000


def test_token_that_gave_goes_on_until_its_receipt_comes():
    old, new = worn(), Token()
    before = {kind: old.kept(kind) for kind in MOVED}
    given(old, key_of(new))
    old.use()
    rig.minutes(old.device, 20)
    assert adverts(old.device) and not old.device.state.shelf and old.device.alert_open()
    assert all(record in old.kept(kind) for kind in MOVED for record in before[kind])


if __name__ == "__main__":
    rig.main(globals())
