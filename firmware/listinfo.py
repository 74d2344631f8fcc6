"""Owns what the token remembers of its lists: the last whole one, how far the next has come. Knows no list's bytes."""

import struct

from micropython import const

from emask import spec

EMPTY = const(0)
STAGING = const(1)
COMPLETE = const(2)  # whole and correct, not yet matched
MATCHED = const(3)

_FORMAT = "<BII32sB"  # LISTINFO
_BYTES = const(42)


class ListInfo:
    """state; serial and issued of the last whole list; offered: hash of the offer; blocks: whole and checked ones."""

    def __init__(self, store, slot):
        self._store = store
        self._slot = slot
        self.state = EMPTY
        self.serial = self.issued = self.blocks = 0
        self.offered = bytes(32)
        found = store.latest(spec.LISTINFO)
        if found and len(found[1]) == _BYTES:
            self.state, self.serial, self.issued, self.offered, self.blocks = struct.unpack(_FORMAT, found[1])

    def save(self):
        """Make it durable."""
        record = struct.pack(_FORMAT, self.state, self.serial, self.issued, self.offered, self.blocks)
        self._store.append(spec.LISTINFO, self._slot(), record)

    def waits(self):
        """Whether a whole list is to be compared."""
        return self.state == COMPLETE
