"""Owns the alert as the wearer feels, sees and hears it, and the answer by the button. Must not know its cause."""

import asyncio

from cues import by_day, play
from micropython import const

from emask import alert, rhythm

DEADLINE_MS = const(60000)
_LONG_MS = const(2000)
_STEP_MS = const(100)
_CONFIRM_MS = const(600)


def due(device):
    """True when a signal should be given now."""
    now_ms = device.board.clock_ms()
    if now_ms < device.alert_next_ms or not (device.alert_open() or device.alert_unsaid()):
        return False
    return by_day(device)


class Signal:
    """The rhythm once. device: Device."""

    def __init__(self, device):
        self._device = device

    async def run(self):
        """Play, and set the time of the next."""
        device = self._device
        flags = device.alert[2]
        now_ms = device.board.clock_ms()
        if flags & alert.TAKEN_BACK:
            device.alert_next_ms = now_ms + alert.REMIND_MS
            print("taken back signal")
            await play(device.board, rhythm.taken_back())
            return
        device.alert_next_ms = now_ms + alert.repeat_ms(flags)
        print("alert signal")
        aloud = alert.aloud(device.own_s(), device.board.HAS_MOTOR)
        await play(device.board, rhythm.alert(alert.grade(device.alert), flags & alert.HEARD, aloud))


class Press:
    """What a press means: long while an alert stands, "heard"; else a visit, after the word that all
    is over, if it is. open_visit() starts one.
    """

    def __init__(self, device, open_visit):
        self._device = device
        self._open_visit = open_visit

    async def run(self):
        """Measure the press and act."""
        device = self._device
        held_ms = 0
        while device.board.button_pressed() and held_ms < _LONG_MS:
            await asyncio.sleep_ms(_STEP_MS)
            held_ms += _STEP_MS
        if held_ms >= _LONG_MS and (device.alert_open() or device.alert_unsaid()):
            await self._heard()
        else:
            if device.state.ended:
                await play(device.board, rhythm.ended())
            self._open_visit()

    async def _heard(self):
        device = self._device
        if not device.alert[2] & alert.HEARD:
            device.set_alert(alert.flagged(device.alert, alert.HEARD))
        device.alert_next_ms = device.board.clock_ms() + alert.REMIND_MS
        device.board.motor(True)
        await asyncio.sleep_ms(_CONFIRM_MS)
        device.board.motor(False)
