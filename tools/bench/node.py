# A device on the bench: its VM, its local clock, its states and what they cost.
# Knows no radio protocol; other parts add operations.
from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.bench import shims
from tools.bench.account import Account
from tools.bench.energy import Board
from tools.bench.engine import Engine, OpError, Timer
from tools.bench.flash import Flash
from tools.bench.vm import POSTED, Vm, VmGone

if TYPE_CHECKING:
    from tools.bench.medium import Radio

OP_IDLE, OP_SLEEP, OP_SYNC, OP_OFF = 0x01, 0x02, 0x03, 0x0A
OFF_ENDED, OFF_DEEP_SLEEP, OFF_RESET = 0, 2, 3
CAUSE_POWER_ON, CAUSE_WATCHDOG, CAUSE_DEEP_SLEEP, CAUSE_SOFT = 1, 3, 4, 5
WAKE_NONE, WAKE_TIMER, WAKE_GPIO = 0, 4, 7
FOREVER_US = 1 << 60
_DEBT_US = 2_000  # CPU time up to this is paid at the next wait, more at once
_EVENT_BYTES = 6_000  # events handed over in one answer
_MOST_HELD = 64  # events that a waiting VM is not yet woken for, well below the controller's 100


class NodeConfig:
    """What a scenario says of a node. clock_ppm: error of its clock; paths: imports before the frozen ones; scripts:
    run at boot.
    """

    def __init__(
        self,
        name: str,
        board: Board,
        paths: list[str],
        scripts: list[str],
        *,
        clock_ppm: float = 0.0,
        battery_mah: float | None = None,
        heap_kib: int = 192,
        report_latency_us: int = 0,
    ) -> None:
        self.name, self.board, self.paths, self.scripts = name, board, paths, scripts
        self.clock_ppm, self.heap_kib, self.report_latency_us = clock_ppm, heap_kib, report_latency_us
        self.battery_mah = board.battery_mah if battery_mah is None else battery_mah


