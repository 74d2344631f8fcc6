"""Owns the facts of keys that change on the token: root, list key, kiosks' certificates. Run by test_firmware.py."""

import json
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_firmware import board, peer, spec  # noqa: E402

UTC = rig.UTC
TRUSTED = spec.STATUS
REFUSED = rig._refused(spec.REFUSED_NOT_TRUSTED)


def change(serial=5, key=peer.NEW_ROOT, by=peer.RECOVERY, kind=spec.ROOT_KEY):
    """The certificate of another root."""
    return peer.certificate(kind, serial, 0, 0, 1 << 31, key, by)


CHANGE = change()
with open(sys.argv[1] + "/tests/vectors/golden.json") as file:
    GOLDEN = json.load(file)
NEW_KIOSK = rig.vouched(20, root=peer.NEW_ROOT)
NEW_LIST_KEY = peer.certificate(spec.LIST_KEY, 21, root=peer.NEW_ROOT)


class Cut(Exception):
    """Power fails."""


class Visit(rig.Visit):
    """A visit in which the kiosk shows a change of the root before it says who it is. told: the answer to that."""

    def __init__(self, device, shown, certificate=rig.CERTIFICATE):
        self.shown = shown
        self.told = ()
        rig.Visit.__init__(self, device, UTC, certificate)

    def answer(self, kind, body):
        if kind == spec.SESSION and self.shown:
            self.told = rig.Visit.answer(self, spec.ROOT, self.shown)
        return rig.Visit.answer(self, kind, body)


def worn():
    """A token that has checked certificates of the old root."""
    device, _ = rig.handed_over()
    return device


def listed(device, serial, key, certificate=NEW_KIOSK):
    return Visit(device, b"", certificate).hand(peer.list_file([], serial, UTC, vouched=key))


def test_new_root_is_taken_by_the_recovery_keys_word_alone():
    device = worn()
    for why, shown in (
        ("by the old root", change(by=peer.ROOT)),
        ("by itself", change(by=peer.NEW_ROOT)),
        ("by a kiosk", change(by=peer.KIOSK)),
        ("of another kind", change(kind=spec.LIST_KEY)),
        ("one bit flipped", CHANGE[:30] + bytes((CHANGE[30] ^ 1,)) + CHANGE[31:]),
        ("cut short", CHANGE[:-1]),
        ("nothing", b"\0"),
    ):
        visit = Visit(device, shown)
        assert visit.told == REFUSED and visit.opened[0] == spec.REFUSED, why
        assert Visit(device, b"").opened[0] == TRUSTED, why
    visit = Visit(device, CHANGE, NEW_KIOSK)
    assert visit.told == (spec.OK, b"") and visit.opened[0] == TRUSTED


def test_with_the_old_root_goes_what_it_signed_though_it_was_checked_before():
    device = worn()
    assert listed(device, 5, rig.LIST_KEY, rig.CERTIFICATE) == rig._acked(spec.LIST_OK)
    device.lists.matched(True)
    assert Visit(device, CHANGE, NEW_KIOSK).status
    assert Visit(device, b"").opened == REFUSED
    assert Visit(device, CHANGE).opened == REFUSED
    assert listed(device, 6, rig.LIST_KEY) == rig._acked(spec.LIST_NOT_TRUSTED)
    assert listed(device, 6, NEW_LIST_KEY) == rig._acked(spec.LIST_OK)


def test_what_is_of_the_new_root_is_refused_until_its_change_has_come():
    device = worn()
    assert Visit(device, b"", NEW_KIOSK).opened == REFUSED
    assert listed(device, 6, NEW_LIST_KEY, rig.CERTIFICATE) == rig._acked(spec.LIST_NOT_TRUSTED)
    assert Visit(device, CHANGE, NEW_KIOSK).status
    assert listed(device, 6, NEW_LIST_KEY) == rig._acked(spec.LIST_OK)


def test_old_change_that_is_replayed_changes_nothing():
    device = worn()
    later = b"\x0a" * 32
    newest = change(9, later)
    of_newest = rig.vouched(30, root=later)
    assert Visit(device, newest, of_newest).status
    for shown in (CHANGE, newest, change(9)):
        visit = Visit(device, shown, of_newest)
        assert visit.told == (spec.OK, b"") and visit.status
    assert Visit(device, CHANGE, NEW_KIOSK).opened == REFUSED


def test_new_root_outlives_resets_and_loss_of_power():
    device = worn()
    assert Visit(device, CHANGE, NEW_KIOSK).status
    again = rig.boot()
    assert Visit(again, b"", NEW_KIOSK).status and Visit(again, b"").opened == REFUSED


def test_power_cut_while_the_root_changes_leaves_the_old_one_or_the_new():
    worn()
    image = bytes(board.partitions["sightings"].data)
    program = board.Flash.writeblocks
    outcomes = set()
    for left in range(8):
        board.partitions["sightings"].data[:] = image
        again = rig.boot()
        count = [left]

        def cut(flash, block, buf, offset, count=count):
            if not count[0]:
                raise Cut
            count[0] -= 1
            program(flash, block, buf, offset)

        board.Flash.writeblocks = cut
        try:
            again.trust.change_root(CHANGE)
        except Cut:
            pass
        finally:
            board.Flash.writeblocks = program
        last = rig.boot()
        old, new = Visit(last, b"").status, Visit(last, b"", NEW_KIOSK).status
        assert (old is None) != (new is None)
        outcomes.add(old is None)
    assert outcomes == {False, True}


def test_token_on_the_shelf_learns_of_a_new_root_too():
    board.fresh()
    device = rig.boot()
    visit = Visit(device, CHANGE, NEW_KIOSK)
    assert visit.status and device.state.shelf
    assert visit.ask(spec.ASK_HANDOVER) == (spec.UPLOAD_NOT_ASKED, []) and not device.state.shelf


def test_root_is_no_kiosk_and_no_list_key():
    device = worn()
    own_root = change(
        40, peer.KIOSK, peer.ROOT
    )  # what a thief of the old root could sign, without a kiosk's short term
    assert Visit(device, b"", own_root).opened == REFUSED
    assert listed(device, 6, change(40, peer.LIST, peer.ROOT), rig.CERTIFICATE) == rig._acked(spec.LIST_NOT_TRUSTED)


def test_record_of_trust_is_the_golden_one():
    device = worn()
    data = bytes.fromhex(GOLDEN["root_change"])
    device.trust.change_root(data)
    record = bytes.fromhex(GOLDEN["trust"])
    device.store.append(spec.TRUST, device.slot(), record)
    device.let_go()
    assert device.trust._root == peer.public(peer.NEW_ROOT) and device.trust._list_key_serial == 2
    device.trust._save()
    assert device.store.latest(spec.TRUST)[1] == record


def test_root_is_shown_before_the_session_and_not_later():
    device = worn()
    visit = Visit(device, b"")
    assert visit.answer(spec.ROOT, CHANGE)[0] == spec.REFUSED
    assert Visit(device, b"").status


rig.main(globals())
