# Owns the flash ring as the firmware sees it: records by kind and slot, what outlives what, what is destroyed when
# (SPEC 3.4). Must not know what is in a record, nor which block serves.
from micropython import const

from emask import spec
from emask.cells import BAD, DIRTY, LASTING, MAX_PAYLOAD, MINUTES, SIGHTINGS, Blocks, StoreError, places
from emask.pool import Pool

_LAST_SLOT = const(0xFFFFFFFF)
_DATED_SLOT = const(1000000)  # 1998: slots below were counted by a token that had never been told the time
_OTHERS = const(24)  # places of a block of lasting records for those that are neither keys nor anchors
_BLOCKS_AT_LEAST = const(8)
_FEW_BLOCKS = const(4)


_KINDS = {spec.SIGHTING: SIGHTINGS, spec.HEARD: MINUTES}  # all others are lasting
_SIZES = {spec.SIGHTING: spec.SIGHTING_BYTES, spec.HEARD: spec.HEARD_BYTES}


class Store:
    """Records by kind and 15-minute slot, on a device of the extended block protocol.

    Sightings and minutes have sizes of their own, all other kinds up to 120 bytes; of those the last one of each kind
    lives on, of keys and anchors the last few. What `append` returned from is durable. Damaged records are skipped and
    counted in `damaged`. StoreFull: no room for this kind, and nothing was given up for it; StoreError: a dead device.
    """

    def __init__(self, device, block_bytes=4096):
        self._blocks = blocks = Blocks(device, block_bytes)
        if blocks.count < _BLOCKS_AT_LEAST:
            raise StoreError("too few blocks")
        self._pool = Pool(blocks)
        rest = places(LASTING, block_bytes) - _OTHERS
        self._most = {spec.KEY: rest // 8, spec.ANCHOR: rest // 4}
        self._first_key = 0
        self._retired = False

    def mount(self, cold=True):
        """Find where to go on. cold: power may have failed since; False only after an orderly sleep.

        At most ten reads; True. False: the root was damaged or there is none, and every header was read.
        """
        self._retired = False
        return self._pool.mount(cold)

    # -- writing

    def append(self, kind, slot, payload):
        """Store one record; durable on return."""
        stream = _KINDS.get(kind, LASTING)
        length = len(payload)
        if not 0 < kind < 0xFF or length > MAX_PAYLOAD or length != _SIZES.get(kind, length):
            raise StoreError("record does not fit")
        while not self._head(stream, slot, length).write(kind, slot, payload):
            pass
        if kind == spec.COMPACTED and self._retired:
            self._pool.retire(slot)

    def _head(self, stream, slot, length):
        pool = self._pool
        head = pool.heads.get(stream)
        if (
            not (head and head.has_room(length))
            or stream != LASTING
            and slot // spec.SLOTS_PER_DAY != head.slot // spec.SLOTS_PER_DAY
        ):
            self._indexed().open(stream, slot, self._carry if stream == LASTING else None)
        return pool.heads[stream]

    def _indexed(self):
        # The pool, its index read, and minutes that were merged given back.
        if not self._retired:
            self._retired = True
            found = self.latest(spec.COMPACTED)
            self._pool.retire(found[0] if found else 0)
        return self._pool

    def _carry(self, new):
        # What must live on is written again into the new block: the last of each kind, the last few keys and anchors.
        old = self._pool.heads.get(LASTING)
        if old is None:
            return
        keep: dict = {}
        for at, kind, slot, _ in old.records():
            places = keep.setdefault(kind, [])
            places.append(at)
            if kind == spec.KEY and self._expired_key(slot):
                places.clear()
            elif len(places) > self._most.get(kind, 1):
                places.pop(0)
        for at in sorted(sum(keep.values(), [])):
            kind, slot, payload = old.record_at(at)
            while not new.write(kind, slot, payload):
                pass

    def _expired_key(self, slot):
        return _DATED_SLOT <= slot < self._first_key

    # -- reading

    def _heads(self, kind, first_slot, last_slot):
        # The blocks that may hold records of a kind and range.
        stream = _KINDS.get(kind, LASTING)
        pool = self._pool
        if stream == LASTING:
            return [pool.heads[LASTING]] if LASTING in pool.heads else []
        found = self._indexed().of(stream)
        day = spec.SLOTS_PER_DAY  # all records of a block are of one day
        return (pool.head_of(b) for b in found if first_slot // day <= pool.slots[b] // day <= last_slot // day)

    def scan(self, kind, first_slot=0, last_slot=_LAST_SLOT):
        """Yield (position, slot, payload) of the kind's records in these slots, oldest first; see `read_at`."""
        for head in self._heads(kind, first_slot, last_slot):
            for offset, found, slot, payload in head.records():
                if found == kind and first_slot <= slot <= last_slot:
                    yield head.block * self._blocks.bytes + offset, slot, payload

    def read(self, kind, first_slot=0, last_slot=_LAST_SLOT):
        """Yield (slot, payload) of the kind's records in these slots, oldest first."""
        for found in self.scan(kind, first_slot, last_slot):
            yield found[1:]

    def read_at(self, kind, position):
        """(slot, payload) of the record that `scan` found there, or None if it is there no more."""
        head = self._indexed().head_of(position // self._blocks.bytes)
        found = head.record_at(position % self._blocks.bytes)
        return found[1:] if found and found[0] == kind else None

    def place(self, position):
        """A number that is higher for what was written later into the same stream."""
        block, offset = divmod(position, self._blocks.bytes)
        return self._indexed().seqs[block] * self._blocks.bytes + offset

    def latest(self, kind):
        """(slot, payload) of the record of this kind that was written last, or None; reads all of them."""
        last = None
        for last in self.read(kind):  # noqa: B007 - the last one is wanted
            pass
        return last

    def count(self, kind):
        """How many records of a kind can be read; reads all of them."""
        return sum(1 for _ in self.scan(kind))

    def about(self):
        """How many sightings there are: exactly if they fill few blocks, else as many as their blocks hold."""
        pool = self._indexed()
        blocks = sum(1 for state in pool.states if state == SIGHTINGS)
        return self.count(spec.SIGHTING) if blocks <= _FEW_BLOCKS else blocks * places(SIGHTINGS, self._blocks.bytes)

    # -- destroying

    def purge(self, today, days, key_days, most=8):
        """Erase sightings and minutes of more than `days` before UTC day `today`, and keys of more than `key_days`.

        It must not be earlier than `today`; days without a date count among themselves. At most `most` blocks at a
        time: True when nothing is left to do. What was written before a block that is too old, without a date or with
        one to come, goes with it.
        """
        pool = self._indexed()
        self._first_key = (today - key_days) * spec.SLOTS_PER_DAY
        if any([self._expired_key(slot) for slot, _ in self.read(spec.KEY)]):
            pool.open(LASTING, 0, self._carry)
        for block in self._outdated((today - days) * spec.SLOTS_PER_DAY, (today + 1) * spec.SLOTS_PER_DAY):
            if most == 0:
                return False
            most -= 1
            self._erase(block)
        # Sightings without a date go when those after them do: so there must be a block after them.
        order = pool.of(SIGHTINGS)
        if order and pool.slots[order[-1]] < _DATED_SLOT <= today * spec.SLOTS_PER_DAY and pool.spare(SIGHTINGS) > 0:
            pool.open(SIGHTINGS, today * spec.SLOTS_PER_DAY)
        return True

    def wipe(self, kept):
        """Erase everything but these lasting records, a list of (kind, slot, payload); yields after each block."""
        pool = self._indexed()

        def fill(new):
            for record in kept:
                while not new.write(*record):
                    pass

        pool.open(LASTING, 0, fill)
        for block in range(self._blocks.count):
            if pool.states[block] in (MINUTES, SIGHTINGS, DIRTY) and not self._blocks.is_blank(block):
                self._erase(block)
                yield

    def _erase(self, block):
        pool = self._pool
        head = pool.heads.get(pool.states[block])
        if head and head.block == block:
            del pool.heads[head.stream]
            pool.save_root()
        pool.clean(block)

    def _outdated(self, first, future):
        pool = self._pool
        slots, seqs = pool.slots, pool.seqs
        # Also what serves no more but was never erased: cut short, or minutes merged long ago; not what was never used.
        dirty = [b for b in pool.of(DIRTY) if slots[b] or not self._blocks.is_blank(b)]
        blocks = pool.of(MINUTES) + pool.of(SIGHTINGS) + dirty
        dated = _DATED_SLOT if future > _DATED_SLOT else 0
        newest = max([seqs[b] for b in blocks if dated <= slots[b] < first] or (0,))
        return [b for b in blocks if seqs[b] <= newest and not first <= slots[b] < future]

    # -- health

    @property
    def damaged(self):
        """Damaged records met since the start, each time they were met."""
        return self._blocks.damaged

    @property
    def bad_blocks(self):
        """Blocks that can't be erased any more."""
        return len(self._pool.of(BAD))

    def room(self):
        """(sightings that can still be stored, sightings that fit into the empty store, first slot stored)."""
        pool = self._indexed()
        each = places(SIGHTINGS, self._blocks.bytes)
        left = pool.spare(SIGHTINGS) * each
        head = pool.heads.get(SIGHTINGS)
        if head:
            left += (head.limit - head.end) // head.size
        order = pool.of(SIGHTINGS)
        whole = (self._blocks.count - pool.minutes_most - 5) * each
        return max(0, left), whole, pool.slots[order[0]] if order else 0
