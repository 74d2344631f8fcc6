# Chance for the VM: the real `os`, with urandom seeded by the bench and refused while the radio is down (protocol.md
# 1).
import sys as _sys

_path = _sys.path[:]
_sys.path[:] = []
_own = _sys.modules.pop("os", None)
import os as _real

_sys.path[:] = _path
if _own is not None:
    _sys.modules["os"] = _own

import benchlink as _link
import errno as _errno

for _name in dir(_real):
    if not _name.startswith("__"):
        globals()[_name] = getattr(_real, _name)

_seed = b""
_counter = 0


def bench_seed(seed):
    """Called by the runner at each boot: 32 bytes that differ per node and boot."""
    global _seed, _counter
    _seed = seed
    _counter = 0


def urandom(n):
    """n bytes. OSError(EIO) with the radio down, where the chip's generator is not as good as it claims."""
    global _counter
    if not _link.ble_active:
        raise OSError(_errno.EIO)
    out = b""
    while len(out) < n:
        out += _block(_seed + _counter.to_bytes(8, "little"))
        _counter += 1
    return out[:n]


def _block(data):
    from benchhash import sha256  # uncounted: the chip's generator costs no hashing

    return sha256(data).digest()


def uname():
    return ("esp32", "esp32", "1.28.0", "bench", "bench board")
