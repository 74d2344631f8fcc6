"""Owns sleep: when the device may sleep, how, and what ends it. Must not know why a task wants to be awake."""

import asyncio

from micropython import const

_POLL_MS = const(200)  # button while awake
_SHORTEST_MS = const(20)  # below that a sleep is not worth its wake-up
_HELD_MS = const(2000)  # a button that is down when a sleep begins can't end it: then a short one, and always light


class Power:
    """Sleeps until due, by the board's kind of sleep, unless somebody holds the device awake.

    board: the board contract. watchdog: object with feed(). save(): called before each sleep, puts what must
    outlive a boot into RTC memory. on_press(): called once per press of the button.
    """

    def __init__(self, board, watchdog, save):
        self._board = board
        self._watchdog = watchdog
        self._save = save
        self._holds = 0
        self.kicked = False
        self._down = False
        self.on_press = None

    def hold(self):
        """Stay awake, the processor at its full speed, until release()."""
        self._holds += 1
        self._board.cpu_fast(True)

    def release(self):
        """End one hold()."""
        self._holds -= 1
        if not self._holds:
            self._board.cpu_fast(False)

    def kick(self):
        """Let sleep_until return before its time: the plan has changed."""
        self.kicked = True

    def poll(self):
        """Look at the button; a new press is told once."""
        down = self._board.button_pressed()
        if down and not self._down and self.on_press:
            self.on_press()
        self._down = down

    async def sleep_until(self, due_ms):
        """Return at board.clock_ms() >= due_ms, or after kick(). A deep sleep does not return."""
        while not self.kicked:
            rest_ms = due_ms - self._board.clock_ms()
            if rest_ms <= 0:
                break
            self.poll()
            if self._holds or rest_ms < _SHORTEST_MS:
                await asyncio.sleep_ms(min(rest_ms, _POLL_MS))
            else:
                self._sleep(min(rest_ms, _HELD_MS) if self._down else rest_ms)
        self.kicked = False

    async def linger(self, ms):
        """Stay awake for ms with an eye on the button, or until kick()."""
        while ms > 0 and not self.kicked:
            step_ms = min(ms, _POLL_MS)
            await asyncio.sleep_ms(step_ms)
            self.poll()
            ms -= step_ms

    def _sleep(self, ms):
        self._watchdog.feed()
        self._save()
        if self._board.SLEEP == "deep" and ms >= self._board.DEEP_FROM_MS:
            self._board.deep_sleep(ms)
        if self._board.light_sleep(ms) == self._board.WAKE_BUTTON:
            self._down = False  # a press that ended a sleep counts, even when it was short
            if self.on_press:
                self.on_press()
            self._down = True
        self._watchdog.feed()
