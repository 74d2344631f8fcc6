# Owns one block of the flash ring: its header, its cells, the records in them and their checks (SPEC 3.4). Must not
# know which block serves what, nor what records mean.
import struct
from binascii import crc32

from micropython import const

from emask import spec

_MAGIC = b"EMR1"
# Header: mark (magic, erases, check), programmed when an erase was found complete; name (stream, bytes of a place, 0,
# sequence, slot, check), when the block is put to use; seal, of roots and lasting records, when it serves.
_NAME_AT = const(12)
_SEAL_AT = const(28)
HEADER_BYTES = const(32)
CELL_BYTES = const(32)  # of roots and of lasting records, which take as many as they need
_PLACES = (0, CELL_BYTES, CELL_BYTES, spec.HEARD_BYTES + 4, spec.SIGHTING_BYTES + 4)  # by stream
_LEAD_BYTES = const(6)  # of a lasting record: kind, length, slot
_LONGEST = const(128)
MAX_PAYLOAD = const(120)
_CHUNK = const(512)

# What a block is: one of the four streams, or one of these.
ROOT = const(1)
LASTING = const(2)
MINUTES = const(3)
SIGHTINGS = const(4)
CLEAN = const(5)  # erased, nothing in it
DIRTY = const(6)  # must be erased before it is of use
BAD = const(7)


class StoreError(Exception):
    """The device answers no more, a record does not fit, or there is no room."""


def _check(data, seq, offset):
    # Begins with block and place, so that bytes heard from the air can't pose as a record elsewhere. Never all ones,
    # as in a record cut short, and never 0.
    low = crc32(data, (seq << 12 ^ offset) & 0xFFFFFFFF) & 0xFFFF
    return 1 if low in (0, 0xFFFF) else low


def _signed(layout, *fields):
    lead = struct.pack(layout, *fields)
    return lead + struct.pack("<I", crc32(lead))


def mark(erases):
    """The 12 bytes that say that a block is erased."""
    return _signed("<4sI", _MAGIC, erases)


def name(stream, seq, slot):
    """The 16 bytes that put a block to use, and the 4 that say that what had to be in it from the start is in it."""
    named = _signed("<BBHII", stream, _PLACES[stream], 0, seq, slot)
    return named, struct.pack("<I", crc32(named) | 1)


def parse_header(head):
    """(erases or None if unknown, what the block is, sequence, slot, sealed)."""
    head = bytes(head)
    if not any(head):
        return None, BAD, 0, 0, False
    erases = struct.unpack_from("<I", head, 4)[0]
    if head[:_NAME_AT] != mark(erases):
        return None, DIRTY, 0, 0, False
    if head[_NAME_AT:] == b"\xff" * (HEADER_BYTES - _NAME_AT):
        return erases, CLEAN, 0, 0, False
    stream, _, _, seq, slot = struct.unpack_from("<BBHII", head, _NAME_AT)
    named, seal = name(stream, seq, slot) if ROOT <= stream <= SIGHTINGS else (b"", b"")
    if head[_NAME_AT:_SEAL_AT] != named:
        return erases, DIRTY, 0, 0, False
    return erases, stream, seq, slot, head[_SEAL_AT:] == seal


class Blocks:
    """The block device as blocks with headers. A device that fails to read or program is a StoreError.

    damaged: records met that are none. A block that can't be erased is filled with zeros and never used again.
    """

    def __init__(self, device, block_bytes):
        self._device = device
        self.count = device.ioctl(4, 0)
        self.bytes = block_bytes
        self.damaged = 0

    def _do(self, function, *where):
        try:
            failed = function(*where)
        except OSError:
            failed = True
        if failed:
            raise StoreError("flash failed")

    def read(self, block, offset, buf):
        """Fill `buf` from a block."""
        self._do(self._device.readblocks, block, buf, offset)

    def header(self, block):
        """As parse_header."""
        buf = bytearray(HEADER_BYTES)
        self.read(block, 0, buf)
        return parse_header(buf)

    def program(self, block, offset, buf):
        """Clear the bits that are 0 in `buf`."""
        self._do(self._device.writeblocks, block, buf, offset)

    def put(self, block, offset, data):
        """Program and read back; False if it is not there."""
        self.program(block, offset, data)
        back = bytearray(len(data))
        self.read(block, offset, back)
        return back == data

    def clean(self, block, erases):
        """Erase a block and mark it; False if it doesn't come out blank.

        Its header dies first: half erased, it can't pass for what it was.
        """
        self.kill(block)
        try:
            self._do(self._device.ioctl, 6, block)
        except StoreError:
            return False
        return self.is_blank(block) and self.put(block, 0, mark(erases))

    def is_blank(self, block):
        """Whether a block reads as erased, all of it."""
        buf = bytearray(_CHUNK)
        for offset in range(0, self.bytes, _CHUNK):
            self.read(block, offset, buf)
            if bytes(buf).rstrip(b"\xff"):
                return False
        return True

    def kill(self, block):
        """Take a block's header away: all of it but the seal, so that it differs from a spoilt block's."""
        self.program(block, 0, bytes(_SEAL_AT))

    def spoil(self, block):
        """Nothing of what was in this block may be read again, and it shall not be used again: all zeros."""
        for offset in range(0, self.bytes, _CHUNK):
            self.program(block, offset, bytes(_CHUNK))


