# Owns the token's own keys: when a fresh one is due, their record in flash, and what is published of them (SPEC 1.4,
# 3.3). Must not know chance (new key bytes are passed in), flash or radio.
import struct

from emask import keylist, scheme, spec

_FORMAT = "<BBHIHHI32s"
_ANCHORED = 1


class OwnKey:
    """One own chain: `key` serves from scheme slot `first_slot` on, as the token's own clock counts slots.

    `offset_s`: the UTC seconds at which that clock puts tick 0 of `segment` (see clock.SegmentClock.offset_s); with it
    and the anchors the slots are corrected when published. `first_index` is the chain's index at first_slot.
    """

    def __init__(self, number, key, first_slot, first_index, segment, offset_s, anchored):
        self.scheme = scheme.get(number)
        self.key = bytes(key)
        self.first_slot = first_slot
        self.first_index = first_index
        self.segment = segment
        self.offset_s = offset_s
        self.anchored = anchored

    def pack(self):
        """The 48 bytes of a KEY record."""
        flags = _ANCHORED if self.anchored else 0
        number = self.scheme.NUMBER
        slot = self.first_slot
        return struct.pack(_FORMAT, number, flags, self.segment, slot, self.first_index, 0, self.offset_s, self.key)

    @property
    def last_slot(self):
        """The last slot this chain may serve."""
        return self.first_slot + self.scheme.KEY_DAYS * self.scheme.SLOTS_PER_DAY - 1

    def needs_new(self, slot, segment, anchored):
        """Whether another key must serve scheme slot `slot`: too old, of a lost clock, or the clock was put right."""
        if segment != self.segment or anchored and not self.anchored:
            return True
        return not self.first_slot <= slot <= self.last_slot

    def chain(self, slot):
        """The chain, standing at scheme slot `slot` (not before first_slot)."""
        chain = self.scheme.Chain(self.key, self.first_slot, self.first_index)
        chain.skip(slot - self.first_slot)
        return chain

    def shift(self, anchors, count):
        """Slots to add to own slots to get true ones, measured in the middle of the first `count`; 0 if unknown."""
        length = self.scheme.SLOT_S
        middle = self.first_slot * length + count * length // 2
        true = anchors.utc_of(self.segment, middle - self.offset_s)
        return 0 if true is None else (true - middle + length // 2) // length


def new_key(number, key, slot, segment, offset_s, anchored):
    """A fresh OwnKey from scheme slot `slot` on; `key` is KEY_BYTES of entropy."""
    index = slot & 0xFFFF if number == spec.GAEN else 0
    return OwnKey(number, key[: scheme.get(number).KEY_BYTES], slot, index, segment, offset_s, anchored)


def unpack(record):
    """The OwnKey of a KEY record, or None if it is none."""
    if len(record) != spec.KEY_BYTES or not 1 <= record[0] <= 2:
        return None
    number, flags, segment, slot, index, _, offset_s, key = struct.unpack(_FORMAT, record)
    key = key[: scheme.get(number).KEY_BYTES]
    return OwnKey(number, key, slot, index, segment, offset_s, bool(flags & _ANCHORED))


def records(keys, anchors, until_slot, since_slot, whole=False):
    """The published records (40 bytes each) of own keys for true scheme slots since_slot <= slot < until_slot.

    Keys of one scheme, in any order, repeated ones once. A chain ends where the next begins. whole: no key tells of
    slots before since_slot either, though one of a chain's day that began earlier serves after it.
    """
    unique = {own.pack(): own for own in keys}.values()
    ordered = sorted(unique, key=lambda own: (own.segment, own.first_slot + own.shift(anchors, 1)))
    found = []
    for at, own in enumerate(ordered):
        first = own.first_slot + own.shift(anchors, 1)
        end = min(until_slot, first + own.last_slot + 1 - own.first_slot)
        if at + 1 < len(ordered):
            after = ordered[at + 1]
            end = min(end, after.first_slot + after.shift(anchors, 1))
        moved = own.first_slot + own.shift(anchors, max(1, end - first)) - first  # by the clock's drift in use
        begin = max(first + moved, since_slot)
        if whole:
            begin += (first + moved - begin) % own.scheme.SLOTS_PER_DAY
        record = _record(own, first + moved, begin, min(end + moved, until_slot))
        if record:
            found.append(record)
    return found


def _record(own, first, begin, end):
    if end <= begin:
        return None
    # Whole days before `begin` are left out by giving the later day's key.
    key, index = own.scheme.advance(own.key, own.first_index + begin - first & 0xFFFF)
    return keylist.pack_record(key, begin, index, end - begin)
