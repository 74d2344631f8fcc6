# Owns the token's idea of time: ticks in segments, confirmed times, and the dates they give (SPEC 1.3, 3.3).
# Must not know any hardware clock: tick milliseconds are passed in, and confirmed times too.
import struct

from micropython import const

from emask import spec

_ANCHOR = "<HIIHHB"  # segment, tick s of it, utc s, utc ms, uncertainty s, flags
ANCHOR_BYTES = 15
_SLOT_MS = const(900000)
FROM_ANEW = 1  # flag of an anchor: those of its segment before it do not hold
_STATE = "<HBxqqIiqI"
STATE_BYTES = 40


def pack_anchor(segment, tick_s, utc_s, utc_ms, uncertainty_s, flags=0):
    """The 15 bytes of an ANCHOR record: at second tick_s of the segment it was utc_s + utc_ms / 1000."""
    return struct.pack(_ANCHOR, segment, tick_s, utc_s, utc_ms, uncertainty_s, flags)


def unpack_anchor(record):
    """(segment, tick_s, utc_s, utc_ms, uncertainty_s, flags) or None."""
    return struct.unpack(_ANCHOR, record) if len(record) == ANCHOR_BYTES else None


class SegmentClock:
    """Time within one segment, which begins at power-on at tick `start_ms` and ends when power is lost.

    `last_slot`: the last 15-minute slot that the store knows of; until a time is confirmed, slots count on from the
    one after it. Ticks are the board's monotonic milliseconds.
    """

    def __init__(self, segment, start_ms=0, last_slot=0):
        self.segment = segment
        self.start_ms = start_ms
        self.anchored = False
        self.offset_ms = (last_slot + 1) * spec.SLOT_S * 1000 if last_slot else 0  # own time at tick 0 of the segment
        self._floor = last_slot
        self._lead = 0  # how far ahead of own time the store's slots are: they never go back
        self._sure_ms = 0  # tick of the last confirmed time
        self.unsure_s = 0  # and how far off it may have been

    @property
    def offset_s(self):
        """Own time, UTC seconds, at tick 0 of the segment (rounded down)."""
        return self.offset_ms // 1000

    def tick_s(self, ms):
        """Seconds of the segment at tick `ms`."""
        return (ms - self.start_ms) // 1000

    def minute(self, ms):
        """Minute of the segment modulo 65536, as sightings carry it."""
        return (ms - self.start_ms) // 60000 & 0xFFFF

    def confirm(self, ms, utc_s, utc_ms=0, uncertainty_s=0, flags=0):
        """Take a confirmed UTC time of tick `ms`; returns the ANCHOR record (15 bytes) to be kept."""
        tick_s = self.tick_s(ms)
        told_ms = utc_s * 1000 + utc_ms
        if not self.anchored or abs(told_ms - self.own_ms(ms)) >= _SLOT_MS:
            self._lead = max(0, self._floor + 1 - told_ms // _SLOT_MS)
        self.offset_ms = told_ms - (ms - self.start_ms)
        self.anchored = True
        self._sure_ms, self.unsure_s = ms, uncertainty_s
        # The record's tick is whole seconds: the rest of the tick is taken off the time.
        whole = self.offset_ms + tick_s * 1000
        return pack_anchor(self.segment, tick_s, whole // 1000, whole % 1000, uncertainty_s, flags)

    def own_ms(self, ms):
        """Own time in milliseconds since the epoch: UTC once confirmed, else counted on from the last known slot."""
        return self.offset_ms + ms - self.start_ms

    def utc_s(self, ms):
        """UTC seconds, or None before any time was confirmed in this segment."""
        return self.own_ms(ms) // 1000 if self.anchored else None

    def doubt_ms(self, ms, ppm):
        """How far own time may be off, of a clock that errs by at most ppm; once a time was confirmed."""
        return self.unsure_s * 1000 + (ms - self._sure_ms) * ppm // 1000000

    def certain_slot(self, ms, ppm):
        """A 15-minute slot that it is not before: by own time less its doubt. Until a time is confirmed, by the ticks
        since the last slot known: no less time has passed than was counted."""
        if not self.anchored:
            return self.slot_estimate(ms)
        return (self.own_ms(ms) - self.doubt_ms(ms, ppm)) // _SLOT_MS

    def slot_estimate(self, ms):
        """The 15-minute slot for the store, by the best estimate; never smaller than given before."""
        self._floor = max(self._floor, self.own_ms(ms) // _SLOT_MS + self._lead)
        return self._floor

    def scheme_slot(self, ms, slot_s):
        """Own time in slots of `slot_s` seconds, for own IDs; not taken back by a small correction, but by a jump."""
        return max(self.own_ms(ms) // (slot_s * 1000), (self._floor - self._lead) * spec.SLOT_S // slot_s)

    def pack_state(self):
        """40 bytes for memory that outlives sleep; see `unpack_state`."""
        own = (self.segment, self.anchored, self.offset_ms, self.start_ms, self._floor, self._lead)
        return struct.pack(_STATE, *own, self._sure_ms, self.unsure_s)


def unpack_state(state):
    """The SegmentClock of pack_state, or None if the length is another."""
    if len(state) != STATE_BYTES:
        return None
    segment, anchored, offset_ms, start_ms, floor, lead, sure_ms, unsure_s = struct.unpack(_STATE, state)
    clock = SegmentClock(segment, start_ms, floor)
    clock.offset_ms = offset_ms
    clock.anchored = bool(anchored)
    clock._lead, clock._sure_ms, clock.unsure_s = lead, sure_ms, unsure_s
    return clock


class Anchors:
    """Dates of ticks, from ANCHOR records in their order. Between two of a segment time runs evenly; beyond, at 1:1.

    ppm: the worst error of the board's clock, for `date`.
    """

    def __init__(self, records=(), ppm=0):
        self._ppm = ppm
        self._segments = {}  # segment -> [(tick_s, utc_s, uncertainty_s)] by tick
        for record in records:
            self.add(record)

    def add(self, record):
        """Take one ANCHOR record; one that is none, or there already, is left out."""
        fields = unpack_anchor(record)
        if fields is None:
            return
        known = self._segments.setdefault(fields[0], [])
        if fields[5] & FROM_ANEW:
            known.clear()
        point = (fields[1], fields[2], fields[4])
        if point not in known:
            known.append(point)
            known.sort()

    def date(self, segment, tick_s):
        """(UTC second, how far it may be off in s) of a second of a segment; None if no time was confirmed in it."""
        before = after = error = None
        for point in self._segments.get(segment, ()):
            off = point[2] + abs(tick_s - point[0]) * self._ppm // 1000000
            error = off if error is None else min(error, off)
            if point[0] <= tick_s:
                before = point
            elif after is None:
                after = point
        near = before or after
        if near is None:
            return None
        passed = tick_s - near[0]
        if before and after:
            passed = passed * (after[1] - near[1]) // (after[0] - near[0])
        return near[1] + passed, error

    def utc_of(self, segment, tick_s):
        """UTC second of a second of a segment, or None."""
        found = self.date(segment, tick_s)
        return found and found[0]

    def tick_of(self, segment, minute):
        """Second of the segment of a sighting's minute (modulo 65536): the one nearest to the newest anchor."""
        known = self._segments.get(segment)
        if not known:
            return minute * 60
        newest = known[-1][0] // 60
        return (newest + (minute - newest + 0x8000 & 0xFFFF) - 0x8000) * 60
