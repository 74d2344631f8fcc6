"""Owns the composition of the token, in boot order. Must not know what the parts do."""

import asyncio

from chores import Chores
from device import Device
from listener import Listener
from micropython import const
from supervisor import Feeder, Supervisor

import board

_WATCHDOG_MS = const(8000)


async def main():
    """Restore, then run the tasks for ever."""
    reason = board.wake_reason()
    device = Device(board, board.watchdog(_WATCHDOG_MS))
    device.wake(reason)
    device.freeze()  # a reset before the first sleep keeps the time
    supervisor = Supervisor(device.power, board.clock_ms, device.count_crash, board.reset)
    chores = Chores(device, supervisor)
    device.power.on_press = chores.press
    if reason == board.WAKE_BUTTON:
        chores.press()
    supervisor.keep("feeder", lambda: Feeder(device))
    await supervisor.keep("listener", lambda: Listener(device, chores.check))


asyncio.run(main())
