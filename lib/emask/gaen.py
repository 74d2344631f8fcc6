# Owns the gaen scheme, Exposure Notification 1.2: key to RPI and AEM, and its advert (SPEC 1.2, 2.2). Knows no time.
import struct

import cryptolib

from emask import spec
from emask_crypto import hkdf

NUMBER = spec.GAEN
NAME = "gaen"
SLOT_S = 600
SLOTS_PER_DAY = 144
ID_BYTES = 16
KEY_BYTES = 16
KEY_DAYS = 1

_HEAD = b"\x02\x01\x1a\x03\x03\x6f\xfd\x17\x16\x6f\xfd"
_VERSION = b"\x40"


def derive(key, info):
    """16 bytes by HKDF-SHA256 (RFC 5869) without salt."""
    return hkdf.expand(hkdf.extract(b"", bytes(key)), info, 16)


def advance(key, index):
    """One key serves all its intervals: nothing to advance."""
    return key, index


class Chain:
    """Rolling proximity IDs of one TEK (16 bytes), from scheme slot `slot` (10 minutes) on.

    `index` is the low 16 bits of the interval number that the sender used; None: the slot itself. The interval is the
    one nearest to `slot` with these bits, so a sender whose clock was wrong is still followed.
    """

    def __init__(self, key, slot, index=None):
        self.slot = slot
        shift = 0 if index is None else (index - slot + 0x8000 & 0xFFFF) - 0x8000
        self.interval = slot + shift & 0xFFFFFFFF
        self._key = bytes(key)
        self._rpi_aes = cryptolib.aes(derive(key, b"EN-RPIK"), 1)
        self._aem_aes = None
        self._id = None

    @property
    def index(self):
        """Low 16 bits of the interval number."""
        return self.interval & 0xFFFF

    def id(self):
        """The 16 bytes of this interval's RPI."""
        if self._id is None:
            self._id = self._rpi_aes.encrypt(b"EN-RPI\0\0\0\0\0\0" + struct.pack("<I", self.interval))
        return self._id

    def seek(self, count, sought):
        """Go on until an ID may be one of emask.sought's; how many of these `count` slots are left, 0: none is."""
        rows, bits = sought.rows, sought.bits
        while count:
            rpi = self.id()
            if rows[rpi[0]] & bits[rpi[1]] and sought.has(rpi[0], rpi[1], rpi[2]):
                break
            self.skip(1)
            count -= 1
        return count

    def step(self):
        """Go to the next interval."""
        self.skip(1)

    def skip(self, count):
        """Go `count` intervals on."""
        self.slot += count
        self.interval = self.interval + count & 0xFFFFFFFF
        self._id = None

    def _mask(self):
        if self._aem_aes is None:
            self._aem_aes = cryptolib.aes(derive(self._key, b"EN-AEMK"), 1)
        return self._aem_aes.encrypt(self.id())

    def aem(self, metadata):
        """Seal, or open, 4 bytes of metadata with this interval's key stream (AES-128-CTR from the RPI)."""
        mask = self._mask()
        return bytes([metadata[i] ^ mask[i] for i in range(4)])

    def tx_dbm(self, sent):
        """TX power in dBm from the sealed byte that was on the air (signed, as `advert.decode` gives it)."""
        level = (sent ^ self._mask()[1]) & 0xFF
        return level - 256 if level > 127 else level


def build_advert(chain, tx_dbm, next_window=0):
    """31 bytes: RPI and sealed metadata. This advert is full: `next_window` is not sent."""
    return _HEAD + chain.id() + chain.aem(_VERSION + struct.pack("<bH", tx_dbm, 0))


def with_window(advert, next_window):
    """The same advert: it says nothing of windows."""
    return advert
