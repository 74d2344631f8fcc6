"""Owns what a token answers in a visit: message in, messages out. Must not know frames, radio or time-outs."""

import settings
from micropython import const

from emask import alert, messages, spec

_MALFORMED = const(1)  # reasons of REFUSED (docs/SPEC)
_NOT_NOW = const(2)
_PROTOCOL = const(3)
_NOTHING = const(4)
_RECORDS_MAX = const(12)


class Session:
    """One visit. device: Device, with the radio up (for entropy). ended is set by BYE."""

    def __init__(self, device):
        self._device = device
        self._greeted = False
        self._asked_back = False
        self.ended = False

    def answer(self, kind, body):
        """The replies to one message: a list of (type, body)."""
        try:
            if kind in (spec.HELLO, spec.HANDOVER):
                return self._greet(kind, messages.unpack(kind, body))
            if not self._greeted or self._device.state.shelf and kind != spec.BYE:
                return self._refuse(_NOT_NOW)
            return self._serve(kind, body)
        except messages.MessageError:
            return self._refuse(_MALFORMED)

    def _serve(self, kind, body):
        if kind == spec.LIST_DATA:
            return self._data(*messages.unpack_list_data(body))
        fields = messages.unpack(kind, body)
        if kind == spec.LIST_OFFER:
            return self._offer(fields[0])
        if kind == spec.LIST_END:
            return self._end(fields[0])
        if kind == spec.UPLOAD_REQUEST:
            return self._upload(fields[0])
        if kind == spec.STATUS_REQUEST:
            return [self._status()]
        return self._simple(kind)

    def _simple(self, kind):
        device = self._device
        if kind == spec.BYE:
            self.ended = True
        elif kind == spec.SHELF:
            device.set_shelf(True)
        elif kind == spec.ACK_ALERT:
            if device.alert:
                device.set_alert(alert.flagged(device.alert, alert.ACKNOWLEDGED))
        else:
            return self._refuse(_MALFORMED)
        return [(spec.OK, b"")]

    def _refuse(self, reason):
        return [(spec.REFUSED, messages.pack(spec.REFUSED, reason))]

    def _greet(self, kind, fields):
        protocol, utc_s, utc_ms, uncertainty_s, _flags = fields
        if protocol != spec.PROTOCOL_VERSION:
            return self._refuse(_PROTOCOL)
        self._greeted = True
        device = self._device
        if kind == spec.HANDOVER or not device.state.shelf:
            device.confirm_time(utc_s, utc_ms, uncertainty_s)
        if kind == spec.HANDOVER:
            device.set_shelf(False)
        return [self._status()]

    def _status(self):
        device = self._device
        state = device.state
        store = device.store
        standing = device.alert_open()
        bits = spec.STATE_SHELF if state.shelf else 0
        bits |= spec.STATE_TIME_KNOWN if device.clock.anchored else 0
        bits |= spec.STATE_ALERT if standing else 0
        bits |= spec.STATE_ALERT_HEARD if standing and device.alert[2] & alert.HEARD else 0
        bits |= spec.STATE_STORE_FULL if store.overwritten else 0
        body = messages.pack(
            spec.STATUS,
            spec.PROTOCOL_VERSION,
            settings.FIRMWARE_VERSION,
            bits,
            min(device.board.battery_mv(), 0xFFFF),
            device.lists.serial,
            device.lists.issued,
            device.alert[0] if standing else 0,
            store.count(spec.SIGHTING),
            min(state.adverts, 0xFFFFFFFF),
            min(state.dropped, 0xFFFF),
            min(state.resets, 0xFFFF),
            min(store.damaged, 0xFFFF),
        )
        return (spec.STATUS, body)

    def _want(self):
        return [(spec.LIST_WANT, messages.pack(spec.LIST_WANT, self._device.lists.received))]

    def _list_ack(self, result):
        return [(spec.LIST_ACK, messages.pack(spec.LIST_ACK, result))]

    def _offer(self, header):
        result = self._device.lists.offer(header)
        self._asked_back = False
        return self._want() if result is None else self._list_ack(result)

    def _data(self, offset, chunk):
        result = self._device.lists.data(offset, chunk)
        if result is None:
            self._asked_back = False
            return ()
        if result != spec.LIST_OUT_OF_ORDER:
            return self._list_ack(result)
        if self._asked_back:
            return ()  # what was on its way already
        self._asked_back = True
        return self._want()

    def _end(self, digest):
        device = self._device
        result = device.lists.finish(digest)
        if result == spec.LIST_OUT_OF_ORDER:
            return self._want()
        device.list_waits = result == spec.LIST_OK
        return self._list_ack(result)

    def _upload(self, days):
        device = self._device
        if not 0 < days <= spec.INFECTIOUS_DAYS:
            return self._refuse(_MALFORMED)
        now = device.own_slot(), device.slot()
        records = device.identity.publish(device.store, device.clock, device.anchors(), now, days, device.board.entropy)
        if not records:
            return self._refuse(_NOTHING)
        return [(spec.UPLOAD, messages.pack_upload(records[-_RECORDS_MAX:]))]
