# Owns where the shared grid of windows lies by the token's own clock: shift, rate, doubt (SPEC 7). Must not know how
# long windows are, nor slots: what others said comes in as milliseconds, and moves the grid by bounded steps only.
import struct

from micropython import const

CYCLE_MS = const(300000)  # the grid repeats after five minutes: one meeting window
MINUTE_MS = const(60000)
REACH_HOURS = const(10)  # how long tokens may have been apart and still meet at once

_FORMAT = "<iiiqqHH"
STATE_BYTES = const(32)
_STEP_MS = const(25)  # furthest that others are believed beyond what the own clock may be off
_SURE_MS = const(500)  # how far from a confirmed time the grid may be pulled, drift aside
_CALM_MS = const(20)  # errors below this say nothing of the clock's rate; a crystal's never do
_FADE_MINUTES = const(64)  # half as long again, and a pull is mostly forgotten
_LEAN_US = const(3000)  # a minute: what all err alike in timing each other moves nobody further than this takes back
_LEAN_MINUTES = const(32)
_BLUR_MS = const(400)
_JOIN_MS = const(60)  # how well a single advert tells the sender's point


def _within(value, bound):
    return max(-bound, min(bound, value))


class Grid:
    """The grid's shift against own time, in microseconds, of a clock that errs by at most ppm.

    Ticks are monotonic ms. fix_ms: tick of the last time that it was confirmed or that others were heard (-1: never);
    sure_ms: of the last confirmed time (-1: never in this segment).
    """

    def __init__(self, ppm):
        self._ppm = ppm
        self.lost()

    def lost(self):
        """A new segment: nothing is known of anyone."""
        self._shift_us = 0
        self._rate_us = 0  # microseconds a minute
        self._drag_us = 0  # by how much others moved the grid of late
        self.fix_ms = self.sure_ms = -1
        self._blur_ms = 0
        self._swing_ms = min(_BLUR_MS, self.minute_ms())  # of late, error after a minute without correction

    def confirmed(self, now_ms):
        """The clock was just set: back to the common grid."""
        self._shift_us = self._drag_us = self._blur_ms = 0
        self.sure_ms = self.fix_ms = now_ms

    def shift_ms(self, now_ms):
        """How much later than by own time the grid's points come."""
        return (self._shift_us + self._since_us(now_ms)) // 1000

    def _since_us(self, now_ms):
        # What the clock's rate did since others were heard, and the way back towards the own estimate of time.
        if self.fix_ms < 0:
            return 0
        past_ms = max(0, now_ms - self.fix_ms)
        ahead_us = past_ms * self._rate_us // MINUTE_MS
        if self.sure_ms < 0:
            return ahead_us
        back_us = self._shift_us * min(past_ms, _LEAN_MINUTES * MINUTE_MS) // (_LEAN_MINUTES * MINUTE_MS)
        most_us = past_ms * _LEAN_US // MINUTE_MS
        return ahead_us - _within(back_us, most_us)

    def unsure_ms(self, now_ms):
        """How far the own clock alone may have gone since the grid was last confirmed; half a cycle if it never was."""
        if self.fix_ms < 0:
            return CYCLE_MS // 2
        return min(CYCLE_MS // 2, (now_ms - self.fix_ms) * self._ppm // 1000000)

    def blur_ms(self, now_ms):
        """How far off the grid of those who were just heard may lie."""
        minutes = 1 + (now_ms - self.fix_ms) // MINUTE_MS
        return self._blur_ms + min(self.unsure_ms(now_ms), self._swing_ms * minutes)

    def minute_ms(self):
        """The clock's worst error in a minute."""
        return self._ppm * 60 // 1000

    def reach_ms(self, now_ms):
        """How far off another community's grid may lie: the clock's worst in ten hours, or longer if alone longer."""
        return max(self._ppm * REACH_HOURS * 36 // 10, self.unsure_ms(now_ms))

    def drag_ms(self, now_ms):
        """How much further than honest company could need others moved the grid of late: where it was is still worth
        a look. Mostly 0: a window's length tells tokens apart.
        """
        return max(0, abs(self._drag_us) // 1000 - self.reach_ms(now_ms) * 3 // 2)

    def pull(self, now_ms, errors_ms, wide):
        """Others' points came errors_ms later than ours, one number per identifier: go to the middle of all, ours too.

        wide: they were heard in a window that looks for other communities, so that an error within reach is believed.
        Else a step is bounded by 25 ms and the own clock's doubt, and in all cases the way since some hours by twice
        the reach, however many say so.
        """
        own_ms = min(self.unsure_ms(now_ms), MINUTE_MS // 2)
        limit_ms = 2 * self.reach_ms(now_ms) if wide else _STEP_MS + 2 * (own_ms + self._blur_ms)
        total_ms = sum([_within(error_ms, limit_ms) for error_ms in errors_ms])
        self._settle(now_ms)
        before_us = self._drag_us
        step_us = total_ms * 1000 // (len(errors_ms) + 1)
        self._drag_us = _within(before_us + step_us, 2000 * self.reach_ms(now_ms))
        step_us = self._drag_us - before_us
        self._learn(abs(step_us) // 1000, step_us, wide)
        self._shift_us = self._bounded(now_ms, self._shift_us + step_us)
        self.fix_ms = now_ms

    def _settle(self, now_ms):
        # What happened since the last fix becomes part of the shift; old pulls fade.
        self._shift_us += self._since_us(now_ms)
        minutes = (now_ms - self.fix_ms) // MINUTE_MS if self.fix_ms >= 0 else 0
        for _ in range(min(minutes, 4 * _FADE_MINUTES)):
            self._drag_us -= self._drag_us // _FADE_MINUTES

    def _learn(self, size_ms, step_us, wide):
        worst_ms = min(_BLUR_MS, self.minute_ms())
        if wide and size_ms > _STEP_MS:
            self._blur_ms = min(_BLUR_MS, _JOIN_MS // 2 + size_ms // 8)
            return
        self._blur_ms //= 2
        self._swing_ms = min(worst_ms, max(2 * size_ms, self._swing_ms * 7 // 8))
        worst_us = self._ppm * 60
        if size_ms > _CALM_MS and worst_us > 1000 * _CALM_MS:
            self._rate_us = _within(self._rate_us + step_us // 4, worst_us)

    def _bounded(self, now_ms, shift_us):
        cycle_us = CYCLE_MS * 1000
        shift_us = (shift_us + cycle_us // 2) % cycle_us - cycle_us // 2
        if self.sure_ms < 0:
            return shift_us
        drift_ms = 2 * (now_ms - self.sure_ms) * self._ppm // 1000000
        return _within(shift_us, 1000 * min(CYCLE_MS // 2, _SURE_MS + drift_ms))

    def join(self, now_ms, error_ms):
        """Go over to a grid that comes error_ms later than the own one: for a token that has lost the time."""
        self._settle(now_ms)
        self._shift_us = self._bounded(now_ms, self._shift_us + error_ms * 1000)
        self._drag_us = 0
        self._blur_ms = min(_BLUR_MS, _JOIN_MS + self.minute_ms())
        self.fix_ms = now_ms

    def pack(self):
        """32 bytes for memory that outlives sleep."""
        known = (self._shift_us, self._rate_us, self._drag_us, self.fix_ms, self.sure_ms)
        return struct.pack(_FORMAT, *known, self._blur_ms, self._swing_ms)

    def unpack(self, record):
        """Take back what pack() gave."""
        fields = struct.unpack(_FORMAT, record)
        self._shift_us, self._rate_us, self._drag_us, self.fix_ms, self.sure_ms = fields[:5]
        self._blur_ms, self._swing_ms = fields[5:]
