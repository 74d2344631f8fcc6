"""Owns when the next window is: minute grid, jitter, lead, pull, search. Must not know radio or records.

Ticks are the board's monotonic ms. The grid is five seconds past each minute of own time,
moved by a shift; slots are not moved.
"""

import struct
from collections import namedtuple

from micropython import const

from emask import schedule

_FORMAT = "<iqqqHHhhIH"
_BYTES = const(42)
_PHASE_MS = const(5000)  # after the whole minute: no window of the grid lies across the end of a slot
_LEAD_MAX_MS = const(1500)
_LEAD_START_MS = const(250)
_SURE_MS = const(200)  # how far a freshly confirmed clock's windows may be pulled
_SEARCH_MS = const(61000)  # a whole period and a bit: whoever is near is heard
_SEARCH_EVERY_MS = const(600000)  # a search costs 1.5 mAh: the pause doubles each time, up to 11 hours
_DOUBLINGS = const(6)


# One window: start_ms (tick) and length_ms; point_ms is the grid's own point in it; search: listen only.
Plan = namedtuple("Plan", ("start_ms", "length_ms", "point_ms", "search"))


class Rendezvous:
    """Plans windows for a clock (emask.clock.SegmentClock) that errs by at most ppm."""

    def __init__(self, ppm):
        self._ppm = ppm
        self.lead_ms = _LEAD_START_MS  # from the wake-up to the running radio, learned
        self.lost()

    def lost(self):
        """A new segment: nothing is known of anyone."""
        self._shift_ms = 0
        self._sure_ms = -1  # tick of the last confirmed time, -1: never
        self._met_ms = -1  # tick of the last window in which a token's timing was heard, -1: never
        self._search_ms = 0  # tick of the next search
        self._searches = 0
        self._jitter_slot = 0  # its low 16 bits
        self._jitter_ms = 0
        self._jitter_next_ms = 0
        self._last_s = 0  # own time of the last window's grid point

    def confirmed(self, now_ms):
        """The clock was just set: back to the common grid."""
        self._shift_ms = 0
        self._sure_ms = now_ms
        self._met_ms = -1
        self._last_s = 0

    def plan(self, now_ms, clock, slot):
        """The next Plan after now_ms; slot: own slot of the scheme, for its jitter."""
        if not clock.anchored and self._met_ms < 0 and now_ms >= self._search_ms:
            return Plan(now_ms, _SEARCH_MS, now_ms, True)
        length_ms = self._length_ms(now_ms, clock)
        early_ms = (length_ms - schedule.WINDOW_MS) // 2
        own_ms = clock.own_ms(now_ms)
        offset_ms = _PHASE_MS + self._shift_ms + self._jitter(slot)
        # A boot takes its time: a window that should have begun is still worth its second half.
        point_ms = schedule.next_window(own_ms + early_ms - length_ms // 2, offset_ms)
        if point_ms // 1000 - self._last_s < schedule.PERIOD_MS // 2000:  # the same one again
            point_ms += schedule.PERIOD_MS
        point_ms += now_ms - own_ms
        return Plan(point_ms - early_ms, length_ms, point_ms, False)

    def _length_ms(self, now_ms, clock):
        since_ms = max(self._sure_ms, self._met_ms)
        if since_ms < 0:
            return schedule.window_ms(clock.anchored)
        drift_ms = (now_ms - since_ms) * self._ppm // 500000  # both sides may drift
        return min(schedule.WINDOW_LOST_MS, schedule.window_ms(clock.anchored) + drift_ms)

    def _jitter(self, slot):
        if slot & 0xFFFF != self._jitter_slot:
            self._jitter_slot = slot & 0xFFFF
            self._jitter_ms, self._jitter_next_ms = self._jitter_next_ms, 0
        return self._jitter_ms

    def opened(self, plan, clock, now_ms, entropy):
        """The radio runs, at now_ms. Learns the lead; draws the next slot's jitter once."""
        if plan.search:
            return
        self._last_s = clock.own_ms(plan.point_ms) // 1000
        late_ms = now_ms - plan.start_ms
        self.lead_ms = max(0, min(_LEAD_MAX_MS, self.lead_ms + late_ms // 2))
        if not self._jitter_next_ms:
            self._jitter_next_ms = schedule.slot_offset_ms(entropy(2))

    def field(self):
        """The advert's time to the next window, 10 ms units: from the middle of this one, the same for every token."""
        return schedule.advert_field(schedule.WINDOW_MS // 2, schedule.PERIOD_MS)

    def closed(self, plan, clock, heard):
        """The window is over; heard: (tick of the advert, its field) of evenly chosen adverts of other tokens."""
        if plan.search:
            self._search_ms = plan.start_ms + (_SEARCH_EVERY_MS << self._searches)
            self._searches = min(self._searches + 1, _DOUBLINGS)
            if heard:
                self._adopt(plan, clock, heard)
            return
        pull = schedule.Pull()
        for at_ms, field in heard:
            pull.add(at_ms, field, plan.point_ms)
        if heard:
            self._move(plan.point_ms, clock, pull.step_ms() // 2)

    def _adopt(self, plan, clock, heard):
        # Lost anyway: go where most are. No step limit, for there is nothing to be dragged away from.
        own_ms = clock.own_ms(plan.start_ms)
        points = sorted([(own_ms + at_ms - plan.start_ms + field * 10) % schedule.PERIOD_MS for at_ms, field in heard])
        self._shift_ms = (points[len(points) // 2] - _PHASE_MS) % schedule.PERIOD_MS
        self._met_ms = plan.start_ms

    def _move(self, now_ms, clock, step_ms):
        shift_ms = self._shift_ms + step_ms
        self._met_ms = now_ms
        if clock.anchored:
            bound_ms = _SURE_MS + max(0, now_ms - self._sure_ms) * self._ppm // 1000000
            self._shift_ms = max(-bound_ms, min(bound_ms, shift_ms))
            return
        self._shift_ms = shift_ms % schedule.PERIOD_MS

    def pack(self):
        """42 bytes for RTC memory."""
        return struct.pack(
            _FORMAT,
            self._shift_ms,
            self._sure_ms,
            self._met_ms,
            self._search_ms,
            self._searches,
            self._jitter_slot,
            self._jitter_ms,
            self._jitter_next_ms,
            self._last_s,
            self.lead_ms,
        )

    def unpack(self, record):
        """Take back what pack() gave; False if it is not of its length."""
        if len(record) != _BYTES:
            return False
        fields = struct.unpack(_FORMAT, record)
        self._shift_ms, self._sure_ms, self._met_ms, self._search_ms, self._searches = fields[:5]
        self._jitter_slot, self._jitter_ms, self._jitter_next_ms, self._last_s, self.lead_ms = fields[5:]
        return True
