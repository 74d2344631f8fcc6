"""Owns the first lines of a start: file system, choice of the image, path. Must not know the product.

Frozen in place of MicroPython's own file of this name. MicroPython has mounted the mapped image at /rom already.
"""

import os
import sys

import esp32
import machine
import slots
import vfs

_TRIAL_MS = 300000  # an image on trial that hangs before its own watchdog starts is reset; a station tests in that time


def _settings():
    # Provisioned settings are data of this one token: a small file system of their own, no code of the product.
    device = esp32.Partition("config")
    try:
        vfs.mount(device, "/config")
    except OSError:
        vfs.VfsLfs2.mkfs(device)
        vfs.mount(device, "/config")


def _product():
    cause = machine.reset_cause()
    if cause == machine.DEEPSLEEP_RESET:
        return True  # checked at the last start; the memory is mapped
    hard = cause != machine.SOFT_RESET  # a soft one is a station's, and stops no watchdog
    choice, copied = slots.here().boot(hard)
    if copied:
        machine.reset()  # the map of the flash is made anew
    if choice and hard and not choice.kept:
        machine.WDT(timeout=_TRIAL_MS)
    return choice is not None


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
