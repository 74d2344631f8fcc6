"""Owns the care for the battery: its level once a slot, and the flashes that tell the wearer. Must not know what is
saved at which level.
"""

import asyncio

from micropython import const

from emask import battery

DEADLINE_MS = const(10000)
_ON_MS = const(40)
_OFF_MS = const(260)


def look(device):
    """Measure, with the radio off; the schedule saves what the level asks for. True if the wearer should be told."""
    plan = device.rendezvous.schedule
    level = battery.level(device.board.battery_mv(), plan.level, device.board.BATTERY_LOW_MV)
    if level != plan.level:
        print("battery level", level)
        plan.level = level
    return level > 0


class LowBattery:
    """One short flash for each level, once. device: Device."""

    def __init__(self, device):
        self._device = device

    async def run(self):
        """Flash; a visit's light is left alone."""
        device = self._device
        for _ in range(device.rendezvous.schedule.level):
            if device.radio.up:
                return
            device.board.led(True)
            await asyncio.sleep_ms(_ON_MS)
            device.board.led(False)
            await asyncio.sleep_ms(_OFF_MS)
