# Garbage written to a token: by strangers (random bytes, recorded visits mutated by frame and by message), and by a
# kiosk whose real visits are garbled on the way. Judges by what the token holds before and after, by its heap and by
# what it says. Knows no rule of the visit.
from __future__ import annotations

import asyncio
import random
import struct
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bleak.exc import BleakError

from emask import frames, messages, spec
from tools.bench.attack.stage import Stage
from tools.bench.image import Image
from tools.kiosk.channel import VisitError
from tools.kiosk.wish import Wish
from tools.lists import ListFile

_LONGEST = 260  # more than a frame may have
_MOST_OF_A_VISIT = 60
_WAIT_S = 30.0
_KINDS = (*range(1, 9), *range(64, 72))
_BAD_WORDS = ("crash", "Traceback", "Error", "Unhandled", "hang")
_BAD_EVENTS = ("hang", "watchdog", "reset", "radio_corrupt", "flash_refused", "script_ended")
_PROBE = """
import asyncio, gc, sys
async def probe():
    while True:
        await asyncio.sleep_ms(60000)
        if "session" not in sys.modules:
            gc.collect()
            print("heap", gc.mem_alloc())
asyncio.create_task(probe())
import boot, main
"""
HEAP_SLACK = 2048  # bytes
_OF_STRANGERS = 0.75  # of all frames
_OF_ANYONE = ("LISTINFO", "lists")  # what anyone may change: a list on its way
_OF_A_KIOSK = (*_OF_ANYONE, "LIST", "ANCHOR", "TRUST")  # and a certified kiosk: time, and lists
_LISTS_EVERY = 40  # visits
_CALM_S = 700.0  # two meetings at least


@dataclass
class Result:
    """frames: written; visits: connections; by: frames of each kind of garbage; faults: empty if the token held."""

    frames: int = 0
    visits: int = 0
    by: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    heap: tuple[int, int] = (0, 0)  # least in use between visits, bytes: before and after
    hours: float = 0.0

    def facts(self) -> dict[str, Any]:
        return {
            "frames": self.frames,
            "visits": self.visits,
            "by": dict(self.by),
            "simulated_hours": round(self.hours, 2),
            "heap_first_bytes": self.heap[0],
            "heap_last_bytes": self.heap[1],
            "faults": self.faults,
        }

    def text(self) -> str:
        kinds = ", ".join(f"{count} {what}" for what, count in sorted(self.by.items()))
        lines = [
            f"{self.frames} frames in {self.visits} connections and {self.hours:.1f} simulated hours: {kinds}.",
            f"Heap in use between visits: {self.heap[0]} bytes at first, {self.heap[1]} at last.",
        ]
        lines += self.faults or ["No crash, no reset, no growth; what the token holds is as before."]
        return "\n".join(lines)


