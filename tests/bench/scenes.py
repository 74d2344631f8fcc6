# Scenarios for tests, played as `emask bench run` plays them, and an ear on the air that misses nothing.
# Knows the scenario format, the run and the store; judges nothing.
from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner, Result

from emask import sighting, spec, store
from tools import ROOT, build
from tools.bench import outcome
from tools.bench.command import command
from tools.bench.image import Image, prepare
from tools.bench.node import Node
from tools.bench.run import Run
from tools.bench.scenario import Scenario
from tools.cli import main

PARTY = ROOT / "tests" / "data" / "dp3t_exp34_party.sqlite"
LUNCH = ROOT / "tests" / "data" / "dp3t_exp34_lunch.sqlite"
EMASK = Path(sys.executable).with_name("emask")

# Two tokens in company that visit a kiosk; one loses its battery, the other is reset.
COMPANY = """
version = 1
name = "company"
seed = 3
start_utc = 2026-11-24T08:00:00Z
duration_s = 1500

[[node]]
name = "token-{}"
count = 2
sleep = "SLEEP"
on_shelf = true

[[link]]
model = "constant"
rssi_dbm = -58.0

[[kiosk]]
name = "station"
handover = true

[[event]]
at_s = 20
do = "press"
node = "token-*"
every_s = 30

[[event]]
at_s = 600.7
do = "battery_out"
node = "token-02"
off_s = 45

[[event]]
at_s = 700
do = "reset"
node = "token-01"

[[event]]
at_s = 1300
do = "press"
node = "token-02"
"""


class Sent(NamedTuple):
    """One advertising event on the air. addr_type 0: the factory address."""

    radio: str
    t_us: int
    adv_type: int
    addr_type: int
    addr: bytes
    data: bytes
    scan_rsp: bytes


def emask(*words: object) -> Result:
    """A command line of emask, in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def emask_process(*words: object, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
    """A command line of emask as a person starts it."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.run(
        [str(EMASK), *map(str, words)], capture_output=True, text=True, timeout=120, env=environment, check=False
    )


def write(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def image() -> Image:
    return prepare(os.environ.get("AIOBLE"))


def spoilt(folder: Path, name: str, before: str, after: str) -> Image:
    """The image with one passage of a source replaced: what a check must find out."""
    for part in ("lib", "firmware", "boards"):
        shutil.copytree(ROOT / part, folder / part)
    source = folder / name
    text = source.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{name} holds no single {before!r}"
    source.write_text(text.replace(before, after), encoding="utf-8")
    build.build(folder / "mpy", folder)
    return dataclasses.replace(image(), lib=folder / "mpy" / "lib", firmware=folder / "mpy" / "firmware")


def play(path: Path, out: Path, *, seed: int | None = None, before: Callable[[Run], None] | None = None) -> Run:
    """Play a scenario to its end and close it; before(run) may hook in."""
    run = Run(Scenario.load(path), image(), out, seed=seed, command=command)
    try:
        if before:
            before(run)
        run.play()
    finally:
        run.engine.close()
    return run


def listen_in(run: Run, sent: list[Sent]) -> None:
    """Append every advert that any radio of the run sends."""
    push = run.medium.push

    def pushed(event):
        params = event.params
        kind, address = params.adv_type, (params.addr_type, params.addr)
        sent.append(Sent(event.radio.name, event.t_us, kind, *address, params.data, params.scan_rsp))
        push(event)

    run.medium.push = pushed  # type: ignore[method-assign]


def mounted(node: Node) -> store.Store:
    """The store in a copy of a node's flash, as a token would find it now."""
    part = next(p for p in node.flash.partitions if p.name == "sightings")
    kept = store.Store(outcome.ImageDevice(node.flash.path, part.offset, part.size))
    kept.mount()
    return kept


def sightings(node: Node) -> tuple[dict[tuple[int, bytes], set[int]], int]:
    """{(segment, identifier): minutes of the segment} in a node's flash, and the number of damaged records."""
    kept = mounted(node)
    found: dict[tuple[int, bytes], set[int]] = {}
    for _, payload in kept.read(spec.SIGHTING, 0, 0xFFFFFFFF):
        _, ident, segment, first, _, _, _, _, minutes, _ = sighting.unpack(payload)
        found.setdefault((segment, ident), set()).update(first + k for k in range(16) if minutes >> k & 1)
    for _, payload in kept.read(spec.HEARD, 0, 0xFFFFFFFF):
        _, ident, segment, minute, *_ = sighting.unpack_minute(payload)
        found.setdefault((segment, ident), set()).add(minute)
    return found, kept.damaged
