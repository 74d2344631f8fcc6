# Owns the comparison of a list's records with the sightings (SPEC 6); emask.exposure decides. Must not know where lists
# come from, nor wait: it is a generator that hands control back after each record.
from array import array

from micropython import const

from emask import keylist, scheme, sighting, spec
from emask.exposure import Exposure

_PIECE = const(1024)  # sightings in RAM at a time: 6 bytes each, and the table below
_ROWS = const(32)  # of the table that says which two bytes some sighting begins with: a bit each
_ROW_BYTES = const(256)
_BUILD_STEP = const(16)
_WALK_STEP = const(32)  # slots
_PART_S = const(14400)  # as in emask.context
_TOLERANCE = const(2)  # place in a rule (SPEC 5.1)


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
        self._table = [bytearray(_ROW_BYTES) for _ in range(_ROWS)]  # no large piece of memory is asked for
        self.clear()

    def clear(self):
        """Forget all sightings."""
        blank = bytes(_ROW_BYTES)
        for row in self._table:
            row[:] = blank
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
        self._table[head >> 11][head >> 3 & 255] |= 1 << (head & 7)
        self.first_s = min(self.first_s, first_s) if self._heads else first_s
        self.last_s = max(self.last_s, last_s)
        self._heads.append(head)
        self._positions.append(position)

    def has(self, head):
        """Whether any sighting begins with these two bytes."""
        return self._table[head >> 11][head >> 3 & 255] & 1 << (head & 7)

    def positions(self, head):
        """Yield the flash positions of the sightings that begin with these two bytes."""
        for at, known in enumerate(self._heads):
            if known == head:
                yield self._positions[at]


class Matcher:
    """Compares the sightings in `store` with a list's records; `header` is the list's, with the rule in it.

    `for _ in matcher.run(open_records)` does it, a short piece at a time; then `exposure.decided` says. Nothing is kept
    in flash: after a reset it is simply run again. own_group(record): whether a record is of the own household or home.
    """

    def __init__(self, header, store, anchors, capacity=_PIECE, own_group=None):
        self._header = header
        self._store = store
        self._anchors = anchors
        self._scheme = scheme.get(header.scheme)
        self._index = SightingIndex(capacity)
        self._own_group = own_group
        self._record = 0
        self._spans = {}  # four hours of UTC -> first and last store slot of their hits
        self.exposure = Exposure(header.rule)

    def run(self, open_records):
        """Yield after each piece of work. open_records() gives an iterator over the list's 40-byte records, afresh."""
        yield from self._compare(open_records)
        del self._index  # its memory is for the decision
        yield from self.exposure.run(self._others)

    def _compare(self, open_records):
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
                yield from self.feed(record)
                yield

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
        slots = min(spec.MAX_TOLERANCE_SLOTS, max(self._header.rule[_TOLERANCE], unsure))
        return first_s, first_s + 60 * _length(minutes), slots * spec.SLOT_S

    def feed(self, record):
        """Walk the chain of one record (40 bytes) over the slots of the sightings at hand; yields on the way."""
        key, first, index, count = keylist.unpack_record(record)
        rules = self._scheme
        length = rules.SLOT_S
        sightings = self._index
        begin = max(first, sightings.first_s // length)
        count = min(count, rules.KEY_DAYS * rules.SLOTS_PER_DAY)
        end = min(first + count, sightings.last_s // length + 1, self._header.issued_s // length)
        if self._own_group and self._own_group(record):
            self.exposure.left_out.add(self._record)
        if begin < end:
            chain = rules.Chain(key[: rules.KEY_BYTES], begin, index + begin - first)
            for slot in range(begin, end):
                head = chain.head()
                if sightings.has(head):
                    self._confirm(chain, head)
                    yield
                chain.step()
                if not slot & _WALK_STEP - 1:
                    yield
        self._record += 1

    def _confirm(self, chain, head):
        for position in self._index.positions(head):
            found = self._store.read_at(spec.SIGHTING, position)
            fields = sighting.unpack(found[1]) if found else None
            if fields and fields[1] == chain.id():
                self._judge(chain, found[0], fields, sighting.is_still(found[1]))

    def _judge(self, chain, slot, fields, still):
        first_s, last_s, margin_s = self._dated(slot, fields)
        begin_s = chain.slot * self._scheme.SLOT_S
        if first_s - margin_s >= begin_s + self._scheme.SLOT_S or last_s + margin_s <= begin_s:
            return
        sent = fields[7]
        tx_dbm = 0 if sent == spec.TX_UNKNOWN and self._header.scheme == spec.BLUEZONE else chain.tx_dbm(sent)
        self.exposure.hit(self._record, chain.slot, first_s // 60, tx_dbm, fields[4], fields[9], still)
        first, last = self._spans.get(first_s // _PART_S, (slot, slot))
        self._spans[first_s // _PART_S] = min(first, slot), max(last, slot)
