# One run of a scenario: builds the scene, plays its events, collects what happened.
# Knows no report and no command line.
from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.bench import bleak_backend, gap, islands
from tools.bench.energy import Board
from tools.bench.engine import BenchError, Engine
from tools.bench.flash import Flash
from tools.bench.image import Image
from tools.bench.links import ConstantLink, LinkTable, PathLinks, RecordedLinks
from tools.bench.log import EventLog
from tools.bench.loop import BenchLoop
from tools.bench.medium import Medium, Radio
from tools.bench.node import CAUSE_SOFT, Node, NodeConfig
from tools.bench.provision import Provision
from tools.bench.recording import Recording
from tools.bench.scenario import EventSpec, KioskSpec, NodeSpec, Scenario, ScenarioError
from tools.bench.vm import Vm
from tools.kiosk import service
from tools.kiosk.drop import Drops
from tools.kiosk.folder import KioskFolder
from tools.kiosk.wish import Wish

TOKEN_LATENCY_MS = 250.0  # the token's firmware reads its reports after the window: delivering them together is faster
# 96 KiB of a chip, twice as wide here; the shims (59), and code that a product has in flash (45): tools/bench/heap.py.
TOKEN_HEAP_KIB = 296
SCRIPT_HEAP_KIB = 1024
_PROGRESS_S = 5.0
_PROGRESS_STEPS = 100
_ROUNDING_US = 2  # of a wait in seconds
_COUNTS_S = 12.0  # a wearer needs for both numbers
_AGREES_MS = 2500.0

Progress = Callable[[float, float], None]
Command = Callable[[list[str], Path], str]


@dataclass
class BenchKiosk:
    """A kiosk of the scenario: its radio's bleak classes, its folder, its loop."""

    spec: KioskSpec
    radio: Radio
    folder: KioskFolder
    classes: tuple[Any, Any]
    code: str | None = None
    visitor: str = ""  # the wearer who was sent here to upload
    task: asyncio.Task[int] | None = None
    stop: asyncio.Event | None = None
    visits: int = 0
    broken: int = 0
    drops: dict[str, int] = field(default_factory=dict)  # how often a door was used, by what became of the list


