# Owns the bluezone scheme: daily key to rolling ID, ID to advert (SPEC 1.1, 2.1). Must not know time, stores or radio.
import struct
from hashlib import sha256

from micropython import const

from emask import spec

NUMBER = spec.BLUEZONE
NAME = "bluezone"
SLOT_S = 900
SLOTS_PER_DAY = 96
ID_BYTES = 12
KEY_BYTES = 32
KEY_DAYS = 7

_SLOTS = const(96)
_SUBKEY = b"bluzonesubkey"  # spelled so
_PICK = b"\x00\x04\x08\x0c\x10\x12\x14\x16\x18\x1a\x1c\x1e"
_HEAD = b"\x02\x01\x06\x03\x03\x56\x4e\x0f\xff\xb5\x22"
_SERVICE = b"\x07\x16\x56\x4e"


def advance(key, index):
    """The key of the day that holds slot `index` of the chain, and the index in that day (0..95)."""
    for _ in range(index // _SLOTS):
        key = sha256(key).digest()
    return key, index % _SLOTS


class Chain:
    """Rolling IDs from slot `index` of the chain that begins with daily key `key` (32 bytes).

    `slot` is the 15-minute slot of that ID; it is only carried along.
    """

    def __init__(self, key, slot, index=0):
        self.slot = slot
        self.index = index
        self._start(bytes(key), index)

    def _start(self, key, index):
        self._key, steps = advance(key, index)
        state = sha256(self._key + _SUBKEY).digest()
        for _ in range(steps):
            state = sha256(state).digest()
        self._state = state

    def id(self):
        """The 12 bytes of this slot's ID."""
        state = self._state
        return bytes([state[i] for i in _PICK])

    def seek(self, count, sought):
        """Go on until an ID may be one of emask.sought's; how many of these `count` slots are left, 0: none is."""
        state, rows, bits = self._state, sought.rows, sought.bits
        while count:
            part = min(count, _SLOTS - self.index % _SLOTS)
            for done in range(part):
                if rows[state[0]] & bits[state[4]] and sought.has(state[0], state[4], state[8]):
                    self._go(done, state)
                    return count - done
                state = sha256(state).digest()
            self._go(part, state)
            count -= part
            if count:
                self._start(self._key, _SLOTS)
                state = self._state
        return 0

    def _go(self, count, state):
        self.slot += count
        self.index += count
        self._state = state

    def step(self):
        """Go to the next slot, over the end of the day if need be."""
        if (self.index + 1) % _SLOTS == 0:
            self.skip(1)
            return
        self.slot += 1
        self.index += 1
        self._state = sha256(self._state).digest()

    def skip(self, count):
        """Go `count` slots on; over whole days by their keys, not by every slot."""
        within = self.index % _SLOTS
        self.slot += count
        self.index += count
        self._start(self._key, within + count)

    def tx_dbm(self, sent):
        """TX power in dBm from the advert's byte; it is sent in the clear here."""
        return sent


def build_advert(chain, tx_dbm, next_window):
    """31 bytes: the chain's ID, TX power in dBm, time to the next window in units of 10 ms (u16)."""
    tail = struct.pack("<BbH", spec.ADVERT_VERSION << 4, tx_dbm, next_window)
    return _HEAD + chain.id() + _SERVICE + tail


def with_window(advert, next_window):
    """The same advert, 31 bytes, with another time to the next window."""
    return advert[:-2] + struct.pack("<H", next_window)
