# Owns the first flash store: three circular logs on one block device (SPEC 3.4). Must not know what records mean,
# but for which kinds live in which log, and which must live on.
import struct

from micropython import const

from emask import spec
from emask.flashlog import LOST, MAX_PAYLOAD, Device, Log, StoreError

_LAST_SLOT = const(0xFFFFFFFF)
_RETENTION_SLOTS = const(2016)  # keys and anchors older than 21 days are not carried over
_STATES = (spec.KEY, spec.ANCHOR, spec.STATE, spec.ALERT, spec.LISTINFO, spec.TRUST, spec.REVOKED)
_JOURNAL = (spec.HEARD, spec.COMPACTED)
_DAILY = (spec.SIGHTING, spec.HEARD)


class LogStore:
    """Records of up to 120 bytes by kind and 15-minute slot, on a device of the extended block protocol.

    Three logs: sightings; the journal of minutes; and the few records that must live on (keys, anchors, state), which
    are carried over when their block's turn to be erased comes. `append` returns when the record is durable.
    Damaged records are skipped and counted in `damaged`. StoreError only for a dead device or a record too long.
    """

    def __init__(self, block_device, block_bytes=4096):
        self._device = device = Device(block_device, block_bytes)
        self.blocks = device.blocks
        if self.blocks < 6:
            raise StoreError("store needs 6 blocks")
        small = max(2, self.blocks // 30)
        journal = max(2, self.blocks // 15)
        self._states = Log(device, 1, 0, small, self._carry)
        self._journal = Log(device, 2, small, journal)
        self._sightings = Log(device, 3, small + journal, self.blocks - small - journal)
        self._logs = (self._states, self._journal, self._sightings)

    @property
    def damaged(self):
        """Damaged records met since the start, each time they were met."""
        return self._device.damaged

    @property
    def free_blocks(self):
        """Blocks for sightings that were never used since they were blank."""
        return self._sightings.count - self._sightings.used

    @property
    def overwritten(self):
        """Blocks of sightings that gave way to newer ones before their time, since mount."""
        return self._sightings.erased

    @property
    def hint(self):
        """15 bytes for memory that outlives sleep: with them the next mount reads little."""
        hint = b""
        for log in self._logs:
            hint += struct.pack("<HHB", log.block, log.end, log.seq & 0xFF)
        return hint

    def mount(self, hint=None):
        """Find the ends of the logs; True if `hint` sufficed. Any hint is safe: it is checked against the flash."""
        fits = hint is not None and len(hint) == 15
        quick = True
        for at, log in enumerate(self._logs):
            quick = log.mount(struct.unpack_from("<HHB", hint, 5 * at) if fits else None) and quick
        return quick

    def _log(self, kind):
        if kind in _STATES:
            return self._states
        return self._journal if kind in _JOURNAL else self._sightings

    def append(self, kind, slot, payload):
        """Store one record; durable on return."""
        if not 0 < kind < 0xFF or len(payload) > MAX_PAYLOAD:
            raise StoreError("record does not fit")
        self._log(kind).append(kind, slot, payload)

    def scan(self, kind, first_slot=0, last_slot=_LAST_SLOT):
        """Yield (position, slot, payload) of the kind's records in these slots, oldest first; see `read_at`."""
        log = self._log(kind)
        for block in log.order(first_slot, last_slot):
            for offset, found, slot, payload in log.records(block):
                if found == kind and first_slot <= slot <= last_slot:
                    yield block * self._device.block_bytes + offset, slot, payload

    def read(self, kind, first_slot=0, last_slot=_LAST_SLOT):
        """Yield (slot, payload) of the kind's records in these slots, oldest first."""
        for _position, slot, payload in self.scan(kind, first_slot, last_slot):
            yield slot, payload

    def read_at(self, kind, position):
        """(slot, payload) of the record that `scan` found there, or None if it is there no more."""
        size = self._device.block_bytes
        found = self._log(kind).record_at(position // size, position % size)
        return found[1:] if found and found[0] == kind else None

    def latest(self, kind):
        """(slot, payload) of the kind's record of the highest slot, the last one written if several; or None."""
        best = None
        for slot, payload in self.read(kind):
            if best is None or slot >= best[0]:
                best = slot, payload
        return best

    def count(self, kind):
        """How many records of a kind can be read; reads the whole log."""
        return sum(1 for _ in self.scan(kind))

    def destroy(self, kinds, first_slot, last_slot):
        """Overwrite with zeros all records of these kinds in these slots; returns how many there were.

        Records already destroyed there are overwritten again: the power may have failed half-way.
        """
        done = 0
        for log in self._logs:
            for block in log.order(first_slot, last_slot):
                for offset, kind, slot, payload in log.records(block):
                    if first_slot <= slot <= last_slot and (kind in kinds or kind == LOST and any(payload)):
                        log.destroy(block, offset, len(payload))
                        done += 1
        return done

    def destroy_day(self, day):
        """Destroy all sightings and heard minutes of a UTC day (days since the epoch)."""
        first = day * spec.SLOTS_PER_DAY
        return self.destroy(_DAILY, first, first + spec.SLOTS_PER_DAY - 1)

    def _carry(self, log):
        # Entering a block: what must outlive the next block is written again, before that one's turn comes.
        # After a cut of power this runs again, and what is here already is left alone.
        doomed = log.next(log.block)
        if log.header(doomed) is None:
            return
        here = {(kind, slot, payload) for _at, kind, slot, payload in log.records(log.block)}
        newest: dict = {}
        for block in log.order(0, 0):
            for _at, kind, slot, payload in log.records(block):
                if kind not in newest or slot >= newest[kind][0]:
                    newest[kind] = slot, payload
        limit = max([found[0] for found in newest.values()]) - _RETENTION_SLOTS if newest else 0
        for _at, kind, slot, payload in log.records(doomed):
            keep = slot >= limit if kind in (spec.KEY, spec.ANCHOR) else newest.get(kind) == (slot, payload)
            if kind != LOST and keep and (kind, slot, payload) not in here and log.has_room(len(payload)):
                log.append(kind, slot, payload)
