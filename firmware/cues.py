"""Owns what the token shows by itself: that it is alive, that its battery is low; and the playing of any rhythm. Must
not know what is saved at which level.
"""

import asyncio
import time

import settings
from micropython import const

from emask import alert, battery, rhythm

DEADLINE_MS = const(60000)
_TONE_HZ = const(2700)


def look(device):
    """Measure, with the radio off; the schedule saves what the level asks for. True if the wearer should be told."""
    plan = device.rendezvous.schedule
    level = battery.level(device.board.battery_mv(), plan.level, device.board.BATTERY_LOW_MV)
    if level != plan.level:
        print("battery level", level)
        plan.level = level
    return level > 0


async def play(board, steps):
    """Drive the board's parts by (ms on, ms off, part), and leave all of them off."""
    try:
        for on_ms, off_ms, part in steps:
            _drive(board, part)
            await asyncio.sleep_ms(on_ms)
            _drive(board, 0)
            await asyncio.sleep_ms(off_ms)
    finally:
        _drive(board, 0)


def _drive(board, part):
    board.motor(part & rhythm.MOTOR)
    board.led(part & rhythm.LED)
    board.buzzer(_TONE_HZ if part & rhythm.BUZZER else 0)


def alive(device):
    """One flash, by day, while the processor is awake anyway: a task for it would cost ten times as much."""
    if device.rendezvous.schedule.level or not by_day(device):
        return
    for on_ms, _, _ in rhythm.light(0):
        device.board.led(True)
        time.sleep_ms(on_ms)
        device.board.led(False)


def by_day(device):
    """Whether the wearer may be bothered."""
    return alert.daytime(device.own_s(), settings.TIME_ZONE_S)


class LowBattery:
    """The battery's word, once, by day. device: Device."""

    def __init__(self, device):
        self._device = device

    async def run(self):
        """A visit's light is left alone."""
        device = self._device
        if not device.radio.up and by_day(device):
            await play(device.board, rhythm.light(device.rendezvous.schedule.level))
