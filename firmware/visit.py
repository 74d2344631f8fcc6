"""Owns a visit on the air: connectable for a minute after a press, frames to messages and back; and what comes through
the door. Must not know what the messages mean.
"""

import asyncio

from micropython import const
from radio import ADDRESS_STATIC, RadioError
from session import Session

from emask import frames, spec

OPEN_MS = const(60000)  # connectable
WAIT_MS = const(15000)  # for the next frame
TOTAL_MS = const(180000)  # of one connection
FAREWELL_MS = const(5000)  # after BYE: for a kiosk that has to ask for the last answer again; others leave at once
_STEP_MS = const(100)
_ADV_US = const(100000)
_PUSH_WAIT_MS = const(5000)


class Visit:
    """One visit, from a press of the button to the radio's end. device: Device."""

    def __init__(self, device):
        self._device = device
        self._joiner = frames.Joiner()
        self._sequence = 0
        self._answer = {}  # frames of the last message, by their numbers

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
            device.power.kick()  # what the visit brought does not wait for the next window

    async def _take_radio(self):
        device = self._device
        device.called = True  # whoever is at the door gives way
        while device.radio.up:
            device.power.kick()  # the window in progress ends here
            await asyncio.sleep_ms(_STEP_MS)
        device.called = False

    async def _welcome(self):
        device = self._device
        device.board.led(True)
        session = Session(device)
        session.prepare()
        link = await device.radio.welcome(spec.SERVICE_UUID, OPEN_MS, _ADV_US)
        device.board.led(False)
        if link is None:
            print("visit nobody")
            return
        session.alive = link.alive
        await self._serve(link, session, WAIT_MS, TOTAL_MS)
        print("visit", "done" if session.ended else "broken")

    async def push(self, link, total_ms):
        """Take lists from whoever came through the door."""
        await self._serve(link, Session(self._device, True), _PUSH_WAIT_MS, total_ms)

    async def _serve(self, link, session, wait_ms, total_ms):
        try:
            await self._exchange(link, session, wait_ms, total_ms)
        except (RadioError, frames.FrameError):
            pass  # the kiosk starts again at the next visit; what is durable stays
        await link.close()

    async def _exchange(self, link, session, wait_ms, total_ms):
        clock_ms = self._device.board.clock_ms
        end_ms = clock_ms() + total_ms
        # It may have gone while an answer was made.
        while clock_ms() < end_ms + session.more_ms and link.alive() and not (session.door and self._device.called):
            frame = await link.receive(wait_ms)
            received_ms = clock_ms()
            if len(frame) == 2 and frame[1] == spec.FRAME_SHOW:
                await self._show(link, frame[0])
                continue
            message = self._joiner.feed(frame)
            if message and not session.ended:
                await self._reply(link, await session.answer(message[0], message[1], received_ms))
                if session.after:
                    session.after()
                    session.after = None
                if session.ended:
                    await asyncio.sleep_ms(_STEP_MS)  # the last notification leaves; most kiosks go now
                    wait_ms = FAREWELL_MS
                    end_ms = clock_ms() + FAREWELL_MS

    async def _reply(self, link, replies):
        if replies:
            self._answer = {}
        for kind, body in replies:
            for frame in frames.split(kind, body, link.frame_max(), self._sequence):
                self._answer[self._sequence] = frame
                await link.send(frame)
                self._sequence = self._sequence + 1 & 0xFF

    async def _show(self, link, number):
        if number in self._answer:
            await link.send(self._answer[number])
