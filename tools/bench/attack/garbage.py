# Garbage written to a token: by strangers (random bytes, recorded visits mutated by frame and by message), and by a
# kiosk whose real visits are garbled on the way. Judges by what the token holds before and after, by its heap and by
# what it says. Knows no rule of the visit.
from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bleak.exc import BleakError

from emask import messages, spec
from tools.bench.attack.between import Recorder
from tools.bench.attack.mutations import Mutations, forged, joined
from tools.bench.attack.stage import Stage
from tools.bench.image import Image
from tools.bench.run import TOKEN_HEAP_KIB
from tools.kiosk.channel import VisitError
from tools.kiosk.wish import Wish

_WAIT_S = 30.0
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
        stage = Stage(image, Path(folder), seed=seed, script=probe, heap_kib=TOKEN_HEAP_KIB, report_latency_ms=250.0)
        with stage:
            return _Attack(stage, random.Random(seed)).run(count, tell)


class _Garbler(Recorder):
    """Hands on what a kiosk writes, from some frame on with mutations."""

    def __init__(self, client: Any, attack: _Attack) -> None:
        super().__init__(client)
        self.attack, self.start = attack, attack.rng.randrange(40)

    async def write_gatt_char(self, characteristic: str, data: bytes, response: bool | None = None) -> None:
        attack = self.attack
        self.written.append(data)
        garbled = len(self.written) > self.start and attack.rng.random() < 0.3
        for frame in attack.garbage.mutated(data) if garbled else [data]:
            attack.result.frames += 1
            attack.result.by["garbled visits"] += 1
            await self.client.write_gatt_char(characteristic, frame, response=response)


class _Attack:
    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self.stage, self.rng, self.result = stage, rng, Result()
        self.events: list[dict[str, Any]] = []
        self.garbage = Mutations(rng)
        self.serial = 3  # of the last list

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
            recorded: list[Recorder] = []

            def over(client: Any, recorded: list[Recorder] = recorded) -> Recorder:
                recorded.append(Recorder(client))
                return recorded[0]

            stage.run(stage.visit(wish=wish, over=over))
            self.garbage.visits.append(recorded[0].written)
            self.garbage.bodies += joined(recorded[0].written)
        self.garbage.forged = forged(stage.publish(0, 1000, only=""))
        unseen = stage.publish(30, 1001, only="").data  # by no kiosk: only garbage speaks of it
        self.garbage.bodies.append((spec.LIST_OFFER, unseen[: spec.LIST_OFFER_BYTES]))
        self.garbage.bodies += [
            (spec.LIST_DATA, messages.pack_list_data(at, unseen[at : at + 240])) for at in range(0, 960, 240)
        ]

    # One connection

    async def _connection(self, most: int) -> None:
        stage, rng, result = self.stage, self.rng, self.result
        make, name = rng.choice(
            (
                (self.garbage.noise, "random"),
                (self.garbage.mutated_visit, "mutated frames"),
                (self.garbage.messages, "messages"),
                (self.garbage.forged_list, "forged lists"),
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

    # Judging

    def _look(self) -> None:
        bad = [line for line in self.stage.said() if any(word in line for word in _BAD_WORDS)]
        self.result.faults += [f"the token said: {line}" for line in bad[:3]]
        bad = [event["ev"] for event in self.events if event["ev"] in _BAD_EVENTS]
        self.result.faults += [f"the bench saw: {what}" for what in bad[:3]]
        self.events.clear()