def run(image: Image, count: int, seed: int, tell: Callable[[int], None]) -> Result:
    """Write `count` frames; tell(frames so far)."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.py"
        probe.write_text(_PROBE)
        stage = Stage(image, Path(folder), seed=seed, script=probe, heap_kib=288, report_latency_ms=250.0)
        with stage:
            return _Attack(stage, random.Random(seed)).run(count, tell)


class _Recorder:
    """Stands between a kiosk and its client and notes what is written."""

    def __init__(self, client: Any) -> None:
        self.client, self.written = client, []  # type: ignore[var-annotated]

    @property
    def mtu_size(self) -> int:
        return self.client.mtu_size

    @property
    def services(self) -> Any:
        return self.client.services

    async def start_notify(self, characteristic: str, callback: Callable[..., Any]) -> None:
        await self.client.start_notify(characteristic, callback)

    async def write_gatt_char(self, characteristic: str, data: bytes, response: bool | None = None) -> None:
        self.written.append(bytes(data))
        await self.client.write_gatt_char(characteristic, data, response=response)


class _Garbler(_Recorder):
    """Hands on what a kiosk writes, from some frame on with mutations."""

    def __init__(self, client: Any, attack: _Attack) -> None:
        super().__init__(client)
        self.attack, self.start = attack, attack.rng.randrange(40)

    async def write_gatt_char(self, characteristic: str, data: bytes, response: bool | None = None) -> None:
        attack = self.attack
        self.written.append(data)
        garbled = len(self.written) > self.start and attack.rng.random() < 0.3
        for frame in attack.mutated(data) if garbled else [data]:
            attack.result.frames += 1
            attack.result.by["garbled visits"] += 1
            await self.client.write_gatt_char(characteristic, frame, response=response)


class _Attack:
    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self.stage, self.rng, self.result = stage, rng, Result()
        self.events: list[dict[str, Any]] = []
        self.visits: list[list[bytes]] = []  # frames of real visits
        self.bodies: list[tuple[int, bytes]] = []
        self.serial = 3  # of the last list
        self.forged = b""

    def run(self, count: int, tell: Callable[[int], None]) -> Result:
        stage, result = self.stage, self.result
        self._record()
        stage.wait(spec.SLOT_S)  # what a slot's first window loads stays, and is no growth
        first, began_s = self._calm_heap(), stage.now_s
        stage.engine.log.watch.append(self.events.append)
        self._phase(self._connection, int(count * _OF_STRANGERS), _OF_ANYONE, tell)
        self._phase(self._garbled, count, _OF_A_KIOSK, tell)
        self._last_visit()
        result.hours = (stage.now_s - began_s) / 3600
        last = self._calm_heap()
        result.heap = first, last
        if last - first > HEAP_SLACK:
            result.faults.append(f"the heap has grown from {first} to {last} bytes")
        return result

    def _phase(
        self, connection: Callable[[int], Any], most: int, may_change: tuple[str, ...], tell: Callable[[int], None]
    ) -> None:
        stage, result = self.stage, self.result
        before = stage.held()
        while result.frames < most and not result.faults:
            stage.run(connection(most))
            result.visits += 1
            tell(result.frames)
            self._look()
        stage.wait(_CALM_S)
        self._look()
        after = stage.held()
        changed = [kind for kind in before if kind not in may_change and before[kind] != after[kind]]
        result.faults += [f"what the token holds has changed: {kind}" for kind in changed]

    def _calm_heap(self) -> int:
        """Some windows of nothing but the token's usual life; the least heap in use meanwhile, bytes."""
        before = len(self.stage.said())
        self.stage.wait(_CALM_S)
        said = [int(line.split()[1]) for line in self.stage.said()[before:] if line.startswith("heap ")]
        return min(said, default=0)

    def _last_visit(self) -> None:
        """The token serves as before."""
        stage = self.stage
        serial = stage.publish(30, self.serial + 1).serial
        taken = stage.run(stage.visit())
        seen = stage.run(stage.visit()).status["list_serial"]
        if taken.list != "taken" or seen != serial:
            self.result.faults.append("the token does not take a good list any more")

    # Real visits to begin with

    def _record(self) -> None:
        stage = self.stage
        stage.publish(30, self.serial)
        wishes = (None, Wish(end_alert=True), Wish(code="ABCDEFGHJKLM"))
        for wish in wishes:
            recorded: list[_Recorder] = []

            def over(client: Any, recorded: list[_Recorder] = recorded) -> _Recorder:
                recorded.append(_Recorder(client))
                return recorded[0]

            stage.run(stage.visit(wish=wish, over=over))
            self.visits.append(recorded[0].written)
            self.bodies += _joined(recorded[0].written)
        self.forged = _forged(stage.publish(0, 1000, only=""))
        unseen = stage.publish(30, 1001, only="").data  # by no kiosk: only garbage speaks of it
        self.bodies.append((spec.LIST_OFFER, unseen[: spec.LIST_OFFER_BYTES]))
        self.bodies += [
            (spec.LIST_DATA, messages.pack_list_data(at, unseen[at : at + 240])) for at in range(0, 960, 240)
        ]

    # One connection

    async def _connection(self, most: int) -> None:
        stage, rng, result = self.stage, self.rng, self.result
        make, name = rng.choice(
            (
                (self._noise, "random"),
                (self._frames, "mutated frames"),
                (self._messages, "messages"),
                (self._list, "forged lists"),
            )
        )
        try:
            async with asyncio.timeout(200), await stage.client(rng.choice(("station", "other"))) as client:
                if rng.random() < 0.5:
                    await client.start_notify(spec.TX_UUID, lambda *_: None)
                for data in make(client.mtu_size - 3):
                    if not client.is_connected or result.frames >= most:
                        break
                    result.frames += 1
                    result.by[name] += 1
                    await self._write(client, data)
        except (BleakError, TimeoutError):
            pass
        await asyncio.sleep(0.4)

    async def _garbled(self, most: int) -> None:
        stage = self.stage
        if self.result.visits % _LISTS_EVERY == 0:
            self.serial += 1
            stage.publish(60, self.serial)
        try:
            async with asyncio.timeout(200):
                await stage.visit(self.rng.choice(("station", "other")), over=lambda client: _Garbler(client, self))
        except (BleakError, VisitError, TimeoutError):
            pass

    async def _write(self, client: Any, data: bytes) -> None:
        try:
            async with asyncio.timeout(_WAIT_S):
                await client.write_gatt_char(spec.RX_UUID, data, response=self.rng.random() < 0.9 or len(data) > 200)
                if self.rng.random() < 0.05:
                    await client.read_gatt_char(self.rng.choice((spec.TX_UUID,)))
        except BleakError:
            if not client.is_connected:
                raise

    # Garbage

    def _noise(self, room: int):
        rng = self.rng
        for _ in range(rng.randrange(1, 8)):
            yield rng.randbytes(rng.choice((0, 1, 2, 3, 5, 20, room, rng.randrange(_LONGEST))))

    def _frames(self, room: int):
        rng = self.rng
        written = [frame[:room] for frame in rng.choice(self.visits)][:_MOST_OF_A_VISIT]
        start = rng.randrange(len(written)) if rng.random() < 0.3 else 0
        at = rng.randrange(len(written))
        for number, frame in enumerate(written[start:] * 2):
            if number + start >= at and rng.random() < 0.5:
                yield from self.mutated(frame)
            else:
                yield frame

    def mutated(self, frame: bytes) -> list[bytes]:
        rng, data = self.rng, bytearray(frame)
        how = rng.randrange(12)
        if how > 8 and len(data) > 5:
            data[rng.randrange(5, len(data))] ^= 1 << rng.randrange(8)
        elif how == 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[rng.randrange(len(data)) :]
        elif how == 2:
            data += rng.randbytes(rng.randrange(1, 40))
        elif how == 3:
            return [frame, frame]
        elif how == 4:
            return []
        elif how == 5:
            data[:1] = bytes((rng.randrange(256),))
        elif how == 6:
            data[1:2] = bytes((rng.randrange(256),))
        elif how == 7:
            return [bytes((rng.randrange(256), spec.FRAME_SHOW)), frame]
        else:
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
        return [bytes(data)]

    def _messages(self, room: int):
        """Well cut into frames: what they say is the garbage."""
        rng, sequence = self.rng, self.rng.choice((0, 0, 250))
        if rng.random() < 0.8:
            yield from frames.split(spec.HELLO, b"\2", room, sequence)
            sequence += 1
        for _ in range(rng.randrange(5, 40)):
            kind, body = self._message()
            for frame in frames.split(kind, body, room, sequence):
                yield frame
                sequence += 1

    def _list(self, room: int):
        """A whole list, first thing, as anyone may bring one; but not as the authority signed it."""
        data, sequence = self.forged, 0
        pieces = [(spec.LIST_OFFER, data[: spec.LIST_OFFER_BYTES])]
        pieces += [
            (spec.LIST_DATA, messages.pack_list_data(at, data[at : at + spec.LIST_DATA_BYTES]))
            for at in range(0, len(data), spec.LIST_DATA_BYTES)
        ]
        for kind, body in pieces:
            for frame in frames.split(kind, body, room, sequence):
                yield frame
                sequence += 1

    def _message(self) -> tuple[int, bytes]:
        rng = self.rng
        kind, body = rng.choice(self.bodies)
        how = rng.randrange(6)
        if how == 0:
            return rng.randrange(256), rng.randbytes(rng.randrange(513))
        if how == 1:
            return rng.choice(_KINDS), body
        if how == 2:
            return rng.choice(_KINDS), rng.randbytes(rng.choice((0, 1, 4, 52, 178, 249, 512)))
        if how == 3 and body:
            at = rng.randrange(len(body))
            return kind, body[:at] + bytes((body[at] ^ 1 << rng.randrange(8),)) + body[at + 1 :]
        if how == 4:
            return spec.LIST_DATA, struct.pack("<I", rng.choice((0, 240, 4096, 1 << 31, rng.getrandbits(32)))) + body[
                :240
            ]
        return kind, body

    # Judging

    def _look(self) -> None:
        bad = [line for line in self.stage.said() if any(word in line for word in _BAD_WORDS)]
        self.result.faults += [f"the token said: {line}" for line in bad[:3]]
        bad = [event["ev"] for event in self.events if event["ev"] in _BAD_EVENTS]
        self.result.faults += [f"the bench saw: {what}" for what in bad[:3]]
        self.events.clear()


def _forged(whole: ListFile) -> bytes:
    """What of a list without records is sent, one bit of its signature flipped."""
    sent = bytearray(whole.data[: whole.content_end(0)])
    sent[-1] ^= 1
    return bytes(sent)


def _joined(written: list[bytes]) -> list[tuple[int, bytes]]:
    joiner = frames.Joiner(512)
    whole = [joiner.feed(frame) for frame in written if not (len(frame) == 2 and frame[1] == spec.FRAME_SHOW)]
    return [(message[0], bytes(message[1])) for message in whole if message]
