"""Owns the minute: wait, send and listen in one window, write down what was heard. Must not know visits or alerts."""

import settings
from micropython import const
from radio import ADDRESS_PRIVATE

from emask import advert, heard, schedule, spec

_SHELF_MS = const(3600000)
_MARGIN_MS = const(30)  # sending ends this long before the slot does
_SHORTEST_SEND_MS = const(100)
_SAMPLES = const(16)
_MEMO = const(64)
_FAULTS_MAX = const(5)  # windows in a row that the radio did not start


class Listener:
    """The task of every minute. device: Device. chores(): called after each window, starts what is due."""

    def __init__(self, device, chores):
        self._device = device
        self._chores = chores
        self._table = heard.MinuteTable()
        self._faults = 0
        self._adverts = 0
        self._listen_ms = 0

    async def run(self):
        """For ever: sleep, then one window."""
        while True:
            if self._device.state.shelf:
                await self._shelf()
            else:
                await self._minute()
            self._chores()

    async def _shelf(self):
        device = self._device
        due_ms = device.board.clock_ms() + _SHELF_MS
        device.expect(due_ms)
        await device.power.sleep_until(due_ms)

    async def _minute(self):
        device = self._device
        plan = device.rendezvous.plan(device.board.clock_ms(), device.clock, device.own_slot())
        due_ms = plan.start_ms - device.rendezvous.lead_ms
        device.expect(due_ms)
        await device.power.sleep_until(due_ms)
        if device.board.clock_ms() < due_ms:
            return  # called early: the plan has changed
        if device.radio.up:  # a visit has it
            device.state.missed += 1
            await device.power.sleep_until(plan.start_ms + plan.length_ms)
            return
        try:
            await self._window(plan)
            self._faults = 0
        except OSError:
            self._fault()
        self._write(plan)

    def _fault(self):
        self._faults += 1
        self._device.state.missed += 1
        print("radio fault", self._faults)
        if self._faults >= _FAULTS_MAX:
            self._device.board.reset()

    async def _window(self, plan):
        device = self._device
        radio = device.radio
        try:
            clean = radio.start(ADDRESS_PRIVATE)
            now_ms = device.board.clock_ms()
            device.expect(now_ms + plan.length_ms)
            device.rendezvous.opened(plan, device.clock, now_ms, device.board.entropy)
            radio.listen()
            self._listen_ms = now_ms
            end_ms = max(plan.start_ms, now_ms - plan.length_ms // 2) + plan.length_ms
            if not clean:
                device.state.missed += 1
            elif not plan.search:
                await self._send(end_ms)
            await device.power.linger(end_ms - device.board.clock_ms())
        finally:
            radio.stop()

    async def _send(self, end_ms):
        device = self._device
        slot = device.own_slot()
        device.identity.renew(lambda: device.store, device.clock, slot, device.slot(), device.board.entropy)
        payload = device.identity.advert(slot, device.rendezvous.field())
        now_ms = device.board.clock_ms()
        length_ms = device.identity.scheme.SLOT_S * 1000
        slot_end_ms = now_ms + length_ms - device.clock.own_ms(now_ms) % length_ms
        until_ms = min(end_ms, slot_end_ms - _MARGIN_MS)
        if payload is None or until_ms - now_ms < _SHORTEST_SEND_MS or device.own_slot() != slot:
            return
        device.radio.beacon(payload, schedule.ADV_INTERVAL_US)
        if until_ms < end_ms:
            await device.power.linger(until_ms - now_ms)
            device.radio.hush()

    def _write(self, plan):
        device = self._device
        state = device.state
        samples = self._decode()
        device.rendezvous.closed(plan, device.clock, samples)
        slot = device.slot()
        minute = device.clock.minute(plan.start_ms)
        if device.journal.due(slot):
            device.journal.close(device.store)
            self._purge(slot)
            device.save_state()
        ids = len(self._table)
        if ids:
            device.journal.write(device.store, slot, self._table.drain(device.clock.segment, minute))
        state.dropped += self._table.dropped + device.radio.dropped
        self._table.dropped = device.radio.dropped = 0
        print("minute heard=%d ids=%d" % (self._adverts, ids))

    def _decode(self):
        # An identifier's adverts are equal within a window: each is decoded once.
        radio = self._device.radio
        memo: dict = {}
        samples = []
        self._adverts = 0
        stride = radio.count // _SAMPLES + 1
        for number, (after_ms, rssi, payload) in enumerate(radio.reports()):
            raw = bytes(payload)
            found = memo.get(raw)
            if found is None:
                found = advert.decode(raw) or ()
                if len(memo) < _MEMO:
                    memo[raw] = found
            if not found:
                continue
            self._table.add(found[0], found[1], rssi, found[2])
            self._adverts += 1
            if found[3] is not None and number % stride == 0:
                samples.append((self._listen_ms + after_ms, found[3]))
        self._device.state.adverts += self._adverts
        return samples

    def _purge(self, slot):
        device = self._device
        if device.clock.anchored:
            key_days = spec.INFECTIOUS_DAYS + device.identity.scheme.KEY_DAYS
            device.journal.purge(device.store, slot // spec.SLOTS_PER_DAY, settings.RETENTION_DAYS, key_days)
