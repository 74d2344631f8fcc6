# Virtual time for the VM: MicroPython's `time` on the bench's clock.
# Ticks restart at each boot, time() only at power loss.
import sys as _sys

_path = _sys.path[:]
_sys.path[:] = []
_own = _sys.modules.pop("time", None)
import time as _real  # the built-in module: with no path, this file is not found

_sys.path[:] = _path
if _own is not None:
    _sys.modules["time"] = _own

import benchlink as _link

_PERIOD = 1 << 30
_HALF = 1 << 29
_EPOCH_2000_S = 946684800
boot_us = 0  # local time of this boot, set by the runner
rtc_offset_s = 0  # what machine.RTC().datetime() was set to, less the counter


def ticks_ms():
    return ((_link.now_us() - boot_us) // 1000) & (_PERIOD - 1)


def ticks_us():
    return (_link.now_us() - boot_us) & (_PERIOD - 1)


ticks_cpu = ticks_us


def ticks_add(ticks, delta):
    return (ticks + delta) & (_PERIOD - 1)


def ticks_diff(end, start):
    return ((end - start + _HALF) & (_PERIOD - 1)) - _HALF


def gmtime(seconds=None):
    """Seconds since 2000, as on the chip."""
    return _real.gmtime((time() if seconds is None else seconds) + _EPOCH_2000_S)


localtime = gmtime


def mktime(parts):
    return int(_real.mktime(parts)) - _EPOCH_2000_S


def time_ns():
    return (_link.now_us() + rtc_offset_s * 1000000) * 1000


def time():
    return _link.now_us() // 1000000 + rtc_offset_s


def sleep_us(us):
    _sleep(us)


def sleep_ms(ms):
    _sleep(ms * 1000)


def sleep(seconds):
    _sleep(int(seconds * 1000000))


def _sleep(us):
    if us <= 0:
        return
    end = _link.now_us() + us
    while _link.now_us() < end:
        _link.idle_until(end)
