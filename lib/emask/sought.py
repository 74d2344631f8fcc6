# Owns the compact index of the identifiers that some sightings bear: which may be among them, and where those stand in
# flash. Must not know keys, time nor what a sighting holds.
from array import array

from micropython import const

CAPACITY = const(1024)  # 8 bytes each
_CLASSES = const(30)  # of second bytes: as many bits as a small integer has
_BYTES = const(256)


class Sought:
    """Up to `capacity` sightings by the first three bytes of their ID.

    rows, bits: rows[first] & bits[second] is 0 unless a sighting may begin with these two bytes, and seldom else. All
    memory is taken at once: what grows leaves holes in the heap.
    """

    def __init__(self, capacity):
        self._capacity = capacity
        self._positions = array("I", bytes(4 * (capacity + 1)))
        self._earlier = array("H", bytes(2 * (capacity + 1)))  # with the same first byte
        self._others = array("H", bytes(2 * (capacity + 1)))  # second and third byte
        self.bits = array("I", [1 << second % _CLASSES for second in range(_BYTES)])
        self.rows = array("I", bytes(4 * _BYTES))
        self._newest = array("H", bytes(2 * _BYTES))  # by first byte; 0 none
        self.clear()

    def clear(self):
        """Forget all."""
        self._count = 0
        for first in range(_BYTES):
            self.rows[first] = self._newest[first] = 0

    def __len__(self):
        return self._count

    def full(self):
        """Whether no further one fits."""
        return self._count >= self._capacity

    def add(self, first, second, third, position):
        """Take the sighting at a position, by its ID's first bytes."""
        self._count = at = self._count + 1
        self.rows[first] |= self.bits[second]
        self._earlier[at] = self._newest[first]
        self._newest[first] = at
        self._others[at] = second | third << 8
        self._positions[at] = position

    def has(self, first, second, third):
        """Whether any begins with these bytes."""
        return self._next(self._newest[first], second | third << 8)

    def positions(self, first, second, third):
        """Yield the positions of those that begin with these bytes."""
        others = second | third << 8
        at = self._next(self._newest[first], others)
        while at:
            yield self._positions[at]
            at = self._next(self._earlier[at], others)

    def _next(self, at, others):
        while at and self._others[at] != others:
            at = self._earlier[at]
        return at
