# What a run's log says of each token over time, as it comes: spans of radio, links and outputs, and moments.
# Judges nothing.
from __future__ import annotations

from typing import Any

_SIGNAL = "motor"


class Watcher:
    """Collects from the log what the timeline and the words need."""

    def __init__(self) -> None:
        self.spans: dict[str, dict[str, list[list[float]]]] = {}
        self.open: dict[tuple[str, str], float] = {}
        self.cuts: dict[str, list[float]] = {}
        self.marks: dict[str, list[dict[str, Any]]] = {}
        self.motor: dict[str, float] = {}

    def __call__(self, event: dict[str, Any]) -> None:
        node, at_s, kind = event["node"], event["t_us"] / 1e6, event["ev"]
        if kind == "scan":
            self._span(node, "listens", at_s - event["lasted_us"] / 1e6, at_s)
        elif kind == "radio":
            self._switch(node, "radio on", event["state"] == "up", at_s)
        elif kind == "link":
            for end in (node, event.get("peer")):
                if end:
                    self._switch(end, "connected", event["state"] == "up", at_s)
        elif kind == "output":
            self._switch(node, event["what"], bool(event["on"]), at_s)
            if event["what"] == _SIGNAL and event["on"]:
                self.motor[node] = at_s
        elif kind == "power_off" and not self._last_cut(node, at_s):
            self.cuts.setdefault(node, []).append(at_s)
            self._mark(node, at_s, "battery out")
        elif kind == "event" and event["do"] == "press":
            self._mark(node, at_s, "button")
        elif kind == "power_on":
            self._mark(node, at_s, "battery in")

    def _last_cut(self, node: str, at_s: float) -> bool:
        return bool(self.cuts.get(node)) and self.cuts[node][-1] == at_s

    def _mark(self, node: str, at_s: float, label: str) -> None:
        self.marks.setdefault(node, []).append({"at_s": at_s, "label": label})

    def _span(self, node: str, lane: str, start_s: float, end_s: float) -> None:
        self.spans.setdefault(node, {}).setdefault(lane, []).append([start_s, end_s])

    def _switch(self, node: str, lane: str, on: bool, at_s: float) -> None:
        started = self.open.pop((node, lane), None)
        if on:
            self.open[node, lane] = at_s if started is None else started
        elif started is not None:
            self._span(node, lane, started, at_s)
