"""Owns the wearer's consent: the short number in pulses, then a long press in time; for who can't press, a minute in
which no press comes. Must not know what is agreed to.
"""

import asyncio

from micropython import const

_ON_MS = const(250)
_OFF_MS = const(350)
_PAUSE_MS = const(1500)
_LONG_MS = const(2000)
_STEP_MS = const(50)  # no press is too short to be seen
_ROUND_MS = const(15000)  # then the number is shown again
DEADLINE_MS = const(60000)
_DONE_MS = const(600)
_PROXY_MS = const(1500)  # the pulse that each round begins with when somebody else decides
_TONE_HZ = const(2700)


class Consent:
    """device: Device. alive() -> False once the kiosk is gone: then there is nothing to agree to.

    proxy: a representative agreed at the kiosk. Then the token sounds as well, so that it is never done in silence,
    and any press in the minute is a no.
    """

    def __init__(self, device, alive, proxy=False):
        self._device = device
        self._alive = alive
        self._proxy = proxy
        self._enough_ms = _STEP_MS if proxy else _LONG_MS
        self._held_ms = 0

    async def ask(self, number):
        """Show both numbers until the wearer holds the button for two seconds (True), or time is up (False).

        By proxy: until time is up (True), or the button is touched (False).
        """
        device = self._device
        self._end_ms = device.board.clock_ms() + DEADLINE_MS
        device.asking = True
        try:
            while device.board.clock_ms() < self._end_ms and self._alive():
                if await self._round(number):
                    await self._pulse(_DONE_MS)
                    return not self._proxy
        finally:
            device.asking = False
            self._drive(False)
        return self._proxy and self._alive()

    async def _round(self, number):
        if self._proxy and (await self._pulse(_PROXY_MS) or await self._watch(_PAUSE_MS)):
            return True
        for count in number:
            for _ in range(count):
                if await self._pulse(_ON_MS) or await self._watch(_OFF_MS):
                    return True
            if await self._watch(_PAUSE_MS):
                return True
        return await self._watch(_ROUND_MS)

    async def _pulse(self, ms):
        self._drive(True)
        done = await self._watch(ms)
        self._drive(False)
        return done

    async def _watch(self, ms):
        # Wait, with an eye on the button; True as soon as it was held long enough.
        ms = min(ms, self._end_ms - self._device.board.clock_ms())
        while ms > 0 and self._alive():
            step_ms = min(ms, _STEP_MS)
            await asyncio.sleep_ms(step_ms)
            self._held_ms = self._held_ms + step_ms if self._device.board.button_pressed() else 0
            if self._held_ms >= self._enough_ms:
                return True
            ms -= step_ms
        return False

    def _drive(self, on):
        self._device.board.led(on)
        self._device.board.motor(on)
        if self._proxy:
            self._device.board.buzzer(_TONE_HZ if on else 0)
