# Owns the compact index of the identifiers that some sightings bear: which may be among them, and where those stand in
# flash. Must not know keys, time nor what a sighting holds.
from array import array

from micropython import const

CAPACITY = const(1024)  # 8 bytes each
_CLASSES = const(30)  # of second bytes: as many bits as a small integer has
_BYTES = const(256)


class Sought:
    """Up to `capacity` sightings by the first three bytes of their ID.

    rows, bits: rows[first] & bits[second] is 0 unless a sighting may begin with these two bytes, and seldom else.
    """

    def __init__(self, capacity):
        self._capacity = capacity
        self.bits = array("I", [1 << second % _CLASSES for second in range(_BYTES)])
        self.clear()

    def clear(self):
        """Forget all."""
        self.rows = array("I", bytes(4 * _BYTES))
        self._newest = array("H", bytes(2 * _BYTES))  # by first byte; 0 none
        self._earlier = array("H", (0,))  # with the same first byte
        self._others = array("H", (0,))  # second and third byte
        self._positions = array("I", (0,))

    def __len__(self):
        return len(self._positions) - 1

    def full(self):
        """Whether no further one fits."""
        return len(self) >= self._capacity

    def add(self, first, second, third, position):
        """Take the sighting at a position, by its ID's first bytes."""
        self.rows[first] |= self.bits[second]
        self._earlier.append(self._newest[first])
        self._newest[first] = len(self._positions)
        self._others.append(second | third << 8)
        self._positions.append(position)

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
