"""Owns the comparison of a whole list with what was heard, in the background, or the end that it says. Must not know
how the list came.
"""

import asyncio
import gc
from binascii import crc32

import afterwards
import exempt
from micropython import const

from emask import group, spec
from emask.match import CAPACITY, Matcher

DEADLINE_MS = const(3600000)
_CLEAR_MS = const(500)  # no work this long before a window, nor in it
_LEAST = const(128)  # sightings in the index at a time
_SAVE_MS = const(60000)  # of work that a reset may cost, beside that of days with matches
_STEP_MS = const(100)
_STEPS = const(3)  # of the comparison between two looks at the clock, and one more; the longest takes some 50 ms


class _GiveWay(Exception):
    pass


class Matching:
    """Matches the staged list once; after a reset or a visit, which needs the memory, it goes on from the last day that
    is known to be without matches. device: Device.
    """

    def __init__(self, device):
        self._device = device

    async def run(self):
        """What was withdrawn first; then compare, decide, keep the alert, remember the list as matched."""
        try:
            await self._run()
        except _GiveWay:
            pass  # the list still waits

    async def _run(self):
        device = self._device
        lists = device.lists
        header = lists.header()
        if header.flags & spec.LIST_END:
            await self._end()
            return
        certain = device.clock.anchored
        left = afterwards.rest(device, header) if header.kind == spec.F0_LIST else None
        if left is not None:
            afterwards.judge(device, left, (await self._exposure(lambda: iter(left), None)).decided if left else None)
        exposure = await self._exposure(lists.records, device.list_info)
        new = False
        if header.kind == spec.F0_LIST:
            met = [lists.record(number) for number in exposure.met[:3]]
            new = afterwards.remember(device, exposure.decided, met)
        import second

        second.compared(device, header, exposure, lists.record, new)
        lists.matched(certain)
        device.list_waits = False
        device.power.kick()  # the signal of an alert does not wait for the next window
        print("match records=%d alert=%d" % (lists.header().count, new))

    async def _exposure(self, open_records, info):
        # info: where to keep how far it came.
        device = self._device
        secret = exempt.household(device)
        own_group = (lambda record: group.own(secret, record)) if secret else None
        done = reached = 0
        if info:
            dated = 0
            for _slot, record in device.store.read(spec.ANCHOR):
                dated = crc32(record, dated)
            if info.dated != dated:
                info.begin(dated)
            done, reached = info.done, info.reached
        header, anchors = device.lists.header(), device.anchors()
        capacity = 2 * CAPACITY
        matcher = None
        while not matcher:
            capacity //= 2  # no piece was large enough: so each day in more walks than one
            gc.collect()
            try:
                matcher = Matcher(header, device.store, anchors, capacity, own_group, done, reached)
            except MemoryError:
                if capacity < _LEAST:
                    raise
        pauses = exempt.pauses(device)
        for at in range(0, len(pauses), 2):
            matcher.exposure.pauses.append((pauses[at], pauses[at + 1] - 1))
        clock_ms = device.board.clock_ms
        saved_ms = clock_ms()
        for at, _ in enumerate(matcher.run(open_records)):
            late = device.visits or clock_ms() - saved_ms >= _SAVE_MS
            if info and late and matcher.reached != info.reached:
                info.done, info.reached = matcher.done, matcher.reached
                info.save()
                saved_ms = clock_ms()
            if not at & _STEPS:
                await self._breathe()
        return matcher.exposure

    async def _end(self):
        # The list waits until all is done: a cut begins with it again.
        import wipe

        await self._breathe()
        device = self._device
        device.state.ended = True
        await wipe.wipe(device)
        device.lists.matched(False)
        device.list_waits = False
        device.freeze()

    async def _breathe(self):
        device = self._device
        while not device.visits and (device.radio.up or 0 <= device.window_ms - device.board.clock_ms() < _CLEAR_MS):
            await asyncio.sleep_ms(_STEP_MS)
        if device.visits:
            raise _GiveWay
        await asyncio.sleep_ms(0)