class Run:
    """Use as: run = Run(...); run.play(); run.engine.close()."""

    def __init__(
        self,
        scenario: Scenario,
        image: Image,
        out: Path,
        *,
        seed: int | None = None,
        detail: str = "summary",
        command: Command | None = None,
        jobs: int | None = None,
    ) -> None:
        self.scenario, self.image, self.out, self.command = scenario, image, out, command
        self.seed = scenario.seed if seed is None else seed
        self.wall_s = 0.0
        self.jobs = jobs or islands.usual_jobs()
        self.boards = {spec.name: self._board(spec) for spec in scenario.nodes}
        self.recorded: list[RecordedLinks] = []
        recordings = [self._recording(entry) for entry in scenario.links if entry["model"] == "recording"]
        _clear(out)  # nothing that an earlier run left is lost to a scenario that can't be played
        self.engine = Engine(self.seed, EventLog(out / "log.jsonl", detail))
        self.engine.log.clock = lambda: self.engine.now_us
        self.engine.log.event("run", "", scenario=scenario.name, seed=self.seed, aioble=image.aioble)
        self.links = LinkTable(self.engine.rng)
        self.medium = Medium(self.engine, self.links)
        self._add_links(recordings)
        self.loop = BenchLoop(self.engine)
        self.provision = Provision(self.engine, out, int(scenario.start_utc.timestamp()))
        self.nodes = {spec.name: self._node(spec) for spec in scenario.nodes}
        self.kiosks = {spec.name: self._kiosk(spec) for spec in scenario.kiosks}

    # Building

    def _board(self, spec: NodeSpec) -> Board:
        if spec.board not in self.image.boards:
            known = ", ".join(sorted(self.image.boards))
            raise ScenarioError(f"node {spec.name}: no board is called {spec.board}; there are: {known}")
        return Board.load(ROOT / "boards" / spec.board)

    def _add_links(self, recordings: list[RecordedLinks]) -> None:
        for entry in self.scenario.links:
            if entry["model"] == "constant":
                end = entry.get("to_s")
                self.links.add(
                    ConstantLink(
                        entry.get("a", "*"),
                        entry.get("b", "*"),
                        entry.get("rssi_dbm", -60.0),
                        _us(entry.get("from_s", 0)),
                        None if end is None else _us(end),
                        entry.get("sway_db", 0.0),
                    )
                )
            elif entry["model"] == "recording":
                self.links.add(recordings.pop(0))
            else:
                self.links.add(self._paths(entry))

    def _recording(self, entry: dict[str, Any]) -> RecordedLinks:
        recording = Recording(self.scenario.folder / entry["file"])
        names = entry.get("names", "token-{}")
        people = {p: names.replace("{}", p.zfill(2)) for p in recording.people}
        if len({node.name for node in self.scenario.nodes} & set(people.values())) < 2:
            raise ScenarioError(f"{entry['file']}: no two of its people are nodes; say how they are called: {names}")
        model = RecordedLinks(recording, people, _us(entry.get("start_s", 0)))
        self.recorded.append(model)
        return model

    def _paths(self, entry: dict[str, Any]) -> PathLinks:
        specs: list[NodeSpec | KioskSpec] = [*self.scenario.nodes, *self.scenario.kiosks]
        paths = {s.name: [(_us(t), x, y) for t, x, y in s.path] for s in specs if s.path}
        options = {
            k: entry[k] for k in ("ref_dbm", "exponent", "body_loss_db", "shadowing_db", "fading_db") if k in entry
        }
        return PathLinks(paths, self.engine.rng, **options)

    def _node(self, spec: NodeSpec) -> Node:
        board = self.boards[spec.name]
        config = NodeConfig(spec.name, board, self._path(spec), [str(spec.script)] if spec.script else ["boot", "main"])
        spread = self.engine.rng("clock", spec.name).uniform(-spec.clock_spread_ppm, spec.clock_spread_ppm)
        config.clock_ppm = spread if spec.clock_ppm is None else spec.clock_ppm
        config.battery_mah = spec.battery_mah or board.battery_mah
        config.heap_kib = spec.heap_kib or (SCRIPT_HEAP_KIB if spec.script else TOKEN_HEAP_KIB)
        latency = (
            spec.report_latency_ms if spec.report_latency_ms is not None else (0.0 if spec.script else TOKEN_LATENCY_MS)
        )
        config.report_latency_us = int(latency * 1000)
        flash = Flash(self.out / f"{spec.name}.flash", board.partitions, self.engine.rng("flash", spec.name))
        vm = Vm(self.image.runner, config.heap_kib, self.out / f"{spec.name}.txt")
        node = Node(self.engine, self.medium.add_radio(spec.name), config, vm, flash)
        node.radio.tx_offset_db = spec.tx_offset_db
        gap.install(node)
        return node

    def _path(self, spec: NodeSpec) -> list[str]:
        """sys.path of a node: its own settings first, then the product as shipped."""
        own = self.out / f"{spec.name}.settings"
        own.mkdir()
        (own / "board_config.py").write_text(f'SLEEP = "{spec.sleep}"\n')
        (own / "token_config.py").write_text(
            f'SCHEME = "{spec.scheme}"\nON_SHELF = {spec.on_shelf}\n'
            f"ROOT_KEY = {self.provision.root!r}\nRECOVERY_KEY = {self.provision.recovery!r}\n"
        )
        product = [self.image.firmware, self.image.lib, self.image.boards[spec.board], self.image.aioble_path]
        return [str(p) for p in (*spec.paths, own, *product)]

    def _kiosk(self, spec: KioskSpec) -> BenchKiosk:
        radio = self.medium.add_radio(spec.name)
        return BenchKiosk(
            spec,
            radio,
            self.provision.kiosk(self.out / spec.name),
            service.over(*bleak_backend.bind(radio, self.engine)),
        )

    # Playing

    def utc_s(self) -> float:
        return self.scenario.start_utc.timestamp() + self.engine.now_us / 1e6

    def play(self, progress: Progress | None = None) -> None:
        """Run to the end of the scenario; then all power goes."""
        try:
            self.prelude(progress)
        finally:
            for node in self.nodes.values():
                node.power_off()

    def prelude(self, progress: Progress | None = None) -> None:
        """Run to the end of the scenario and leave the nodes as they are, for whoever goes on with the engine."""
        try:
            self.loop.run_until_complete(self._play(progress))
        finally:
            self.loop.run_until_complete(_cancel_rest())
            self.loop.close()

    async def _play(self, progress: Progress | None) -> None:
        for spec in self.scenario.nodes:
            self.engine.at(spec.name, _us(spec.start_s), self.nodes[spec.name].power_on)
        for kiosk in self.kiosks.values():
            self._open(kiosk)
        self._regroup(0)
        for event in self.scenario.events:
            await self._until(event.at_s, progress)
            await self._do(event)
        await self._until(self.scenario.duration_s, progress)
        self.engine.regroup([])
        for kiosk in self.kiosks.values():
            await self._close(kiosk)

    async def _until(self, at_s: float, progress: Progress | None) -> None:
        """Play all islands to a time, and divide anew whenever links come or go."""
        changes = [t for t in self.links.changes_us() if t > self.engine.now_us + _ROUNDING_US]
        step_us = _us(max(_PROGRESS_S, self.scenario.duration_s / _PROGRESS_STEPS))
        while (left_us := _us(at_s) - self.engine.now_us) > _ROUNDING_US:
            change_us = changes[0] if changes else _us(at_s)
            next_us = min(change_us, self.engine.now_us + min(step_us, left_us))
            await asyncio.sleep((next_us - self.engine.now_us) / 1e6)
            here = self.engine.main
            islands.play(self.engine, [i for i in self.engine.islands() if i is not here], here.now_us, self.jobs)
            self.engine.flush()
            if next_us == change_us and changes:
                self._regroup(changes.pop(0))
            if progress:
                progress(self.engine.now_us / 1e6, self.scenario.duration_s)

    def _regroup(self, now_us: int) -> None:
        names = list(self.medium.radios)
        bonds = [(link.central.host.name, link.peripheral.host.name) for link in self.medium.connected]
        self.engine.regroup(islands.groups(names, [*self.links.joined(names, now_us), *bonds], self.kiosks))

    # Kiosks

    def _open(self, kiosk: BenchKiosk) -> None:
        kiosk.stop = asyncio.Event()
        kiosk.task = self.loop.create_task(
            service.serve(
                *kiosk.classes,
                kiosk.folder,
                clock=self.utc_s,
                wish=Wish(handover=kiosk.spec.handover, code=kiosk.code),
                stop=kiosk.stop,
                show=lambda number: self._shown(kiosk, number),
                drops=self._drops(kiosk),
                on_visit=lambda result, why: self._visited(kiosk, result, why),
            )
        )

    def _drops(self, kiosk: BenchKiosk) -> Drops | None:
        def on_drop(result: str) -> None:
            kiosk.drops[result] = kiosk.drops.get(result, 0) + 1
            self.engine.log.event("drop", kiosk.spec.name, list=result)

        return Drops(kiosk.classes[1], kiosk.folder, self.utc_s, on_drop) if kiosk.spec.push else None

    async def _close(self, kiosk: BenchKiosk) -> None:
        assert kiosk.stop and kiosk.task
        kiosk.stop.set()
        await kiosk.task

    def _visited(self, kiosk: BenchKiosk, result: Any, why: str) -> None:
        kiosk.visits += result.complete
        kiosk.broken += not result.complete
        self.engine.log.event(
            "visit", kiosk.spec.name, complete=result.complete, list=result.list, upload=result.upload, why=why
        )

    def _shown(self, kiosk: BenchKiosk, number: tuple[int, int]) -> None:
        """The screen shows the number: the wearer counts the pulses, and agrees."""
        self.engine.log.event("number", kiosk.spec.name)
        if kiosk.visitor:
            self.engine.at(
                kiosk.visitor, self.engine.now_us + _us(_COUNTS_S), self.press, self.nodes[kiosk.visitor], _AGREES_MS
            )

    # Events

    async def _do(self, event: EventSpec) -> None:
        if event.do != "emask":
            self.engine.log.event("event", event.node, do=event.do)
        if event.do == "press":
            self.press(self.nodes[event.node], event.hold_ms)
        elif event.do == "battery_out":
            self._battery_out(self.nodes[event.node], event.off_s)
        elif event.do == "battery_in":
            with self.engine.inside(event.node):
                self.nodes[event.node].power_on()
        elif event.do == "reset":
            with self.engine.inside(event.node):
                self.nodes[event.node].reset(CAUSE_SOFT)
        elif event.do == "case":
            await self._case(self.kiosks[event.kiosk], event)
        else:
            self._emask(event.run)

    def press(self, node: Node, hold_ms: float) -> None:
        button = node.config.board.pins["button"]
        with self.engine.inside(node.name):
            node.pin(button, 0)
        self.engine.at(node.name, self.engine.now_us + int(hold_ms * 1000), node.pin, button, 1)

    def _battery_out(self, node: Node, off_s: float | None) -> None:
        with self.engine.inside(node.name):
            node.power_off()
        if off_s is not None:
            self.engine.at(node.name, self.engine.now_us + _us(off_s), node.power_on)

    async def _case(self, kiosk: BenchKiosk, event: EventSpec) -> None:
        """The clinic takes the next code of its codes.txt and asks the wearer to press."""
        codes = kiosk.folder.path / "codes.txt"
        lines = codes.read_text(encoding="utf-8").split() if codes.exists() else []
        if not lines:
            raise BenchError(f"the kiosk {kiosk.spec.name} has no code left; let the authority issue some to codes.txt")
        codes.write_text("\n".join(lines[1:]), encoding="utf-8")
        await self._close(kiosk)
        kiosk.code = lines[0]
        kiosk.visitor = event.node
        self._open(kiosk)
        kiosk.code = None
        if event.node:
            self.press(self.nodes[event.node], event.hold_ms)

    def _emask(self, words: list[str]) -> None:
        if self.command is None:
            raise BenchError("this run has no command line to call")
        places = {"{utc}": str(int(self.utc_s())), "{scenario}": str(self.scenario.folder.resolve())}
        said = self.command([self._filled(word, places) for word in words], self.out)
        self.engine.log.event("emask", "", run=words[:2])
        with (self.out / "emask.txt").open("a", encoding="utf-8") as file:
            file.write(f"$ emask {' '.join(words)}\n{said}")

    @staticmethod
    def _filled(word: str, places: dict[str, str]) -> str:
        for place, value in places.items():
            word = word.replace(place, value)
        return word


async def _cancel_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _clear(out: Path) -> None:
    """An empty folder for a run; what an earlier run left there goes. It holds keys: for its owner only."""
    if out.exists() and any(out.iterdir()):
        if not (out / "log.jsonl").is_file():
            raise BenchError(f"{out} holds something else than a run of the bench; name another folder with --out")
        shutil.rmtree(out)
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"{out}: no folder can be made there: {error.strerror}") from None


def _us(seconds: float) -> int:
    return int(seconds * 1_000_000)
