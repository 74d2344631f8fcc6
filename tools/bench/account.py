# What state a device is in, and what each state costs of its charge. A model. Knows no VM and no reason for a state.
from __future__ import annotations

from typing import TYPE_CHECKING

from tools.bench.energy import Board, Meter
from tools.bench.engine import Engine

if TYPE_CHECKING:
    from tools.bench.medium import Radio

_BATTERY_EMPTY_MV = 3_000
# State -> consumer and current.
_CHARGES = {
    "light": ("sleep", "light_sleep"),
    "deep": ("sleep", "deep_sleep"),
    "boot": ("boot", "boot"),
    "run": ("cpu", "cpu_active"),
    "idle": ("cpu", "cpu_idle"),
}


class Account:
    """One device's. state: "off" or one of the above; radio_on; slow: the processor's clock; on_us: time with power."""

    def __init__(self, engine: Engine, radio: Radio, board: Board, name: str) -> None:
        self._engine, self._radio, self._board, self._name = engine, radio, board, name
        self.meter = Meter(board)
        self.state = "off"
        self.radio_on = False
        self.slow = False
        self.on_us = 0
        self._since_us = 0

    def enter(self, state: str) -> None:
        """What it was in ends here."""
        if state == self.state:
            return
        self._settle()
        self.state = state
        if self._engine.log.full:
            self._engine.log.event("state", self._name, state=state)

    def set_cpu(self, hz: int) -> None:
        """The processor's clock changes."""
        self._settle()
        self.slow = hz <= self._board.cpu_slow_mhz * 1_000_000

    def device_us(self, charged_us: int) -> int:
        """CPU time at the clock that is set; costs are stated for the full one."""
        return charged_us * self._board.cpu_mhz // self._board.cpu_slow_mhz if self.slow else charged_us

    def set_radio(self, on: bool) -> int:
        """The controller comes up or goes down; its start costs charge. The microseconds that the change takes."""
        self._settle()
        us = 0
        if on and not self.radio_on:
            us = self._board.time_us["radio_start"]
            self.meter.add("radio start", "radio_start", us)
            self.meter.add("cpu", self._cpu("cpu_active"), -us)
        elif self.radio_on and not on:
            us = self._board.time_us["radio_stop"]
        self.radio_on = on
        return us

    def charge_mah(self) -> dict[str, float]:
        """Charge used so far per consumer, mAh. A model."""
        self._settle()
        used = self._radio.used_us
        currents = self._board.current_ma
        total = self.meter.mah()
        # While the radio receives or sends, its current stands in place of the idle current already charged.
        total["receive"] = used["rx"] * currents["rx"] / 3.6e9
        total["transmit"] = used["tx"] * currents["tx"] / 3.6e9
        # (The clock is the slow one in ordinary windows; the long waits of a visit, at full speed, are idle anyway.)
        idle_ma = currents[self._cpu("radio_idle")]
        total["radio idle"] -= min(total["radio idle"], (used["rx"] + used["tx"]) * idle_ma / 3.6e9)
        return total

    def battery_mv(self, full_mah: float) -> int:
        """Open-circuit voltage of a lithium cell by what is left of it: a line from 4,150 to 3,300 mV, then a cliff.

        A model.
        """
        left = 1.0 - sum(self.charge_mah().values()) / full_mah
        return int(3_300 + 850 * left) if left > 0 else _BATTERY_EMPTY_MV

    def _cpu(self, current: str) -> str:
        return current + "_slow" if self.slow else current

    def _settle(self) -> None:
        lasted = self._engine.now_us - self._since_us
        self._since_us = self._engine.now_us
        if self.state == "off" or not lasted:
            return
        self.on_us += lasted
        consumer, current = _CHARGES[self.state]
        if self.state == "idle" and self.radio_on:
            consumer, current = "radio idle", "radio_idle"
        if self.state in ("run", "idle"):
            current = self._cpu(current)
        self.meter.add(consumer, current, lasted)
