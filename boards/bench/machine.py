# `machine` of an ESP32-class chip on the bench: pins, sleep, reset, RTC memory, watchdog, ADC.
# The host decides what they do.
import struct

import benchlink
import time as _time

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
EXT0_WAKE, EXT1_WAKE, TIMER_WAKE, TOUCHPAD_WAKE, ULP_WAKE, GPIO_WAKE = 2, 3, 4, 5, 6, 7
PIN_WAKE = EXT0_WAKE
SLEEP, DEEPSLEEP = 1, 2
_EVENT_PIN = 0x01
_RTC_BYTES = 2048

# Set by the runner at each boot.
boot_cause = PWRON_RESET
boot_wake = 0
rtc_memory = b""
inputs = {}
wake_pins = set()
_pins = {}
_frequency_hz = 160000000
_last_wake = None


def start(cause, wake, memory, levels):
    """A boot: cause and wake reason as the chip numbers them, RTC memory, the level of each input pin."""
    global boot_cause, boot_wake, rtc_memory, _last_wake
    boot_cause, boot_wake, rtc_memory, _last_wake = cause, wake, memory, wake
    inputs.clear()
    inputs.update(levels)
    wake_pins.clear()
    _pins.clear()
    benchlink.on_event(_EVENT_PIN, _pin_changed)


def _pin_changed(payload):
    number, level = payload[0], payload[1]
    old = inputs.get(number, 1)
    inputs[number] = level
    pin = _pins.get(number)
    if (
        pin is not None
        and pin._handler
        and old != level
        and pin._trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING)
    ):
        pin._handler(pin)


class Pin:
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2
    WAKE_LOW, WAKE_HIGH = 4, 5
    DRIVE_0, DRIVE_1, DRIVE_2, DRIVE_3 = 0, 1, 2, 3

    def __init__(self, number, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self.number = number.number if isinstance(number, Pin) else number
        self._handler = None
        self._trigger = 0
        self._level = 0
        self._mode = mode
        _pins[self.number] = self
        if value is not None:
            self.value(value)

    init = __init__

    def value(self, level=None):
        if level is None:
            return inputs.get(self.number, 1) if self._mode != Pin.OUT else self._level
        self._level = 1 if level else 0
        _drive(self.number, self._level, 0)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(1 - self._level)

    def irq(self, handler=None, trigger=3, *, wake=None, hard=False):
        self._handler = handler
        self._trigger = trigger
        if wake:
            wake_pins.add(self.number)

    def __repr__(self):
        return "Pin(%d)" % self.number


def _drive(pin, level, hz):
    benchlink.call(benchlink.OP_PIN, struct.pack("<BBI", pin, level, hz))


class Signal:
    def __init__(self, pin, *args, invert=False):
        self._pin = pin
        self._invert = invert

    def value(self, level=None):
        if level is None:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(level) ^ self._invert)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class PWM:
    def __init__(self, pin, *, freq=0, duty_u16=0, duty=0, duty_ns=0, invert=False):
        self._pin = pin
        self._hz = freq
        self._duty = duty_u16 or duty * 64
        self._apply()

    def _apply(self):
        _drive(self._pin.number, 1 if self._duty and self._hz else 0, self._hz)

    def freq(self, hz=None):
        if hz is None:
            return self._hz
        self._hz = hz
        self._apply()

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty
        self._duty = duty
        self._apply()

    def deinit(self):
        _drive(self._pin.number, 0, 0)


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, *, atten=0):
        self._number = pin.number if isinstance(pin, Pin) else pin

    def read_uv(self):
        return struct.unpack("<I", benchlink.call(benchlink.OP_ADC, bytes([self._number])))[0]

    def read_u16(self):
        return min(65535, self.read_uv() * 65535 // 3300000)


class WDT:
    def __init__(self, id=0, timeout=5000):
        self._ms = timeout
        self.feed()

    def feed(self):
        benchlink.post(benchlink.OP_WATCHDOG, struct.pack("<I", self._ms))


class RTC:
    def memory(self, data=None):
        """The 2,048 bytes that live through deep sleep and resets."""
        global rtc_memory
        if data is None:
            return rtc_memory
        if len(data) > _RTC_BYTES:
            raise ValueError("buffer too long")
        rtc_memory = bytes(data)
        benchlink.post(benchlink.OP_RTC, rtc_memory)

    def datetime(self, value=None):
        if value is None:
            t = _time.gmtime(_time.time())
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        y, mo, d, _, h, mi, s, _ = value
        _time.rtc_offset_s = _time.mktime((y, mo, d, h, mi, s, 0, 0)) - benchlink.now_us() // 1000000


def lightsleep(ms=0):
    """Sleep until a pin that may wake changes or ms are over. With the radio up it corrupts it (power.md)."""
    global _last_wake
    if benchlink.ble_active:
        benchlink.ble_corrupt = True
    reply = benchlink.call(benchlink.OP_SLEEP, struct.pack("<q", ms * 1000) + bytes(wake_pins))
    _last_wake = reply[0]


sleep = lightsleep


def deepsleep(ms=0):
    raise benchlink.PowerOff(benchlink.OFF_DEEP_SLEEP, ms)


def reset():
    raise benchlink.PowerOff(benchlink.OFF_RESET)


soft_reset = reset


def reset_cause():
    return boot_cause


def wake_reason():
    return _last_wake


def freq(hz=None):
    global _frequency_hz
    if hz is None:
        return _frequency_hz
    if hz not in (20000000, 40000000, 80000000, 160000000):
        raise ValueError("frequency must be 20MHz, 40MHz, 80MHz or 160MHz")
    _frequency_hz = hz
    benchlink.call(benchlink.OP_FREQ, struct.pack("<I", hz))


def unique_id():
    return b"\x24\x0a\xc4\x00\x00\x00"


def idle():
    _time.sleep_ms(1)


def disable_irq():
    return 0


def enable_irq(state):
    pass
