# Runs a device in this VM: boot after boot in one process, with fresh modules each time.
# Knows paths and boots, nothing of radios.
import gc
import sys

import benchlink

_SHIMS = sys.path[0]
# Shims whose state the host sets at each boot; every other module starts fresh.
_KEEP = (
    "benchlink",
    "benchhash",
    "__main__",
    "time",
    "select",
    "os",
    "machine",
    "esp32",
    "hashlib",
    "cryptolib",
    "_taskqueue",
    "gc",
    "wide_gc",
)


def main(fd_in, fd_out):
    benchlink.open_link(fd_in, fd_out)
    boot = _ask(benchlink.PowerOff())
    while True:
        boot = _ask(_one_boot(boot))


def _ask(off):
    """Tell the host why we are off; the answer, some time later, is the next boot."""
    import json
    import struct

    benchlink.boot()
    return json.loads(
        bytes(benchlink.call(benchlink.OP_OFF, struct.pack("<bq", off.kind or 0, off.ms * 1000) + _wake_pins()))
    )


def _wake_pins():
    return bytes(sys.modules["machine"].wake_pins) if "machine" in sys.modules else b""


def _one_boot(boot):
    _fresh(boot)
    try:
        for script in boot["scripts"]:
            _run(script)
        benchlink.call(benchlink.OP_ENDED)
        _listen()
    except benchlink.PowerOff as off:
        return off
    except SystemExit:
        return benchlink.PowerOff(benchlink.OFF_RESET)
    except BaseException as error:
        sys.print_exception(error, sys.stdout)
        try:
            _listen()
        except benchlink.PowerOff as off:
            return off


def _listen():
    """The prompt: nothing runs, interrupts are still served."""
    while True:
        benchlink.idle_until(benchlink.FOREVER)


def _fresh(boot):
    _purge()
    sys.path[:] = [_SHIMS] + boot["paths"] + [".frozen"]
    benchlink.boot()
    import cryptolib
    import esp32
    import hashlib
    import machine
    import os
    import random
    import time

    import _taskqueue
    import select
    import wide_gc

    sys.modules["_asyncio"] = _taskqueue
    sys.modules["gc"] = wide_gc
    time.boot_us = benchlink.now_us()
    time.rtc_offset_s = 0
    os.bench_seed(bytes.fromhex(boot["seed"]))
    random.seed(int(boot["seed"][:8], 16))
    hashlib.block_us = boot["cost_us"]["sha256_block"]
    cryptolib.block_us = boot["cost_us"]["aes_block"]
    machine.start(
        boot["cause"], boot["wake"], bytes.fromhex(boot["rtc"]), {int(k): v for k, v in boot["inputs"].items()}
    )
    esp32.partitions = {name: tuple(place) for name, place in boot["partitions"].items()}
    esp32.record_us = boot["cost_us"]["record"]
    esp32.read_us = boot["cost_us"]["record_read"]
    benchlink.frame_us = boot["cost_us"]["gatt_frame"]
    benchlink.report_us = boot["cost_us"]["report"]
    benchlink.cost_us = boot["cost_us"]
    if esp32.image is None:
        esp32.image = open(boot["image"], "rb", 0)
    gc.collect()


def _purge():
    """Forget the last boot: emptied as well as dropped, since a stale reference on the stack would keep all of it."""
    for name in list(sys.modules):
        if name in _KEEP:
            continue
        module = sys.modules[name]
        if name != "_asyncio" and hasattr(module, "__file__"):
            module.__dict__.clear()
        sys.modules[name] = None
        del sys.modules[name]


def _run(script):
    """script: a module name on the path, or the path of a .py file, which runs as __main__."""
    if not script.endswith(".py"):
        __import__(script)
        return
    with open(script) as f:
        source = f.read()
    exec(compile(source, script, "exec"), {"__name__": "__main__", "__file__": script})


main(int(sys.argv[1]), int(sys.argv[2]))
