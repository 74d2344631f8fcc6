"""Owns the token's own keys: which one serves, the advert of a slot, what an upload gives. Must not know the radio.

No key is drawn here but with entropy that is passed in, and none is used before its record is durable.
"""

from emask import keys, scheme, spec


class Identity:
    """Own keys of one scheme. state: State, for its pool. slot numbers are the scheme's."""

    def __init__(self, state, which, tx_dbm):
        self._state = state
        self._tx_dbm = tx_dbm
        self.scheme = scheme.get(which)
        self.forget()

    def forget(self):
        """No key: a fresh one comes with the next running radio."""
        self._own = None
        self._next = None
        self._advert_slot = -1
        self._advert = b""

    def renew(self, store, clock, slot, store_slot, entropy):
        """Make sure that a key serves this slot; the radio must run. Returns True if one was drawn."""
        self._take_over(slot)
        if self._own and not self._own.needs_new(slot, clock.segment, clock.anchored):
            return False
        self._own = self._draw(store(), clock, slot, store_slot, entropy)
        self._next = None
        self._advert_slot = -1
        return True

    def _take_over(self, slot):
        if self._next and slot >= self._next.first_slot:
            self._own = self._next
            self._next = None
            self._advert_slot = -1

    def _draw(self, store, clock, slot, store_slot, entropy):
        secret = self._state.draw(entropy, 32)
        own = keys.new_key(self.scheme.NUMBER, secret, slot, clock.segment, clock.offset_s, clock.anchored)
        self._state.save(store, store_slot)  # the pool first: never the same draw twice
        store.append(spec.KEY, store_slot, own.pack())
        return own

    def advert(self, slot, field):
        """The 31 bytes for this slot, built once in it but for the field. renew() first. None: no key serves it."""
        if self._advert_slot != slot:
            if not self._own or not self._own.first_slot <= slot <= self._own.last_slot:
                return None
            self._advert = self.scheme.build_advert(self._own.chain(slot), self._tx_dbm, 0)
            self._advert_slot = slot
        return self.scheme.with_window(self._advert, field)

    def publish(self, store, clock, anchors, now, since, entropy, whole=False):
        """The records (40 bytes each) of ended slots from `since` on, after a fresh key for the next slot is durable.

        now: (scheme slot, store slot). A record ends where the fresh key takes over; the last slots within the
        tolerance are left out. whole: as in keys.records.
        """
        slot, store_slot = now
        self._next = self._draw(store, clock, slot + 1, store_slot, entropy)
        own = [keys.unpack(record) for _slot, record in store.read(spec.KEY)]
        own = [key for key in own if key and key.scheme.NUMBER == self.scheme.NUMBER]
        length_s = self.scheme.SLOT_S
        until = slot + spec.TOLERANCE_SLOTS * spec.SLOT_S // -length_s
        return keys.records(own, anchors, until, since, whole)

    def pack(self):
        """Three byte strings for RTC memory: the key, the next one, slot and advert; empty ones for none."""
        advert = self._advert_slot.to_bytes(4, "little") + self._advert if self._advert_slot >= 0 else b""
        return (
            self._own.pack() if self._own else b"",
            self._next.pack() if self._next else b"",
            advert,
        )

    def unpack(self, own, after, advert):
        """Take back what pack() gave."""
        self._own = keys.unpack(own)
        self._next = keys.unpack(after)
        if self._own and len(advert) == 4 + spec.ADVERT_BYTES:
            self._advert_slot = int.from_bytes(advert[:4], "little")
            self._advert = advert[4:]
