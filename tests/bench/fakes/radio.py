"""Owns a radio that hears what it is told and notes what it sends, in place of firmware/radio.py."""

import asyncio

import board

ADDRESS_STATIC, ADDRESS_PRIVATE = 1, 3


class RadioError(Exception):
    pass


class Radio:
    """sent: (start_ms, end_ms, payload) of each beacon. heard: payloads (ms after listen, rssi, payload) to report.

    opened: (start_ms, UUID, end_ms) of each time that it was connectable; visitor: the link that then comes, or None.
    """

    def __init__(self, ticks_ms):
        self.heard = []
        self.sent = []
        self.opened = []
        self.visitor = None
        self.clean = True
        self.broken = False
        self.dropped = self.count = 0
        self.last_address = b""
        self.up = False
        self._beacon = None

    def start(self, mode):
        if self.broken:
            raise OSError(19)
        self.up = board.radio_up = True
        board.move(200)
        return self.clean

    def beacon(self, payload, interval_us):
        if self._beacon and self._beacon[1][:-2] == payload[:-2]:
            return  # the same advert with another time to the next window
        self.hush()
        self._beacon = board.now_ms, payload

    def hush(self):
        if self._beacon:
            self.sent.append((self._beacon[0], board.now_ms, self._beacon[1]))
        self._beacon = None

    def listen(self, scan_ms, listen_ms):
        self.count = len(self.heard)

    async def welcome(self, uuid, wait_ms, interval_us):
        start_ms = board.now_ms
        await asyncio.sleep_ms(10 if self.visitor else wait_ms)
        self.opened.append((start_ms, uuid, board.now_ms))
        return self.visitor

    def stop(self):
        self.hush()
        self.up = board.radio_up = False

    def reports(self):
        return iter(self.heard)
