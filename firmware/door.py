"""Owns the door: a short window once a slot, alike for all tokens, in which a kiosk may bring lists. Knows no list.

Whether the token has the newest list, an alert or an owner changes nothing of it: who listens learns none of that.
"""

from micropython import const
from radio import ADDRESS_STATIC

from emask import spec

DEADLINE_MS = const(60000)
_OPEN_MS = const(400)
_ADV_US = const(30000)
_LONGEST_MS = const(40000)  # of one connection
_MOST_MS = const(90000)  # of all, beyond the two seconds of each slot


class Door:
    """device: Device. push(link, ms): takes what comes, for at most so long."""

    def __init__(self, device, push):
        self._device = device
        self._push = push

    async def run(self):
        """Open, let at most one in, close."""
        radio = self._device.radio
        if radio.up:
            return  # a visit
        try:
            if radio.start(ADDRESS_STATIC):
                await self._open()
        finally:
            radio.stop()

    async def _open(self):
        device = self._device
        board, plan = device.board, device.rendezvous
        now_ms = board.clock_ms()
        plan.door(now_ms, device.clock.own_ms(now_ms), board.entropy(1)[0])
        board.cpu_fast(False)  # there is nothing to compute
        link = await device.radio.welcome(spec.DOOR_UUID, _OPEN_MS, _ADV_US)
        board.cpu_fast(True)
        if link is None:
            return
        now_ms = board.clock_ms()
        try:
            if plan.held_ms < _MOST_MS and not device.list_waits:
                await self._push(link, _LONGEST_MS)
            else:
                await link.close()
        finally:
            plan.held_ms += board.clock_ms() - now_ms
