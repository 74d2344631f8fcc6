# What strangers who connect cost a token, by the energy model: a visit, a minute with nobody, the longest connections,
# at each door.
# Knows no rule of the visit but that a press is needed.
from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bleak.exc import BleakError

from emask import spec
from tools.bench.attack.stage import Stage
from tools.bench.image import Image

_NEXT_S = 13.0  # just before a silent peer is dropped
_BLINK_S = 1.3  # it takes 1.2 s
_LOOK_S = 600.0
_HOUR_S = 3600.0
_DOOR_HOURS = (2, 4)  # until the time that doors may be held is used up, and from then on
CASES = ("visit", "nobody", "silent", "dragging", "blinking", "knocking")


def run(image: Image, seed: int, tell: Callable[[], None]) -> dict[str, Any]:
    """mAh and seconds of one press in each of CASES, beyond what the token takes in that time anyway."""
    rows = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder, Stage(image, Path(folder), seed=seed) as stage:
            rows.append(_row(stage, case))
        tell()
    with tempfile.TemporaryDirectory() as folder, Stage(image, Path(folder), seed=seed) as stage:
        doors = _doors(stage)
    tell()
    mah = stage.node.config.battery_mah
    worst = max(row["mah"] for row in rows)
    return {"rows": rows, "doors": doors, "battery_mah": mah, "worst_percent_of_battery": round(100 * worst / mah, 2)}


def _row(stage: Stage, case: str) -> dict[str, Any]:
    work: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "visit": stage.visit,
        "nobody": lambda: _nobody(stage),
        "silent": lambda: _held(stage, ()),
        "dragging": lambda: _held(stage, (4,)),
        "blinking": lambda: _held(stage, (3, spec.BLINK, 0, 0), _BLINK_S),
        "knocking": lambda: _knock(stage),
    }
    links: list[int] = []
    stage.run(stage.visit())  # it knows the time: its usual life, alone
    stage.wait(_LOOK_S)
    rest = _spent(stage, asyncio.sleep(_LOOK_S)) / _LOOK_S
    stage.engine.log.watch.append(
        lambda event: links.append(1) if event.get("state") == "up" and event["ev"] == "link" else None
    )
    started_s = stage.now_s
    used = _spent(stage, work[case]())
    used += _spent(stage, asyncio.sleep(_LOOK_S - (stage.now_s - started_s)))
    lasted_s = stage.now_s - started_s
    return {"case": case, "mah": round(used - rest * lasted_s, 3), "connections": len(links)}


def text(found: dict[str, Any]) -> str:
    lines = [f"{row['case']:<9} {row['mah']:.3f} mAh, {row['connections']} connections" for row in found["rows"]]
    lines.append(
        f"One press costs at most {found['worst_percent_of_battery']} % of {found['battery_mah']:g} mAh, "
        "whoever connects. By the energy model."
    )
    doors = found["doors"]
    lines.append(
        f"Who comes to every door and stays as long as it lets them holds it for {doors['held_s']} s in "
        f"{doors['hours']} hours, and costs {doors['mah_a_day']} mAh a day."
    )
    return "\n".join(lines)


def _spent(stage: Stage, work: Coroutine[Any, Any, Any]) -> float:
    before = sum(stage.node.account.charge_mah().values())
    stage.run(work)
    return sum(stage.node.account.charge_mah().values()) - before


def _doors(stage: Stage) -> dict[str, Any]:
    """Somebody beside the token all day who connects at each door and stays as long as it lets them; the first day."""
    stage.run(stage.visit())
    stage.wait(_LOOK_S)
    rest = _spent(stage, asyncio.sleep(_HOUR_S)) / _HOUR_S
    held: list[float] = []
    used = []
    for hours in _DOOR_HOURS:
        end_s = stage.now_s + hours * _HOUR_S
        used.append(_spent(stage, _dragged(stage, end_s, held)) - rest * hours * _HOUR_S)
    first, later = _DOOR_HOURS
    return {
        "hours": first + later,
        "connections": len(held),
        "held_s": round(sum(held), 1),
        "mah_a_day": round(used[0] + used[1] / later * (24 - first), 2),
    }


async def _dragged(stage: Stage, end_s: float, held: list[float]) -> None:
    while stage.now_s < end_s:
        device = await stage.door()
        try:
            async with stage.bench.kiosks["station"].classes[1](device, timeout=2.0) as client:
                began_s = stage.now_s
                held.append(0.0)
                while client.is_connected:
                    await client.write_gatt_char(spec.RX_UUID, bytes((0, spec.FRAME_SHOW)), response=True)
                    held[-1] = stage.now_s - began_s
                    await asyncio.sleep(1.0)
        except (BleakError, TimeoutError):
            pass


async def _nobody(stage: Stage) -> None:
    stage.press()
    await asyncio.sleep(70.0)


async def _held(stage: Stage, frame: tuple[int, ...], every_s: float = _NEXT_S) -> None:
    """Connect and stay as long as the token lets us; `frame` follows its number."""
    async with await stage.client() as client:
        number = 0
        while client.is_connected:
            try:
                if frame:
                    await client.write_gatt_char(spec.RX_UUID, bytes((number & 0xFF, *frame)), response=True)
                await asyncio.sleep(every_s)
            except BleakError:
                break
            number += 1


async def _knock(stage: Stage) -> None:
    """Connect and leave, again and again, for the minute in which a token was connectable."""
    device = await stage.find()
    client_class = stage.bench.kiosks["station"].classes[1]
    end_s = stage.now_s + 60.0
    while stage.now_s < end_s:
        try:
            async with client_class(device, timeout=5.0):
                pass
        except (BleakError, TimeoutError):
            await asyncio.sleep(1.0)
