"""Owns the facts of a swap that is attacked, or asked for by who may not, on the VM; cuts of power: vm_swap_cuts.py.
Run by test_firmware.py.
"""

import asyncio
import struct
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
import vm_swap as base  # noqa: E402
from vm_firmware import alert, board, spec  # noqa: E402

from emask.parcel import Parcel  # noqa: E402
from emask_crypto import hpke, x25519  # noqa: E402

UTC = rig.UTC
REFUSED = [rig._refused(spec.REFUSED_MALFORMED)]
STEPS = (spec.ASK_SWAP_KEY, spec.ASK_SWAP_GIVE, spec.ASK_SWAP_TAKE, spec.ASK_SWAP_DONE)
EVIL = b"\x77" * 32


def is_empty(token):
    return token.device._store is None or not any(token.kept(kind) for kind in base.MOVED + (spec.HEARD,))


def is_new(token):
    """Still a token from the box, which can be swapped to again."""
    return token.device.state.shelf and not token.device.state.wiping and is_empty(token)


def is_whole(token, before):
    return not token.device.state.shelf and all(one in token.kept(kind) for kind in before for one in before[kind])


def what(token):
    return {kind: token.kept(kind) for kind in base.MOVED}


def flipped(page, at):
    return page[:at] + bytes((page[at] ^ 1,)) + page[at + 1 :]


def test_page_that_is_not_the_next_is_refused_and_the_new_token_is_empty_again():
    old, new = base.worn(), base.Token()
    before = what(old)
    enc, pages = base.given(old, base.key_of(new))
    assert len(pages) >= 3
    _, others = base.given(base.worn(), x25519.public(b"\x31" * 32))
    for why, shown in (
        ("dropped", pages[1:2]),
        ("dropped in the middle", pages[:1] + pages[2:3]),
        ("out of order", [pages[1], pages[0]]),
        ("twice", [pages[0], pages[0]]),
        ("of another swap", others[:1]),
        ("a bit", [flipped(pages[0], 7)]),
        ("a bit of the check", [flipped(pages[0], 479)]),
        ("a bit later", pages[:2] + [flipped(pages[2], 300)]),
        ("cut short", [pages[0][:-1]]),
        ("too long", [pages[0] + b"\0"]),
    ):
        visit = new.visit()
        assert base.step(visit, spec.ASK_SWAP_TAKE, enc)[0] == spec.SWAP_READY, why
        for page in shown:
            replies = base.moves(visit, page)
        assert replies == REFUSED, why
        assert base.moves(visit, pages[0]) == REFUSED, why
        new.rtc = board.rtc
        new.use().boot(board.WAKE_RESET)
        assert is_new(new), why
    assert base.taken(new, enc, pages)[0][0] == spec.RECEIPT
    assert is_whole(old, before)


def test_what_breaks_off_ends_in_a_reset_that_leaves_an_empty_token():
    import chores

    old, new = base.worn(), base.Token()
    enc, pages = base.given(old, base.key_of(new))

    async def over(visit):
        pass

    base.taken(new, enc, pages[:2])
    try:
        asyncio.run(chores._Visit(new.use().device, over, lambda: False).run())
        raise AssertionError("no reset")
    except board.Reset:
        new.use().boot(board.WAKE_RESET)
    assert is_new(new)


def test_no_step_is_done_for_a_shopkeepers_kiosk():
    old, new = base.worn(), base.Token()
    before = what(old)
    for flags in STEPS:
        for token in (old, new):
            assert base.step(token.visit(rig.CERTIFICATE), flags, x25519.public(EVIL), True)[0] == spec.UPLOAD_NOT_ASKED
    assert is_whole(old, before) and is_new(new)


def test_move_that_nothing_led_to_is_refused():
    old, new = base.worn(), base.Token()
    for token in (old, new):
        visit = token.visit()
        visit.ask(0)
        assert base.moves(visit)[0][0] == spec.REFUSED and base.moves(visit, bytes(480))[0][0] == spec.REFUSED
    public = base.key_of(new)
    visit = old.visit()
    base.step(visit, spec.ASK_SWAP_GIVE, public, True)
    (_, page), *_ = base.moves(visit)
    assert base.moves(visit, page) == REFUSED and base.moves(visit) == REFUSED


def test_key_of_small_order_is_refused():
    old, new = base.worn(), base.Token()
    base.key_of(new)
    for token, flags in ((old, spec.ASK_SWAP_GIVE), (new, spec.ASK_SWAP_TAKE)):
        visit = token.visit()
        assert visit.answer(spec.ASK, visit.kiosk.ask(flags)) == REFUSED[0]
    assert is_new(new)


def test_old_token_gives_nothing_without_a_press():
    old, new = base.worn(), base.Token()
    public = base.key_of(new)
    visit = old.visit()
    assert base.step(visit, spec.ASK_SWAP_GIVE, public)[0] == spec.UPLOAD_NOT_AGREED
    assert base.moves(visit) == REFUSED


