"""Owns which product image runs: two slots, the record of the choice, the trial, the way back (docs/SPEC-flash).

Must not know what an image does, nor how it came. Frozen into MicroPython: no update of the product can harm it.
"""

import struct
from binascii import crc32
from hashlib import sha256

from micropython import const

BLOCK_BYTES = const(4096)
HEADER_BYTES = const(128)
SLOTS = const(2)
PAYLOAD_BLOCKS = const(31)
_HEADER = "<4sBBHII16s32s"  # EMFW, version, kind, 0, firmware version, bytes, board, SHA-256; then the signature
_RECORD = "<4sBBHI32s"  # EMBS, version, slot, 0, sequence, SHA-256 of the payload; then CRC-32
_RECORD_BYTES = const(48)
_MARKS_AT = const(64)  # bytes from here: tries, kept, rejected; FF until they happen, 00 afterwards
_TRIES = const(3)
_KEPT = const(3)
_REJECTED = const(4)
_MARKS = const(5)
_MARKER_BLOCK = const(31)  # of the mapped copy: the SHA-256 of what was copied


class ImageError(Exception):
    """An image or a slot is not what it should be; the text says which rule it broke."""


class Header:
    """Fields of an image's header, from its first 128 bytes. ImageError if they are none."""

    def __init__(self, data):
        if len(data) < HEADER_BYTES:
            raise ImageError("too short")
        magic, version, kind, zero, self.version, self.size, board, self.digest = struct.unpack_from(_HEADER, data)
        if magic != b"EMFW":
            raise ImageError("not an image")
        if version != 1 or kind != 1 or zero:
            raise ImageError("image of another kind")
        if not 0 < self.size <= PAYLOAD_BLOCKS * BLOCK_BYTES:
            raise ImageError("too large for a slot")
        self.board = board.rstrip(b"\x00").decode()

    @property
    def blocks(self):
        """Blocks that the payload takes."""
        return (self.size + BLOCK_BYTES - 1) // BLOCK_BYTES


class Choice:
    """One record of the choice: in which block it stands, which slot it means, what happened to it."""

    def __init__(self, block, data):
        self.block = block
        _, _, self.slot, _, self.sequence, self.digest = struct.unpack_from(_RECORD, data)
        marks = data[_MARKS_AT : _MARKS_AT + _MARKS]
        self.tries_left = sum([mark == 0xFF for mark in marks[:_TRIES]])
        self.kept = marks[_KEPT] != 0xFF
        self.rejected = marks[_REJECTED] != 0xFF


class Slots:
    """The choice over its partitions: record (2 blocks), slots (a pair of 32 blocks), mapped (32 blocks)."""

    def __init__(self, record, slots, mapped):
        self._record = record
        self._slots = slots
        self._mapped = mapped

    # -- the choice

    def choices(self):
        """The sound records that are not rejected, the newest first."""
        found = []
        for block in range(2):
            data = bytearray(_MARKS_AT + _MARKS)
            self._record.readblocks(block, data, 0)
            good = data[:5] == b"EMBS\x01" and data[5] < SLOTS
            if good and struct.pack("<I", crc32(data[: _RECORD_BYTES - 4])) == data[_RECORD_BYTES - 4 : _RECORD_BYTES]:
                found.append(Choice(block, data))
        found.sort(key=lambda choice: -choice.sequence)
        return [choice for choice in found if not choice.rejected]

    def current(self):
        """The newest choice whose slot has its image still, or None."""
        for choice in self.choices():
            header = self.header(choice.slot)
            if header and header.digest == choice.digest:
                return choice
        return None

    def header(self, slot):
        """The Header of a slot, or None."""
        try:
            return Header(self.head(slot))
        except ImageError:
            return None

    def head(self, slot):
        """The first 128 bytes of a slot."""
        data = bytearray(HEADER_BYTES)
        self._slots[slot].readblocks(0, data, 0)
        return bytes(data)

    def choose(self, slot, digest):
        """Write the record that puts a slot on trial, in the block that the current choice does not use."""
        now = self.current()
        block = 1 - now.block if now else 0
        sequence = max([choice.sequence for choice in self.choices()] + [0]) + 1
        data = struct.pack(_RECORD, b"EMBS", 1, slot, 0, sequence, digest)
        self._record.ioctl(6, block)
        self._record.writeblocks(block, data + struct.pack("<I", crc32(data)), 0)

    def _mark(self, choice, which):
        self._record.writeblocks(choice.block, b"\x00", _MARKS_AT + which)

    # -- a boot

    def boot(self, counted=True):
        """The choice that runs now, its image in the mapped partition; None if there is none. counted: this is a try.

        Also True if the mapped partition was written anew: then the caller starts the chip again.
        """
        while True:
            choice = self.current()
            if choice is None:
                return None, False
            if counted and not choice.kept and not choice.tries_left:
                self._mark(choice, _REJECTED)
            elif self.mapped_is(choice.digest):
                if counted and not choice.kept:
                    self._mark(choice, _TRIES - choice.tries_left)
                return choice, False
            elif self._copy(choice):
                return choice, True
            else:
                self._mark(choice, _REJECTED)

    def keep(self):
        """The running image works: it stays. Nothing happens if it stays already."""
        choice = self.current()
        if choice and not choice.kept:
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
        source = self._slots[choice.slot]
        header = self.header(choice.slot)
        if header is None or digest_of(source, 1, header.size) != header.digest:
            return False
        self._mapped.ioctl(6, _MARKER_BLOCK)
        data = bytearray(BLOCK_BYTES)
        for block in range(header.blocks):
            source.readblocks(block + 1, data, 0)
            self._mapped.ioctl(6, block)
            self._mapped.writeblocks(block, data, 0)
        self._mapped.writeblocks(_MARKER_BLOCK, header.digest + struct.pack("<I", header.size), 0)
        return True


def digest_of(device, block, size):
    """SHA-256 of size bytes of a block device from a block on."""
    found = sha256()
    data = bytearray(BLOCK_BYTES)
    while size > 0:
        device.readblocks(block, data, 0)
        found.update(data if size >= BLOCK_BYTES else memoryview(data)[:size])
        size -= BLOCK_BYTES
        block += 1
    return found.digest()


def here():
    """The Slots of this chip; OSError if its partition table has none."""
    from esp32 import Partition

    return Slots(Partition("choice"), (Partition("slot_a"), Partition("slot_b")), Partition("romfs"))


def keep():
    """Keep the image that runs on this chip."""
    here().keep()
