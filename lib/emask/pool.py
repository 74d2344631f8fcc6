# Owns which block serves what: an index in RAM, the choice of the least worn block, and the root, which names the
# block in use of each stream so that a mount reads little (SPEC 3.4). Must not know what records mean.
import struct
from array import array

from micropython import const

from emask.cells import (
    BAD,
    CELL_BYTES,
    CLEAN,
    DIRTY,
    HEADER_BYTES,
    LASTING,
    MINUTES,
    ROOT,
    SIGHTINGS,
    Head,
    StoreError,
    mark,
    places,
)

_ROOTS = const(2)  # blocks 0 and 1 take turns
_ENTRY = "<HIHIHI"  # block (_NOBODY: none) and sequence of each stream's head
_ENTRY_BYTES = const(18)
_NOBODY = const(0xFFFF)
_ROOT_KIND = const(1)
_STREAMS = (LASTING, MINUTES, SIGHTINGS)


class StoreFull(StoreError):
    """No block is left for this stream; nothing that is needed is given up for it."""


class Pool:
    """The blocks of a device by their use. heads: stream -> Head in use; seq: the highest sequence given."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.heads = {}
        self.seq = 0
        self.minutes_most = max(2, blocks.count // 15)
        self.states = bytearray()  # the index; read when it is first needed
        self._root = None
        self._root_seq = 0
        # As many entries as there are blocks for two roots: so the root wears as the others do.
        self._root_end = HEADER_BYTES + min(places(ROOT, blocks.bytes), blocks.count // 2) * CELL_BYTES
        self._cold = True

    # -- mount

    def mount(self, cold):
        """Find the heads; True if the root sufficed. cold: power may have failed in the middle of anything.

        After a cold mount the room of one record is left blank: what stands there may be half written.
        """
        self._cold = cold
        self.heads = {}
        self.states = bytearray()
        if self._mount_by_root():
            return True
        self.heads = {}
        self._root = None
        for stream in _STREAMS:
            order = self.of(stream)
            if order:
                self._enter(stream, order[-1], self.seqs[order[-1]])
            if stream == LASTING:
                for block in order[:-1]:
                    self._drop(block)
        self.save_root()
        return False

    def _mount_by_root(self):
        both = [Head(self.blocks, ROOT, block) for block in range(_ROOTS)]
        root = None
        for found in both:
            if found.look() and (root is None or found.seq > root.seq):
                root = found
        self._root = root
        self._root_seq = max(both[0].seq, both[1].seq)
        entry = root and self._last_entry(root)
        if not root or not entry:
            return False
        if self._cold:
            root.settle()
            other = both[1 - root.block]
            if other.seq:
                self.blocks.kill(other.block)
        numbers = struct.unpack_from(_ENTRY, entry)
        for at, stream in enumerate(_STREAMS):
            block, seq = numbers[2 * at : 2 * at + 2]
            self.seq = max(self.seq, seq)
            if block < self.blocks.count and not self._enter(stream, block, seq):
                return False
        return True

    def _last_entry(self, root):
        # One that was cut short was followed by nothing, so the one before it holds. A damaged one: who knows.
        for at in range(len(root.last) - CELL_BYTES, -1, -CELL_BYTES):
            cell = root.last[at : at + CELL_BYTES]
            found = root.decode(cell, root.end - len(root.last) + at)
            if found:
                return found[2]
            if any(cell) and cell[-2:] != b"\xff\xff":
                break
        return None

    def _enter(self, stream, block, seq):
        # Take a block as head; False if it is not what it should be.
        head = self.heads[stream] = Head(self.blocks, stream, block, seq)
        fits = head.look()
        if fits and self._cold:
            head.settle()
        return fits

    # -- the index

    def index(self):
        """Read the header of every block, once."""
        if self.states:
            return
        count = self.blocks.count
        self.states = bytearray(count)
        self.seqs = array("I", bytes(4 * count))
        self.slots = array("I", bytes(4 * count))
        self.erases = array("I", bytes(4 * count))
        lasting = self.heads.get(LASTING)
        unknown = []
        for block in range(count):
            erases, state, seq, self.slots[block], sealed = self.blocks.header(block)
            if erases is None:
                unknown.append(block)
            self.erases[block] = erases or 0
            self.states[block] = state
            if block < _ROOTS:
                self.states[block] = BAD if state == BAD else ROOT
                continue
            self.seqs[block] = seq
            self.seq = max(self.seq, seq)
            if state == LASTING and (not sealed or lasting and lasting.block != block):
                self._drop(block)
        least = min([erases for erases in self.erases if erases] or (0,))
        for block in unknown:
            self.erases[block] = least

    def _drop(self, block, slot=0):
        # What is in it was written again elsewhere. Without a slot it is erased at the next purge.
        self.states[block] = DIRTY
        self.seqs[block] = 0
        self.slots[block] = slot

    def of(self, stream):
        """The blocks of a stream, oldest first."""
        self.index()
        found = [block for block in range(self.blocks.count) if self.states[block] == stream]
        found.sort(key=lambda block: self.seqs[block])
        return found

    def head_of(self, block):
        """The Head for reading a block."""
        head = Head(self.blocks, self.states[block], block, self.seqs[block], self.slots[block])
        head.end = head.limit
        return head

    def free(self):
        """How many blocks nobody needs."""
        self.index()
        return sum(1 for state in self.states if state in (CLEAN, DIRTY))

    def retire(self, done_slot):
        """Minutes up to this slot are needed no more."""
        order = self.of(MINUTES)
        for block, after in zip(order, order[1:]):
            if self.slots[after] <= done_slot:
                self._drop(block, self.slots[block])

    # -- taking and giving back

    def spare(self, stream):
        """Free blocks that this stream may still take; the others are kept for those that need them more."""
        return self.free() - (0, 0, 0, 2, 3 + self.minutes_most)[stream]

    def open(self, stream, slot, fill=None):
        """Put a free block to use as the stream's head. fill(head) writes what must be in it at once."""
        if self.spare(stream) <= 0 or stream == MINUTES and len(self.of(MINUTES)) >= self.minutes_most:
            raise StoreFull("no room")
        head = self._take(stream, slot)
        if fill:
            fill(head)
        old = self.heads.get(stream)
        self.heads[stream] = head
        self.save_root()
        if stream == LASTING:
            head.put_to_use(True)
            if old:
                self.clean(old.block)

    def _take(self, stream, slot):
        while True:
            block = self._pick(stream == SIGHTINGS)
            self.seq += 1
            head = Head(self.blocks, stream, block, self.seq, slot)
            if self._ready(block) and self._use(head):
                return head

    def _pick(self, most):
        # The least worn free block, of several the last that was clean or used; for sightings, which stay for long, the
        # most worn, of several the first. One look at each: there is not always room in memory for a list of them.
        self.index()
        best = None
        for block, state in enumerate(self.states):
            if state not in (CLEAN, DIRTY):
                continue
            rank = self.erases[block], state == CLEAN, -self.seqs[block], -block
            if best is None or (rank > best if most else rank < best):
                best = rank
        if best is None:
            raise StoreFull("no room")
        return -best[3]

    def _ready(self, block):
        # A clean block's mark is programmed again: the cut that ended its erase may have come in the middle of it.
        cold, self._cold = self._cold, False
        if self.states[block] == CLEAN and not cold:
            return self.blocks.put(block, 0, mark(self.erases[block]))
        return self.clean(block)

    def _use(self, head):
        block = head.block
        self.states[block] = head.stream
        self.seqs[block] = head.seq
        self.slots[block] = head.slot
        return head.put_to_use() or self._spoil(block)

    def _spoil(self, block):
        self.blocks.spoil(block)
        self.states[block] = BAD
        return False

    def clean(self, block):
        """Erase a block that is not needed; False if it is bad."""
        self.index()
        self.erases[block] += 1
        self.states[block] = CLEAN
        return self.blocks.clean(block, self.erases[block]) or self._spoil(block)

    # -- the root

    def save_root(self):
        """Write down which blocks are the heads."""
        numbers = []
        for stream in _STREAMS:
            head = self.heads.get(stream)
            numbers += (head.block, head.seq) if head else (_NOBODY, 0)
        entry = struct.pack(_ENTRY, *numbers) + bytes(CELL_BYTES - 4 - _ENTRY_BYTES)
        root = self._root
        if not (root and root.end < self._root_end and root.write(_ROOT_KIND, 0, entry)):
            self._turn(entry)

    def _turn(self, entry):
        # The other block becomes the root. If it is bad there is none any more, and every mount reads all headers.
        self.index()
        old = self._root.block if self._root else 0
        self._root_seq += 1
        root = Head(self.blocks, ROOT, 1 - old, self._root_seq)
        good = self.states[1 - old] != BAD and self.clean(1 - old) and self._use(root)
        self._root = root if good and root.write(_ROOT_KIND, 0, entry) and root.put_to_use(True) else None
        if self.states[old] != BAD:
            self.blocks.kill(old)
