"""Owns the way of a signed image into the slot that does not run (docs/SPEC-flash). Must not know where it comes from.

No part of the product: it comes with the bundle, and the station sends it over the cable. A cut leaves a slot without a
header, which nobody starts; what arrived is found again block by block. What it lets pass the base checks once more.
"""

import struct
from binascii import crc32

from slots import BLOCK_BYTES, HEADER_BYTES, digest_of, header


class ImageError(Exception):
    """An image that is not taken; the text says why."""


class Install:
    """One image. slots: Slots; board: the board's name."""

    def __init__(self, slots, board):
        self._slots = slots
        self._board = board.encode()
        self._head = None

    def begin(self, head):
        """Take the image's first 128 bytes. Returns the CRC-32 of each block that is there already; ImageError."""
        now = self._slots.current()
        self._check(head, self._slots.header(now.slot) if now else None)
        self._slot = 1 - now.slot if now else 0
        self._device = self._slots.slots[self._slot]
        self._head = bytes(head)
        self._size = header(head)[1]
        self._device.ioctl(6, 0)  # no header: from here on the slot holds no image
        data = bytearray(BLOCK_BYTES)
        found = []
        for block in range(self._blocks()):
            self._device.readblocks(block + 1, data, 0)
            found.append(crc32(data))
        return found

    def _check(self, head, running):
        if len(head) != HEADER_BYTES:
            raise ImageError("header of another length")
        new = header(head)
        if new is None:
            raise ImageError("not an image")
        if new[2] != self._board:
            raise ImageError("image for another board")
        if running and new[0] < running[0]:
            raise ImageError("older than what runs")
        if not self._slots.signed(head):
            raise ImageError("signature does not fit")

    def _blocks(self):
        return (self._size + BLOCK_BYTES - 1) // BLOCK_BYTES

    def write(self, block, data):
        """One block of the payload, 4,096 bytes (the last one filled up with FF)."""
        if self._head is None or not 0 <= block < self._blocks() or len(data) != BLOCK_BYTES:
            raise ImageError("block out of place")
        self._device.ioctl(6, block + 1)
        self._device.writeblocks(block + 1, data, 0)

    def finish(self):
        """Check the whole and put it on trial: it runs from the next boot on. ImageError if it is damaged."""
        if self._head is None:
            raise ImageError("nothing was begun")
        digest = header(self._head)[3]
        if digest_of(self._device, 1, self._size) != digest:
            raise ImageError("damaged on the way")
        self._device.writeblocks(0, self._head, 0)
        self._choose(digest)

    def _choose(self, digest):
        # In the block that the current choice does not use: a cut leaves that one.
        now = self._slots.current()
        block = 1 - now.block if now else 0
        sequence = max([choice.sequence for choice in self._slots.choices()] + [0]) + 1
        data = struct.pack("<4sBBHI32s", b"EMBS", 1, self._slot, 0, sequence, digest)
        record = self._slots.record
        record.ioctl(6, block)
        record.writeblocks(block, data + struct.pack("<I", crc32(data)), 0)
