# Owns the choice of what a slot may add to the flash: how many sightings, and whose. What lasted comes before what was
# near, and both before what was heard once. Must not know flash or records.
from array import array

from micropython import const

from emask import spec

SLOT_MOST = const(128)  # sightings of one slot
_BRIEF = const(2)  # minutes of a slot that are no more than passing by
_BRIEF_MOST = const(32)  # sightings of such
_BUSY_SLOTS = const(24)  # slots of a day for which room is kept once half of the store is used
_PLACES = const(2048)
_AT_ONCE = const(32)  # sightings merged at a time, so that a crowd fits into the heap


def slot_most(left, whole, oldest_slot, slot, days):
    """How many sightings a slot may add: `left` of `whole` are free, the oldest goes when it is `days` old.

    While half is free, as many as ever. Then what is left is made to last until the oldest go, so that no flood
    fills the store, and nothing recorded has to give way to one.
    """
    if 2 * left >= whole:
        return SLOT_MOST
    days_left = max(1, days + 1 - (slot - oldest_slot) // spec.SLOTS_PER_DAY)
    return min(SLOT_MOST, left // (_BUSY_SLOTS * days_left))


def _place(ident):
    return ident[0] | (ident[1] & 7) << 8


class Choice:
    """Which identifiers of a slot are kept: add() each minute of each, limit(), then ask keeps().

    Identifiers are told apart by 11 bits: two that share them are kept or left out together, with their minutes added.
    """

    def __init__(self):
        self._ranks = bytearray(_PLACES)  # minutes, and level in steps of 8 dB
        self.parts = 1

    def add(self, ident, dbm):
        """It was heard in one more minute, at most at this level (127: unknown)."""
        at = _place(ident)
        rank = self._ranks[at]
        level = 0 if dbm == spec.RSSI_UNKNOWN else min(15, max(0, (dbm + 128) >> 3))
        self._ranks[at] = min(15, (rank >> 4) + 1) << 4 | max(rank & 15, level)

    def limit(self, most):
        """Keep at most so many, in `parts` of which each fits into the heap."""
        counts = array("H", bytes(512))
        for rank in self._ranks:
            counts[rank] += 1
        counts[0] = 0
        left = most
        brief = _BRIEF_MOST
        for rank in range(255, 0, -1):
            passing = rank >> 4 <= _BRIEF
            counts[rank] = min(counts[rank], left, brief) if passing else min(counts[rank], left)
            left -= counts[rank]
            brief -= passing * counts[rank]
        self.parts = 1 + (most - left) // _AT_ONCE
        for at, rank in enumerate(self._ranks):
            if counts[rank]:
                counts[rank] -= 1
            elif rank:
                self._ranks[at] = 0

    def keeps(self, ident, part=None):
        """Whether it is kept, and belongs to this part; None: to any."""
        at = _place(ident)
        return self._ranks[at] > 0 and part in (None, at % self.parts)
