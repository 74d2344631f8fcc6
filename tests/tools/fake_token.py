"""Owns a token made of Python, and the bleak client and scanner through which a kiosk meets it. Uses emask's codecs."""

import hashlib
from types import SimpleNamespace

from emask import frames, keylist, messages, spec


class FakeToken:
    """Answers as the firmware does. `faults`: {"mute"}, {"bad_frame"}, {"hash"}, {"flood"}, {"far_offset"} or none."""

    def __init__(self, scheme_key=bytes(range(32)), serial=0, resume_at=0, faults=(), mtu=23):
        self.serial, self.faults, self.mtu_size = serial, set(faults), mtu
        self.file = bytearray(resume_at)
        self.upload = [keylist.pack_record(scheme_key, 1000, 0, 90)]
        self.heard, self.times, self.shelf, self.notify = [], [], True, None
        self._joiner, self._sequence = frames.Joiner(512), 0

    def write(self, frame):
        message = self._joiner.feed(frame)
        if message is None or "mute" in self.faults:
            return
        self.heard.append(message[0])
        for kind, body in self._answer(*message):
            self._send(kind, body)

    def _send(self, kind, body):
        for frame in frames.split(kind, body, self.mtu_size - 3, self._sequence):
            self._sequence += 1
            self.notify(None, bytearray(b"\xff\xff\xff" if "bad_frame" in self.faults else frame))

    def _answer(self, kind, body):
        if kind in (spec.HELLO, spec.HANDOVER):
            self.times.append(messages.unpack(kind, body)[1])
            self.shelf = self.shelf and kind == spec.HELLO
            return [(spec.STATUS, self._status())] * (40 if "flood" in self.faults else 1)
        if kind == spec.LIST_OFFER:
            offset = 10**6 if "far_offset" in self.faults else len(self.file)
            return [(spec.LIST_WANT, messages.pack(spec.LIST_WANT, offset))]
        if kind == spec.LIST_DATA:
            return self._data(*messages.unpack_list_data(body))
        if kind == spec.LIST_END:
            return [(spec.LIST_ACK, messages.pack(spec.LIST_ACK, self._end(messages.unpack(kind, body)[0])))]
        if kind == spec.UPLOAD_REQUEST:
            if self.upload is None:
                return [(spec.REFUSED, messages.pack(spec.REFUSED, 1))]
            return [(spec.UPLOAD, messages.pack_upload(self.upload))]
        return [(spec.OK, b"")]

    def _status(self):
        state = spec.STATE_SHELF if self.shelf else spec.STATE_TIME_KNOWN
        return messages.pack(spec.STATUS, 1, 1, state, 3900, self.serial, 0, 0, 5, 60, 0, 1, 0)

    def _data(self, offset, data):
        if offset != len(self.file):
            return [(spec.LIST_WANT, messages.pack(spec.LIST_WANT, len(self.file)))]
        self.file += data
        return []

    def _end(self, digest):
        if "hash" in self.faults or hashlib.sha256(self.file[:-32]).digest() != digest:
            return spec.LIST_BAD_HASH
        self.serial = keylist.unpack_header(self.file).serial
        return spec.LIST_OK


class FakeClient:
    """bleak.BleakClient as far as the kiosk uses it."""

    def __init__(self, device, timeout=10.0):
        self.token = device.token if hasattr(device, "token") else device
        self.mtu_size = self.token.mtu_size

    async def __aenter__(self):
        return self

    async def __aexit__(self, *problem):
        self.token.notify = None

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
                advert = SimpleNamespace(service_uuids=[uuid.upper() for uuid in self._uuids])
                self._callback(SimpleNamespace(address=address, token=token), advert)
            return self

        async def __aexit__(self, *problem):
            return None

    return FakeScanner
