"""Owns the plan of windows as the device keeps it: the schedule and the lead of the radio's start.

Must not know radio or records. Ticks are the board's monotonic ms.
"""

import struct

from micropython import const

from emask import schedule

_FORMAT = "<HqI"
_BYTES = const(14)
_SLOT_MS = const(900000)
_DOOR_MINUTES = const(11)  # of a slot: those alone meet every fifth, and none of them later
_MINUTE_MS = const(60000)
_REFILL_MS = const(2000)
_LEAD_MAX_MS = const(1500)
_LEAD_START_MS = const(250)


class Rendezvous:
    """Windows for a clock that errs by at most ppm, and a controller that advertises every adv_ms at most."""

    def __init__(self, ppm, adv_ms):
        self.schedule = schedule.Schedule(ppm, adv_ms)
        self.lead_ms = _LEAD_START_MS  # from the wake-up to the running radio, learned
        self.new_slot = False  # the first window of a slot took place; whoever cares takes it back
        self.met = False  # a meeting took place; likewise
        self.door_ms = 0  # tick from which on the door may open
        self.held_ms = 0  # for how long it was held open of late

    def lost(self):
        """A new segment: nothing is known of anyone."""
        self.schedule.lost()
        self.door_ms = 0

    def confirmed(self, now_ms):
        """The clock was just set."""
        self.schedule.confirmed(now_ms)

    def plan(self, now_ms, clock, slot_s):
        """The next emask.schedule.Plan; clock: emask.clock.SegmentClock; slot_s: seconds of the scheme's slot."""
        return self.schedule.plan(now_ms, clock.own_ms(now_ms), lambda at_ms: clock.scheme_slot(at_ms, slot_s))

    def opened(self, plan, now_ms, entropy):
        """The radio runs, at now_ms. Learns the lead; draws the next slot's shift once."""
        self.schedule.opened(plan)
        self.met |= plan.kind == schedule.MEETING
        if plan.kind == schedule.SEARCH:
            return
        late_ms = now_ms - plan.start_ms
        self.lead_ms = max(0, min(_LEAD_MAX_MS, self.lead_ms + late_ms // 2))
        if self.schedule.draw(entropy):
            self.new_slot = True

    def door(self, now_ms, own_ms, chance):
        """The door opens. Once more in the next slot of 15 minutes, from a minute on that chance, a byte, says."""
        self.door_ms = now_ms - own_ms % _SLOT_MS + _SLOT_MS + chance % _DOOR_MINUTES * _MINUTE_MS
        self.held_ms = max(0, self.held_ms - _REFILL_MS)

    def pack(self):
        """For RTC memory."""
        return struct.pack(_FORMAT, self.lead_ms, self.door_ms, self.held_ms) + self.schedule.pack()

    def unpack(self, record):
        """Take back what pack() gave; False if it is not of its length."""
        if not self.schedule.unpack(record[_BYTES:]):
            return False
        self.lead_ms, self.door_ms, self.held_ms = struct.unpack(_FORMAT, record[:_BYTES])
        return True