def places(stream, block_bytes):
    """How many places a block of this stream has."""
    return (block_bytes - HEADER_BYTES) // _PLACES[stream]


class Head:
    """A block in use: its stream, number, sequence, slot of its first record, and where the next record goes.

    size: bytes of a place. last: when it was looked at, up to 128 bytes before the end of what is written.
    """

    def __init__(self, blocks, stream, block, seq=0, slot=0):
        self._blocks = blocks
        self.stream = stream
        self.block = block
        self.seq = seq
        self.slot = slot
        self.size = _PLACES[stream]
        self.end = HEADER_BYTES
        self.limit = HEADER_BYTES + places(stream, blocks.bytes) * self.size
        self.last = b""

    def look(self):
        """Find the end, in two reads; True if the block is what it should be. A root must be sealed."""
        half = HEADER_BYTES + (self.limit // self.size // 2) * self.size
        view = memoryview(bytearray(half + self.size))
        for offset, size in ((half, self.limit - half), (0, half)):
            self._blocks.read(self.block, offset, view[:size])
            if not self.last:
                size = len(bytes(view[:size]).rstrip(b"\xff"))
                size += (HEADER_BYTES - offset - size) % self.size if size > HEADER_BYTES or offset else 0
                self.end = max(HEADER_BYTES, offset + size)
            self.last = bytes(view[max(0, size - _LONGEST) : size]) + self.last
        _, stream, seq, self.slot, sealed = parse_header(view[:HEADER_BYTES])
        fits = stream == self.stream and (sealed or stream != ROOT) and self.seq in (0, seq)
        self.seq = seq
        return fits

    def settle(self):
        """What a cut may have left between here and not here becomes what it reads as: header and last record.

        And the room of one record stays blank: one that can't be seen may have been begun there.
        """
        named, seal = name(self.stream, self.seq, self.slot)
        self._blocks.program(self.block, _NAME_AT, named + seal if self.stream <= LASTING else named)
        good = False
        for size in range(
            self.size, min(len(self.last), self.end - HEADER_BYTES, self.room(MAX_PAYLOAD)) + 1, self.size
        ):
            found = self.decode(self.last[-size:], self.end - size)
            if found and self.room(len(found[2])) == size:
                self._blocks.program(self.block, self.end - size, self.last[-size:])
                good = True
        if not good and self.end > HEADER_BYTES:
            self._blocks.program(self.block, self.end - self.size, bytes(self.size))
        self.end += self.room(MAX_PAYLOAD)

    def put_to_use(self, sealed=False):
        """Program the name, and with it the seal; False if it is not there."""
        named, seal = name(self.stream, self.seq, self.slot)
        return self._blocks.put(self.block, _NAME_AT, named + seal if sealed else named)

    def room(self, length):
        """Bytes that a record takes: whole places."""
        if self.stream != LASTING:
            return self.size
        return (_LEAD_BYTES + length + 2 + CELL_BYTES - 1) // CELL_BYTES * CELL_BYTES

    def has_room(self, length):
        """Whether one more record with a payload of `length` fits."""
        return self.end + self.room(length) <= self.limit

    def write(self, kind, slot, payload):
        """Program a record; False if the place is bad: the next one may do."""
        if self.stream == LASTING:
            record = struct.pack("<BBI", kind, len(payload), slot) + payload
        else:
            record = bytes((kind, slot % spec.SLOTS_PER_DAY)) + payload
        offset = self.end
        self.end += self.room(len(payload))
        good = self._blocks.put(self.block, offset, record + struct.pack("<H", _check(record, self.seq, offset)))
        self._blocks.damaged += not good
        return good

    def decode(self, view, offset):
        """(kind, slot, payload) of the record at `offset`, with which the view begins; or None."""
        lead = 2
        size = self.size - 2
        slot = self.slot - self.slot % spec.SLOTS_PER_DAY + view[1]
        if self.stream == LASTING:
            lead = _LEAD_BYTES
            size = lead + view[1]
        if size + 2 > len(view) or _check(view[:size], self.seq, offset) != view[size] | view[size + 1] << 8:
            return None
        if self.stream == LASTING:
            slot = struct.unpack_from("<I", view, 2)[0]
        return view[0], slot, bytes(view[lead:size])

    def records(self):
        """Yield (offset, kind, slot, payload) of each good record; what is none is counted and skipped."""
        view = memoryview(bytearray(_CHUNK))
        at = base = HEADER_BYTES
        have = 0
        skipped = False
        end = min(self.end, self.limit)
        while at < end:
            if at + self.room(MAX_PAYLOAD) > base + have and base + have < end:
                base = at
                have = min(_CHUNK, end - base)
                self._blocks.read(self.block, base, view[:have])
            place = view[at - base : have]
            found = self.decode(place, at)
            if found:
                yield (at,) + found
                at += self.room(len(found[2]))
                skipped = False
                continue
            damaged = bool(bytes(place[: self.size]).rstrip(b"\xff").strip(b"\0"))
            self._blocks.damaged += damaged and not skipped
            skipped = damaged
            at += self.size

    def record_at(self, offset):
        """(kind, slot, payload) of the record there, or None."""
        view = memoryview(bytearray(min(_LONGEST, self._blocks.bytes - offset)))
        self._blocks.read(self.block, offset, view)
        return self.decode(view, offset)
