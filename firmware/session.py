"""Owns what a token answers in a visit: message in, messages out. Must not know frames, radio or time-outs."""

import asyncio
import gc
from hashlib import sha256

import memory
from micropython import const

from emask import alert, handshake, messages, signed, spec

_START = const(0)
_GREETED = const(1)
_TRUSTED = const(2)
_ASKED = const(3)
_PUSHED = const(4)
# Modules that no later part of the visit needs: a list's check takes memory enough.
_CHECKING = ("emask_crypto.ed25519", "emask_crypto.sha512", "trust", "emask.certificate")
_AGREEING = ("emask_crypto.x25519", "status")
_SEALING = ("emask_crypto.hpke", "emask_crypto.chacha", "consent", "giving", "exempt", "wipe", "second", "emask.group")
_BLINKS = const(3)
_BLINK_MS = const(200)
_SWAP_MS = const(900000)


class Session:
    """One visit. device: Device, with the radio up (for entropy). ended: BYE came; alive() -> is the kiosk there.

    door: nobody pressed; lists are taken, and nothing else.
    """

    def __init__(self, device, door=False):
        self._device = device
        self.door = door
        self._stage = _PUSHED if door else _START
        self._offers = spec.PUSHED_OFFERS
        self._asked_back = False
        self.ended = False
        self.more_ms = 0  # that a swap may take longer than another visit
        self._swap = None
        self.alive = lambda: True
        self.after = None  # to be done once the answer is on its way

    def prepare(self):
        """Draw the secrets of this visit and compute what needs no kiosk; the radio must run. Takes its time."""
        gc.collect()
        from emask_crypto import x25519

        device = self._device
        self._secrets = [device.state.draw(device.board.entropy, 32) for _ in range(3)]
        device.save_state()  # the pool first: never the same draw twice
        self._kiosk_enc, self._authority_enc = [x25519.public(secret) for secret in self._secrets[:2]]
        self._agree(device.trust.seal_key)  # most likely the next kiosk's too
        gc.collect()
        self._nonce = handshake.commitment(self._kiosk_enc)
        memory.put_away(_AGREEING + _SEALING)

    def _agree(self, seal_key):
        # With the authority, whose key the kiosk's certificate says.
        from emask_crypto import hpke

        self._seal_key, self._shared = seal_key, None
        if any(seal_key):
            self._shared = hpke.agree(self._secrets[1], self._authority_enc, seal_key)

    async def answer(self, kind, body, received_ms):
        """The replies to one message that came at tick received_ms: a list of (type, body)."""
        try:
            if kind == spec.BYE:
                return self._bye(messages.unpack(kind, body))
            if self._stage == _PUSHED or kind == spec.LIST_OFFER and self._stage == _START:
                return self._pushed(kind, body)
            if kind == spec.BLINK:
                return await self._blink(messages.unpack(kind, body))
            if kind == spec.HELLO:
                return self._hello(*messages.unpack(kind, body))
            if kind == spec.SESSION and self._stage == _GREETED:
                return await self._session(body, received_ms)
            if kind == spec.ROOT and self._stage == _GREETED:
                return self._new_root(body)
            if self._stage < _TRUSTED:
                return self._refuse(spec.REFUSED_NOT_NOW)
            if kind == spec.ASK:
                return await self._ask(body)
            if self._swap and kind == spec.MOVE:
                await asyncio.sleep_ms(0)  # pages come one upon another: others have their turn
                return self._swap.move(body)
            if self._device.state.shelf:
                return self._refuse(spec.REFUSED_NOT_NOW)
            return self._list(kind, body)
        except signed.SignedError:
            return self._refuse(spec.REFUSED_NOT_TRUSTED)
        except ValueError:  # a body that is none, or does not fit
            return self._refuse(spec.REFUSED_MALFORMED)

    def _refuse(self, reason):
        return [(spec.REFUSED, messages.pack(spec.REFUSED, reason))]

    def _bye(self, _fields):
        self.ended = True
        return [(spec.OK, b"")]

    async def _blink(self, _fields):
        # So that the wearer sees which token is connected. Nothing is told, and so nobody need be trusted.
        for _ in range(_BLINKS):
            self._device.board.led(True)
            await asyncio.sleep_ms(_BLINK_MS)
            self._device.board.led(False)
            await asyncio.sleep_ms(_BLINK_MS)
        return [(spec.OK, b"")]

    def _hello(self, protocol):
        if self._stage != _START:
            return self._refuse(spec.REFUSED_NOT_NOW)
        if protocol != spec.PROTOCOL_VERSION:
            return self._refuse(spec.REFUSED_PROTOCOL)
        self._stage = _GREETED
        return [(spec.NONCE, self._nonce)]

    # -- who the kiosk is

    def _new_root(self, body):
        self._stage = _START  # one that is not the recovery key's ends the visit
        self._device.trust.change_root(body)
        self._stage = _GREETED
        return [(spec.OK, b"")]

    async def _session(self, body, received_ms):
        self._stage = _START  # one try
        vouched, ephemeral, utc_s, utc_ms, uncertainty_s, signature = handshake.unpack_proof(body)
        device = self._device
        self._certificate = found = device.trust.certificate(vouched, spec.KIOSK_KEY)
        if not found.since_s <= utc_s <= found.until_s or device.known_s() > found.until_s:
            raise signed.SignedError("certificate is not valid now")
        await asyncio.sleep_ms(0)
        gc.collect()  # here and before other heavy steps: what lies scattered breaks the heap into pieces
        digest = handshake.proof_digest(self._nonce, body)
        signed.check_digest(signed.Head(spec.SESSION_PROOF, found.region, found.serial), digest, signature, found.key)
        device.let_go()
        memory.put_away(_CHECKING)
        await asyncio.sleep_ms(0)
        from emask_crypto import hpke

        try:
            shared = hpke.agree(self._secrets[0], self._kiosk_enc, ephemeral)
        except ValueError:
            raise signed.SignedError("ephemeral key of small order")
        gc.collect()
        opening = handshake.transcript(self._nonce, body)
        self._whole = handshake.shown(opening, self._kiosk_enc)
        self._keys = handshake.Keys(self._whole, self._secrets[2])
        self._time = sha256(found.key).digest()[:4], received_ms, utc_s, utc_ms, uncertainty_s
        if not device.state.shelf:
            self._take_time()
        self._stage = _TRUSTED
        import status

        info = handshake.STATUS_INFO + opening
        text = handshake.pack_status(status.fields(device), self._secrets[2])
        return [(spec.STATUS, hpke.seal(shared, self._kiosk_enc, info, text))]

    def _take_time(self):
        self._device.timekeeper().told(*self._time)

    # -- what the kiosk asks for

    async def _ask(self, body):
        if self._stage != _TRUSTED:
            return self._refuse(spec.REFUSED_NOT_NOW)
        asked = self._keys.unpack_ask(body)
        if asked is None:
            return self._refuse(spec.REFUSED_NOT_TRUSTED)
        self._stage = _ASKED
        flags, days, field = asked
        gc.collect()
        details = 0
        if flags >> 8:
            import exempt

            details = exempt.obey(self._device, self._certificate, flags, field)
        self._obey(flags)
        if flags & spec.ASK_SWAP and self._certificate.kind == spec.PROXY_KIOSK_KEY:
            from swap import Swap

            # Its key is the one that would have sealed an upload.
            self._swap = Swap(self._device, self._time, self._secrets[1] + self._authority_enc)
            result, told = await self._swap.ask(flags, field, self._whole, self.alive)
            self.more_ms = _SWAP_MS
            blob = told + bytes(spec.UPLOAD_BLOB_BYTES - len(told))
        else:
            result, blob = await self._give(flags, days, field)
        gc.collect()
        reply = self._keys.pack_reply(result, blob, details)
        del self._keys, self._secrets, self._shared  # they serve once
        memory.put_away(_AGREEING + _SEALING)
        return [(spec.UPLOAD, reply)]

    async def _give(self, flags, days, field):
        # The same work and the same bytes whether there is anything to give or not.
        from emask_crypto import hpke

        if self._seal_key != self._certificate.seal_key:
            self._agree(self._certificate.seal_key)
        memory.put_away(_AGREEING)
        await asyncio.sleep_ms(0)
        gc.collect()
        from giving import give

        result, how, records, claim = await give(self._device, self._certificate, self.alive, self._whole, flags, days)
        text = handshake.pack_upload(self._device.identity.scheme.NUMBER, records, how, claim)
        return result, hpke.seal(self._shared, self._authority_enc, handshake.upload_info(self._whole, field), text)

    def _obey(self, flags):
        device = self._device
        if flags & spec.ASK_HANDOVER and device.state.shelf and not device.state.ended:
            self._take_time()
            device.set_shelf(False)
        if flags & spec.ASK_ACK_ALERT and device.alert:
            device.set_alert(alert.flagged(device.alert, alert.ACKNOWLEDGED))
        if flags & spec.ASK_SHELF:
            device.set_shelf(True)

    # -- lists

    def _pushed(self, kind, body):
        # From anyone: a list is believed for its signatures. At the door what one may ask is bounded.
        self._stage = _PUSHED
        self._offers -= self.door and kind == spec.LIST_OFFER
        if self._device.state.shelf or self._offers < 0 or kind not in (spec.LIST_OFFER, spec.LIST_DATA):
            return self._refuse(spec.REFUSED_NOT_NOW)
        return self._list(kind, body)

    def _list(self, kind, body):
        lists = self._device.lists
        if kind == spec.LIST_OFFER:
            self._asked_back = False
            refused = lists.offer(messages.unpack(kind, body)[0], self.door)
            return self._want() if refused is None else self._list_ack(refused)
        if kind == spec.LIST_DATA:
            return self._data(lists.data(*messages.unpack_list_data(body)))
        return self._refuse(spec.REFUSED_MALFORMED)

    def _data(self, result):
        if result == spec.LIST_OUT_OF_ORDER:
            if self._asked_back:
                return ()  # what was on its way already
            self._asked_back = True
            return self._want()
        self._asked_back = False
        if result is None:
            return ()
        if result < 0:  # lists.WANT
            return self._want()
        if result == spec.LIST_OK:
            self._device.list_waits = True
            if self._device.lists.header().kind == spec.F0_LIST:
                self._device.timekeeper().listed(self._device.list_info.issued)
        return self._list_ack(result)

    def _want(self):
        self.after = self._device.lists.ready
        return [(spec.LIST_WANT, messages.pack(spec.LIST_WANT, self._device.lists.offset))]

    def _list_ack(self, result):
        return [(spec.LIST_ACK, messages.pack(spec.LIST_ACK, result))]
