"""Owns the minute: wait, send and listen in one window, write down what was heard. Must not know visits or alerts."""

from micropython import const
from radio import ADDRESS_PRIVATE

from emask import advert, heard, spec, window

_SHELF_MS = const(3600000)
_MARGIN_MS = const(30)  # sending ends this long before the slot does
_SHORTEST_SEND_MS = const(30)
_SAMPLES = const(32)
_MEMO = const(128)
_UNKNOWN = const(127)  # RSSI that the controller could not tell
_FAULTS_MAX = const(5)  # windows in a row that the radio did not start


class Listener:
    """The task of every minute. device: Device. chores(): called after each window, starts what is due."""

    def __init__(self, device, chores):
        self._device = device
        self._chores = chores
        self._table = heard.MinuteTable()
        self._faults = 0
        self._kept = False
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
        self._keep()

    async def _minute(self):
        device = self._device
        plan = device.rendezvous.plan(device.board.clock_ms(), device.clock, device.identity.scheme.SLOT_S)
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
            self._keep()
        except OSError:
            self._fault()
        self._write(plan)

    def _keep(self):
        if not self._kept:
            self._device.board.keep_image()  # a window took place, or an hour on the shelf: this firmware works
            self._kept = True

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
            device.rendezvous.opened(plan, now_ms, device.board.entropy)
            if plan.listen_ms:
                radio.listen(plan.scan_ms, plan.listen_ms)
            self._listen_ms = device.board.clock_ms()
            end_ms = max(plan.start_ms, now_ms - plan.length_ms // 2) + plan.length_ms
            if not clean:
                device.state.missed += 1
            elif plan.adv_ms:
                await self._send(plan, end_ms)
            await device.power.linger(end_ms - device.board.clock_ms())
        finally:
            radio.stop()

    async def _send(self, plan, end_ms):
        device = self._device
        slot = device.own_slot()
        device.identity.renew(lambda: device.store, device.clock, slot, device.slot(), device.board.entropy)
        await device.power.linger(window.advert_delay_ms(device.board.entropy(1)[0], plan))
        now_ms = device.board.clock_ms()
        length_ms = device.identity.scheme.SLOT_S * 1000
        slot_end_ms = now_ms + length_ms - device.clock.own_ms(now_ms) % length_ms
        until_ms = min(end_ms, slot_end_ms - _MARGIN_MS)
        if device.own_slot() == slot and until_ms - now_ms >= _SHORTEST_SEND_MS:
            await self._beacon(plan, slot, until_ms)

    async def _beacon(self, plan, slot, until_ms):
        device = self._device
        rest_ms = until_ms - device.board.clock_ms()
        while rest_ms > 0 and not device.power.kicked:
            step_ms, right_ms, adv_ms = window.step(plan, rest_ms, device.board.entropy)
            field = device.rendezvous.schedule.field(until_ms - rest_ms + right_ms, plan)
            payload = device.identity.advert(slot, field)
            if payload is None:
                return
            device.radio.beacon(payload, adv_ms * 1000)
            await device.power.linger(step_ms)
            rest_ms = until_ms - device.board.clock_ms()
        device.radio.hush()

    def _write(self, plan):
        device = self._device
        state = device.state
        samples = self._decode()
        ids = len(self._table)
        still = not device.board.moved()
        device.rendezvous.schedule.closed(plan, samples, ids, still)
        slot = device.slot()
        minute = device.clock.minute(plan.start_ms)
        if device.journal.due(slot):
            device.journal.close(device.store)
            device.save_state()
        self._purge()
        if ids:
            device.journal.write(device.store, slot, self._table.drain(device.clock.segment, minute, still))
        state.dropped += self._table.dropped + device.radio.dropped
        self._table.dropped = device.radio.dropped = 0
        print("minute heard=%d ids=%d" % (self._adverts, ids))

    def _decode(self):
        # Adverts repeat within a window: each is decoded once.
        radio = self._device.radio
        memo: dict = {}
        numbers: dict = {}
        samples = []
        self._adverts = 0
        stride = radio.count // _SAMPLES + 1
        offset_db = self._device.board.RSSI_CORRECTION_DB
        for number, (after_ms, rssi, payload) in enumerate(radio.reports()):
            raw = bytes(payload)
            found = memo.get(raw)
            if found is None:
                found = advert.decode(raw) or ()
                if len(memo) < _MEMO:
                    memo[raw] = found
            if not found:
                continue
            self._table.add(found[0], found[1], rssi + offset_db if rssi != _UNKNOWN else rssi, found[2])
            self._adverts += 1
            if found[3] is not None and number % stride == 0:
                samples.append((numbers.setdefault(found[1], number), self._listen_ms + after_ms, found[3]))
        self._device.state.adverts += self._adverts
        return samples

    def _purge(self):
        device = self._device
        today = device.certain_slot() // spec.SLOTS_PER_DAY
        if today == device.state.purged_day:
            return
        if device.journal.purge(device.store, today, spec.INFECTIOUS_DAYS + device.identity.scheme.KEY_DAYS):
            device.save_state()
