"""Owns the way of a signed image into the slot that does not run (docs/SPEC-flash). Must not know where it comes from.

A cut leaves a slot without a header, which nobody starts; what arrived is found again block by block.
"""

from binascii import crc32

from slots import BLOCK_BYTES, HEADER_BYTES, Header, ImageError, digest_of

_LABEL = b"emask firmware 1\x00"
_SIGNED = 64  # bytes of the header that the signature is of


class Install:
    """One image. slots: Slots; devices: the pair of slots; key: 32 bytes of the release key; board: name."""

    def __init__(self, slots, devices, key, board):
        self._slots = slots
        self._devices = devices
        self._key = key
        self._board = board
        self._header = None
        self._head = b""
        self._slot = 0

    def begin(self, head):
        """Take the image's first 128 bytes. Returns the CRC-32 of each block that is there already; ImageError."""
        header = Header(head)
        self._check(header, head)
        now = self._slots.current()
        self._slot = 1 - now.slot if now else 0
        self._header = header
        self._head = bytes(head)
        device = self._devices[self._slot]
        device.ioctl(6, 0)  # no header: from here on the slot holds no image
        data = bytearray(BLOCK_BYTES)
        found = []
        for block in range(header.blocks):
            device.readblocks(block + 1, data, 0)
            found.append(crc32(data))
        return found

    def _check(self, header, head):
        from emask_crypto.ed25519 import verify

        if len(head) != HEADER_BYTES:
            raise ImageError("header of another length")
        if header.board != self._board:
            raise ImageError("image for another board")
        if not any(self._key):
            raise ImageError("no release key")
        now = self._slots.current()
        running = self._slots.header(now.slot) if now else None
        if running and header.version < running.version:
            raise ImageError("older than what runs")
        if not verify(self._key, _LABEL + bytes(head[:_SIGNED]), bytes(head[_SIGNED:])):
            raise ImageError("signature does not fit")

    def write(self, block, data):
        """One block of the payload, 4,096 bytes (the last one filled up with FF)."""
        if self._header is None or not 0 <= block < self._header.blocks or len(data) != BLOCK_BYTES:
            raise ImageError("block out of place")
        device = self._devices[self._slot]
        device.ioctl(6, block + 1)
        device.writeblocks(block + 1, data, 0)

    def finish(self):
        """Check the whole and put it on trial: it runs from the next boot on. ImageError if it is damaged."""
        if self._header is None:
            raise ImageError("nothing was begun")
        device = self._devices[self._slot]
        if digest_of(device, 1, self._header.size) != self._header.digest:
            raise ImageError("damaged on the way")
        device.writeblocks(0, self._head, 0)
        self._slots.choose(self._slot, self._header.digest)


def here(key, board):
    """The Install of this chip."""
    import esp32
    import slots

    return Install(slots.here(), (esp32.Partition("slot_a"), esp32.Partition("slot_b")), key, board)
