"""Owns the erasing of all that a token knows of its wearer: found, given back, or all over. Must not know who asks.

It is durable before it begins, and goes on at the next boot: no cut leaves half of it.
"""

import asyncio

from emask import spec

# Whom it believes, which lists are older, and the key of a swap that was cut off: it may begin again.
_OF_ALL = (spec.LISTINFO, spec.TRUST, spec.REVOKED, spec.SWAP)


async def wipe(device):
    """Go to the shelf and forget everything."""
    state = device.state
    device.store.append(spec.SWAP, device.slot(), b"")
    state.wiping = True
    device.set_shelf(True)
    device.save_state()
    device.freeze()
    for _ in erase(device):
        await asyncio.sleep_ms(0)


def erase(device):
    """What is left to do once the state says so: yields after each block."""
    store, state, slot = device.store, device.state, device.slot()
    device.alert = None
    device.let_go()
    state.clear()
    kept = [(spec.STATE, slot, state.pack())]
    for kind in _OF_ALL:
        found = store.latest(kind)
        if found and found[1]:
            kept.append((kind,) + found)
    yield from store.wipe(kept)
    state.wiping = False
    device.save_state()
    device.freeze()
    print("wiped")
