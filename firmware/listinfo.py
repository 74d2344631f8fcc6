"""Owns what the token remembers of its lists: the last whole one, how far the next has come. Knows no list's bytes."""

import struct

from micropython import const

from emask import spec

EMPTY = const(0)
STAGING = const(1)
COMPLETE = const(2)  # whole and correct, not yet matched
MATCHED = const(3)

_FORMAT = "<BII32sBIIII"  # LISTINFO
_BYTES = const(58)


class ListInfo:
    """state; serial and issued of the last whole list of the ill; offered: hash of the offer; blocks: whole ones.

    sure: serial up to which everything was compared while it was sure when things were heard. done, reached: how far
    the comparison of a whole list came (emask.match), by anchors of the checksum `dated`.
    """

    def __init__(self, store, slot):
        self.store = store
        self._slot = slot
        self.state = EMPTY
        self.serial = self.issued = self.blocks = self.sure = 0
        self.begin(0)
        self.offered = bytes(32)
        found = store.latest(spec.LISTINFO)
        if found and len(found[1]) == _BYTES:
            fields = struct.unpack(_FORMAT, found[1])
            self.state, self.serial, self.issued, self.offered, self.blocks, self.sure = fields[:6]
            self.done, self.reached, self.dated = fields[6:]

    def begin(self, dated):
        """A comparison by these anchors has not come anywhere yet."""
        self.done = self.reached = 0
        self.dated = dated

    def save(self):
        """Make it durable."""
        fields = self.state, self.serial, self.issued, self.offered, self.blocks, self.sure
        record = struct.pack(_FORMAT, *(fields + (self.done, self.reached, self.dated)))
        self.store.append(spec.LISTINFO, self._slot(), record)

    def doubt(self):
        """What was heard was dated wrongly: all lists of the last days are to be compared once more."""
        self.sure = 0
        self.save()

    def waits(self):
        """Whether a whole list is to be compared."""
        return self.state == COMPLETE