def test_token_on_the_shelf_or_with_a_list_to_compare_gives_nothing():
    old, new = base.worn(), base.Token()
    public = base.key_of(new)
    old.device.list_waits = True
    assert base.step(old.visit(), spec.ASK_SWAP_GIVE, public, True)[0] == spec.UPLOAD_NOT_ASKED
    old.device.list_waits = False
    old.visit().ask(spec.ASK_SHELF)
    assert base.step(old.visit(), spec.ASK_SWAP_GIVE, public, True)[0] == spec.UPLOAD_NOT_ASKED


def test_token_that_holds_anything_or_is_worn_takes_nothing():
    for worn in (True, False):
        token = base.worn()
        if not worn:
            token.visit().ask(spec.ASK_SHELF)
        for flags in (spec.ASK_SWAP_KEY, spec.ASK_SWAP_TAKE):
            assert base.step(token.visit(), flags, x25519.public(EVIL))[0] == spec.UPLOAD_NOT_ASKED
    new = base.Token()
    assert base.step(new.visit(), spec.ASK_SWAP_TAKE, x25519.public(EVIL))[0] == spec.UPLOAD_NOT_ASKED  # no key
    new.device.state.ended = True
    assert base.step(new.visit(), spec.ASK_SWAP_KEY)[0] == spec.UPLOAD_NOT_ASKED


def test_receipt_that_is_forged_early_or_late_wipes_nothing():
    old, new = base.worn(), base.Token()
    before = what(old)

    def told(receipt):
        return base.step(old.visit(), spec.ASK_SWAP_DONE, receipt)[0]

    assert told(bytes(32)) == spec.UPLOAD_NOT_AGREED
    enc, pages = base.given(old, base.key_of(new))
    ((_, receipt),) = base.taken(new, enc, pages)
    for forged in (bytes(32), flipped(receipt, 0), flipped(receipt, 31), receipt[:31] + b"\0"):
        assert told(forged) == spec.UPLOAD_NOT_AGREED
    board.move(2 * 3600000)
    assert told(receipt) == spec.UPLOAD_NOT_AGREED and is_whole(old, before)


def test_receipt_that_was_lost_is_told_again_for_an_hour():
    old, new = base.worn(), base.Token()
    enc, pages = base.given(old, base.key_of(new))
    ((_, receipt),) = base.taken(new, enc, pages)
    result, told = base.step(new.visit(), spec.ASK_SWAP_TAKE, enc)
    assert result == spec.SWAP_TAKEN and told[:32] == receipt
    assert base.step(old.visit(), spec.ASK_SWAP_DONE, told[:32])[0] == spec.UPLOAD_WIPED
    new.use()
    board.move(2 * 3600000)
    assert base.step(new.visit(), spec.ASK_SWAP_TAKE, enc) == (spec.UPLOAD_NOT_ASKED, bytes(spec.UPLOAD_BLOB_BYTES))


def sealed(public, text):
    """What a kiosk that certifies itself an old token could send: its key, and a page."""
    parcel = Parcel(hpke.agree(EVIL, x25519.public(EVIL), public))
    return x25519.public(EVIL), parcel.seal(text + bytes(spec.SWAP_TEXT_BYTES - len(text)))


def record(kind, payload, slot=9, size=None):
    return struct.pack("<BBI", kind, len(payload) if size is None else size, slot) + payload


def test_invented_records_change_neither_whom_it_believes_nor_its_lists():
    new = base.Token()
    for kind, size in (
        (spec.TRUST, 72),
        (spec.STATE, 54),
        (spec.LISTINFO, 46),
        (spec.REVOKED, 4),
        (spec.CLAIMS, 4),
        (spec.COMPACTED, 0),
        (spec.SWAP, 33),
        (0, 1),
        (99, 1),
        (254, 0),
        (spec.SIGHTING, 31),
        (spec.SIGHTING, 64),
        (spec.KEY, 47),
        (spec.ALERT, 9),
        (spec.SECOND, 89),
        (spec.PAUSES, 7),
        (spec.MET, 121),
    ):
        enc, page = sealed(base.key_of(new), record(kind, bytes(size)))
        assert base.taken(new, enc, [page]) == REFUSED, (kind, size)
        new.use().boot(board.WAKE_RESET)
        assert is_new(new), (kind, size)


def test_invented_slot_does_not_lead_the_clock_away():
    new = base.Token()
    text = record(spec.ALERT, alert.pack(1, 1, 0, 1, 2), 0xFFFFFFFF) + record(spec.PAUSES, b"") + record(255, b"", 7)
    enc, page = sealed(base.key_of(new), text)
    assert base.taken(new, enc, [page])[0][0] == spec.RECEIPT
    assert new.device.slot() <= new.device.own_s() // 900 + 1 and new.device.state.segment == 8
    assert new.boot().device.slot() <= UTC // 900 + board.now_ms // 900000 + 2


if __name__ == "__main__":
    rig.main(globals())
