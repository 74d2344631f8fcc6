"""Owns the plan of windows as the device keeps it: the schedule, the slot's own shift, the lead of the radio's start.

Must not know radio or records. Ticks are the board's monotonic ms.
"""

import struct

from micropython import const

from emask import schedule

_FORMAT = "<HhhHB"
_BYTES = const(9)
_LEAD_MAX_MS = const(1500)
_LEAD_START_MS = const(250)


class Rendezvous:
    """Windows for a clock that errs by at most ppm, and a controller that advertises every adv_ms at most."""

    def __init__(self, ppm, adv_ms):
        self.schedule = schedule.Schedule(ppm, adv_ms)
        self.lead_ms = _LEAD_START_MS  # from the wake-up to the running radio, learned
        self.new_slot = False  # the first window of a slot took place; whoever cares takes it back
        self.lost()

    def lost(self):
        """A new segment: nothing is known of anyone."""
        self.schedule.lost()
        self._slot = 0  # of the shift, its low 16 bits
        self._offset_ms = 0
        self._next_ms = 0
        self._drawn = 0

    def confirmed(self, now_ms):
        """The clock was just set."""
        self.schedule.confirmed(now_ms)

    def plan(self, now_ms, clock, slot_s):
        """The next emask.schedule.Plan; clock: emask.clock.SegmentClock; slot_s: seconds of the scheme's slot.

        A window of the next slot has the next slot's shift: the first one too, or it would join two identifiers.
        """
        slot = clock.scheme_slot(now_ms, slot_s)
        self._roll(slot)
        plan = self.schedule.plan(now_ms, clock.own_ms(now_ms), self._offset_ms)
        later = clock.scheme_slot(plan.start_ms, slot_s)
        if later == slot:
            return plan
        self._roll(later)
        return self.schedule.plan(now_ms, clock.own_ms(now_ms), self._offset_ms)

    def _roll(self, slot):
        # Not back by one: a plan for the next slot may be asked for again before it begins.
        if (self._slot - slot & 0xFFFF) > 1:
            self._slot = slot & 0xFFFF
            self._offset_ms, self._next_ms, self._drawn = self._next_ms, 0, 0

    def opened(self, plan, now_ms, entropy):
        """The radio runs, at now_ms. Learns the lead; draws the next slot's shift once."""
        self.schedule.opened(plan)
        if plan.kind == schedule.SEARCH:
            return
        late_ms = now_ms - plan.start_ms
        self.lead_ms = max(0, min(_LEAD_MAX_MS, self.lead_ms + late_ms // 2))
        if not self._drawn:
            self._next_ms = schedule.slot_offset_ms(entropy(2))
            self._drawn = 1
            self.new_slot = True

    def pack(self):
        """For RTC memory."""
        own = (self._slot, self._offset_ms, self._next_ms, self.lead_ms, self._drawn)
        return struct.pack(_FORMAT, *own) + self.schedule.pack()

    def unpack(self, record):
        """Take back what pack() gave; False if it is not of its length."""
        if not self.schedule.unpack(record[_BYTES:]):
            return False
        own = struct.unpack(_FORMAT, record[:_BYTES])
        self._slot, self._offset_ms, self._next_ms, self.lead_ms, self._drawn = own
        return True
