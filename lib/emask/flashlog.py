# Owns one circular log of checked records on a few flash blocks (SPEC 3.4). Must not know what the records mean.
# Programming only clears bits; a block is erased before it is used again.
import struct
from binascii import crc32

from micropython import const

_MAGIC = b"EMLG"
_VERSION = const(1)
_HEADER = "<4sBBIIH"  # magic, version, log, sequence, slot of the first record, check
_HEADER_BYTES = const(16)
_LEAD = "<BBIH"  # kind, payload's length, slot, check of these; then payload and a check of all, 0 once destroyed
_LEAD_BYTES = const(8)
MAX_PAYLOAD = const(120)
_MAX_RECORD = const(132)
_CHUNK = const(512)
LOST = const(0)  # kind given for a record that is destroyed or damaged
_FREE = const(0xFF)
_UNSURE_SLOTS = const(96)  # slots in a log may stand out of order by so many


class StoreError(Exception):
    """The device answers no more, or a record is too long."""


def _check(data, seed):
    # Seeded by sequence and offset, so that bytes heard from the air can't pose as a record elsewhere. Never 0.
    return crc32(data, seed) & 0xFFFF or 1


def _padded(length):
    return (_LEAD_BYTES + length + 2 + 3) & ~3


def _parse(view, at, have, seed):
    # (kind, slot, payload, check) of the record at `at`; None if its lead isn't good or it passes `have`.
    if at + _LEAD_BYTES > have or view[at] == _FREE or view[at + 1] > MAX_PAYLOAD:
        return None
    stop = at + _LEAD_BYTES + view[at + 1]
    kind, _length, slot, check = struct.unpack_from(_LEAD, view, at)
    if stop + 2 > have or _check(view[at : at + 6], seed) != check:
        return None
    check = view[stop] | view[stop + 1] << 8
    if check != _check(view[at:stop], seed):
        kind = LOST
    return kind, slot, bytes(view[at + _LEAD_BYTES : stop]), check


class Device:
    """The block device, with its failures turned into StoreError; counts the damage met."""

    def __init__(self, device, block_bytes):
        self._device = device
        self.block_bytes = block_bytes
        self.damaged = 0
        self.blocks = device.ioctl(4, 0)

    def _do(self, function, *args):
        try:
            failed = function(*args)
        except OSError:
            failed = True
        if failed:
            raise StoreError("store device failed")

    def read(self, block, offset, buf):
        """Fill `buf` from a block."""
        self._do(self._device.readblocks, block, buf, offset)

    def program(self, block, offset, buf):
        """Clear the bits that are 0 in `buf`."""
        self._do(self._device.writeblocks, block, buf, offset)

    def erase(self, block):
        """Make a block blank."""
        self._do(self._device.ioctl, 6, block)


