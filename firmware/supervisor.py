"""Owns the life of tasks: start, crash, back-off, deadline. Must not know what a task does.

A task is an object with `async run()`. The only `except Exception` of the firmware stands here.
"""

import asyncio

from micropython import const

_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(60000)
_STEADY_MS = const(600000)  # a run this long forgives earlier crashes
_FEED_MS = const(3000)
_CRASHES_MAX = const(8)  # in a row; then the whole device starts anew


class Supervisor:
    """Starts tasks and starts them again.

    power: context manager that keeps the device awake. clock_ms() -> monotonic ms. on_crash() counts.
    give_up() is called when a task will not stay up.
    """

    def __init__(self, power, clock_ms, on_crash, give_up):
        self._power = power
        self._clock_ms = clock_ms
        self._on_crash = on_crash
        self._give_up = give_up
        self._running = set()

    def keep(self, name, make):
        """Run make().run() for ever, after a crash again with a growing pause."""
        return asyncio.create_task(self._keep(name, make))

    def once(self, name, make, deadline_ms):
        """Run make().run() once, awake, at most deadline_ms; no second one of that name beside it. False if busy."""
        if name in self._running:
            return False
        self._running.add(name)
        self._power.hold()
        asyncio.create_task(self._once(name, make, deadline_ms))
        return True

    def busy(self, name):
        """Whether one of that name is running once."""
        return name in self._running

    async def _keep(self, name, make):
        pause_ms = _BACKOFF_MIN_MS
        crashes = 0
        while True:
            started_ms = self._clock_ms()
            try:
                await make().run()
            except Exception as error:
                self._report(name, error)
            if self._clock_ms() - started_ms >= _STEADY_MS:
                pause_ms = _BACKOFF_MIN_MS
                crashes = 0
            crashes += 1
            if crashes >= _CRASHES_MAX:
                self._give_up()
            await asyncio.sleep_ms(pause_ms)
            pause_ms = min(pause_ms * 2, _BACKOFF_MAX_MS)

    async def _once(self, name, make, deadline_ms):
        try:
            await asyncio.wait_for_ms(make().run(), deadline_ms)
        except Exception as error:
            self._report(name, error)
        finally:
            self._running.discard(name)
            self._power.release()

    def _report(self, name, error):
        number = error.errno if isinstance(error, OSError) else ""  # no other text: it might hold data
        print("task", name, "crashed:", type(error).__name__, number)
        self._on_crash()


class Feeder:
    """The task that feeds the watchdog, as long as the listener keeps its word."""

    def __init__(self, device):
        self._device = device

    async def run(self):
        """For ever; a hang of any task ends here, by the watchdog."""
        device = self._device
        while True:
            if device.board.clock_ms() < device.alive_until_ms:
                device.watchdog.feed()
            await asyncio.sleep_ms(_FEED_MS)
