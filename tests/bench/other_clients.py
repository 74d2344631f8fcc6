# Clients that are served worse than BlueZ's: one that never subscribes and reads, one that loses notifications. Each
# stands between a kiosk's visit and a bleak client, and hands the token's frames on in their order, each once.
from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace

from emask import spec
from tools.bench.attack.between import Between

_LOOK_S = 0.1
_ASK_AGAIN_S = 1.0


class _Client(Between):
    def __init__(self, client):
        super().__init__(client)
        self.expected = None  # number of the token's next frame; the first may have any
        self.whole = True  # the last frame that was handed on ended a message
        self.asked_again = 0
        self._task = None

    @property
    def services(self):
        """Its writes are all answered."""
        rx = SimpleNamespace(properties=["write"], max_write_without_response_size=self.mtu_size - 3)
        return SimpleNamespace(get_characteristic=lambda uuid: rx)

    async def show(self, number):
        """Ask for a frame once more."""
        self.asked_again += 1
        await self.client.write_gatt_char(spec.RX_UUID, bytes((number & 0xFF, spec.FRAME_SHOW)), response=True)

    def new(self, frame):
        """Whether a frame is not one that was handed on."""
        return bool(frame) and (self.expected is None or frame[0] - self.expected & 0xFF < 128)

    def hand_on(self, frame):
        self.expected = frame[0] + 1 & 0xFF
        self.whole = bool(frame[1] & spec.FRAME_LAST)
        self.callback(None, bytearray(frame))

    async def start_notify(self, characteristic, callback):
        self.callback = callback
        self._task = asyncio.create_task(self.keep_up(characteristic))
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def keep_up(self, characteristic):
        raise NotImplementedError


class ReadingClient(_Client):
    """Never subscribes: looks at the value ten times a second, and asks for what it did not see in time."""

    async def keep_up(self, characteristic):
        while True:
            frame = bytes(await self.client.read_gatt_char(characteristic))
            if self.expected is None and frame:
                self.expected = 0  # a token counts its frames from 0
            if self.new(frame):
                while self.expected != frame[0]:
                    self.hand_on(await self.shown(characteristic, self.expected))
                self.hand_on(frame)
                while not self.whole:
                    self.hand_on(await self.shown(characteristic, self.expected))
            await asyncio.sleep(_LOOK_S)

    async def shown(self, characteristic, number):
        await self.show(number)
        while True:
            frame = bytes(await self.client.read_gatt_char(characteristic))
            if frame[0] == number:
                return frame
            await asyncio.sleep(_LOOK_S)


class LossyClient(_Client):
    """Is notified, but a part of it is lost; asks for the next frame again when nothing came for a while."""

    def __init__(self, client, share, seed=1):
        super().__init__(client)
        self.expected, self.share, self.lost = 0, share, 0
        self.rng = random.Random(seed)

    async def keep_up(self, characteristic):
        await self.client.start_notify(characteristic, self.notified)
        while True:
            await asyncio.sleep(_ASK_AGAIN_S if self.whole else _LOOK_S)
            await self.show(self.expected)

    def notified(self, _sender, data):
        if self.rng.random() < self.share:
            self.lost += 1
        elif data[0] == self.expected:
            self.hand_on(bytes(data))