class Log:
    """One circular log over `count` blocks from `first` on.

    `carry(log)` is called when a block was entered: it may append again what must outlive the block that follows.
    """

    def __init__(self, device, number, first, count, carry=None):
        self._device = device
        self._number = number
        self.first = first
        self.count = count
        self._carry = carry
        self._mark = bytearray(_HEADER_BYTES)
        self.erased = 0  # blocks with records that gave way to new ones
        self.used = 0  # blocks with records
        self.block = first
        self.seq = 0
        self.end = device.block_bytes

    def header(self, block):
        """(sequence, slot of the first record) or None."""
        self._device.read(block, 0, self._mark)
        magic, version, number, seq, slot, check = struct.unpack(_HEADER, self._mark)
        known = magic == _MAGIC and version == _VERSION and number == self._number
        if not known or check != _check(memoryview(self._mark)[:14], 0):
            return None
        return seq, slot

    def _load(self):
        self.seq = 0
        self.used = 0
        for block in range(self.first, self.first + self.count):
            head = self.header(block)
            if head is None:
                continue
            self.used += 1
            if head[0] > self.seq:
                self.seq = head[0]
                self.block = block

    def mount(self, hint=None):
        """Find the newest block and its end; hint is (block, end, low bits of the sequence)."""
        if hint is not None and self._mount_by(hint):
            return True
        self._load()
        if not self.seq:
            self.block = self.first + self.count - 1
            self.end = self._device.block_bytes
            return False
        self.end = self._find_end(_HEADER_BYTES)
        if self._carry:
            self._carry(self)
        return False

    def _mount_by(self, hint):
        block, end, low = hint
        if not self.first <= block < self.first + self.count or not _HEADER_BYTES <= end <= self._device.block_bytes:
            return False
        head = self.header(block)
        after = self.header(self.next(block))
        if head is None or head[0] & 0xFF != low or after is not None and after[0] > head[0]:
            return False
        self.block, self.seq, self.end = block, head[0], end
        self.used = self.count if after is not None else min(self.seq, self.count)
        self.end = self._find_end(end)
        return True

    def _find_end(self, start):
        # The first word after which the block is blank. A record cut short counts as written, and is skipped.
        buf = bytearray(_CHUNK)
        view = memoryview(buf)
        end = offset = start
        while offset < self._device.block_bytes:
            size = min(_CHUNK, self._device.block_bytes - offset)
            self._device.read(self.block, offset, view[:size])
            written = len(bytes(view[:size]).rstrip(b"\xff"))
            if written:
                end = offset + written + 3 & ~3
            offset += size
        for at, _kind, _slot, payload in self.records(self.block, end, start):
            end = max(end, at + _padded(len(payload)))  # cut short behind its lead: its room is lost with it
        return end

    def next(self, block):
        """The block after this one."""
        block += 1
        return self.first if block == self.first + self.count else block

    def append(self, kind, slot, payload):
        """Program one record; it is durable when this returns."""
        size = _padded(len(payload))
        if self.end + size > self._device.block_bytes:
            self._advance(slot)
        record = bytearray(b"\xff" * size)
        view = memoryview(record)
        seed = self.seq + self.end
        stop = _LEAD_BYTES + len(payload)
        struct.pack_into(_LEAD, record, 0, kind, len(payload), slot, 0)
        struct.pack_into("<H", record, 6, _check(view[:6], seed))
        record[_LEAD_BYTES:stop] = payload
        struct.pack_into("<H", record, stop, _check(view[:stop], seed))
        offset = self.end
        self.end += size
        self._device.program(self.block, offset, record)

    def has_room(self, length):
        """Whether this block can take a payload of `length`, and any other after it."""
        return self.end + _padded(length) + _MAX_RECORD <= self._device.block_bytes

    def _advance(self, slot):
        block = self.next(self.block)
        if self.header(block) is not None:
            self.erased += 1
        else:
            self.used += 1
        self._device.erase(block)
        self.block = block
        self.seq += 1
        struct.pack_into(_HEADER, self._mark, 0, _MAGIC, _VERSION, self._number, self.seq, slot, 0)
        struct.pack_into("<H", self._mark, 14, _check(memoryview(self._mark)[:14], 0))
        self.end = _HEADER_BYTES
        self._device.program(block, 0, self._mark)
        if self._carry:
            self._carry(self)

    def records(self, block, end=None, at=_HEADER_BYTES):
        """Yield (offset, kind, slot, payload) of each record; kind 0 if destroyed or damaged. Damage is counted."""
        head = self.header(block)
        if head is None:
            return
        size = self._device.block_bytes
        if end is None:
            end = self.end if block == self.block else size
        view = memoryview(bytearray(_CHUNK))
        base = at
        have = skipped = 0
        while at + _LEAD_BYTES <= end:
            if at + _MAX_RECORD > base + have and base + have < size:
                base = at
                have = min(_CHUNK, size - base)
                self._device.read(block, base, view[:have])
            found = _parse(view, at - base, have, head[0] + at)
            if found:
                skipped = 0
                self._device.damaged += found[0] == LOST and found[3] != 0
                yield at, found[0], found[1], found[2]
                at += _padded(len(found[2]))
                continue
            if not skipped and view[at - base] != _FREE:  # no record: count once, and try the next word
                skipped = 1
                self._device.damaged += 1
            at += 4

    def record_at(self, block, offset):
        """(kind, slot, payload) of the record there, or None."""
        head = self.header(block)
        if head is None:
            return None
        view = memoryview(bytearray(min(_MAX_RECORD, self._device.block_bytes - offset)))
        self._device.read(block, offset, view)
        found = _parse(view, 0, len(view), head[0] + offset)
        return found and found[:3]

    def order(self, first_slot, last_slot):
        """Blocks that may hold records of these slots, oldest first; all blocks of a log that carries."""
        block = self.block
        waiting = None
        for _ in range(self.count):
            block = self.next(block)
            head = self.header(block)
            if head is None:
                continue
            if waiting is not None and (self._carry or head[1] + _UNSURE_SLOTS >= first_slot):
                yield waiting
            waiting = block if self._carry or head[1] <= last_slot + _UNSURE_SLOTS else None
        if waiting is not None:
            yield waiting

    def destroy(self, block, offset, length):
        """Make a record unreadable for good: its check first, then its payload, to zero."""
        self._device.program(block, offset + _LEAD_BYTES + length, bytes(2))
        self._device.program(block, offset + _LEAD_BYTES, bytes(length))
