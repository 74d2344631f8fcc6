# A token in the reach of kiosks and of strangers: presses, connections, visits, and what the token holds before and
# after. Knows bleak's API and the store; judges nothing.
from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from bleak import BleakClient
from bleak.backends.device import BLEDevice

from emask import keylist, spec, store
from tools import lists, rule, wire
from tools.authority import keyring
from tools.bench import bleak_backend, outcome
from tools.bench.engine import BenchError
from tools.bench.flash import Partition
from tools.bench.image import Image
from tools.bench.node import Node
from tools.bench.run import Run
from tools.bench.scenario import START_UTC, KioskSpec, NodeSpec, Scenario
from tools.kiosk import service
from tools.kiosk.session import VisitResult, visit
from tools.kiosk.wish import Wish

T = TypeVar("T")
Fill = Callable[[Path, int, int], None]
_EVER_S = 1e9
_PRESS_MS = 300.0
_FIND_S = 10.0
_PRESSES = 3  # a wearer presses again while the token still ends the last visit
_CONNECT_S = 20.0
_DOOR_S = 2400.0
_REST_S = 0.5  # after a visit the radio goes down and the task ends
_KEPT = ("KEY", "ANCHOR", "STATE", "ALERT", "LISTINFO", "TRUST", "REVOKED", "SIGHTING", "HEARD")


class Stage:
    """`token` and two kiosks, `station` and `other`, all within a metre. A context manager; run() plays."""

    def __init__(
        self,
        image: Image,
        folder: Path,
        *,
        seed: int = 1,
        detail: str = "summary",
        free: tuple[str, ...] = (),
        fill: Fill | None = None,
        **node: Any,
    ) -> None:
        """free: costs of the board's table that count nothing; fill(image, offset, size): writes what the partition of
        sightings holds at first.
        """
        token = NodeSpec("token", **{"on_shelf": False, **node})
        links = [{"model": "constant", "rssi_dbm": -60.0}]
        kiosks = [KioskSpec("station"), KioskSpec("other")]
        scenario = Scenario("stage", seed, START_UTC, _EVER_S, [token], kiosks, links, [], folder)
        self.bench = Run(scenario, image, folder / "out", seed=seed, detail=detail)
        self.engine, self.loop = self.bench.engine, self.bench.loop
        self.node.config.board.cost_us.update(dict.fromkeys(free, 0))
        if fill:
            part = self._partition("sightings")
            fill(self.node.flash.path, part.offset, part.size)
        with self.engine.inside(self.node.name):
            self.node.power_on()
        self.wait(2.0)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *problem: object) -> None:
        self.node.power_off()
        self.loop.close()
        self.engine.close()

    @property
    def node(self) -> Node:
        return self.bench.nodes["token"]

    @property
    def now_s(self) -> float:
        return self.engine.now_us / 1e6

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Play until `work` is done."""
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def said(self) -> list[str]:
        """What the token printed so far, by line."""
        return (self.bench.out / "token.txt").read_text(encoding="utf-8").splitlines()

    def radio(self, name: str, **how: int) -> None:
        """Let the radio of a kiosk agree to another `mtu` or `interval_us` than BlueZ does."""
        kiosk = self.bench.kiosks[name]
        kiosk.classes = service.over(*bleak_backend.bind(kiosk.radio, self.engine, **how))

    # Visits

    def press(self, hold_ms: float = _PRESS_MS) -> None:
        self.bench.press(self.node, hold_ms)

    async def find(self, name: str = "station") -> BLEDevice:
        """Press the button, if need be again; the device that this radio then sees. BenchError: none."""
        async with self._seen(name, spec.SERVICE_UUID) as found:
            for _ in range(_PRESSES):
                self.press()
                if (await asyncio.wait([found], timeout=_FIND_S))[0]:
                    return found.result()
        raise BenchError("the token is not to be seen after a press")

    async def door(self, name: str = "station") -> BLEDevice:
        """The device of the next door that this radio sees open. BenchError: none in 40 minutes."""
        async with self._seen(name, spec.DOOR_UUID) as found:
            if not (await asyncio.wait([found], timeout=_DOOR_S))[0]:
                raise BenchError("the token opens no door")
        return found.result()

    @asynccontextmanager
    async def _seen(self, name: str, uuid: str) -> AsyncIterator[asyncio.Future[BLEDevice]]:
        """While this radio scans: the first device that advertises the service."""
        found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

        def seen(device: BLEDevice, _: object) -> None:
            if not found.done():
                found.set_result(device)

        async with self.bench.kiosks[name].classes[0](detection_callback=seen, service_uuids=[uuid]):
            yield found

    async def client(self, name: str = "station") -> BleakClient:
        """A press, and a client that connects when it is entered."""
        client: BleakClient = self.bench.kiosks[name].classes[1](await self.find(name), timeout=_CONNECT_S)
        return client

    async def visit(
        self,
        name: str = "station",
        wish: Wish | None = None,
        *,
        over: Callable[[Any], Any] = lambda client: client,
        **how: Any,
    ) -> VisitResult:
        """A press and a whole visit as a kiosk makes it; over(client) may stand between the two."""
        try:
            async with await self.client(name) as client:
                folder = self.bench.kiosks[name].folder
                return await visit(over(client), self.bench.utc_s, folder, wish=wish, **how)
        finally:
            await asyncio.sleep(_REST_S)

    def publish(self, records: int, serial: int, *, base: int = 0, only: str | None = None) -> lists.ListFile:
        """A list with so many invented records, brought to all kiosks, or `only` to that one."""
        now_s = int(self.bench.utc_s())
        first = now_s // spec.SLOT_S - 14 * spec.SLOTS_PER_DAY
        packed = sorted(
            keylist.pack_record(hashlib.sha256(b"%d/%d" % (serial, n)).digest(), first, 0, 96) for n in range(records)
        )
        terms = lists.Terms(0, serial, now_s, 1, wire.pack_rule(rule.DEFAULT), base, [])
        certificate, key = keyring.list_key(keyring.holders(self.bench.provision.folder))
        data = lists.build(terms, packed, certificate, key)
        path = self.bench.out / f"{serial}-{base}.eml"
        path.write_bytes(data)
        for kiosk in self.bench.kiosks.values():
            if only in (None, kiosk.spec.name):
                kiosk.folder.add_list(path)
        return lists.parse(data)

    # What the token holds

    def held(self) -> dict[str, list[bytes]]:
        """Records in the token's flash by kind, as it would find them now. Of STATE only flags, segment, resets and
        crashes: the pool of chance moves with each draw, and counters count. "LIST" is of the last whole list; "lists"
        is a hash of that partition.
        """
        part, staged = self._partition("sightings"), self._partition("lists")
        kept = store.Store(outcome.ImageDevice(self.node.flash.path, part.offset, part.size))
        kept.mount()
        found = {name: [bytes(p) for _, p in kept.read(getattr(spec, name), 0, 0xFFFFFFFF)] for name in _KEPT}
        for name in ("STATE", "LISTINFO", "TRUST", "REVOKED", "ALERT"):  # of these the last one holds
            found[name] = found[name][-1:]
        found["LIST"] = [p[1:9] + p[42:46] for p in found["LISTINFO"]]  # serial, issue, what was compared surely
        found["STATE"] = [p[1:8] for p in found["STATE"]]
        whole = self.node.flash.path.read_bytes()
        found["lists"] = [hashlib.sha256(whole[staged.offset : staged.offset + staged.size]).digest()]
        return found

    def _partition(self, name: str) -> Partition:
        return next(part for part in self.node.flash.partitions if part.name == name)
