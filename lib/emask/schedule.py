# Owns when a token sends and listens (SPEC 7): which windows there are, how long, how the radio works in them, from
# what the token knows and heard. Must not know clocks, radio or records: ticks, own time and chance are passed in.
import struct

from micropython import const

from emask import spec
from emask.grid import CYCLE_MS, MINUTE_MS, STATE_BYTES, Grid
from emask.window import ADV_DELAY_MS, MEETING, MINUTE, PROBE, SEARCH, Plan, slot_shift_ms

FULL, LOW, LOWER, LOWEST = const(0), const(1), const(2), const(3)  # levels of the battery

PHASE_MS = const(5000)  # after the whole minute: no window of the grid lies across the end of a slot
MEETING_MINUTES = const(5)  # three in each contact of a quarter of an hour
BASE_MS = const(100)  # a minute's window of clocks that agree
ADV_MS = const(20)
LOST_MS = const(1500)  # beyond this reach one wide window costs more than a sweep
COMPANY_MS = const(390000)  # a token that was heard is expected for as long: a meeting window may fail
SWEEP_MINUTES = const(6)  # then the answer, in a quarter of an hour with minutes left; no multiple of MEETING_MINUTES
SEARCH_MS = const(61000)  # a whole minute and a bit: whoever is near and not alone is heard

_GUARD_MS = const(2)
_PROBE_ADV_MS = const(40)  # two adverts for a window of BASE_MS; who hears them answers in the next minute
_LISTEN_SHARE = const(10)  # in a wide window the radio listens for a tenth of the time
_HALF_SWEEP_MS = const(30000)  # each of two lost tokens looks later than its own window: half a minute does
_PER_TOKEN_TENTHS = const(15)  # ms of advertising interval per token in company: a third of the channel's time
_ROOM_MS = const(30)
_STRANGE_MS = const(200)  # one-way: who hears a probe this much earlier, and nobody else, is not heard by its sender
_MANY = const(8)  # the mean of 9 clocks is within 5/8 of the worst of one, that of 25 within 3/8 (99.9 %)
_SETTLING = const(3)  # meetings: of many who come at once each hears its own edge of the noise, and there are two camps
_AT_REST = const(15)  # windows: then it lies about, or its wearer sleeps
_LONGEST_ADV_MS = const(300)  # and so a flood keeps the radio on for a third of a second a minute
_SEARCH_EVERY_MS = const(600000)  # a search costs 1.5 mAh: the pause doubles each time, up to 11 hours
_DOUBLINGS = const(6)
_SEARCH_HOURS_MS = const(43200000)  # then sweeps come in every fifth minute
_FORMAT = "<qqqIHHBHhhBBB"
_OWN_BYTES = const(42)


