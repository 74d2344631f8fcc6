# Time of the matching on the real VM, of a token with three weeks of sightings in flash, beside the straightforward way
# and the floor; and what a chip may take by the stated factor. Runs no firmware, no radio.
from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emask import clock, keylist, scheme, sighting, spec, store
from tools import wire
from tools.bench.crypto import SLOWER
from tools.bench.energy import Board
from tools.bench.engine import BenchError
from tools.bench.flash import BLOCK
from tools.bench.image import Image
from tools.bench.match_scripts import COMMON, FLOOR, MATCHER, PLAIN
from tools.bench.outcome import ImageDevice
from tools.rule import DEFAULT

DAYS = 21
A_DAY = 840  # sightings
HEAP_KIB = 256  # of the VM, with the code and the flash's driver; 64 bit, so about half of it on a chip
AIM_S = {1_000: 120, 10_000: 1_200}
AIM_MAH = {1_000: 1.0}
_PLAIN_HEAP_KIB = 65_536  # a dict of three weeks' identifiers
_BLOCKS = 240  # of the product's partition
_ISSUED_S = 20_660 * spec.DAY_S
_MET = 5  # people who were near for an hour
_MARGIN_S = 3_600  # a list's slots ended before it was issued
_TIMEOUT_S = 3_600
# Of one identifier, if native code drove the chip's engine: 32 bytes in and out and a block's work; an estimate.
_ENGINE_US = {spec.BLUEZONE: 3.0, spec.GAEN: 2.0}


def run(
    image: Image, board: Board, count: int, scheme_name: str, seed: int, tell: Callable[[], None]
) -> dict[str, Any]:
    """What `count` new records, each of as many days as a key serves, take a token that heard A_DAY a day for DAYS.

    Times are the VM's own processor seconds. floor: the records' identifiers times the time of one hash (or AES block).
    """
    with tempfile.TemporaryDirectory() as place:
        rules = scheme.get(scheme_name)
        slots = _world(Path(place), count, seed, rules)
        facts = _facts(image, Path(place), rules)
        tell()
        took_s, steps, hits, held = _vm(COMMON + MATCHER, facts, HEAP_KIB)
        tell()
        one_s = _vm(COMMON + FLOOR, facts, HEAP_KIB)
        built_s, walked_s, plain_hits = _vm(COMMON + PLAIN, facts, _PLAIN_HEAP_KIB)
    tell()
    if hits != plain_hits:
        raise BenchError(f"{hits} matches, {plain_hits} in the straightforward way")
    device = [took_s * factor for factor in SLOWER]
    return {
        "records": count,
        "scheme": scheme_name,
        "seed": seed,
        "sightings": DAYS * A_DAY,
        "identifiers": slots,
        "hits": hits,
        "steps": steps,
        "heap_kib": held // 1024,
        "slower": list(SLOWER),
        "vm_s": round(took_s, 3),
        "vm_one_us": round(one_s * 1e6, 3),
        "records_per_s": round(count / took_s),
        "device_s": [round(seconds) for seconds in device],
        "device_records_per_s": [round(count / seconds, 1) for seconds in device],
        "mah": round(device[1] * board.current_ma["cpu_active"] / 3600, 2),
        "floor_s": round(slots * one_s * SLOWER[1]),
        "times_floor": round(took_s / (slots * one_s), 2),
        "straightforward_vm_s": round(built_s + walked_s, 3),
        "times_straightforward": round(took_s / (built_s + walked_s), 2),
        "engine_s": round(slots * _ENGINE_US[rules.NUMBER] / 1e6, 1),
        "aim_s": AIM_S.get(count),
        "aim_mah": AIM_MAH.get(count),
    }


def _facts(image: Image, folder: Path, rules: Any) -> dict[str, Any]:
    return {
        "lib": image.lib,
        "folder": folder,
        "block": BLOCK,
        "blocks": _BLOCKS,
        "scheme": rules.NUMBER,
        "issued": _ISSUED_S,
        "sighting": spec.SIGHTING,
        "anchor": spec.ANCHOR,
        "tolerance": spec.TOLERANCE_SLOTS,
        "rule": wire.pack_rule(DEFAULT).hex(),
    }


def _vm(script: str, facts: dict[str, Any], heap_kib: int) -> Any:
    command = [str(Path(sys.executable).with_name("micropython")), "-X", f"heapsize={heap_kib}k", "-c"]
    done = subprocess.run([*command, script.format(**facts)], capture_output=True, text=True, timeout=_TIMEOUT_S)
    if done.returncode:
        raise BenchError(f"the VM could not match: {(done.stderr or done.stdout).strip()[-300:]}")
    return json.loads(done.stdout)


