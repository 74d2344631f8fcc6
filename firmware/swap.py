"""Owns the swap of a token for another (SPEC 4.5): what the old one gives, sealed, and what of it the new one takes.

Must not know frames, nor who may ask. Until the last page is in, the new one is a token that is being wiped.
"""

import struct
from hashlib import sha256

from micropython import const

from emask import clock, handshake, spec
from emask.parcel import Parcel
from emask.store import StoreError

_KEY, _TAKEN, _GIVEN = b"\1", b"\2", b"\3"  # what a SWAP record holds
_HOUR = const(4)  # store slots in which a receipt counts
_LEAD = "<BBI"  # of a record: kind, length, slot; of the end: 255, 0, segment
_LEAD_BYTES = const(6)
_END = const(255)
# By kind: bytes of a record that moves, or of each of its parts; 0: it does not. Never whom the token believes, nor
# what it has of lists: who can seal to it could invent that.
_UNITS = b"\x00\x20\x19\x30\x0f\x00\x00\x0a\x00\x00\x00\x10\x08\x01\x00\x5a"


class Swap:
    """One visit's part of it. device: Device; time: as Timekeeper.told; pair: both halves of an X25519 key."""

    def __init__(self, device, time, pair):
        self._device = device
        self._time = time
        self._own = pair
        self._parcel = None
        self._texts = ()
        self._text = b""

    async def ask(self, flags, field, whole, alive):
        """(result, what is told with it) of a step that the kiosk asks for. ValueError: a key of small order."""
        slot, kept = self._device.store.latest(spec.SWAP) or (0, b"")
        fresh = kept[1:] if self._device.slot() - slot <= _HOUR else b""
        if flags & spec.ASK_SWAP_GIVE:
            return await self._give(field, whole, alive, flags & spec.ASK_PROXY)
        if flags & spec.ASK_SWAP_DONE:
            if kept[:1] != _GIVEN or fresh != field:
                return spec.UPLOAD_NOT_AGREED, b""
            from wipe import wipe

            await wipe(self._device)
            return spec.UPLOAD_WIPED, b""
        if kept[:1] == _TAKEN and fresh:
            return spec.SWAP_TAKEN, fresh
        if not self._empty():
            return spec.UPLOAD_NOT_ASKED, b""
        if flags & spec.ASK_SWAP_KEY:
            self._keep(_KEY + self._own)
            return spec.SWAP_READY, self._own[32:]
        return self._take(kept, field)

    def move(self, page):
        """The replies to a MOVE. ValueError: it does not fit, and with that the swap is at its end."""
        parcel, self._parcel = self._parcel, None
        if not parcel:
            raise ValueError
        try:
            return self._page(parcel, page) if page else self._pages(parcel)
        except StoreError:  # no room, or no record
            raise ValueError

    def _keep(self, what):
        self._device.store.append(spec.SWAP, self._device.slot(), what)

    # -- the new token

    def _empty(self):
        state = self._device.state
        if not state.shelf or state.ended:
            return False
        for kind, unit in enumerate(_UNITS):
            if unit:
                for _ in self._device.store.read(kind):
                    return False
        return True

    def _take(self, kept, enc):
        if kept[:1] != _KEY:
            return spec.UPLOAD_NOT_ASKED, b""
        from emask_crypto import hpke

        self._parcel = Parcel(hpke.agree(kept[1:33], enc, kept[33:], enc))
        device = self._device
        device.state.wiping = True
        device.save_state()
        device.freeze()
        return spec.SWAP_READY, b""

    def _page(self, parcel, body):
        text = self._text + parcel.open(body)
        at = 0
        while at + _LEAD_BYTES <= len(text):
            kind, size, slot = struct.unpack_from(_LEAD, text, at)
            if kind == _END:
                return self._finish(parcel, slot)
            payload = text[at + _LEAD_BYTES : at + _LEAD_BYTES + size]
            if len(payload) < size:
                break
            at += _LEAD_BYTES + size
            unit = _UNITS[kind] if kind < len(_UNITS) else 0
            if not unit or size % unit:
                raise ValueError
            if size:
                self._device.store.append(kind, min(slot, self._time[2] // spec.SLOT_S), payload)
        self._text = text[at:]
        self._parcel = parcel
        return ()

    def _finish(self, parcel, segment):
        # The state that says so ends it: with a cut before that the token is empty.
        device = self._device
        state = device.state
        state.segment = segment + 1 & 0xFFFF
        device.clock = clock.SegmentClock(state.segment, self._time[1])
        device.list_info.doubt()
        device.timekeeper().told(*self._time)
        self._keep(_TAKEN + parcel.receipt())
        state.wiping = state.shelf = False
        device.recover()
        device.freeze()
        return [(spec.RECEIPT, parcel.receipt())]

    # -- the old token

    async def _give(self, public, whole, alive, proxy):
        device = self._device
        if device.state.shelf or device.list_waits:
            return spec.UPLOAD_NOT_ASKED, b""
        from emask_crypto import hpke

        enc = self._own[32:]
        shared = hpke.agree(self._own[:32], enc, public)
        from consent import Consent

        # The key is in the number: who agrees to another key sees another one.
        if not await Consent(device, alive, proxy).ask(handshake.number(sha256(whole + public).digest())):
            return spec.UPLOAD_NOT_AGREED, b""
        self._parcel = Parcel(shared)
        self._texts = self._all()
        return spec.SWAP_READY, enc

    def _all(self):
        # Texts for pages: all records that move, the sightings last; then the end.
        store = self._device.store
        merged = store.latest(spec.COMPACTED)
        text = b""
        for kind in range(len(_UNITS) - 1, 0, -1):
            if _UNITS[kind]:
                for slot, payload in store.read(kind, merged[0] + 1 if merged and kind == spec.HEARD else 0):
                    text += struct.pack(_LEAD, kind, len(payload), slot) + payload
                    if len(text) >= spec.SWAP_TEXT_BYTES:
                        yield text[: spec.SWAP_TEXT_BYTES]
                        text = text[spec.SWAP_TEXT_BYTES :]
        text += struct.pack(_LEAD, _END, 0, self._device.state.segment)
        for at in range(0, len(text), spec.SWAP_TEXT_BYTES):
            part = text[at : at + spec.SWAP_TEXT_BYTES]
            yield part + bytes(spec.SWAP_TEXT_BYTES - len(part))

    def _pages(self, parcel):
        found = []
        for text in self._texts:
            found.append((spec.PAGE, parcel.seal(text)))
            if len(found) == spec.SWAP_AT_ONCE:
                self._parcel = parcel
                return found
        self._keep(_GIVEN + parcel.receipt())
        return found + [(spec.OK, b"")]
