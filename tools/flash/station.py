"""Owns many boards at once: a worker process for each port, the state of all, the record. Draws nothing."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools import ROOT
from tools.flash import label
from tools.flash.mistakes import WORDS, Mistake, explain
from tools.flash.record import Record
from tools.flash.worker import NEW, UPDATE

POLL_S = 0.3
_STEP_LIMIT_S = 300


_DOING = {
    "look": "It looks at the board.",
    "base": "It writes MicroPython.",
    "settings": "It writes the settings.",
    "product": "It writes the product.",
    "provision": "The board makes its keys.",
    "radio": "It tests the radio.",
    "hands": "It tests light, motor and button.",
    "keep": "It finishes.",
    "release": "It finishes.",
}


@dataclass
class Place:
    """One port as staff see it. phase: waiting, working, press, done, stopped."""

    port: str
    phase: str = "waiting"
    step: str = ""
    share: float = 0.0
    label: str = ""
    words: str = ""
    code: str = ""
    bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """What is the same for every board of a run."""

    bundle: Path
    settings: dict[str, Any]
    labels: Path
    printer: str = ""  # command that prints a label's file
    update: bool = False
    beacon: bool = True
    baud: int = 460800
    reset: str = "default-reset"
    radio_ms: int = 3000
    hands_ms: int = 30000


class Station:
    """Boards come and go on ports; lister() gives those that are there now."""

    def __init__(self, options: Options, record: Record, batch: int, lister: Callable[[], list[str]]) -> None:
        self._options = options
        self._record = record
        self._batch = batch
        self._lister = lister
        self.places: dict[str, Place] = {}
        self.done = 0
        self._threads: dict[str, threading.Thread] = {}
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """For the page and --json."""
        places = [asdict(place) for place in list(self.places.values())]
        return {"done": self.done, "counts": self._record.counts(self._batch), "places": places}

    def run(self, until: Callable[[], bool], tick: Callable[[], None] = lambda: None) -> None:
        """Serve ports until `until()`; then the workers at work are stopped, and go on at the next run."""
        try:
            while not until():
                self.look()
                tick()
                time.sleep(POLL_S)
        finally:
            self.stop()

    def look(self) -> None:
        """Start what was plugged in, forget what is gone."""
        there = set(self._lister())
        for port in list(self.places):
            idle = port not in self._threads or not self._threads[port].is_alive()
            if port not in there and idle:
                del self.places[port]
        for port in sorted(there):
            place = self.places.get(port)
            # A cable that comes out and in within one look leaves the place stopped: that board goes on at once.
            if place is None or place.code == "unplugged" and not self._threads[port].is_alive():
                self.places[port] = Place(port)
                self._threads[port] = threading.Thread(target=self._serve, args=(self.places[port],), daemon=True)
                self._threads[port].start()

    def stop(self) -> None:
        for process in list(self._processes.values()):
            process.kill()
        for thread in self._threads.values():
            thread.join(5)

    def _serve(self, place: Place) -> None:
        place.phase = "working"
        job = {name: value for name, value in asdict(self._options).items() if name not in ("labels", "printer")}
        job |= {"port": place.port, "bundle": str(self._options.bundle)}
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.flash.worker"],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._processes[place.port] = process
        watch = threading.Timer(_STEP_LIMIT_S, process.kill)
        watch.start()
        try:
            self._say(process, job)
            self._follow(place, process)
        except (OSError, sqlite3.Error) as error:
            told = explain(error)
            self._stopped(place, 0, told.code, str(told))
        finally:
            watch.cancel()
            process.kill()
            process.wait()
            self._processes.pop(place.port, None)

    @staticmethod
    def _say(process: "subprocess.Popen[str]", facts: dict[str, Any]) -> None:
        assert process.stdin
        process.stdin.write(json.dumps(facts) + "\n")
        process.stdin.flush()

    def _follow(self, place: Place, process: "subprocess.Popen[str]") -> None:
        unit = 0
        assert process.stdout
        for line in process.stdout:
            event = json.loads(line)
            kind = event.pop("event")
            if kind == "seen":
                unit = self._recognise(place, process, event["mac"])
                if not unit:
                    return
            elif kind == "step":
                place.phase, place.step, place.share = "working", event["step"], event["share"]
                place.words = _DOING[place.step]
            elif kind == "ask":
                place.phase, place.words = "press", "Press the button when it blinks and shakes."
            elif kind == "done" and unit and not self._options.update:
                self._record.step(unit, event["step"], event["seconds"])
            elif kind == "fact" and unit:
                self._record.fact(unit, event["name"], event["value"])
            elif kind == "bytes":
                place.bytes[event["way"]] = event["sent"]
            elif kind == "mistake":
                self._stopped(place, unit, event["code"], f"{event['what']} {event['do']}")
        if process.wait() == 0:
            self._finished(place, unit)
        elif place.phase != "stopped":
            self._stopped(place, unit, "unknown", str(Mistake("unknown", found="the worker ended")))

    def _recognise(self, place: Place, process: "subprocess.Popen[str]", mac: str) -> int:
        if self._options.update:
            self._say(process, {"done": []})
            return -1
        unit, place.label = self._record.unit(self._batch, mac)
        done = self._record.done(unit)
        if "keep" in done:
            place.phase, place.words = "done", f"{place.label} was finished before. Take it out."
            return 0
        self._say(process, {"done": done})
        return unit

    def _stopped(self, place: Place, unit: int, code: str, words: str) -> None:
        place.phase, place.code, place.words = "stopped", code, words
        if unit > 0:
            self._record.end(unit, code)

    def _finished(self, place: Place, unit: int) -> None:
        words = "Updated."
        if unit > 0:
            self._record.end(unit)
            words = f"Stick label {place.label} on it, take it out, plug in the next." + self._label(place)
        place.phase, place.share, place.words = "done", 1.0, words
        with self._lock:
            self.done += 1

    def _label(self, place: Place) -> str:
        """Make and print the label; what there is to say of it."""
        try:
            path = label.write(self._options.labels, place.label)
            if self._options.printer:
                label.send(self._options.printer, path)
        except (Mistake, OSError) as error:
            told = explain(error)
            place.code = told.code
            return f" {told}"
        return ""


def share_of_all(place: Place, update: bool) -> float:
    """How far a board is, over all its steps."""
    steps = UPDATE if update else NEW
    if place.phase == "done":
        return 1.0
    return (steps.index(place.step) + place.share) / len(steps) if place.step in steps else 0.0


def no_port_words() -> str:
    return " ".join(WORDS["no_port"])
