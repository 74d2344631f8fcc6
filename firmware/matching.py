"""Owns the comparison of a whole list with what was heard, in the background, or the end that it says. Must not know
how the list came.
"""

import asyncio

import exempt
from micropython import const

from emask import alert, group, spec
from emask.match import Matcher

DEADLINE_MS = const(3600000)
_CLEAR_MS = const(500)  # no work this long before a window, nor in it
_STEP_MS = const(100)
_STEPS = const(3)  # of the comparison between two looks at the clock, and one more; the longest takes some 50 ms


class Matching:
    """Matches the staged list once; begins anew after a reset, since only its end is remembered. device: Device."""

    def __init__(self, device):
        self._device = device

    async def run(self):
        """Compare, decide, keep the alert, remember the list as matched."""
        device = self._device
        lists = device.lists
        header = lists.header()
        if header.flags & spec.LIST_END:
            await self._end()
            return
        certain = device.clock.anchored
        secret = exempt.household(device)
        own_group = (lambda record: group.own(secret, record)) if secret else None
        matcher = Matcher(header, device.store, device.anchors(), own_group=own_group)
        pauses = exempt.pauses(device)
        for at in range(0, len(pauses), 2):
            matcher.exposure.pauses.append((pauses[at], pauses[at + 1] - 1))
        for at, _ in enumerate(matcher.run(lists.records)):
            if not at & _STEPS:
                await self._breathe()
        record = None
        if header.kind == spec.F0_LIST:
            record = alert.renewed(device.alert, matcher.exposure.decided, header.serial)
        if record:
            device.set_alert(record)
        import second

        second.compared(device, header, matcher.exposure, lists.record, bool(record))
        lists.matched(certain)
        device.list_waits = False
        device.power.kick()  # the signal of an alert does not wait for the next window
        print("match records=%d alert=%d" % (header.count, 1 if record else 0))

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
        while device.radio.up or 0 <= device.window_ms - device.board.clock_ms() < _CLEAR_MS:
            await asyncio.sleep_ms(_STEP_MS)
        await asyncio.sleep_ms(0)
