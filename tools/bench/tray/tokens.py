# The tokens of the demonstration as a person handles them: button, tray, battery; what they show. Knows no page.
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.bench.node import Node
from tools.bench.run import Run

KIOSK = "hall"
_ON_TRAY_DBM, _AWAY_DBM = -48.0, -86.0
_PARTS = ("led", "motor", "buzzer")


class TrayLink:
    """Levels between the kiosk and each token: strong on the tray, weak elsewhere, none before it opens."""

    def __init__(self, names: list[str]) -> None:
        self.names, self.on_tray, self.opened = set(names), set[str](), False

    def knows(self, sender: str, receiver: str) -> bool:
        return KIOSK in (sender, receiver) and bool({sender, receiver} & self.names)

    def joins(self, t_us: int) -> bool:
        return self.opened

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None:
        if not self.opened:
            return None
        return _ON_TRAY_DBM if {sender, receiver} & self.on_tray else _AWAY_DBM

    def fading_db(self, rng: Any) -> float:
        return 0.0


class Tokens:
    """Hands for the nodes of a run."""

    def __init__(self, run: Run, changed: Callable[[], None] = lambda: None) -> None:
        self.names = list(run.nodes)
        self.link = TrayLink(self.names)
        self.changed = changed
        self._nodes = run.nodes
        self._shows: dict[str, set[str]] = {name: set() for name in self.names}
        self._held: set[str] = set()
        run.links.add(self.link)
        run.engine.log.watch.append(self._watch)

    def _watch(self, event: dict[str, Any]) -> None:
        if event["ev"] == "output" and event["what"] in _PARTS and event["node"] in self._shows:
            shows = self._shows[event["node"]]
            (shows.add if event["on"] else shows.discard)(event["what"])
            self.changed()

    def facts(self) -> list[dict[str, Any]]:
        """What a person sees of each."""
        return [
            {
                "name": name,
                "tray": name in self.link.on_tray,
                "held": name in self._held,
                "battery": self._nodes[name].powered,
                **{part: part in self._shows[name] for part in _PARTS},
            }
            for name in self.names
        ]

    def do(self, name: str, what: str) -> bool:
        """One hand's move: "down", "up", "tray", "away", "battery_out", "battery_in". False: there is no such."""
        node = self._nodes.get(name)
        if node is None or what not in ("down", "up", "tray", "away", "battery_out", "battery_in"):
            return False
        if what in ("down", "up"):
            self._button(node, what == "down")
        elif what in ("tray", "away"):
            (self.link.on_tray.add if what == "tray" else self.link.on_tray.discard)(name)
        elif what == "battery_in":
            node.power_on()
        else:
            node.power_off()
        self.changed()
        return True

    def _button(self, node: Node, down: bool) -> None:
        (self._held.add if down else self._held.discard)(node.name)
        if node.powered:
            node.pin(node.config.board.pins["button"], 0 if down else 1)
