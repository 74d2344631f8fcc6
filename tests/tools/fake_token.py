"""Owns a token made of Python, and the bleak client and scanner through which a kiosk meets it. Uses emask's codecs.

It checks the kiosk as the firmware does, by the library's own means, and takes a list's blocks as they come.
"""

import secrets
from types import SimpleNamespace

from emask import frames, handshake, keylist, manifest, messages, signed, spec
from emask_crypto import ed25519, hpke, x25519
from tools import signing, wire


class FakeToken:
    """Answers as the firmware does.

    `faults`: "mute", "bad_frame", "spoil" (one block), "flood", "far_offset", "other_key", "junk_status",
    "junk_upload", "unasked", "slow" (answers no ASK) or none.
    """

    def __init__(self, root, scheme=1, key=bytes(range(32)), serial=0, faults=(), mtu=23, agrees=True):
        self.root, self.scheme, self.serial, self.agrees = root, scheme, serial, agrees
        self.faults, self.mtu_size = set(faults), mtu
        self.file = bytearray()
        self.upload = [keylist.pack_record(key, 1000, 0, 90)]
        self.heard, self.times, self.shelf, self.notify = [], [], True, None
        self.nudges = self.grade = 0
        self.status = {}  # fields that differ from a usual token's
        self._joiner, self._sequence = frames.Joiner(512), 0
        self._once, self._enc = self._drawn()

    def connected(self):
        """A new visit: frames are counted anew."""
        self._joiner, self._sequence = frames.Joiner(512), 0

    def _drawn(self):
        secret = secrets.token_bytes(32)
        return secret, x25519.public(secret)

    def write(self, frame):
        if len(frame) == 2 and frame[1] == 4:
            self.nudges += 1  # asks for no frame of the last answer
            return
        message = self._joiner.feed(frame)
        if message is None or "mute" in self.faults:
            return
        self.heard.append(message[0])
        if message[0] == spec.ASK and "slow" in self.faults:
            return
        for kind, body in self._answer(*message):
            self._send(kind, body)

    def _send(self, kind, body):
        for frame in frames.split(kind, body, self.mtu_size - 3, self._sequence):
            self._sequence += 1
            self.notify(None, bytearray(b"\xff\xff\xff" if "bad_frame" in self.faults else frame))

    def _answer(self, kind, body):
        if kind == spec.HELLO:
            self._nonce = handshake.commitment(self._enc)
            return [(spec.NONCE, self._nonce)] * (40 if "flood" in self.faults else 1)
        if kind == spec.SESSION:
            return [self._session(body)]
        if kind == spec.ASK:
            return [(spec.UPLOAD, self._ask(body))]
        if kind == spec.LIST_OFFER:
            return [self._want()]
        if kind == spec.LIST_DATA:
            return self._data(*messages.unpack_list_data(body))
        return [(spec.OK, b"")]

    def _session(self, body):
        vouched, ephemeral, utc_s, _, _, signature = handshake.unpack_proof(body)
        found = signing.check_certificate(vouched, self.root, spec.KIOSK_KEY)
        proof = signed.message(
            spec.SESSION_PROOF, found.region, found.serial, handshake.proof_digest(self._nonce, body)
        )
        if not ed25519.verify(found.key, proof, signature):
            return spec.REFUSED, bytes((spec.REFUSED_NOT_TRUSTED,))
        self.times.append(utc_s)
        self._seal_key = found.seal_key
        if "other_key" in self.faults:
            self._once, self._enc = self._drawn()
        shared = hpke.agree(self._once, self._enc, ephemeral)
        opening, secret = handshake.transcript(self._nonce, body), secrets.token_bytes(32)
        self.whole = handshake.shown(opening, self._enc)
        self._keys = handshake.Keys(self.whole, secret)
        state = spec.STATE_SHELF if self.shelf else spec.STATE_TIME_KNOWN
        usual = dict(zip(wire.STATUS_FIELDS, (2, 1, state, 3900, self.serial, 0, 0, 4, 32, 0, 1, 0)))
        status = handshake.pack_status(tuple({**usual, **self.status}.values()), secret)
        info = b"other" if "junk_status" in self.faults else handshake.STATUS_INFO + opening
        return spec.STATUS, hpke.seal(shared, self._enc, info, status)

    def _ask(self, body):
        flags, self.days, self.field = self._keys.unpack_ask(body)
        self.asked = flags
        self.shelf = self.shelf and not flags & spec.ASK_HANDOVER
        result = spec.UPLOAD_GIVEN if "unasked" in self.faults else spec.UPLOAD_NOT_ASKED
        if flags & (spec.ASK_UPLOAD | spec.ASK_F1):
            result = spec.UPLOAD_GIVEN if self.agrees else spec.UPLOAD_NOT_AGREED
        if flags & spec.ASK_WIPE:
            result = spec.UPLOAD_WIPED if self.agrees else spec.UPLOAD_NOT_AGREED
        how = spec.BY_PROXY if flags & spec.ASK_PROXY else flags & spec.ASK_F1
        claim = bytes(spec.CLAIM_BYTES if how == spec.OF_F1 else 0)
        text = handshake.pack_upload(self.scheme, self.upload if result == spec.UPLOAD_GIVEN else [], how, claim)
        once, enc = self._drawn()
        shared = hpke.agree(once, enc, self._seal_key)
        blob = hpke.seal(shared, enc, handshake.upload_info(self.whole, self.field), text)
        details = self.grade if flags & spec.ASK_DETAILS else 0
        reply = self._keys.pack_reply(result, blob, details)
        return bytes(len(reply)) if "junk_upload" in self.faults else reply

    def _want(self):
        offset = 10**7 if "far_offset" in self.faults else len(self.file)
        return spec.LIST_WANT, messages.pack(spec.LIST_WANT, offset)

    def _data(self, offset, data):
        if offset != len(self.file):
            return [self._want()]
        self.file += data
        end = manifest.unpack_lead(self.file)[1] if len(self.file) >= 152 else spec.BLOCK_BYTES
        if len(self.file) == end:
            self.file += bytes(spec.BLOCK_BYTES - end)
        elif len(self.file) % spec.BLOCK_BYTES:
            return []
        if "spoil" in self.faults and len(self.file) > spec.BLOCK_BYTES:
            self.faults.discard("spoil")
            del self.file[-spec.BLOCK_BYTES :]
            return [self._want()]
        header = manifest.unpack(manifest.block(self.file)[1])
        if len(self.file) < spec.BLOCK_BYTES * (1 + header.chunks):
            return [self._want()]
        self.serial = header.serial
        return [(spec.LIST_ACK, messages.pack(spec.LIST_ACK, spec.LIST_OK))]