class Node:
    """Runs until it waits; the engine wakes it. All times are true time unless named local."""

    def __init__(self, engine: Engine, radio: Radio, config: NodeConfig, vm: Vm, flash: Flash) -> None:
        self.engine, self.radio, self.config, self.vm, self.flash = engine, radio, config, vm, flash
        self.name = config.name
        self.account = Account(engine, radio, config.board, config.name)
        self.ops: dict[int, Callable[[bytes], bytes | None]] = {}
        self.down: list[Callable[[], None]] = []
        self.rtc = b""
        self.nvs: dict[bytes, bytes] = {}
        self.inputs: dict[int, int] = {}
        self.powered = False
        self.boots = 0
        self._events: deque[tuple[int, int, bytes]] = deque()
        self._timer: Timer | None = None
        self._local_base_us = 0
        self._power_on_us = 0
        self._waiting = ""  # "", "idle", "sleep", "off", "busy"
        self._wake_pins: set[int] = set()
        self._debt_us = 0
        self._extra_us = 0
        self._wake_at = 0
        self._dog: Timer | None = None
        self._dog_us = 0
        self._dog_left_us = 0
        radio.patience_us = config.report_latency_us // 5
        shims.install(self)
        engine.nodes[self.name] = self

    # Clock

    def local_us(self, true_us: int) -> int:
        """The node's own count of microseconds since power-on."""
        return int((true_us - self._power_on_us) * (1 + self.config.clock_ppm * 1e-6))

    def true_us(self, local_us: int) -> int:
        """The first true microsecond at which the local clock shows at least local_us."""
        true = self._power_on_us + int(local_us / (1 + self.config.clock_ppm * 1e-6))
        while self.local_us(true) < local_us:
            true += 1
        return true

    # Power

    def power_on(self) -> None:
        """Battery in: everything but flash starts from nothing."""
        if self.powered:
            return
        self.powered = True
        self._power_on_us = self.engine.now_us
        self.rtc = b""
        self.account.enter("boot")
        self.engine.log.event("power_on", self.name)
        self._boot_later(CAUSE_POWER_ON, WAKE_NONE)

    def power_off(self) -> None:
        """Battery out, at this very moment."""
        if not self.powered:
            return
        self._go_down()
        self.account.enter("off")
        self.powered = False
        self.engine.log.event("power_off", self.name)

    def reset(self, cause: int) -> None:
        """A reset from outside: watchdog, reset button. Without a battery nothing happens."""
        if not self.powered:
            return
        self._go_down()
        self.account.enter("boot")
        self.engine.log.event("reset", self.name, cause=cause)
        self._boot_later(cause, WAKE_NONE)

    def _go_down(self) -> None:
        """Unwind the VM if it runs, silence the radio, forget what lived in RAM."""
        if self._timer:
            self._timer.cancel()
        if self._dog:
            self._dog.cancel()
            self._dog = None
        if self._waiting != "off":
            self._waiting = "off"
            self._unwind()
        self._events.clear()
        self.radio_down()
        self._debt_us = self._extra_us = 0

    def radio_down(self) -> None:
        for fn in self.down:
            fn()
        self.radio.power(False)
        self.account.radio_on = False

    def _unwind(self) -> None:
        """Tell the VM that its power is gone and wait until it stands at its boot prompt."""
        try:
            self.vm.answer(shims.POWER_GONE, self.local_us(self.engine.now_us), [], b"")
            while (op := self.vm.request()[0]) != OP_OFF:
                if op & POSTED:
                    continue
                self.vm.answer(shims.POWER_GONE, self.local_us(self.engine.now_us), [], b"")
        except VmGone:
            self.vm.restart()

    def _boot_later(self, cause: int, wake: int) -> None:
        self._waiting = "off"
        self._timer = self.engine.at(
            self.name, self.engine.now_us + self.config.board.time_us["boot"], self._boot, cause, wake
        )

    def _boot(self, cause: int, wake: int) -> None:
        self.boots += 1
        self.account.slow = False
        self._debt_us += self.config.board.cost_us["wake"]
        self.account.enter("run")
        self.engine.log.event("boot", self.name, cause=cause, wake=wake)
        self.vm.renew(self.boots)
        info = shims.boot_info(self, cause, wake)
        self._run(0, info)

    # Running

    def post(self, kind: int, payload: bytes, *, lazy: bool = False, t_us: int | None = None) -> None:
        """Queue an event for the VM. lazy: it may wait for the node's report latency."""
        if not self.powered or self._waiting == "off":
            return
        now = self.engine.now_us
        then = now if t_us is None else min(t_us, now)
        self._events.append((kind, then, payload))
        if self._waiting == "idle":
            lazy = lazy and len(self._events) < _MOST_HELD
            self._wake_by(max(now, then + self.config.report_latency_us) if lazy else now)

    @property
    def unread(self) -> int:
        """Events that the VM has not taken yet."""
        return len(self._events)

    def pin(self, number: int, level: int) -> None:
        """An input changes. Wakes a sleep that this pin may end."""
        self.inputs[number] = level
        self.post(shims.EVENT_PIN, bytes([number, level]))
        if self._waiting == "sleep" and number in self._wake_pins and not level:
            self._wake_sleep(WAKE_GPIO)
        if self.account.state == "deep" and number in self._wake_pins and not level:
            if self._timer:
                self._timer.cancel()
            self._leave_deep(WAKE_GPIO)

    def busy(self, us: int) -> None:
        """The running operation takes this long before its answer."""
        self._extra_us += us

    def _wake_by(self, when: int) -> None:
        if when < self._wake_at:
            if self._timer:
                self._timer.cancel()
            self._wake_at = when
            self._timer = self.engine.at(self.name, when, self._wake_idle)

    def _wake_idle(self) -> None:
        self.account.enter("run")
        self._run(0, b"")

    def _run(self, errno: int, result: bytes) -> None:
        """Answer the VM: it goes on until it asks again."""
        self._waiting = ""
        try:
            self.vm.answer(errno, self.local_us(self.engine.now_us), self._take_events(), result)
        except VmGone as gone:
            return self._hung(gone)
        self.engine.ask(self)
        return None

    def asked(self) -> None:
        """The VM wants something: serve it, or let it wait."""
        try:
            op, charged, payload = self._request()
        except VmGone as gone:
            return self._hung(gone)
        self._debt_us += self.account.device_us(charged)
        if op in (OP_IDLE, OP_SLEEP, OP_OFF):
            return self._wait(op, payload)
        if self._debt_us >= _DEBT_US:
            return self._pay(self._answer, op, payload)
        return self._answer(op, payload)

    def _answer(self, op: int, payload: bytes) -> None:
        self._waiting = ""
        try:
            errno, result = self._serve(op, payload)
        except shims.CutInWrite:
            return self.power_off()
        extra, self._extra_us = self._extra_us, 0
        if extra:
            return self._later(extra, self._run, errno, result)
        return self._run(errno, result)

    def _hung(self, gone: VmGone) -> None:
        self.engine.log.event("hang", self.name, reason=str(gone))
        self.vm.restart()
        self._waiting = "off"
        self.reset(CAUSE_WATCHDOG)

    def _request(self) -> tuple[int, int, bytes]:
        """What the VM waits for; what it only told on the way is done."""
        while True:
            op, charged, payload = self.vm.request()
            if not op & POSTED:
                return op, charged, payload
            self._serve(op & ~POSTED, payload)

    def _take_events(self) -> list[tuple[int, int, bytes]]:
        taken: list[tuple[int, int, bytes]] = []
        size = 0
        while self._events and size < _EVENT_BYTES and len(taken) < 1000:
            kind, t_us, payload = self._events.popleft()
            taken.append((kind, self.local_us(t_us), payload))
            size += 11 + len(payload)
        return taken

    def _serve(self, op: int, payload: bytes) -> tuple[int, bytes]:
        fn = self.ops.get(op)
        if fn is None:
            raise KeyError(f"the VM asked for an unknown operation {op:#x}")
        try:
            return 0, fn(payload) or b""
        except OpError as error:
            return error.errno, b""

    def _pay(self, then: Callable[..., None], *args: object) -> None:
        debt, self._debt_us = self._debt_us, 0
        self._later(debt, then, *args)

    def _later(self, us: int, then: Callable[..., None], *args: object) -> None:
        self._waiting = "busy"
        self._timer = self.engine.at(self.name, self.engine.now_us + us, then, *args)

    # Waiting

    def _wait(self, op: int, payload: bytes) -> None:
        if self._debt_us:
            return self._pay(self._wait, op, payload)
        if op == OP_IDLE:
            self._idle(struct.unpack("<q", payload)[0])
        elif op == OP_SLEEP:
            self._sleep(struct.unpack_from("<q", payload)[0], set(payload[8:]))
        else:
            kind, us = struct.unpack_from("<bq", payload)
            self._wake_pins = set(payload[9:])
            self._off(kind, us)

    def _idle(self, deadline_local_us: int) -> None:
        now = self.engine.now_us
        when = FOREVER_US if deadline_local_us < 0 else max(now, self.true_us(deadline_local_us))
        if self._events:
            when = now
        self._waiting = "idle"
        self.account.enter("idle")
        self._wake_at = when
        self._timer = self.engine.at(self.name, when, self._wake_idle) if when < FOREVER_US else None

    def _sleep(self, us: int, pins: set[int]) -> None:
        self._waiting = "sleep"
        self._wake_pins = pins
        if self.account.radio_on:  # the clock of the controller stops with the rest: it is dead until a reset
            self.engine.log.event("radio_corrupt", self.name)
            self.radio.power(False)
        self.account.enter("light")
        self._dog_pause()
        if any(self.inputs.get(pin, 1) == 0 for pin in pins):
            self._timer = self.engine.at(self.name, self.engine.now_us + 1, self._wake_sleep, WAKE_GPIO)
        elif us > 0:
            until = self.true_us(self.local_us(self.engine.now_us) + us)
            self._timer = self.engine.at(self.name, until, self._wake_sleep, WAKE_TIMER)
        else:
            self._timer = None

    def _wake_sleep(self, reason: int) -> None:
        if self._timer:
            self._timer.cancel()
        self.account.enter("run")
        self._debt_us += self.account.device_us(self.config.board.cost_us["wake"])
        self._dog_resume()
        self._later(self.config.board.time_us["light_wake"], self._run, 0, bytes([reason]))

    def _off(self, kind: int, us: int) -> None:
        """The VM unwound by itself: deep sleep, reset, or its very first prompt."""
        self._waiting = "off"
        if self._dog:
            self._dog.cancel()
            self._dog = None
        self._events.clear()
        self.radio_down()
        self._extra_us = 0
        if kind == OFF_DEEP_SLEEP:
            self.account.enter("deep")
            self.engine.log.event("deep_sleep", self.name)
            if any(self.inputs.get(pin, 1) == 0 for pin in self._wake_pins):
                return self._leave_deep(WAKE_GPIO)
            until = self.true_us(self.local_us(self.engine.now_us) + us)
            self._timer = self.engine.at(self.name, until, self._leave_deep, WAKE_TIMER) if us > 0 else None
        else:
            self.account.enter("boot")
            self._boot_later(CAUSE_SOFT, WAKE_NONE)

    def _leave_deep(self, wake: int) -> None:
        self.account.enter("boot")
        self._boot_later(CAUSE_DEEP_SLEEP, wake)

    # Watchdog: counts only while awake

    def watchdog(self, timeout_us: int) -> None:
        if self._dog:
            self._dog.cancel()
        self._dog_us = timeout_us
        self._dog = self.engine.at(self.name, self.engine.now_us + timeout_us, self._bite)

    def _dog_pause(self) -> None:
        if self._dog:
            self._dog.cancel()

    def _dog_resume(self) -> None:
        if self._dog:
            self.watchdog(self._dog_us)

    def _bite(self) -> None:
        self.engine.log.event("watchdog", self.name)
        self.reset(CAUSE_WATCHDOG)

    def close(self) -> None:
        self.vm.close()
        self.flash.close()
