# Owns the comparison of a list's records with the sightings (SPEC 6); emask.exposure decides. Must not know where lists
# come from, nor wait: it is a generator that hands control back after each record.
import struct
from array import array

from micropython import const

from emask import keylist, scheme, sighting, spec
from emask.exposure import Exposure
from emask.sought import CAPACITY, Sought

_BUILD_STEP = const(15)
_RECORD_STEP = const(15)
_WAITING = const(512)
_DAYS = const(30)
_SLACK_S = const(3600)
_ABOUT_BITS = const(4)  # sightings whose minutes differ in these only are dated together in the index
_ABOUT = const(15)
_SPAN_S = const(960)  # of a sighting
_PART_S = const(14400)  # as in emask.context
_TOLERANCE = const(2)  # place in a rule (SPEC 5.1)
_WHEN_AT = const(17)  # segment and minute in a sighting


def _length(minutes):
    length = 0
    while minutes:
        minutes >>= 1
        length += 1
    return length


class Matcher:
    """Compares the sightings in `store` with a list's records; `header` is the list's, with the rule in it.

    `for _ in matcher.run(open_records)` does it, a short piece at a time; then `exposure.decided` says.
    own_group(record): whether a record is of the own household or home.

    done, reached: UTC days that were compared and had no hit, as bits, 0 for the day before the list's issue; and the
    `place` in the store before which their sightings were. With both, another Matcher of the same list and anchors goes
    on from there; days with hits it compares again.

    A record's chain is walked once for each UTC day, beside all sightings of about that day. What may bear IDs of two
    days is taken twice: `_waiting` has flash positions times 2, plus 1 for the later of the two days.
    """

    def __init__(self, header, store, anchors, capacity=CAPACITY, own_group=None, done=0, reached=0):
        self._header = header
        self._store = store
        self._anchors = anchors
        self._scheme = scheme.get(header.scheme)
        self._sought = Sought(capacity)
        self._waiting = array("I")
        self._dates = {}  # of one store slot
        self._slot = None
        self._day = self._first_s = self._last_s = 0  # of the sightings at hand
        self._own_group = own_group
        self._spans = {}  # four hours of UTC -> first and last store slot of their hits
        self._before = done, reached
        self.done, self.reached = done, reached
        self._with_hits = 0  # days, as in `done`
        self._scanned = 0  # the place of the last sighting that came from flash
        self.exposure = Exposure(header.rule)

    def run(self, open_records):
        """Yield after each piece of work. open_records() gives an iterator over the list's 40-byte records, afresh."""
        source = self._store.scan(spec.SIGHTING)
        while True:
            yield from self._gather(source)
            if not len(self._sought):
                break
            hits = self.exposure.hits
            yield from self._compare(open_records)
            self._compared(self.exposure.hits > hits)
        del self._sought, self._dates  # their memory is for the decision
        yield from self.exposure.run(self._others)

    def _gather(self, source):
        # A day's sightings into the index: of those that wait, then of the next in flash, until the day has ended.
        self._sought.clear()
        waiting, self._waiting = self._waiting, array("I")
        for at, entry in enumerate(waiting):
            found = self._store.read_at(spec.SIGHTING, entry >> 1)
            if found:
                self._take(entry >> 1, found[0], found[1], (entry & 1,))
            if not at & _BUILD_STEP:
                yield
        if self._sought.full():
            return
        for at, (position, slot, payload) in enumerate(source):
            self._scanned = position
            ended = self._take(position, slot, payload, (0, 1))
            if ended or self._sought.full() or len(self._waiting) >= _WAITING:
                return
            if not at & _BUILD_STEP:
                yield

    def _take(self, position, slot, payload, which):
        # which: of its days, the earlier (0) or the later. True: it is so far off that this day's have ended.
        if payload[0] != spec.SIGHTING_VERSION << 4 | payload[0] & 8 | self._header.scheme:
            return False
        first_s, last_s = self._about(slot, payload)
        if first_s >= self._header.issued_s:
            return False
        days = first_s // spec.DAY_S, last_s // spec.DAY_S
        for later in which:
            bit = self._bit(days[later])
            if later and days[0] == days[1] or bit & self._before[0] and self._store.place(position) < self._before[1]:
                continue
            if not len(self._sought):
                self._day = days[later]
                self._first_s, self._last_s = first_s, last_s
            if days[later] != self._day or self._sought.full():
                self._waiting.append(position << 1 | later)
                self.done &= ~bit
                continue
            self._first_s, self._last_s = min(self._first_s, first_s), max(self._last_s, last_s)
            self._sought.add(payload[1], payload[2], payload[3], position)
        return len(self._sought) and not -_SLACK_S <= first_s - self._day * spec.DAY_S < spec.DAY_S + _SLACK_S

    def _bit(self, day):
        # In `done`; 0 for a day that has none.
        before = self._header.issued_s // spec.DAY_S - 1 - day
        return 1 << before if 0 <= before < _DAYS else 0

    def _compared(self, hit):
        # What is left of a day that did not fit into the index comes again, and so it is not done.
        bit = self._bit(self._day)
        scanned = self._store.place(self._scanned)
        if hit:
            self._with_hits |= bit
        elif bit & ~self._with_hits and not self._sought.full() and scanned >= self._before[1]:
            self.done |= bit
            self.reached = scanned

    def _about(self, slot, payload):
        # First and last second that the IDs may be of: no less than by `_dated`, for 16 minutes of them at once.
        segment, minute = struct.unpack_from("<HH", payload, _WHEN_AT)
        if slot != self._slot:
            self._slot = slot
            self._dates.clear()
        key = segment << 12 | minute >> _ABOUT_BITS
        if key not in self._dates:
            first_s, margin_s = self._date(slot, segment, minute & ~_ABOUT)
            last_s, more_s = self._date(slot, segment, minute | _ABOUT)
            margin_s = max(margin_s, more_s) + spec.SLOT_S
            self._dates[key] = first_s - margin_s, last_s + _SPAN_S + margin_s
        return self._dates[key]

    def _compare(self, open_records):
        rules = self._scheme
        length = rules.SLOT_S
        day = self._day * rules.SLOTS_PER_DAY
        first_slot = max(day, self._first_s // length)
        last_slot = min(day + rules.SLOTS_PER_DAY, self._last_s // length + 1, self._header.issued_s // length)
        for number, record in enumerate(open_records()):
            key, first, index, count = keylist.unpack_record(record)
            begin = max(first, first_slot)
            end = min(first + min(count, rules.KEY_DAYS * rules.SLOTS_PER_DAY), last_slot)
            if begin < end:
                chain = rules.Chain(key[: rules.KEY_BYTES], begin, index + begin - first)
                yield from self._walk(chain, end - begin, number, record)
            if begin < end or not number & _RECORD_STEP:
                yield

    def _walk(self, chain, left, number, record):
        left = chain.seek(left, self._sought)
        while left:
            ident = chain.id()
            for position in self._sought.positions(ident[0], ident[1], ident[2]):
                found = self._store.read_at(spec.SIGHTING, position)
                fields = sighting.unpack(found[1]) if found else None
                if fields and fields[1] == ident:
                    self._judge(chain, number, record, found[0], fields, sighting.is_still(found[1]))
            yield
            chain.step()
            left = chain.seek(left - 1, self._sought)

    def _judge(self, chain, number, record, slot, fields, still):
        first_s, last_s, margin_s = self._dated(slot, fields)
        begin_s = chain.slot * self._scheme.SLOT_S
        if first_s - margin_s >= begin_s + self._scheme.SLOT_S or last_s + margin_s <= begin_s:
            return
        if last_s > self._header.issued_s:
            return
        if self._own_group and self._own_group(record):
            self.exposure.left_out.add(number)
        sent = fields[7]
        tx_dbm = 0 if sent == spec.TX_UNKNOWN and self._header.scheme == spec.BLUEZONE else chain.tx_dbm(sent)
        self.exposure.hit(number, chain.slot, first_s // 60, tx_dbm, fields[4], fields[9], still)
        first, last = self._spans.get(first_s // _PART_S, (slot, slot))
        self._spans[first_s // _PART_S] = min(first, slot), max(last, slot)

    def _dated(self, slot, fields):
        # First and last second heard, and how far from its own slot an ID may have been heard.
        first_s, margin_s = self._date(slot, fields[2], fields[3])
        last_s = first_s + 60 * _length(fields[8])
        return first_s, last_s, margin_s

    def _date(self, slot, segment, minute):
        found = self._anchors.date(segment, self._anchors.tick_of(segment, minute))
        if found is None:  # never dated: the store's estimate must do, as unsure as allowed
            return slot * spec.SLOT_S, spec.MAX_TOLERANCE_SLOTS * spec.SLOT_S
        unsure = 1 - (-found[1] // spec.SLOT_S)
        slots = min(spec.MAX_TOLERANCE_SLOTS, max(self._header.rule[_TOLERANCE], unsure))
        return found[0], slots * spec.SLOT_S

    def _others(self, part):
        # All that was heard at about the times of that part's hits: (first UTC minute, adverts, levels), None to pause.
        first, last = self._spans.get(part, (1, 0))
        day = spec.SLOTS_PER_DAY  # whole days, as the store has its blocks: no long silent search
        source = self._store.scan(spec.SIGHTING, first // day * day, last // day * day + day - 1)
        for at, (_position, slot, payload) in enumerate(source):
            fields = sighting.unpack(payload) if first - 1 <= slot <= last + 1 else None
            if fields is not None:
                yield self._dated(slot, fields)[0] // 60, fields[4], fields[9]
            if at % _BUILD_STEP == 0:
                yield