class Schedule:
    """Plans windows. ppm: worst error of the board's clock; adv_ms: shortest advertising interval of its controller.

    level: FULL .. LOWEST, what the battery allows.
    """

    def __init__(self, ppm, adv_ms=ADV_MS):
        self.grid = Grid(ppm)
        self._shortest_adv_ms = adv_ms
        self.level = FULL
        self.lost()

    def lost(self):
        """A new segment: nothing is known of anyone."""
        self.grid.lost()
        self.met_ms = -1  # tick of the last window in which an identifier was heard, -1: never
        self._search_ms = 0  # tick of the next search
        self._lost_ms = -1  # tick since when it has been looking for others in vain, -1: it is not lost
        self._searches = 0
        self._crowd = 0  # tokens around, slow to fall
        self._settled = 0  # meetings in a row that heard somebody, at most _SETTLING
        self._still = 0  # windows in a row before which the token was not moved, at most _AT_REST
        self._last = 0  # number of the last window
        self._slot = 0  # of the shift, its low 16 bits
        self._shift_ms = 0  # what windows of this slot are shifted by, beside the grid
        self._next_ms = 0  # of the next slot's windows
        self._drawn = 0  # the next slot's shift is drawn

    def confirmed(self, now_ms):
        """The clock was just set: back to the common grid."""
        self.grid.confirmed(now_ms)
        self._last = 0
        self._lost_ms = -1

    def in_company(self, now_ms):
        """True while somebody was heard lately."""
        return self.met_ms >= 0 and now_ms - self.met_ms < COMPANY_MS

    def sweeps(self, now_ms):
        """True if others' windows may be further off than one wide window is worth."""
        return self.grid.reach_ms(now_ms) > LOST_MS and self.level < LOWER

    def plan(self, now_ms, own_ms, slot_at):
        """The next Plan after tick now_ms, at own time own_ms; slot_at(tick): number of the scheme's slot then.

        A window of the next slot has the next slot's shift: the first one too, or it would join two identifiers.
        """
        slot = slot_at(now_ms)
        self._roll(slot)
        plan = self._plan(now_ms, own_ms)
        later = slot_at(plan.start_ms)
        if later == slot:
            return plan
        self._roll(later)
        return self._plan(now_ms, own_ms)

    def _roll(self, slot):
        # Not back by one: a plan for the next slot may be asked for again before it begins.
        if (self._slot - slot & 0xFFFF) > 1:
            self._slot = slot & 0xFFFF
            self._shift_ms, self._next_ms, self._drawn = self._next_ms, 0, 0

    def draw(self, entropy):
        """Draw the next slot's shift, once a slot; entropy(count) -> bytes. True if this was the slot's first time."""
        if self._drawn:
            return False
        self._next_ms = slot_shift_ms(entropy)
        self._drawn = 1
        return True

    def _plan(self, now_ms, own_ms):
        at_ms = own_ms - PHASE_MS - self._shift_ms - self.grid.shift_ms(now_ms)
        if self.grid.fix_ms < 0 and now_ms >= self._search_ms and self.level < LOWER:
            return Plan(SEARCH, 0, now_ms, SEARCH_MS, now_ms - at_ms % CYCLE_MS, 0, 30, 30, self._shift_ms)
        sweeps = self.sweeps(now_ms)
        minute = at_ms // MINUTE_MS
        last = self._last if self._last - 2 * minute < 8 else 0  # else the time was set back
        while True:
            point_ms = now_ms + minute * MINUTE_MS - at_ms
            for kind in self._kinds(point_ms, minute, sweeps):
                number = 2 * minute + (kind == PROBE)
                plan = self._window(kind, number, point_ms)
                # A boot takes its time: a window that should have begun is still worth its second half.
                if number > last and now_ms <= plan.start_ms + plan.length_ms // 2:
                    return plan
            minute += 1

    def _among_many(self, at_ms):
        return self._crowd >= _MANY and self.in_company(at_ms)

    def _meeting_reach_ms(self, at_ms):
        """The reach of a meeting window: many in company drift together by less than any of them could alone."""
        reach_ms = min(LOST_MS, self.grid.reach_ms(at_ms))
        if not self._among_many(at_ms) or self._settled < _SETTLING:
            return reach_ms
        return reach_ms * (3 if self._crowd >= 3 * _MANY else 5) // 8

    def _kinds(self, at_ms, minute, sweeps):
        meeting = minute % (MEETING_MINUTES * (2 if self.level >= LOWEST else 1)) == 0
        if sweeps:
            tired = self._lost_ms >= 0 and at_ms - self._lost_ms > _SEARCH_HOURS_MS
            return () if tired and not meeting else (MINUTE, PROBE)
        if meeting or self.level == FULL and self._settled < _SETTLING and self._among_many(at_ms):
            return (MEETING,)
        if self.level >= LOWER or self._still == _AT_REST or not self.in_company(at_ms):
            return ()
        return () if self.level == LOW and minute & 1 else (MINUTE,)

    def _window(self, kind, number, point_ms):
        adv_ms = max(self._shortest_adv_ms, min(_LONGEST_ADV_MS, self._crowd * _PER_TOKEN_TENTHS // 10))
        if kind == MINUTE:
            length_ms = max(BASE_MS, self._shortest_adv_ms + BASE_MS // 2, adv_ms + _ROOM_MS)
            if self.in_company(point_ms):
                length_ms += 2 * min(LOST_MS, self.grid.blur_ms(point_ms))
            return Plan(kind, number, point_ms - length_ms // 2, length_ms, point_ms, adv_ms, 30, 30, self._shift_ms)
        listen_ms = self._shortest_adv_ms + ADV_DELAY_MS + _GUARD_MS
        scan_ms = listen_ms * _LISTEN_SHARE
        if kind == MEETING:
            half_ms = self._meeting_reach_ms(point_ms) + self.grid.drag_ms(point_ms) + (scan_ms + listen_ms) // 2
            return Plan(
                kind, number, point_ms - half_ms, 2 * half_ms, point_ms, adv_ms, scan_ms, listen_ms, self._shift_ms
            )
        step_ms = min(_HALF_SWEEP_MS, 2 * self.grid.reach_ms(point_ms)) // SWEEP_MINUTES
        # Steps overlap by a window, and by what two clocks may drift from one to the next.
        start_ms = point_ms + BASE_MS // 2 + number // 2 % SWEEP_MINUTES * step_ms
        length_ms = step_ms + BASE_MS + 2 * self.grid.minute_ms()
        return Plan(kind, number, start_ms, length_ms, point_ms, max(adv_ms, _PROBE_ADV_MS), 30, 0, self._shift_ms)

    def field(self, now_ms, plan):
        """What an advert sent at now_ms says: units of 10 ms to the next meeting point, as if the offset stayed."""
        meeting_ms = plan.point_ms - plan.number // 2 % MEETING_MINUTES * MINUTE_MS
        return ((meeting_ms - now_ms) % CYCLE_MS or CYCLE_MS) // spec.WINDOW_UNIT_MS

    def opened(self, plan):
        """The window takes place; it will not be planned again."""
        if plan.kind != SEARCH:
            self._last = plan.number

    def closed(self, plan, heard, idents, still=False):
        """The window is over. heard: (number of the identifier, tick, field) of its adverts that said their next
        window; idents: how many identifiers were heard; still: the token was not moved since the window before.
        """
        self._still = min(_AT_REST, self._still + 1) if still else 0
        end_ms = plan.start_ms + plan.length_ms
        lost = self.sweeps(end_ms)
        strange_ms = LOST_MS if self.in_company(plan.start_ms) else _STRANGE_MS
        if plan.kind == SEARCH:
            self._search_ms = plan.start_ms + (_SEARCH_EVERY_MS << self._searches)
            self._searches = min(self._searches + 1, _DOUBLINGS)
        if idents:
            self.met_ms = plan.start_ms
            self._lost_ms = -1
        elif lost and self._lost_ms < 0:
            self._lost_ms = end_ms
        self._crowd = max(idents, self._crowd * 3 // 4)
        if plan.kind == MEETING:
            self._settled = min(_SETTLING, self._settled + 1) if idents else 0
        errors = self._errors(plan, heard)
        if errors:
            self._follow(plan, errors, lost and strange_ms)

    def _errors(self, plan, heard):
        """Mean error of each identifier's adverts, ms: how much later its points are than the grid's, within half a
        cycle. The own shift is left out: to follow with it would undo it within minutes, and link two slots.
        """
        meeting_ms = plan.point_ms - plan.shift_ms - plan.number // 2 % MEETING_MINUTES * MINUTE_MS
        sums = {}
        for ident, at_ms, field in heard:
            ahead = (at_ms + field * spec.WINDOW_UNIT_MS + spec.WINDOW_UNIT_MS // 2 - meeting_ms) % CYCLE_MS
            known = sums.setdefault(ident, [0, 0])
            if known[1] and abs(ahead - known[0] // known[1]) > CYCLE_MS // 2:
                ahead += CYCLE_MS if ahead < CYCLE_MS // 2 else -CYCLE_MS
            known[0] += ahead
            known[1] += 1
        return [(total // count + CYCLE_MS // 2) % CYCLE_MS - CYCLE_MS // 2 for total, count in sums.values()]

    def _follow(self, plan, errors, strange_ms):
        if plan.kind == SEARCH:
            # Lost anyway: go where most are. No bound, for there is nothing to be dragged away from.
            self.grid.join(plan.start_ms, sorted(errors)[len(errors) // 2])
            self._last = 0
            return
        # Half a minute away is earlier rather than later: that is where probes are heard.
        most_ms = MINUTE_MS // 2 + (LOST_MS if strange_ms else 0)
        near = [(error + most_ms) % MINUTE_MS - most_ms for error in errors]
        if strange_ms:
            # Of two that have lost each other the one that is later goes over: else they would change places.
            earlier = sorted([error for error in near if error < -strange_ms])
            if earlier:
                self.grid.join(plan.start_ms, earlier[len(earlier) // 2])
                self._last = 0
                return
            near = [error for error in near if error <= strange_ms]
        if near:
            self.grid.pull(plan.start_ms, near, plan.kind != MINUTE)

    def pack(self):
        """74 bytes for memory that outlives sleep."""
        own = (self.met_ms, self._search_ms, self._lost_ms, self._last, self._searches, self._crowd, self.level)
        shift = (self._slot, self._shift_ms, self._next_ms, self._drawn, self._settled, self._still)
        return self.grid.pack() + struct.pack(_FORMAT, *own, *shift)

    def unpack(self, record):
        """Take back what pack() gave; False if it is not of its length."""
        if len(record) != STATE_BYTES + _OWN_BYTES:
            return False
        self.grid.unpack(record[:STATE_BYTES])
        own = struct.unpack(_FORMAT, record[STATE_BYTES:])
        self.met_ms, self._search_ms, self._lost_ms, self._last, self._searches, self._crowd, self.level = own[:7]
        self._slot, self._shift_ms, self._next_ms, self._drawn, self._settled, self._still = own[7:]
        return True
