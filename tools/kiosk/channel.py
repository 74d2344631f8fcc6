"""Owns the exchange of whole messages with a token over bleak's client API. Knows frames, not what messages mean."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from emask import frames, spec

_ATT_HEADER_BYTES = 3
_LONGEST_MESSAGE = 1024  # more than a token sends in one: an upload
_WAITING_MESSAGES = 16
# Frames that may be on their way to a token at once: its stack keeps ten writes for the program, and loses the oldest.
_WINDOW = 8
_MARK_EVERY = 4  # of them, one asks the token to show its last frame again: so it has read those before
_ASK_AGAIN_S = 3.0
_PIECE_LEAD_BYTES = 2 + 3 + 4  # of a frame, of a message, of LIST_DATA


class VisitError(Exception):
    """The token did not answer in time, or answered what can't be; the text names no one."""


class TokenSilent(VisitError):
    """The token did not answer in time: perhaps it was carried away."""


class Client(Protocol):
    """What is used of bleak.BleakClient 3.1."""

    @property
    def mtu_size(self) -> int: ...

    @property
    def services(self) -> Any: ...

    async def start_notify(self, char_specifier: Any, callback: Callable[..., Any]) -> None: ...

    async def write_gatt_char(self, char_specifier: Any, data: Any, response: bool | None = None) -> None: ...


class Channel:
    """Messages in both directions; at most 16 of the token's wait unread, more of them end the visit."""

    def __init__(self, client: Client, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s
        self._joiner = frames.Joiner(_LONGEST_MESSAGE)
        self._incoming: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(_WAITING_MESSAGES)
        self._sequence = 0
        self._last_frame = b""
        self._unread = 0  # frames of push() that the token may not have read yet
        self._read_on = asyncio.Event()
        self._broken: str | None = None
        self.sent_bytes = 0

    async def open(self) -> None:
        """Subscribe to the token's messages."""
        async with _deadline(self._wait_s, "the token did not let itself be subscribed to"):
            await self._client.start_notify(spec.TX_UUID, self._on_frame)

    @property
    def piece_bytes(self) -> int:
        """Bytes of a list that fill the frames of one LIST_DATA best."""
        room = self._room - 2
        frames_each = max(1, (spec.LIST_DATA_BYTES + _PIECE_LEAD_BYTES - 2) // room)
        return min(spec.LIST_DATA_BYTES, frames_each * room - (_PIECE_LEAD_BYTES - 2))

    @property
    def _room(self) -> int:
        """Longest frame. BlueZ tells the MTU only here; mtu_size is 23 there."""
        return max(self._client.mtu_size - _ATT_HEADER_BYTES, self._rx.max_write_without_response_size, 20)

    @property
    def _rx(self) -> Any:
        return self._client.services.get_characteristic(spec.RX_UUID)

    async def send(self, kind: int, body: bytes = b"") -> None:
        """Send one message, in as many frames as the connection's MTU makes of it."""
        for frame in frames.split(kind, body, self._room, self._sequence):
            await self._write(bytes(frame), response=True)
            self._sequence = self._sequence + 1 & 0xFF

    async def push(self, kind: int, body: bytes) -> None:
        """Send one message that has no answer of its own, without waiting for it to arrive if it fits three frames
        and the token takes such writes; else as send() does.
        """
        if len(body) + 9 > 3 * self._room or "write-without-response" not in self._rx.properties:
            return await self.send(kind, body)
        for frame in frames.split(kind, body, self._room, self._sequence):
            while self._unread >= _WINDOW:
                await self._until_read()
            await self._write(bytes(frame), response=False)
            self._sequence = self._sequence + 1 & 0xFF
            self._unread += 1
            if self._unread % _MARK_EVERY == 0:
                await self._mark()

    async def _until_read(self) -> None:
        self._read_on.clear()
        async with _deadline(self._wait_s, "the token does not read on"):
            while not self._read_on.is_set():
                try:
                    await asyncio.wait_for(self._read_on.wait(), _ASK_AGAIN_S)
                except TimeoutError:
                    await self._mark()

    async def _mark(self) -> None:
        await self._write(bytes((self._last_frame[0], spec.FRAME_SHOW)), response=False)

    async def _write(self, frame: bytes, response: bool) -> None:
        async with _deadline(self._wait_s, "a write was not answered"):
            await self._client.write_gatt_char(spec.RX_UUID, frame, response=response)
        self.sent_bytes += len(frame)

    async def nudge(self) -> None:
        """A frame that asks for nothing: the token's wait for a message begins anew, while a person reads."""
        number = self._last_frame[0] + 1 & 0xFF if self._last_frame else 1
        await self._write(bytes((number, spec.FRAME_SHOW)), response=True)

    async def ask(self, kind: int, body: bytes, *answers: int, wait_s: float | None = None) -> tuple[int, bytes]:
        """Send one message and wait for one of the kinds in `answers`; REFUSED is always one."""
        self._drop_stale()
        await self.send(kind, body)
        return await self.receive(*answers, wait_s=wait_s)

    async def receive(self, *kinds: int, wait_s: float | None = None) -> tuple[int, bytes]:
        """The next message of one of `kinds` or REFUSED; others before it are passed over."""
        async with _deadline(wait_s or self._wait_s, "the token did not answer"):
            while True:
                message = await self._incoming.get()
                if message is None:
                    raise VisitError(self._broken or "the token broke the protocol")
                if message[0] in kinds or message[0] == spec.REFUSED:
                    return message

    def pending(self) -> tuple[int, bytes] | None:
        """A message that has come already, without waiting."""
        if self._incoming.empty():
            return None
        message = self._incoming.get_nowait()
        if message is None:
            raise VisitError(self._broken or "the token broke the protocol")
        return message

    def _drop_stale(self) -> None:
        while self.pending() is not None:
            pass

    def _on_frame(self, _sender: object, data: bytearray) -> None:
        if self._broken:
            return
        if bytes(data) == self._last_frame:  # shown again: what was pushed before the mark has been read
            self._unread = max(0, self._unread - _MARK_EVERY)
            self._read_on.set()
            return
        self._last_frame = bytes(data)
        self._unread = 0  # whatever the token says, it has read what led to it
        self._read_on.set()
        try:
            message = self._joiner.feed(bytes(data))
            if message is not None:
                self._incoming.put_nowait((message[0], bytes(message[1])))
        except frames.FrameError as error:
            self._break(f"a frame of the token does not fit: {error}")
        except asyncio.QueueFull:
            self._break("the token sends more than it is asked for")

    def _break(self, why: str) -> None:
        self._broken = why
        while not self._incoming.empty():
            self._incoming.get_nowait()
        self._incoming.put_nowait(None)


class _deadline:  # noqa: N801 - reads as a word in `async with`
    """asyncio.timeout with a TokenSilent that says what was waited for."""

    def __init__(self, seconds: float, why: str) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._why = why

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise TokenSilent(self._why) from None
