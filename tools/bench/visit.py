# How long a visit takes at an MTU, link and cryptography apart: nothing new, and lists of some sizes, for a token whose
# flash is as full as after three weeks. Plays visits; mends nothing.
from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emask import sighting, spec, store
from tools.bench import crypto, outcome
from tools.bench.attack.stage import Stage
from tools.bench.image import Image
from tools.bench.run import TOKEN_HEAP_KIB
from tools.bench.scenario import START_UTC

_CRYPTO = ("x25519", "ed25519_verify", "seal", "seal_block")
_A_DAY = 840  # sightings of a usual day
_BETWEEN_S = 400.0  # so that a list is compared before the next one comes
AIM_S = {0: 2.0, 1_000: 5.0, 10_000: 30.0}  # of link time


def run(
    image: Image, records: tuple[int, ...], mtu: int, interval_ms: float, days: int, seed: int, tell: Callable[[], None]
) -> dict[str, Any]:
    """One row per list: seconds from connection to farewell, with the cryptography and without, and their difference.

    The first row is a kiosk whose certificate is new; the list key's is new to the first list.
    """
    with_crypto = _visits(image, records, mtu, interval_ms, days, seed, (), tell)
    without = _visits(image, records, mtu, interval_ms, days, seed, _CRYPTO, tell)
    rows = []
    for (name, count, all_s), (_, _, link_s) in zip(with_crypto, without, strict=True):
        rows.append(
            {
                "visit": name,
                "records": count,
                "link_s": round(link_s, 2),
                "crypto_s": round(all_s - link_s, 2),
                "all_s": round(all_s, 2),
                "aim_link_s": AIM_S.get(count),
            }
        )
    vm = crypto.measure(image)
    middle = vm["slower"][1]
    device = {
        name: round(vm["vm_us"][name] * middle / 1e6, 3) for name in ("Ed25519 verify", "X25519", "seal 64 bytes")
    }
    return {"mtu": mtu, "interval_ms": interval_ms, "sightings": days * _A_DAY, "rows": rows, "device_s": device}


def _visits(
    image: Image,
    records: tuple[int, ...],
    mtu: int,
    interval_ms: float,
    days: int,
    seed: int,
    free: tuple[str, ...],
    tell: Callable[[], None],
) -> list[tuple[str, int, float]]:
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Stage(image, Path(folder), seed=seed, free=free, fill=filler(days), heap_kib=TOKEN_HEAP_KIB) as stage,
    ):
        stage.radio("station", mtu=mtu, interval_us=int(interval_ms * 1000))
        lasted: list[float] = []
        stage.engine.log.watch.append(_Clock(lasted).event)
        for serial, count in enumerate((-1, *records), 1):
            if count > 0:
                stage.publish(count, serial, base=0)
            result = stage.run(stage.visit())
            if not result.complete or (result.list == "taken") != (count > 0):
                raise AssertionError(f"no such visit came about: {result.list}")
            rows.append((_name(count), max(count, 0), lasted[-1]))
            tell()
            if serial <= len(records):  # nobody waits for the last list to be compared
                stage.wait(_BETWEEN_S)
    return rows


def _name(count: int) -> str:
    return "new kiosk" if count < 0 else f"{count} new records" if count else "nothing new"


class _Clock:
    """Seconds that each connection lasted."""

    def __init__(self, lasted: list[float]) -> None:
        self._lasted, self._since_us = lasted, 0

    def event(self, event: dict[str, Any]) -> None:
        if event["ev"] == "link" and event["state"] == "up":
            self._since_us = event["t_us"]
        elif event["ev"] == "link" and event["node"] == "token":
            self._lasted.append((event["t_us"] - self._since_us) / 1e6)


def filler(days: int) -> Callable[[Path, int, int], None]:
    """What writes so many usual days into the partition of sightings."""

    def fill(image: Path, offset: int, size: int) -> None:
        device = outcome.ImageDevice(image, offset, size)
        kept = store.Store(device)
        kept.mount()
        first = int(START_UTC.timestamp()) // spec.SLOT_S - days * spec.SLOTS_PER_DAY
        for number in range(days * _A_DAY):
            slot = first + number * spec.SLOTS_PER_DAY // _A_DAY
            heard = sighting.pack(
                1, number.to_bytes(12, "little"), 0, number % 60_000, 9, -80, 0, sighting.flat(7, -80)
            )
            kept.append(spec.SIGHTING, slot, heard)
        device.save(image, offset)

    return fill


def text(found: dict[str, Any]) -> str:
    lines = [
        f"MTU {found['mtu']}, connection interval {found['interval_ms']:g} ms, {found['sightings']} sightings in "
        "flash; seconds of the connection, by the bench:"
    ]
    for row in found["rows"]:
        aim = f"aim {row['aim_link_s']:g}" if row["aim_link_s"] else ""
        seconds = f"link {row['link_s']:6.2f} ({aim:<6})  cryptography {row['crypto_s']:5.2f}"
        lines.append(f"{row['visit']:<18} {seconds}  together {row['all_s']:6.2f}")
    device = ", ".join(f"{name} {seconds:g}" for name, seconds in found["device_s"].items())
    lines.append(f"Device time of one, in seconds, by the stated factor of {crypto.SLOWER[1]}: {device}.")
    return "\n".join(lines)
