"""Owns the few facts of a token that outlive everything: shelf, segment, counters, entropy pool. Knows no task."""

import struct
from hashlib import sha256

from micropython import const

from emask import spec

_FORMAT = "<BBHHHIIHHH32s"  # docs/SPEC, "State record"
_BYTES = const(54)
_VERSION = const(1)
_FLAG_SHELF = const(1)
_FLAG_FULL = const(2)
_FLAG_WIPING = const(4)
_FLAG_ENDED = const(8)


class State:
    """Kept as STATE records in the store, and in RTC memory between two of them.

    segment counts losses of power (u16); open_slot is the slot whose minutes are not merged yet, or -1.
    """

    def __init__(self, on_shelf):
        self.shelf = on_shelf
        self.wiping = False  # everything is being forgotten
        self.ended = False  # for good: the programme is over
        self.segment = 0
        self.purged_day = 0
        self._pool = bytes(32)
        self.clear()

    def clear(self):
        """Forget what was counted."""
        self.resets = 0
        self.crashes = 0
        self.adverts = 0
        self.dropped = 0
        self.full = False  # sightings were left out for want of room since the last purge
        self.missed = 0  # windows that did not take place
        self.open_slot = -1

    def pack(self):
        """54 bytes; counters stay at their largest value."""
        return struct.pack(
            _FORMAT,
            _VERSION,
            (self.shelf and _FLAG_SHELF)
            | (self.full and _FLAG_FULL)
            | (self.wiping and _FLAG_WIPING)
            | (self.ended and _FLAG_ENDED),
            self.segment & 0xFFFF,
            min(self.resets, 0xFFFF),
            min(self.crashes, 0xFFFF),
            min(self.adverts, 0xFFFFFFFF),
            min(self.dropped, 0xFFFFFFFF),
            self.purged_day,
            min(self.missed, 0xFFFF),
            0,
            self._pool,
        )

    def unpack(self, record):
        """Take the facts from a record; False, and nothing changed, if it is none."""
        if len(record) != _BYTES or record[0] != _VERSION:
            return False
        fields = struct.unpack(_FORMAT, record)
        self.shelf = bool(fields[1] & _FLAG_SHELF)
        self.full = bool(fields[1] & _FLAG_FULL)
        self.wiping = bool(fields[1] & _FLAG_WIPING)
        self.ended = bool(fields[1] & _FLAG_ENDED)
        self.segment, self.resets, self.crashes, self.adverts, self.dropped = fields[2:7]
        self.purged_day, self.missed = fields[7:9]
        self._pool = fields[10]
        return True

    def load(self, store):
        """Take the facts from the newest record of the store, if there is one."""
        found = store.latest(spec.STATE)
        return bool(found) and self.unpack(found[1])

    def save(self, store, slot):
        """Make the facts durable."""
        store.append(spec.STATE, slot, self.pack())

    def draw(self, entropy, count):
        """count (at most 32) secret bytes from the chip's entropy mixed with the pool; save() before using them."""
        mixed = sha256(self._pool + entropy(32)).digest()
        self._pool = sha256(mixed + b"pool").digest()
        return sha256(mixed + b"draw").digest()[:count]
