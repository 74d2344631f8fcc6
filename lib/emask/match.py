# Owns the comparison of a list's records with the sightings, and the decision (SPEC 6). Must not know where lists
# come from, nor wait: it is a generator that hands control back after each record.
from array import array
from collections import namedtuple

from micropython import const

from emask import keylist, scheme, sighting, spec

_PIECE = const(1024)  # sightings in RAM at a time: 6 bytes each, and the table below
_PARTS = const(16)
_PART_BYTES = const(512)
_MAX_HITS = const(1024)
_BUILD_STEP = const(64)
_HIT = const(4)  # words of a hit: record, slot, first minute (UTC), minutes near as bits

Decision = namedtuple("Decision", ("day", "minutes"))


def _bits(value):
    count = 0
    while value:
        value &= value - 1
        count += 1
    return count


def _length(minutes):
    length = 0
    while minutes:
        minutes >>= 1
        length += 1
    return length


class SightingIndex:
    """The first two ID bytes and the flash position of up to 1,024 sightings, and the time they span (UTC s)."""

    def __init__(self, capacity=_PIECE):
        self._capacity = capacity
        self._table = [
            bytearray(_PART_BYTES) for _ in range(_PARTS)
        ]  # in parts: no large piece of the heap is asked for
        self.clear()

    def clear(self):
        """Forget all sightings."""
        blank = bytes(_PART_BYTES)
        for part in self._table:
            part[:] = blank
        self._heads = array("H")
        self._positions = array("I")
        self.first_s = self.last_s = 0

    def __len__(self):
        return len(self._heads)

    def full(self):
        """Whether no further sighting fits."""
        return len(self._heads) >= self._capacity

    def add(self, ident, position, first_s, last_s):
        """Take one sighting that may lie between two times."""
        head = ident[0] | ident[1] << 8
        self._table[head >> 12][head >> 3 & 511] |= 1 << (head & 7)
        self.first_s = min(self.first_s, first_s) if self._heads else first_s
        self.last_s = max(self.last_s, last_s)
        self._heads.append(head)
        self._positions.append(position)

    def has(self, head):
        """Whether any sighting begins with these two bytes."""
        return self._table[head >> 12][head >> 3 & 511] & 1 << (head & 7)

    def positions(self, head):
        """Yield the flash positions of the sightings that begin with these two bytes."""
        for at, known in enumerate(self._heads):
            if known == head:
                yield self._positions[at]


