# Scenario files: TOML in, checked against the schema, patterns unrolled. Runs nothing.
from __future__ import annotations

import fnmatch
import json
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMA = Path(__file__).with_name("scenario.schema.json")
START_UTC = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
_OWN = {"emask"}  # emask.txt holds what the emask events said


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
    push: bool = False
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
        nodes = [spec for entry in table["node"] for spec in _nodes(path, entry, folder)]
        scenario = Scenario(
            name=table["name"],
            seed=table.get("seed", 1),
            start_utc=table.get("start_utc", START_UTC),
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
        names = _check_names(path, scenario)
        _check_events(path, scenario)
        for number, link in enumerate(scenario.links):
            _check_link(f"{path}: link.{number}", link, names)
        return scenario


def _check(path: Path, table: dict[str, Any]) -> None:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(table),
        key=lambda e: (
            e.validator != "additionalProperties",
            list(map(str, e.path)),
        ),  # a wrong name before a missing one
    )
    if errors:
        where = ".".join(str(part) for part in errors[0].path) or "top level"
        raise ScenarioError(f"{path}: {where}: {errors[0].message}")
    for where, number in _numbers("", table):
        if not math.isfinite(number):
            raise ScenarioError(f"{path}: {where}: {number} is not a number that a run can use")
    start = table.get("start_utc", START_UTC)
    if not isinstance(start, datetime) or start.tzinfo is None:
        raise ScenarioError(f"{path}: start_utc: write a date-time with its offset, such as 2026-11-24T08:00:00Z")


def _numbers(where: str, value: Any) -> Iterator[tuple[str, float]]:
    """Every float of the file and where it stands."""
    if isinstance(value, float):
        yield where, value
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(f"{where}.{key}".lstrip("."), inner)


def _nodes(path: Path, entry: dict[str, Any], folder: Path) -> list[NodeSpec]:
    entry = dict(entry)
    if "ids" in entry and "count" in entry:
        raise ScenarioError(f"{path}: node {entry['name']}: ids and count say the same; write one of them")
    ids = entry.pop("ids", None) or (range(1, entry.pop("count", 0) + 1) if "count" in entry else [None])
    if "script" in entry:
        entry["script"] = folder / entry["script"]
    entry["paths"] = [folder / p for p in entry.get("paths", [])]
    if "script" in entry and not entry["script"].is_file():
        raise ScenarioError(f"{path}: node {entry['name']}: script: {entry['script']}: no such file")
    for place in entry["paths"]:
        if not place.is_dir():
            raise ScenarioError(f"{path}: node {entry['name']}: paths: {place}: no such folder")
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
        raise ScenarioError(f"{path}: event at {entry['at_s']:g} s: no node is called {pattern}")
    return [EventSpec(**{**entry, "at_s": entry["at_s"] + every * k, "node": name}) for k, name in enumerate(names)]


def _check_names(path: Path, scenario: Scenario) -> set[str]:
    """The names of all nodes and kiosks, each used once; their paths go forward in time."""
    paths = [(s.name, s.path) for s in scenario.nodes] + [(s.name, s.path) for s in scenario.kiosks]
    names = [name for name, _ in paths]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ScenarioError(f"{path}: the name {min(double)} is used twice")
    if _OWN & set(names):
        raise ScenarioError(f"{path}: the name {min(_OWN & set(names))} is the bench's own; name the node otherwise")
    for name, points in paths:
        times = [point[0] for point in points]
        if times != sorted(set(times)):
            raise ScenarioError(f"{path}: {name}: path: each point must be later than the one before")
    return set(names)


def _check_events(path: Path, scenario: Scenario) -> None:
    kiosks = {kiosk.name for kiosk in scenario.kiosks}
    for event in scenario.events:
        if event.at_s > scenario.duration_s:
            raise ScenarioError(
                f"{path}: event at {event.at_s:g} s: after the end, duration_s = {scenario.duration_s:g}"
            )
        if event.do == "case" and event.kiosk not in kiosks:
            raise ScenarioError(f"{path}: event at {event.at_s:g} s: there is no kiosk called {event.kiosk!r}")
        if event.do == "emask" and not event.run:
            raise ScenarioError(f'{path}: event at {event.at_s:g} s: say what to run: run = ["authority", ...]')
        if event.do not in ("case", "emask") and not event.node:
            raise ScenarioError(f"{path}: event at {event.at_s:g} s: say which node")


def _check_link(where: str, link: dict[str, Any], names: set[str]) -> None:
    for end in ("a", "b"):
        if link.get(end, "*") not in names | {"*"}:
            raise ScenarioError(f"{where}.{end}: no node or kiosk is called {link[end]}")
    if link["model"] == "recording" and "file" not in link:
        raise ScenarioError(f"{where}: say which recording: file = ...")
