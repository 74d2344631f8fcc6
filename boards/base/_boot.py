"""Owns the first lines of a start: file system, choice of the image, path. Must not know the product.

Frozen in place of MicroPython's own file of this name. MicroPython has mounted the mapped image at /rom already.
"""

import os
import sys

import esp32
import machine
import slots
import vfs

_HUNG_MS = 300000  # whoever hangs before starting a shorter watchdog is reset; a station's work takes less


def _settings():
    # Provisioned settings are data of this one token: a small file system of their own, no code of the product.
    device = esp32.Partition("config")
    try:
        vfs.mount(device, "/config")
    except OSError:
        vfs.VfsLfs2.mkfs(device)
        vfs.mount(device, "/config")


def _product():
    if machine.reset_cause() != machine.DEEPSLEEP_RESET:  # else it was checked at the last start
        choice, copied = slots.here().boot()
        if copied:
            machine.reset()  # the map of the flash is made anew
        if choice is None:
            return False
    machine.WDT(timeout=_HUNG_MS)
    return True


try:
    _settings()
    _ready = _product()
except OSError as error:
    _ready = False
    print("base: flash", error.errno)
# Settings come last: none of them can take the place of a file of the product.
sys.path[:] = (["/rom"] if _ready else []) + [".frozen", "/config"]
if _ready:
    os.chdir("/rom")  # main.py is looked for here
