"""Owns a board of nothing but numbers, for tests of the firmware without the bench. The clock moves when told."""

import os

NAME = "fake"
TX_POWER_DBM = 0
CLOCK_ERROR_PPM = 20
RSSI_CORRECTION_DB = 0
HAS_LED = HAS_MOTOR = HAS_BUZZER = True
SLEEP = "light"
DEEP_FROM_MS = 8000
ADVERT_MS = 20
BATTERY_LOW_MV = (3512, 3402, 3342)
WAKE_POWER, WAKE_TIMER, WAKE_BUTTON, WAKE_WATCHDOG, WAKE_RESET = range(5)


class DeepSleep(Exception):
    """Raised where a real board would not return."""


class Reset(Exception):
    """As above."""


class Flash:
    """A partition in RAM; programming only clears bits."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.data = bytearray(b"\xff" * 4096 * blocks)

    def readblocks(self, block, buf, offset=0):
        start = block * 4096 + offset
        buf[:] = self.data[start : start + len(buf)]

    def writeblocks(self, block, buf, offset):
        start = block * 4096 + offset
        for at in range(len(buf)):
            self.data[start + at] &= buf[at]

    def ioctl(self, command, argument=0):
        if command == 4:
            return self.blocks
        if command == 6:
            self.data[argument * 4096 : argument * 4096 + 4096] = b"\xff" * 4096
        return 0


class Watchdog:
    fed = 0

    def feed(self):
        Watchdog.fed += 1


def fresh():
    """A new board with empty flash, at tick 1,000."""
    global now_ms, rtc, partitions, outputs, pressed_ms, radio_up, battery, fast, moving
    now_ms = 1000
    battery = 3900
    fast = False
    moving = True
    rtc = b""
    partitions = {"sightings": Flash(16), "lists": Flash(8)}
    outputs = []
    pressed_ms = 0
    radio_up = False


def clock_ms():
    return now_ms


def move(ms):
    global now_ms, pressed_ms
    now_ms += ms
    pressed_ms = max(0, pressed_ms - ms)


def light_sleep(ms):
    assert not radio_up
    move(ms)
    return WAKE_TIMER


def deep_sleep(ms):
    assert not radio_up
    move(ms)
    raise DeepSleep


def cpu_fast(on):
    global fast
    fast = on


def reset():
    raise Reset


def rtc_load():
    return rtc


def rtc_store(buf):
    global rtc
    assert len(buf) <= 2048
    rtc = bytes(buf)


def partition(name):
    return partitions[name]


def entropy(count):
    assert radio_up
    return os.urandom(count)


def battery_mv():
    return battery


def led(on):
    outputs.append(("led", bool(on)))


def motor(on):
    outputs.append(("motor", bool(on)))


def buzzer(hz):
    outputs.append(("buzzer", bool(hz)))


def button_pressed():
    return pressed_ms > 0


def keep_image():
    pass


def watchdog(timeout_ms):
    return Watchdog()


def moved():
    return moving


fresh()