class Matcher:
    """Compares the sightings in `store` with a list's records; `header` is the list's, with the rule in it.

    `for _ in matcher.run(open_records)` does it, a short piece at a time; then `decision()`. Nothing is kept in
    flash: after a reset it is simply run again. `hits_dropped` counts hits beyond 1,024.
    """

    def __init__(self, header, store, anchors, capacity=_PIECE):
        self._header = header
        self._store = store
        self._anchors = anchors
        self._scheme = scheme.get(header.scheme)
        self._index = SightingIndex(capacity)
        self._hits = array("I")
        self._record = 0
        self.hits_dropped = 0

    def run(self, open_records):
        """Yield after each piece of work. open_records() gives an iterator over the list's 40-byte records, afresh."""
        source = self._store.scan(spec.SIGHTING)
        more = True
        while more:
            self._index.clear()
            more = False
            for at, (position, slot, payload) in enumerate(source):
                self._take(position, slot, payload)
                if at % _BUILD_STEP == 0:
                    yield
                if self._index.full():
                    more = True
                    break
            if not len(self._index):
                return
            self._record = 0
            for record in open_records():
                self.feed(record)
                yield

    def _take(self, position, slot, payload):
        fields = sighting.unpack(payload)
        if fields is None or fields[0] != self._header.scheme:
            return
        first_s, last_s, margin_s = self._dated(slot, fields)
        if last_s <= self._header.issued_s:
            self._index.add(fields[1], position, max(0, first_s - margin_s), last_s + margin_s)

    def _dated(self, slot, fields):
        # First and last second heard, and how far from its own slot an ID may have been heard.
        segment, minutes = fields[2], fields[8]
        tick_s = self._anchors.tick_of(segment, fields[3])
        found = self._anchors.date(segment, tick_s)
        if found is None:  # never dated: the store's estimate must do, as unsure as allowed
            return slot * spec.SLOT_S, (slot + 1) * spec.SLOT_S, spec.MAX_TOLERANCE_SLOTS * spec.SLOT_S
        first_s, error_s = found
        unsure = 1 - (-error_s // spec.SLOT_S)
        slots = min(spec.MAX_TOLERANCE_SLOTS, max(self._header.tolerance, unsure))
        return first_s, first_s + 60 * _length(minutes), slots * spec.SLOT_S

    def feed(self, record):
        """Walk the chain of one record (40 bytes) over the slots of the sightings at hand."""
        key, first, index, count = keylist.unpack_record(record)
        rules = self._scheme
        length = rules.SLOT_S
        sightings = self._index
        begin = max(first, sightings.first_s // length)
        count = min(count, rules.KEY_DAYS * rules.SLOTS_PER_DAY)
        end = min(first + count, sightings.last_s // length + 1, self._header.issued_s // length)
        if begin < end:
            chain = rules.Chain(key[: rules.KEY_BYTES], begin, index + begin - first)
            for _ in range(begin, end):
                head = chain.head()
                if sightings.has(head):
                    self._confirm(chain, head)
                chain.step()
        self._record += 1

    def _confirm(self, chain, head):
        for position in self._index.positions(head):
            found = self._store.read_at(spec.SIGHTING, position)
            fields = sighting.unpack(found[1]) if found else None
            if fields and fields[1] == chain.id():
                self._judge(chain, found[0], fields)

    def _judge(self, chain, slot, fields):
        first_s, last_s, margin_s = self._dated(slot, fields)
        begin_s = chain.slot * self._scheme.SLOT_S
        if first_s - margin_s >= begin_s + self._scheme.SLOT_S or last_s + margin_s <= begin_s:
            return
        if len(self._hits) >= _MAX_HITS * _HIT:
            self.hits_dropped += 1
            return
        near = fields[8] if self._near(chain, fields) else 0
        for word in (self._record, chain.slot, first_s // 60, near):
            self._hits.append(word)

    def _near(self, chain, fields):
        mean, sent = fields[6], fields[7]
        if mean == spec.RSSI_UNKNOWN:
            return False
        tx_dbm = 0 if sent == spec.TX_UNKNOWN and self._header.scheme == spec.BLUEZONE else chain.tx_dbm(sent)
        return tx_dbm - mean <= self._header.near_db

    def decision(self):
        """Decision(day, minutes) if any 24 hours hold the rule's minutes near to cases, else None.

        day: UTC day, since the epoch, with most of these minutes; minutes: how many, each minute once.
        """
        spans = sorted(self._quarters().items())
        best = None
        for end in range(len(spans)):
            window = [span for span in spans[: end + 1] if span[0] > spans[end][0] - spec.SLOTS_PER_DAY]
            minutes = sum([_bits(span[1]) for span in window])
            if minutes >= self._header.minutes and (best is None or minutes >= best.minutes):
                best = Decision(_main_day(window), minutes)
        return best

    def _contacts(self):
        # Records that are contacts: at least two different IDs, or the rule's minutes near.
        seen: dict = {}
        for at in range(0, len(self._hits), _HIT):
            record, slot, _, near = self._hits[at : at + _HIT]
            first, several, minutes = seen.get(record, (slot, False, 0))
            seen[record] = (first, several or slot != first, minutes + _bits(near))
        return [record for record, was in seen.items() if was[1] or was[2] >= self._header.minutes]

    def _quarters(self):
        # Minutes near, as 15 bits for each quarter of an hour since the epoch; each minute once.
        contacts = self._contacts()
        quarters: dict = {}
        for at in range(0, len(self._hits), _HIT):
            record, _, minute, near = self._hits[at : at + _HIT]
            while near and record in contacts:
                if near & 1:
                    quarters[minute // 15] = quarters.get(minute // 15, 0) | 1 << minute % 15
                near >>= 1
                minute += 1
        return quarters


def _main_day(window):
    days: dict = {}
    for quarter, bits in window:
        day = quarter // spec.SLOTS_PER_DAY
        days[day] = days.get(day, 0) + _bits(bits)
    return max(days, key=lambda day: (days[day], day))
