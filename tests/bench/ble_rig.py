# A small air for Bluetooth tests: VMs that run a given script on the bench's own engine and medium. Knows no firmware.
from __future__ import annotations

from pathlib import Path
from typing import Any

from tools import ROOT
from tools.bench import gap, image
from tools.bench.energy import Board
from tools.bench.engine import Engine
from tools.bench.flash import Flash
from tools.bench.links import ConstantLink, LinkTable
from tools.bench.log import EventLog
from tools.bench.medium import Medium
from tools.bench.node import Node, NodeConfig
from tools.bench.vm import Vm

_SHIMS = ROOT / "boards" / "bench"


def aioble_folder() -> tuple[str, str]:
    """(folder for sys.path, which aioble that is): the real one where there is one, or the double."""
    given = image.aioble_folder()
    return (given, "real") if given else (str(_SHIMS / "double"), "double")


class Rig:
    """Everyone hears everyone at level_dbm. Use as a context manager; s() runs so many seconds."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 1,
        level_dbm: float = -60.0,
        heap_kib: int = 512,
        more_partitions: dict[str, int] | None = None,
    ) -> None:
        self.folder, self.heap_kib = folder, heap_kib
        self.log = EventLog(folder / "log.jsonl", "full")
        self.engine = Engine(seed, self.log)
        self.log.clock = lambda: self.engine.now_us  # type: ignore[assignment]
        self.links = LinkTable(self.engine.rng)
        self.level = ConstantLink("*", "*", level_dbm)
        self.links.add(self.level)
        self.medium = Medium(self.engine, self.links)
        self.gaps: dict[str, gap.Gap] = {}
        self.events: list[dict[str, Any]] = []
        self.log.watch.append(self.events.append)
        self._board = Board.load(ROOT / "boards" / "esp32c3")
        self._board.partitions.update(more_partitions or {})

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *exc: object) -> None:
        self.engine.close()

    def node(self, name: str, script: str, *, paths: tuple[str, ...] = (), latency_us: int = 0) -> Node:
        """Start a node that runs this MicroPython source."""
        path = self.folder / f"{name}.py"
        path.write_text(script, encoding="utf-8")
        config = NodeConfig(name, self._board, list(paths), [str(path)], report_latency_us=latency_us)
        vm = Vm(_SHIMS / "runner.py", self.heap_kib, self.folder / f"{name}.txt")
        flash = Flash(self.folder / f"{name}.flash", self._board.partitions, self.engine.rng("flash", name))
        node = Node(self.engine, self.medium.add_radio(name), config, vm, flash)
        self.gaps[name] = gap.install(node)
        node.power_on()
        return node

    def s(self, seconds: float) -> None:
        self.engine.run(self.engine.now_us + int(seconds * 1e6))

    def out(self, name: str) -> list[str]:
        """What the node printed so far, by line."""
        return (self.folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()

    def of(self, kind: str, node: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["ev"] == kind and event["node"] == node]
