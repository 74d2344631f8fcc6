# The energy model: time in each state times the board's current. A model, not a measurement. Knows no VM and no radio.
from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONSUMERS = (
    "sleep",
    "boot",
    "cpu",
    "radio start",
    "radio idle",
    "receive",
    "transmit",
    "flash",
    "led",
    "motor",
    "buzzer",
)


class BoardError(Exception):
    """A board's power table is missing or incomplete; the text names the entry."""


@dataclass
class Board:
    """A board as the bench needs it: currents (mA), times and costs (us), pins, partitions.

    From boards/<name>/power.toml.
    """

    name: str
    battery_mah: float
    tx_power_dbm: int
    current_ma: dict[str, float]
    time_us: dict[str, int]
    cost_us: dict[str, int]
    pins: dict[str, int]
    partitions: dict[str, int]

    @staticmethod
    def load(folder: Path) -> Board:
        path = folder / "power.toml"
        if not path.is_file():
            raise BoardError(f"{path}: no such file; a board folder needs its power table")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        try:
            return Board(
                name=table["board"]["name"],
                battery_mah=float(table["board"]["battery_mah"]),
                tx_power_dbm=int(table["board"]["tx_power_dbm"]),
                current_ma={k: float(_value(v)) for k, v in table["current_ma"].items()},
                time_us={k: int(_value(v)) for k, v in table["time_us"].items()},
                cost_us={k: int(_value(v)) for k, v in table["cost_us"].items()},
                pins={k: int(v) for k, v in table["pins"].items()},
                partitions={k: int(v) for k, v in table["partitions"].items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BoardError(f"{path}: entry {error} is missing or not a number") from error


def _value(entry: Any) -> float:
    return entry["value"] if isinstance(entry, dict) else entry


class Meter:
    """Charge per consumer, in mA us."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.charge = dict.fromkeys(CONSUMERS, 0.0)

    def add(self, consumer: str, state: str, us: float) -> None:
        self.charge[consumer] += us * self.board.current_ma[state]

    def mah(self) -> dict[str, float]:
        return {name: charge / 3.6e9 for name, charge in self.charge.items()}

    def total_mah(self) -> float:
        return sum(self.charge.values()) / 3.6e9
