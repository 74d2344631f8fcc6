# The host's answers to the VM's `machine`, `esp32` and `os` shims: pins, flash, RTC memory, ADC, watchdog, boot
# information.
from __future__ import annotations

import errno
import json
import struct
from typing import TYPE_CHECKING, Any

from tools.bench.engine import OpError
from tools.bench.flash import FlashError, PowerCut

if TYPE_CHECKING:
    from tools.bench.node import Node

POWER_GONE = -999
EVENT_PIN = 0x01
_DIVIDER = 2  # the battery reaches the ADC through a divider of two equal resistors


class CutInWrite(Exception):
    """Power went in the middle of a flash operation."""


def install(node: Node) -> None:
    """Register the operations of boards/bench/{machine,esp32}.py."""
    outputs = _Outputs(node)
    node.ops[0x03] = lambda payload: None
    node.ops[0x04] = outputs.set
    node.ops[0x05] = lambda payload: _program(node, payload)
    node.ops[0x06] = lambda payload: _erase(node, payload)
    node.ops[0x07] = lambda payload: setattr(node, "rtc", payload)
    node.ops[0x08] = lambda payload: struct.pack("<I", _battery_mv(node) * 1000 // _DIVIDER)
    node.ops[0x09] = lambda payload: node.watchdog(struct.unpack("<I", payload)[0] * 1000)
    node.ops[0x0B] = lambda payload: node.nvs.update([payload.split(b"\0", 1)])  # type: ignore[list-item]
    node.ops[0x0C] = lambda payload: _nvs_get(node, payload)
    node.ops[0x0D] = lambda payload: node.account.set_cpu(struct.unpack("<I", payload)[0])
    node.ops[0x0E] = lambda payload: node.engine.log.event("script_ended", node.name)
    node.down.append(outputs.off)


def boot_info(node: Node, cause: int, wake: int) -> bytes:
    """What runner.py needs for a boot, as JSON."""
    config = node.config
    info: dict[str, Any] = {
        "cause": cause,
        "wake": wake,
        "rtc": node.rtc.hex(),
        "seed": node.engine.rng("urandom", node.name, node.boots).randbytes(32).hex(),
        "paths": config.paths,
        "scripts": config.scripts,
        "image": str(node.flash.path),
        "partitions": {p.name: [n, p.offset, p.size] for n, p in enumerate(node.flash.partitions)},
        "inputs": {str(pin): level for pin, level in node.inputs.items()},
        "cost_us": config.board.cost_us,
    }
    return json.dumps(info).encode()


def _battery_mv(node: Node) -> int:
    return node.account.battery_mv(node.config.battery_mah)


class _Outputs:
    """LED, motor and buzzer: what is on, since when, what it draws."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._names = {pin: name for name, pin in node.config.board.pins.items() if name != "button"}
        self._on: dict[str, int] = {}

    def set(self, payload: bytes) -> None:
        pin, level, hz = struct.unpack("<BBI", payload)
        name = self._names.get(pin, f"pin{pin}")
        self._change(name, level, hz)

    def _change(self, name: str, level: int, hz: int) -> None:
        node = self.node
        was = self._on.pop(name, None)
        if level:
            self._on[name] = node.engine.now_us if was is None else was
        if was is not None and not level and name in ("led", "motor", "buzzer"):
            node.account.meter.add(name, name, node.engine.now_us - was)
        if (was is None) == bool(level):
            node.engine.log.event("output", node.name, what=name, on=level, **({"hz": hz} if hz else {}))

    def off(self) -> None:
        for name in list(self._on):
            self._change(name, 0, 0)


def _program(node: Node, payload: bytes) -> None:
    partition, address = struct.unpack_from("<BI", payload)
    try:
        pages = node.flash.program(partition, address, payload[5:])
    except FlashError as error:
        node.engine.log.event("flash_refused", node.name, reason=str(error))
        raise OpError(errno.EIO) from error
    except PowerCut as cut:
        raise CutInWrite from cut
    us = pages * node.config.board.time_us["flash_program_page"]
    node.account.meter.add("flash", "flash_program", us)
    node.busy(us)
    if node.engine.log.full:
        node.engine.log.event("program", node.name, bytes=len(payload) - 5)


def _erase(node: Node, payload: bytes) -> None:
    partition, address = struct.unpack("<BI", payload)
    try:
        node.flash.erase(partition, address)
    except FlashError as error:
        node.engine.log.event("flash_refused", node.name, reason=str(error))
        raise OpError(errno.EIO) from error
    except PowerCut as cut:
        raise CutInWrite from cut
    us = node.config.board.time_us["flash_erase"]
    node.account.meter.add("flash", "flash_erase", us)
    node.busy(us)
    node.engine.log.event("erase", node.name)


def _nvs_get(node: Node, payload: bytes) -> bytes:
    if payload not in node.nvs or not node.nvs[payload]:
        raise OpError(errno.ENOENT)
    return node.nvs[payload]
