# The energy model: time in each state times the board's current. A model, not a measurement. Knows no VM and no radio.
from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
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
# What the model asks of a board's table.
_CURRENTS = (
    *("deep_sleep", "light_sleep", "boot", "cpu_active", "cpu_idle", "radio_start", "radio_idle", "rx", "tx"),
    *("cpu_active_slow", "cpu_idle_slow", "radio_idle_slow"),
    *("led", "motor", "buzzer", "flash_erase", "flash_program"),
)
_CELL = ("usable_percent", "self_discharge_percent_month")
_TIMES = ("boot", "light_wake", "radio_start", "radio_stop", "flash_erase", "flash_program_page")
_COSTS = ("wake", "report", "record", "record_read", "sha256_block", "aes_block", "gatt_frame")

_FACTS = ("tx_power_dbm", "clock_error_ppm", "advert_ms", "cpu_mhz", "cpu_slow_mhz")


class BoardError(Exception):
    """A board's power table is missing or incomplete; the text names the entry."""


@dataclass
class Board:
    """A board as the bench needs it: currents (mA), times and costs (us), pins, partitions.

    From boards/<name>/power.toml.
    """

    name: str
    chip: str
    battery_mah: float
    tx_power_dbm: int
    clock_error_ppm: int
    advert_ms: int
    cpu_mhz: int
    cpu_slow_mhz: int
    current_ma: dict[str, float]
    time_us: dict[str, int]
    cost_us: dict[str, int]
    pins: dict[str, int]
    partitions: dict[str, int]
    low_percent: tuple[int, ...]
    usable_percent: float
    self_discharge_percent_month: float

    @staticmethod
    def load(folder: Path) -> Board:
        path = folder / "power.toml"
        if not path.is_file():
            raise BoardError(f"{path}: no such file; a board folder needs its power table")
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BoardError(f"{path}: not a TOML file: {error}") from None
        try:
            return Board(
                name=table["board"]["name"],
                chip=table["board"]["chip"],
                battery_mah=float(table["board"]["battery_mah"]),
                **{key: int(table["board"][key]) for key in _FACTS},
                low_percent=tuple(int(percent) for percent in table["board"]["low_percent"]),
                current_ma=_figures(path, table["current_ma"], _CURRENTS, float),
                time_us=_figures(path, table["time_us"], _TIMES, int),
                cost_us=_figures(path, table["cost_us"], _COSTS, int),
                pins={k: int(v) for k, v in table.get("pins", {}).items()},
                partitions={k: int(v) for k, v in table.get("partitions", {}).items()},
                **_figures(path, table["battery"], _CELL, float),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BoardError(f"{path}: entry {error} is missing or not a number") from error


def _figures(path: Path, table: dict[str, Any], needed: tuple[str, ...], kind: Callable[[Any], Any]) -> dict[str, Any]:
    """The values of one part, each as a positive number; all that the model needs are there."""
    for name in needed:
        if name not in table:
            raise BoardError(f"{path}: {name} is missing")
    found = {}
    for name, entry in table.items():
        value = entry.get("value") if isinstance(entry, dict) else entry
        if not isinstance(value, int | float) or not 0 < value < math.inf:
            raise BoardError(f"{path}: {name}: {value!r} is not a number above 0")
        found[name] = kind(value)
    return found


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
