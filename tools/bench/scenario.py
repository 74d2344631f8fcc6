# Scenario files: TOML in, checked against the schema, patterns unrolled. Runs nothing.
from __future__ import annotations

import fnmatch
import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMA = Path(__file__).with_name("scenario.schema.json")
_START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


class ScenarioError(Exception):
    """The file can't be used; the text names the entry and what is wrong with it."""


@dataclass
class NodeSpec:
    name: str
    board: str = "esp32c3"
    sleep: str = "light"
    scheme: str = "bluezone"
    on_shelf: bool = True
    battery_mah: float | None = None
    clock_ppm: float | None = None
    clock_spread_ppm: float = 20.0
    start_s: float = 0.0
    script: Path | None = None
    paths: list[Path] = field(default_factory=list)
    heap_kib: int | None = None
    report_latency_ms: float | None = None
    tx_offset_db: float = 0.0
    path: list[list[float]] = field(default_factory=list)


@dataclass
class KioskSpec:
    name: str
    handover: bool = False
    path: list[list[float]] = field(default_factory=list)


@dataclass
class EventSpec:
    at_s: float
    do: str
    node: str = ""
    hold_ms: float = 500.0
    off_s: float | None = None
    kiosk: str = ""
    run: list[str] = field(default_factory=list)


@dataclass
class Scenario:
    name: str
    seed: int
    start_utc: datetime
    duration_s: float
    nodes: list[NodeSpec]
    kiosks: list[KioskSpec]
    links: list[dict[str, Any]]
    events: list[EventSpec]
    folder: Path
    about: str = ""

    @staticmethod
    def load(path: Path) -> Scenario:
        """Raises ScenarioError."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ScenarioError(f"{path}: no such file") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ScenarioError(f"{path}: not a TOML file: {error}") from None
        _check(path, table)
        folder = path.resolve().parent
        nodes = [spec for entry in table["node"] for spec in _nodes(entry, folder)]
        scenario = Scenario(
            name=table["name"],
            seed=table.get("seed", 1),
            start_utc=table.get("start_utc", _START),
            duration_s=table["duration_s"],
            nodes=nodes,
            kiosks=[KioskSpec(**entry) for entry in table.get("kiosk", [])],
            links=table.get("link", []),
            events=[],
            folder=folder,
            about=table.get("about", ""),
        )
        scenario.events = [event for entry in table.get("event", []) for event in _events(path, entry, scenario)]
        scenario.events.sort(key=lambda event: event.at_s)
        _check_names(path, scenario)
        return scenario


def _check(path: Path, table: dict[str, Any]) -> None:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(table), key=lambda e: list(map(str, e.path)))
    if errors:
        where = ".".join(str(part) for part in errors[0].path) or "top level"
        raise ScenarioError(f"{path}: {where}: {errors[0].message}")
    start = table.get("start_utc", _START)
    if not isinstance(start, datetime) or start.tzinfo is None:
        raise ScenarioError(f"{path}: start_utc: write a date-time with its offset, such as 2026-11-24T08:00:00Z")


def _nodes(entry: dict[str, Any], folder: Path) -> list[NodeSpec]:
    entry = dict(entry)
    ids = entry.pop("ids", None) or (range(1, entry.pop("count", 0) + 1) if "count" in entry else [None])
    entry.pop("count", None)
    if "script" in entry:
        entry["script"] = folder / entry["script"]
    entry["paths"] = [folder / p for p in entry.get("paths", [])]
    return [
        NodeSpec(**{**entry, "name": entry["name"].replace("{}", f"{n:02}" if isinstance(n, int) else str(n))})
        for n in ids
    ]


def _events(path: Path, entry: dict[str, Any], scenario: Scenario) -> list[EventSpec]:
    entry = dict(entry)
    every = entry.pop("every_s", 0.0)
    pattern = entry.pop("node", "")
    if not pattern:
        return [EventSpec(**entry)]
    names = [node.name for node in scenario.nodes if fnmatch.fnmatchcase(node.name, pattern)]
    if not names:
        raise ScenarioError(f"{path}: event at {entry['at_s']} s: no node is called {pattern}")
    return [EventSpec(**{**entry, "at_s": entry["at_s"] + every * k, "node": name}) for k, name in enumerate(names)]


def _check_names(path: Path, scenario: Scenario) -> None:
    names = [n.name for n in scenario.nodes] + [k.name for k in scenario.kiosks]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ScenarioError(f"{path}: the name {min(double)} is used twice")
    kiosks = {kiosk.name for kiosk in scenario.kiosks}
    for event in scenario.events:
        if event.do == "case" and event.kiosk not in kiosks:
            raise ScenarioError(f"{path}: event at {event.at_s} s: there is no kiosk called {event.kiosk!r}")
        if event.do == "emask" and not event.run:
            raise ScenarioError(f'{path}: event at {event.at_s} s: say what to run: run = ["authority", ...]')
        if event.do not in ("case", "emask") and not event.node:
            raise ScenarioError(f"{path}: event at {event.at_s} s: say which node")