class FakeClient:
    """bleak.BleakClient as far as the kiosk uses it."""

    def __init__(self, device, timeout=10.0):
        self.token = device.token if hasattr(device, "token") else device
        self.mtu_size = self.token.mtu_size

    async def __aenter__(self):
        return self

    async def __aexit__(self, *problem):
        self.token.notify = None

    @property
    def services(self):
        rx = SimpleNamespace(properties=["write"], max_write_without_response_size=20)
        return SimpleNamespace(get_characteristic=lambda uuid: rx)

    async def start_notify(self, characteristic, callback):
        assert characteristic == spec.TX_UUID
        self.token.notify = callback

    async def write_gatt_char(self, characteristic, data, response=None):
        assert characteristic == spec.RX_UUID and response is True
        assert len(data) <= self.mtu_size - 3
        self.token.write(bytes(data))


def scanner_of(devices):
    """A scanner class that reports each of `devices` (address -> token) whenever it is started."""

    class FakeScanner:
        def __init__(self, detection_callback, service_uuids):
            self._callback, self._uuids = detection_callback, service_uuids

        async def __aenter__(self):
            for address, token in devices.items():
                advert = SimpleNamespace(service_uuids=[uuid.upper() for uuid in self._uuids[:1]])
                self._callback(SimpleNamespace(address=address, token=token), advert)
            return self

        async def __aexit__(self, *problem):
            return None

    return FakeScanner
