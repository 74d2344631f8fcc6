"""Owns tokens of real firmware on the bench in paced time, and the air between them and a page. Asserts nothing.

The bench's loop is in a thread, as the browser's driver has this one; what a page does waits for it.
"""

import asyncio
import threading

from bleak.exc import BleakError

from emask import spec
from tests.phone.emulation import Gone
from tools.bench.command import command
from tools.bench.image import prepare
from tools.bench.loop import PacedLoop
from tools.bench.run import Run
from tools.bench.scenario import Scenario
from tools.bench.tray.demo import SCENARIO
from tools.bench.tray.tokens import KIOSK, Tokens

PACE = 2.0
_SCAN_S, _REST_S, _PRESS_S = 2.0, 3.0, 0.2  # of the bench's time
_LIMIT_S, _PRELUDE_S = 60, 300


class BenchAir:
    """Token 1 was a case, token 2 is alerted, token 3 is not; the phone is in the place of the hall's kiosk."""

    def __init__(self, folder):
        self.run = Run(Scenario.load(SCENARIO), prepare(None), folder / "out", command=command)
        self.hands = Tokens(self.run)
        self._scanner, self._client_of = self.run.kiosks[KIOSK].classes
        self._found, self._client = {}, None
        self.kinds = []  # of messages that were written
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()
        assert self._ready.wait(_PRELUDE_S)

    def _live(self):
        self.run.prelude()
        self.hands.link.opened = True
        self._loop = PacedLoop(self.run.engine, PACE)
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._ready.set)
        self._loop.run_forever()

    def _do(self, what):
        try:
            return asyncio.run_coroutine_threadsafe(what, self._loop).result(_LIMIT_S)
        except (BleakError, TimeoutError):
            raise Gone from None

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LIMIT_S)
        self._loop.close()
        for node in self.run.nodes.values():
            node.power_off()
        self.run.engine.close()

    # -- hands

    def press(self, name):
        """Bring a token near and press its button."""
        self._do(self._pressed(name))

    async def _pressed(self, name):
        if self._client and self._client.is_connected:  # the emulation does not tell when a page hangs up
            await self._client.disconnect()
        await self._loop.skip(_REST_S)
        self.hands.do(name, "tray")
        self.hands.do(name, "down")
        await self._loop.skip(_PRESS_S)
        self.hands.do(name, "up")

    def wait(self, seconds):
        """So long of the bench's time, as fast as it goes."""
        self._do(self._loop.skip(seconds))

    def walk_away(self, name):
        self._do(self._gone(name))

    async def _gone(self, name):
        self.hands.do(name, "away")
        self.hands.link.opened = False
        await asyncio.sleep(1)

    def come_back(self):
        self.hands.link.opened = True

    def put_back(self, name):
        self.hands.do(name, "away")

    # -- the air

    def find(self):
        self._do(self._scan())
        return next(((address, rssi_dbm) for address, (_, rssi_dbm) in self._found.items()), None)

    async def _scan(self):
        self._found = {}

        def heard(device, advert):
            if spec.SERVICE_UUID in [uuid.lower() for uuid in advert.service_uuids]:
                self._found[device.address] = device, advert.rssi

        async with self._scanner(detection_callback=heard, service_uuids=[spec.SERVICE_UUID]):
            await self._loop.skip(_SCAN_S)

    def connect(self, address):
        self._do(self._connected(self._found[address][0]))

    async def _connected(self, device):
        self._client = self._client_of(device, timeout=20)
        await self._client.connect()

    def write(self, frame):
        if frame[1] & spec.FRAME_FIRST:
            self.kinds.append(frame[2])
        self._do(self._client.write_gatt_char(spec.RX_UUID, frame, response=True))

    def read(self):
        return bytes(self._do(self._client.read_gatt_char(spec.TX_UUID)))
