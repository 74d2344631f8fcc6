# Time of the token's cryptography on the VM, and what a chip may take by the stated factor. Measures no firmware.
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.bench.engine import BenchError
from tools.bench.image import Image

SLOWER = (60, 90, 130)  # a C3 at 160 MHz against this VM at bytecode: least, taken, most; an estimate
_ROUNDS = 40
SEAL, PAGE = "seal 512 bytes", "page of a swap, 464 bytes"

_SCRIPT = """
import sys, json, time
sys.path.insert(0, {lib!r})
from emask.parcel import Parcel
from emask_crypto import chacha, ed25519, hkdf, sha512, x25519
key = bytes(range(32))
public = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
signature = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
p = (1 << 255) - 19
a, b = pow(3, 1 << 200, p), pow(5, 1 << 200, p)
parcel = Parcel(key)
def products():
    for _ in range(2550):
        a * b % p
work = (
    ("X25519", lambda: x25519.multiply(key, public)),
    ("its 2550 products alone (floor)", products),
    ("Ed25519 verify", lambda: ed25519.verify(public, b"\\xaf\\x82", signature)),
    ("SHA-512, 2 blocks", lambda: sha512.sha512(bytes(180))),
    ("HKDF, 32 bytes", lambda: hkdf.expand(hkdf.extract(b"", key), b"info", 32)),
    ("seal 64 bytes", lambda: chacha.seal(key, bytes(12), bytes(64))),
    ({seal!r}, lambda: chacha.seal(key, bytes(12), bytes(512))),
    ({page!r}, lambda: parcel.seal(bytes(464))),
)
found = []
for name, call in work:
    best = None
    for _ in range({rounds}):
        start = time.ticks_us()
        call()
        took = time.ticks_diff(time.ticks_us(), start)
        best = took if best is None else min(best, took)
    found.append((name, best))
print(json.dumps(found))
"""


def measure(image: Image) -> dict[str, Any]:
    """Best of 40 of each operation in microseconds on the VM, compiled as shipped."""
    command = [str(Path(sys.executable).with_name("micropython")), "-X", "heapsize=256k", "-c"]
    script = _SCRIPT.format(lib=str(image.lib), rounds=_ROUNDS, seal=SEAL, page=PAGE)
    done = subprocess.run([*command, script], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise BenchError(f"the VM could not compute: {done.stderr.strip()[-200:]}")
    return {"rounds": _ROUNDS, "slower": list(SLOWER), "vm_us": dict(json.loads(done.stdout))}


def text(found: dict[str, Any]) -> str:
    """One line per operation."""
    least, taken, most = found["slower"]
    lines = [f"best of {found['rounds']} on the VM; device: x {taken} (x {least} to x {most}), an estimate"]
    for name, vm_us in found["vm_us"].items():
        low, middle, high = (vm_us * factor / 1000 for factor in (least, taken, most))
        lines.append(f"{name:<32} {vm_us / 1000:8.3f} ms   device {middle:7.0f} ms ({low:.0f} to {high:.0f})")
    return "\n".join(lines)
