"""Owns which product image runs: two slots, the record of the choice, the trial, the way back (docs/SPEC-flash).

Must not know what an image does, nor how it came. Frozen into MicroPython: no update of the product can harm it.
"""

import struct
from binascii import crc32
from hashlib import sha256

from micropython import const

BLOCK_BYTES = const(4096)
HEADER_BYTES = const(128)
PAYLOAD_BLOCKS = const(31)
_IMAGE = b"EMFW\x01\x01\x00\x00"  # version 1, kind 1; then firmware version, bytes, board, SHA-256; the signature
_LABEL = b"emask firmware 1\x00"
_SIGNED = const(64)  # bytes of the header that the signature is of
_CHOICE = b"EMBS\x01"  # version 1; slot, 0, sequence, SHA-256 of the payload; CRC-32
_CHECKED = const(44)
_MARKS_AT = const(64)  # bytes from here: tries, kept, rejected; FF until they happen, 00 afterwards
_TRIES = const(3)
_KEPT = const(67)
_REJECTED = const(68)
_MARKER_BLOCK = const(31)  # of the mapped copy: the SHA-256 of what was copied, and its length


class Choice:
    """One record of the choice: in which block it stands, which slot it means, what happened to it."""

    def __init__(self, block, data):
        self.block = block
        self.slot = data[5]
        self.sequence = struct.unpack_from("<I", data, 8)[0]
        self.digest = bytes(data[12:_CHECKED])
        self.tries_left = bytes(data[_MARKS_AT:_KEPT]).count(b"\xff")
        self.kept = data[_KEPT] != 0xFF


class Slots:
    """The choice over its partitions: record (2 blocks), slots (a pair of 32 blocks), mapped (32 blocks).

    key: 32 bytes of the release key.
    """

    def __init__(self, record, slots, mapped, key):
        self.record = record
        self.slots = slots
        self.key = key
        self._mapped = mapped

    def choices(self):
        """The sound records that are not rejected, the newest first."""
        found = []
        for block in range(2):
            data = bytearray(_REJECTED + 1)
            self.record.readblocks(block, data, 0)
            sound = crc32(data[:_CHECKED]) == struct.unpack_from("<I", data, _CHECKED)[0]
            if data[:5] == _CHOICE and data[5] < 2 and sound and data[_REJECTED] == 0xFF:
                found.append(Choice(block, data))
        found.sort(key=lambda choice: -choice.sequence)
        return found

    def current(self):
        """The newest choice whose slot has its image still, or None."""
        for choice in self.choices():
            header = self.header(choice.slot)
            if header and header[3] == choice.digest:
                return choice
        return None

    def header(self, slot):
        """(firmware version, bytes, board, SHA-256) of the image in a slot, or None."""
        return header(self._head(slot))

    def _head(self, slot):
        data = bytearray(HEADER_BYTES)
        self.slots[slot].readblocks(0, data, 0)
        return data

    def _mark(self, choice, at):
        self.record.writeblocks(choice.block, b"\x00", at)

    def boot(self):
        """The choice that runs now, its image in the mapped partition; None if there is none.

        Also True if the mapped partition was written anew: then the caller starts the chip again.
        """
        while True:
            choice = self.current()
            if choice is None:
                return None, False
            if not choice.kept and not choice.tries_left:
                self._mark(choice, _REJECTED)
            elif self.mapped_is(choice.digest):
                if not choice.kept:
                    self._mark(choice, _KEPT - choice.tries_left)
                return choice, False
            elif self._copy(choice):
                return choice, True
            else:
                self._mark(choice, _REJECTED)

    def keep(self):
        """The running image works: it stays. Nothing happens if it stays already.

        Called after each wake-up, so it reads the record alone: the newest choice is what runs.
        """
        for choice in self.choices()[:1]:
            if not choice.kept:
                self._mark(choice, _KEPT)

    def mapped_is(self, digest):
        """True if the mapped partition holds the payload with this SHA-256, whole."""
        marker = bytearray(36)
        self._mapped.readblocks(_MARKER_BLOCK, marker, 0)
        size = struct.unpack_from("<I", marker, 32)[0]
        fits = marker[:32] == digest and size <= PAYLOAD_BLOCKS * BLOCK_BYTES
        return fits and digest_of(self._mapped, 0, size) == digest

    def _copy(self, choice):
        # The marker goes first and comes last: a cut in between is seen, and the copy is made again.
        source = self.slots[choice.slot]
        head = self._head(choice.slot)
        size = header(head)[1]
        if digest_of(source, 1, size) != choice.digest or not self.signed(head):
            return False
        self._mapped.ioctl(6, _MARKER_BLOCK)
        data = bytearray(BLOCK_BYTES)
        for block in range((size + BLOCK_BYTES - 1) // BLOCK_BYTES):
            source.readblocks(block + 1, data, 0)
            self._mapped.ioctl(6, block)
            self._mapped.writeblocks(block, data, 0)
        self._mapped.writeblocks(_MARKER_BLOCK, choice.digest + struct.pack("<I", size), 0)
        return True

    def signed(self, head):
        """True if the release key signed this header. Takes seconds on a chip."""
        from emask_crypto.ed25519 import verify

        return any(self.key) and verify(self.key, _LABEL + head[:_SIGNED], bytes(head[_SIGNED:]))


def header(head):
    """(firmware version, bytes, board, SHA-256) of an image, from its first 128 bytes; None if it is none."""
    version, size, board, digest = struct.unpack_from("<II16s32s", head, 8)
    if head[:8] != _IMAGE or not 0 < size <= PAYLOAD_BLOCKS * BLOCK_BYTES:
        return None
    return version, size, board.rstrip(b"\x00"), digest


def digest_of(device, block, size):
    """SHA-256 of size bytes of a block device from a block on."""
    found = sha256()
    data = bytearray(BLOCK_BYTES)
    while size > 0:
        device.readblocks(block, data, 0)
        found.update(memoryview(data)[:size])
        size -= BLOCK_BYTES
        block += 1
    return found.digest()


def keep():
    """Keep the image that runs on this chip; OSError if its partition table has no slots."""
    from esp32 import Partition

    Slots(Partition("choice"), None, None, None).keep()


def here():
    """The Slots of this chip; OSError if its partition table has none."""
    from esp32 import Partition

    try:
        with open("/config/release.pub", "rb") as file:
            key = file.read()
    except OSError:
        key = b""  # not provisioned: no image is believed
    return Slots(Partition("choice"), (Partition("slot_a"), Partition("slot_b")), Partition("romfs"), key)
