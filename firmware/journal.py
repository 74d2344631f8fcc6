"""Owns the way of what was heard into flash: minutes, then sightings at the slot's end, then their destruction.

Must not know the radio, nor how long anything is kept but for the number it is given.
"""

import gc

import choice

from emask import heard, sighting, spec
from emask.pool import StoreFull


class Journal:
    """Minutes and sightings of one token.

    store: an emask.store.Store, mounted. state: token state with open_slot (slot with minutes not yet merged, or -1),
    purged_day (UTC day of the last purge), dropped (adverts) and full (sightings were left out since that purge).
    days: how long sightings are kept.
    """

    def __init__(self, state, days):
        self._state = state
        self._days = days

    def write(self, store, slot, records):
        """Append the HEARD records of one minute, at least one; durable on return."""
        for record in records:
            self._keep(store, spec.HEARD, slot, record)
        self._state.open_slot = slot

    def due(self, slot):
        """True when minutes of a slot before this one wait to be merged."""
        return 0 <= self._state.open_slot < slot

    def close(self, store):
        """Merge the minutes of the open slot into one sighting per identifier."""
        self._merge(store, self._state.open_slot, ())
        self._state.open_slot = -1

    def recover(self, store, slot):
        """After a loss of power: merge what earlier lives left behind in slots before this one."""
        last = store.latest(spec.COMPACTED)
        first = last[0] + 1 if last else 0
        left = sorted({found for found, _record in store.read(spec.HEARD, first)})
        for found in left:
            if found < slot:
                # The cut may have come in the middle of this very work: what is there already stays alone.
                self._merge(store, found, {bytes(record) for _slot, record in store.read(spec.SIGHTING, found, found)})
        self._state.open_slot = slot if slot in left else -1

    def _merge(self, store, slot, there):
        gc.collect()  # a crowd's slot needs room in one piece
        kept = self._choose(store, slot)
        for part in range(kept.parts):
            for record in heard.compact(self._minutes(store, slot, kept, part)):
                if record not in there:
                    self._keep(store, spec.SIGHTING, slot, record)
        store.append(spec.COMPACTED, slot, b"")

    def _choose(self, store, slot):
        kept = choice.Choice()
        for _slot, record in store.read(spec.HEARD, slot, slot):
            fields = sighting.unpack_minute(record)
            if fields:
                kept.add(fields[1], fields[5])
        left, whole, oldest_slot = store.room()
        kept.limit(choice.slot_most(left, whole, oldest_slot or slot, slot, self._days))
        return kept

    def _minutes(self, store, slot, kept, part):
        for _slot, record in store.read(spec.HEARD, slot, slot):
            fields = sighting.unpack_minute(record)
            if not fields:
                continue
            if kept.keeps(fields[1], part):
                yield record
            elif part == 0 and not kept.keeps(fields[1]):
                self._leave_out(fields[4])

    def _keep(self, store, kind, slot, record):
        try:
            store.append(kind, slot, record)
        except StoreFull:
            self._leave_out(1)

    def _leave_out(self, adverts):
        self._state.dropped += adverts
        self._state.full = True

    def purge(self, store, today, key_days):
        """Destroy some of what is older than its retention. today: UTC day, certain. True if that was the last."""
        if not store.purge(today, self._days, key_days):
            return False
        self._state.purged_day = today
        self._state.full = False
        return True
