"""Owns a visit on the air: connectable for a minute after a press, frames to messages and back. Must not know what
the messages mean.
"""

import asyncio

import settings
from micropython import const
from radio import ADDRESS_STATIC, RadioError
from session import Session

from emask import frames, spec

OPEN_MS = const(60000)  # connectable
WAIT_MS = const(15000)  # for the next frame
TOTAL_MS = const(180000)  # of one connection
DEADLINE_MS = const(250000)  # everything
_STEP_MS = const(100)


class Visit:
    """One visit, from a press of the button to the radio's end. device: Device."""

    def __init__(self, device):
        self._device = device
        self._joiner = frames.Joiner()
        self._sequence = 0

    async def run(self):
        """Open, serve at most one kiosk, close."""
        device = self._device
        await self._take_radio()
        try:
            if device.radio.start(ADDRESS_STATIC):
                await self._welcome()
        finally:
            device.board.led(False)
            device.radio.stop()

    async def _take_radio(self):
        while self._device.radio.up:
            self._device.power.kick()  # the window in progress ends here
            await asyncio.sleep_ms(_STEP_MS)

    async def _welcome(self):
        device = self._device
        device.board.led(True)
        link = await device.radio.welcome(spec.SERVICE_UUID, spec.RX_UUID, spec.TX_UUID, settings.NAME, OPEN_MS)
        device.board.led(False)
        if link is None:
            print("visit nobody")
            return
        session = Session(device)
        try:
            await self._serve(link, session)
        except (RadioError, frames.FrameError):
            pass  # the kiosk starts again at the next visit; what is durable stays
        await link.close()
        print("visit", "done" if session.ended else "broken")

    async def _serve(self, link, session):
        end_ms = self._device.board.clock_ms() + TOTAL_MS
        while not session.ended and self._device.board.clock_ms() < end_ms:
            message = self._joiner.feed(await link.receive(WAIT_MS))
            if message:
                for kind, body in session.answer(*message):
                    await self._send(link, kind, body)
        await asyncio.sleep_ms(_STEP_MS)  # the last notification leaves before the disconnect

    async def _send(self, link, kind, body):
        for frame in frames.split(kind, body, link.frame_max(), self._sequence):
            await link.send(frame)
            self._sequence = self._sequence + 1 & 0xFF
