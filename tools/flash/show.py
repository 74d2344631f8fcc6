"""Owns what a running station shows in a terminal: bars for people, lines of JSON for programs. Decides nothing."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from tools.flash.station import Place, Station, no_port_words, share_of_all

_PATIENCE = 40  # looks without any board until the cable is suspected
_HEADS = {"press": "PRESS", "done": "DONE", "stopped": "STOP"}


class Bars:
    """A bar for each place; what staff must do stands above the bars, in full."""

    def __init__(self, url: str) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            TextColumn("{task.percentage:3.0f} %  {task.fields[words]}"),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, Any] = {}
        self._told: dict[str, str] = {}
        self._empty = 0
        self._url = url

    def __enter__(self) -> "Bars":
        if self._url:
            self._bars.console.print(f"The same on a page: {self._url}")
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def draw(self, station: Station, update: bool) -> None:
        self._empty = 0 if station.places else self._empty + 1
        if self._empty == _PATIENCE:
            self._bars.console.print(no_port_words())
        for place in list(station.places.values()):
            if place.port not in self._tasks:
                self._tasks[place.port] = self._bars.add_task(Path(place.port).name, total=1.0, words="")
            words = _HEADS.get(place.phase, place.words)
            self._bars.update(self._tasks[place.port], completed=share_of_all(place, update), words=words)
            self._tell(place)

    def _tell(self, place: Place) -> None:
        words = place.words if place.phase in _HEADS else ""
        if words and self._told.get(place.port) != words:
            self._bars.console.print(f"{Path(place.port).name}: {words}", markup=False, highlight=False)
        self._told[place.port] = words


class Lines:
    """A line of JSON whenever a place changes its phase."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None: ...

    def draw(self, station: Station, update: bool) -> None:
        for place in list(station.places.values()):
            now = (place.phase, place.label)
            if self._last.get(place.port) != now:
                self._last[place.port] = now
                click.echo(json.dumps(_public(place)))


def _public(place: Place) -> dict[str, Any]:
    return {
        "port": place.port,
        "phase": place.phase,
        "label": place.label,
        "code": place.code,
        "words": place.words,
        "bytes": place.bytes,
    }
