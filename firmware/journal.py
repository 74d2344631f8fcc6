"""Owns the way of what was heard into flash: minutes, then sightings at the slot's end, then their destruction.

Must not know the radio, nor how long anything is kept but for the number it is given.
"""

from micropython import const

from emask import heard, spec

_DATED_SLOT = const(1000000)  # 1998: slots below were counted by a token that had never been told the time


class Journal:
    """Minutes and sightings of one token.

    store: an emask.store.LogStore, mounted. state: token state with open_slot (slot with minutes not yet merged, or -1)
    and purged_day (UTC day of the last purge).
    """

    def __init__(self, state):
        self._state = state

    def write(self, store, slot, records):
        """Append the HEARD records of one minute, at least one; durable on return."""
        for record in records:
            store.append(spec.HEARD, slot, record)
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
        minutes = (record for _slot, record in store.read(spec.HEARD, slot, slot))
        sightings = [record for record in heard.compact(minutes) if record not in there]
        for record in sightings:
            store.append(spec.SIGHTING, slot, record)
        store.append(spec.COMPACTED, slot, b"")

    def purge(self, store, today, retention_days, key_days):
        """Once a day: destroy what is older than its retention. today: UTC day, certain. True if it was done."""
        if today <= self._state.purged_day:
            return False
        for kinds, days in (((spec.SIGHTING, spec.HEARD), retention_days), ((spec.KEY,), key_days)):
            store.destroy(kinds, _DATED_SLOT, (today - days) * spec.SLOTS_PER_DAY - 1)
        self._state.purged_day = today
        return True