def _world(folder: Path, count: int, seed: int, rules: Any) -> int:
    """The token's flash and the list's records as files; how many slots the records have."""
    draw = random.Random(seed)
    length = rules.SLOT_S
    a_key = rules.KEY_DAYS * rules.SLOTS_PER_DAY
    oldest = (_ISSUED_S - spec.INFECTIOUS_DAYS * spec.DAY_S) // length
    newest = (_ISSUED_S - _MARGIN_S) // length - a_key
    records: list[bytes] = []
    met: dict[int, list[bytes]] = {}
    for number in range(count):
        key = draw.randbytes(rules.KEY_BYTES)
        first = draw.randint(oldest // rules.SLOTS_PER_DAY, newest // rules.SLOTS_PER_DAY) * rules.SLOTS_PER_DAY
        index = first & 0xFFFF if rules.NUMBER == spec.GAEN else 0
        records.append(keylist.pack_record(key.ljust(32, b"\0"), first, index, a_key))
        if number < _MET:
            at = first + a_key // 2
            chain = rules.Chain(key, at, (index + a_key // 2) & 0xFFFF)
            for _ in range(3_600 // length):
                met.setdefault(chain.slot * length // spec.SLOT_S, []).append(chain.id())
                chain.step()
    (folder / "records").write_bytes(b"".join(records))
    _flash(folder / "flash", draw, rules, met)
    return count * a_key


def _flash(path: Path, draw: random.Random, rules: Any, met: dict[int, list[bytes]]) -> None:
    path.write_bytes(b"\xff" * (BLOCK * _BLOCKS))
    device = ImageDevice(path, 0, BLOCK * _BLOCKS)
    kept = store.Store(device)
    kept.mount()
    first = _ISSUED_S // spec.SLOT_S - DAYS * spec.SLOTS_PER_DAY
    begin_s = first * spec.SLOT_S
    for tick_s in range(0, DAYS * spec.DAY_S, 3 * spec.DAY_S):  # a confirmed time every three days
        kept.append(spec.ANCHOR, first, clock.pack_anchor(1, tick_s, begin_s + tick_s, 0, 1))
    for number in range(DAYS * spec.SLOTS_PER_DAY):
        many = (number + 1) * A_DAY // spec.SLOTS_PER_DAY - number * A_DAY // spec.SLOTS_PER_DAY
        near = met.get(first + number, [])
        for ident in near + [draw.randbytes(rules.ID_BYTES) for _ in range(many - len(near))]:
            minute = number * 15 + draw.randrange(10)
            levels = sighting.flat(0x1F, draw.randint(-95, -60))
            heard = sighting.pack(rules.NUMBER, ident, 1, minute, 30, -70, 0, levels)
            kept.append(spec.SIGHTING, first + number, heard)
    device.save(path, 0)


def text(found: dict[str, Any]) -> str:
    """A line for each thing that was measured, and what is reckoned from it."""
    least, taken, most = found["slower"]
    low, middle, high = found["device_s"]
    aim = f"; aim {found['aim_s']} s" if found["aim_s"] else ""
    aim_mah = f", aim {found['aim_mah']:g}" if found["aim_mah"] else ""
    one = "SHA-256" if found["scheme"] == "bluezone" else "AES block"
    return "\n".join(
        (
            f"{found['records']} new records of {found['scheme']}, {found['identifiers']} identifiers, against "
            f"{found['sightings']} sightings: {found['hits']} matches, the same in the straightforward way",
            f"on the VM            {found['vm_s']:8.3f} s of its processor, {found['records_per_s']} records/s, in "
            f"{found['steps']} steps; {found['heap_kib']} KiB of its heap",
            f"device, x {taken}         {middle:8} s ({low} to {high}: x {least} to x {most}, an estimate){aim}",
            f"charge               {found['mah']:8.2f} mAh (a model: the C3 at 160 MHz{aim_mah})",
            f"floor                {found['floor_s']:8} s: each identifier's {one} by itself, {found['vm_one_us']} us "
            f"on the VM; this takes {found['times_floor']} times that",
            f"straightforward      {found['straightforward_vm_s']:8.3f} s on the VM, its dict too large for a chip; "
            f"this takes {found['times_straightforward']} times that",
            f"native code          {found['floor_s']:8} s around the same hashes; "
            f"{found['engine_s']} s if it drove the chip's engine itself (an estimate); the index of sightings apart",
        )
    )
