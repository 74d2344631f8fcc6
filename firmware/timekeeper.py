"""Owns the judgement of a time that is told: believed, kept until another agrees, or passed over (SPEC 1.3).

Must not know sessions or radio. Loaded when a time comes, or a list.
"""

import struct

from micropython import const

from emask import clock, spec

_CLAIM = "<4sHIIH"  # source, segment, second of it, UTC s, uncertainty s
_CLAIM_BYTES = const(16)
_SOURCE_BYTES = const(4)
_LEAST_S = const(2)  # nobody is surer than that
_MOST_S = const(60)  # who is less sure is no help
_DAY_S = const(86400)  # lists are issued daily; and the flash keeps 25 anchors, so that a day needs one and no more
_NOTE_MS = const(60000)


class Timekeeper:
    """device: Device. A source is 4 bytes that tell one kiosk's key from another's."""

    def __init__(self, device):
        self._device = device
        self._ppm = device.board.CLOCK_ERROR_PPM
        found = device.store.latest(spec.CLAIMS)
        record = found[1] if found else bytes(_SOURCE_BYTES)
        self._taken = bytes(record[:_SOURCE_BYTES])  # who set the time that is believed
        places = range(_SOURCE_BYTES, len(record) - _CLAIM_BYTES + 1, _CLAIM_BYTES)
        self._claims = [struct.unpack_from(_CLAIM, record, at) for at in places]  # one a source, the newest first

    def told(self, source, at_ms, utc_s, utc_ms, unsure_s):
        """A certified kiosk signed that it was this time at tick at_ms."""
        own = self._device.clock
        unsure_s = max(_LEAST_S, unsure_s)
        if unsure_s > _MOST_S or utc_s + unsure_s < self._device.list_info.issued:
            return
        others = [claim for claim in self._claims if claim[0] != source]
        tick_s = own.tick_s(at_ms)
        if own.anchored and self._fits(source, at_ms, utc_s * 1000 + utc_ms, unsure_s * 1000):
            self._claims = others
            if source == self._taken:  # alone it may put the clock right, but not make doubt smaller
                unsure_s = max(unsure_s, own.unsure_s)
            self._take(source, at_ms, utc_s, utc_ms, unsure_s, 0)
        elif self._first() or self._agreeing(others, tick_s, utc_s, unsure_s):
            self._take(source, at_ms, utc_s, utc_ms, unsure_s, clock.FROM_ANEW)
        else:
            self._claims = [(source, own.segment, tick_s, utc_s, unsure_s)] + others[:2]
        self._save()

    def listed(self, issued_s):
        """A newer list is whole: a time within the day after its issue is right, if the own clock can't be."""
        own = self._device.clock
        now_ms = self._device.board.clock_ms()
        if own.anchored and issued_s * 1000 <= own.own_ms(now_ms) + own.doubt_ms(now_ms, self._ppm):
            return
        found = self._agreeing(self._claims, own.tick_s(now_ms), issued_s + _DAY_S // 2, _DAY_S // 2)
        if found:
            source, utc_s, unsure_s = found
            self._take(source, now_ms, utc_s, 0, max(unsure_s, utc_s - issued_s), clock.FROM_ANEW)
            self._save()

    def _first(self):
        # The first time of its life, or of a segment that a swap began: nothing hangs on it yet.
        return self._device.state.wiping or self._device.store.latest(spec.ANCHOR) is None

    def _fits(self, source, at_ms, told_ms, unsure_ms):
        own = self._device.clock
        doubt_ms = own.doubt_ms(at_ms, self._ppm) + unsure_ms
        if source == self._taken:  # it can't use up again what doubt there was: a clock is not led away in small steps
            doubt_ms += min(0, unsure_ms - own.unsure_s * 1000)
        return abs(told_ms - own.own_ms(at_ms)) <= doubt_ms

    def _agreeing(self, claims, tick_s, utc_s, unsure_s):
        # (source, UTC s now, uncertainty s) of the newest claim that may be the same time.
        for source, segment, told_s, then_s, their_s in claims:
            passed_s = tick_s - told_s
            apart_s = abs(then_s + passed_s - utc_s) - passed_s * self._ppm // 1000000
            if segment == self._device.clock.segment and apart_s <= unsure_s + their_s:
                return source, then_s + passed_s, their_s
        return None

    def _take(self, source, at_ms, utc_s, utc_ms, unsure_s, jump):
        device = self._device
        own = device.clock
        was_dated, before_ms = own.anchored, own.own_ms(at_ms)
        anchor = own.confirm(at_ms, utc_s, utc_ms, unsure_s, jump)
        if jump or self._noteworthy(own.tick_s(at_ms), own.own_ms(at_ms) - before_ms):
            device.store.append(spec.ANCHOR, device.slot(), anchor)
        device.rendezvous.confirmed(at_ms)
        if jump:
            self._claims = []
            device.identity.forget()  # its key was for other slots
            if was_dated:
                device.list_info.doubt()
        self._taken = source
        device.power.kick()

    def _noteworthy(self, tick_s, moved_ms):
        found = self._device.store.latest(spec.ANCHOR)  # none after a wipe
        last_s = clock.unpack_anchor(found[1])[1] if found else -_DAY_S
        return tick_s - last_s >= _DAY_S or abs(moved_ms) >= _NOTE_MS

    def _save(self):
        store = self._device.store
        record = self._taken + b"".join([struct.pack(_CLAIM, *claim) for claim in self._claims])
        found = store.latest(spec.CLAIMS)
        if not found or found[1] != record:
            store.append(spec.CLAIMS, self._device.slot(), record)
