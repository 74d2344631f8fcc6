# The flash ring's wipe: what is kept stays, nothing else does, and no cut of power leaves a part of it.
from dual_support import Flash, PowerCut

from emask import spec
from emask.pool import StoreFull
from emask.store import Store

_SLOT = 20000 * 96


def _mounted(flash, cold=False):
    store = Store(flash, flash.block_bytes)
    store.mount(cold)
    return store


def _lived():
    """A flash of two days with secrets of all kinds, and a state that says that they have to go."""
    flash = Flash(24, 1024)
    store = _mounted(flash)
    for slot in range(_SLOT, _SLOT + 190, 3):
        store.append(spec.HEARD, slot, b"secret" * 4 + b"!")
        store.append(spec.SIGHTING, slot, b"secret" * 5 + b"!!")
        store.append(spec.COMPACTED, slot, b"")
    for number in range(5):
        store.append(spec.HEARD, _SLOT + 190, b"secret" * 4 + b"!")
        store.append(spec.KEY, _SLOT + number, b"secret" * 8)
    store.append(spec.TRUST, _SLOT, b"trust")
    store.append(spec.STATE, _SLOT, b"wiping")
    return flash, store


def _wiped(store):
    for _ in store.wipe([(spec.TRUST, _SLOT, b"trust"), (spec.STATE, _SLOT, b"wiping")]):
        pass
    store.append(spec.STATE, _SLOT, b"wiped")


def test_wipe_leaves_what_is_kept_and_nothing_else_in_the_image():
    flash, store = _lived()
    assert bytes(flash.data).count(b"secret") > 300
    _wiped(store)
    assert b"secret" not in bytes(flash.data)
    for found in (store, _mounted(flash), _mounted(flash, True)):
        assert found.latest(spec.TRUST)[1] == b"trust" and found.latest(spec.STATE)[1] == b"wiped"
        assert not any([found.latest(kind) for kind in (spec.KEY, spec.HEARD, spec.SIGHTING, spec.COMPACTED)])
    store.append(spec.SIGHTING, _SLOT, b"new" * 10 + b"!!")
    assert _mounted(flash).count(spec.SIGHTING) == 1


def test_full_store_can_be_wiped():
    store = _mounted(Flash(16, 1024))
    try:
        for number in range(900):
            store.append(spec.SIGHTING, _SLOT + number, b"secret" * 5 + b"!!")
        raise AssertionError("never full")
    except StoreFull:
        pass
    _wiped(store)
    assert store.count(spec.SIGHTING) == 0 and store.room()[0] > 150


def test_wipe_that_is_cut_anywhere_is_whole_after_the_next_start():
    step, power, cuts = 29, 0, 0
    while True:
        flash, store = _lived()
        flash.power = power
        try:
            _wiped(store)
            break
        except PowerCut:
            pass
        flash.power = None
        store = _mounted(flash, True)
        assert store.latest(spec.TRUST)[1] == b"trust"
        if store.latest(spec.STATE)[1] == b"wiping":
            _wiped(store)
        assert b"secret" not in bytes(flash.data), power
        assert store.latest(spec.STATE)[1] == b"wiped"
        power += step
        cuts += 1
    assert cuts > 20
