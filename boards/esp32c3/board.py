"""Owns the ESP32-C3 token board: pins, sleep, clock, memory, entropy. Must not know identifiers, records or radio.

Board contract version 1 (docs/SPEC, "Board"). Times are integer milliseconds, levels millivolts.
"""

import os
import time

import esp32
import machine
from micropython import const

try:
    import board_config
except ImportError:
    board_config = None

NAME = "esp32c3"
SPEC_VERSION = 1
TX_POWER_DBM = 0  # the controller's default level at the antenna; MicroPython has no call to change it
CLOCK_ERROR_PPM = 20  # 32 kHz crystal, worst case; power.md: the internal oscillator would be 5,500
BATTERY_MAH = 400
BATTERY_LOW_MV = (3512, 3402, 3342)  # 25, 12 and 5 % left by the bench's line; a product puts in its cell's curve
ADVERT_MS = 20  # shortest advertising interval of the controller for adverts that can't be connected to
HAS_LED = True
HAS_MOTOR = True
HAS_BUZZER = True
HAS_MOTION = False
SLEEP = getattr(board_config, "SLEEP", "deep")  # "light" | "deep": set per device, in a file of its own
DEEP_FROM_MS = 8000  # a shorter sleep is light: the boot would cost more (emask bench power says both)

WAKE_POWER = const(0)
WAKE_TIMER = const(1)
WAKE_BUTTON = const(2)
WAKE_WATCHDOG = const(3)
WAKE_RESET = const(4)

_PIN_BUTTON = const(5)  # only GPIO 0-5 can end deep sleep on this chip; active low
_PIN_LED = const(6)
_PIN_MOTOR = const(7)
_PIN_BUZZER = const(10)
_PIN_BATTERY = const(3)  # half of the battery's voltage
_FAST_HZ = const(160000000)
_SLOW_HZ = const(80000000)  # the radio needs no less
_GPIO_WAKEUP = const(7)  # ESP_SLEEP_WAKEUP_GPIO, which the machine module gives no name

_button = machine.Pin(_PIN_BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
_led = machine.Pin(_PIN_LED, machine.Pin.OUT, value=0)
_motor = machine.Pin(_PIN_MOTOR, machine.Pin.OUT, value=0)
_buzzer = None


def wake_reason():
    """Why this program started: one of WAKE_*."""
    cause = machine.reset_cause()
    if cause == machine.PWRON_RESET:
        return WAKE_POWER
    if cause == machine.WDT_RESET:
        return WAKE_WATCHDOG
    if cause == machine.DEEPSLEEP_RESET:
        return WAKE_BUTTON if machine.wake_reason() == _GPIO_WAKEUP else WAKE_TIMER
    return WAKE_RESET


def _arm_button():
    # A button that is held down must not end each sleep at once. Pin.irq is never used on this pin: the wake-up
    # leaves it level-triggered, and an attached handler would then run until the wearer lets go.
    pins = () if button_pressed() else (_button,)
    esp32.wake_on_gpio(pins, esp32.WAKEUP_ALL_LOW)


def light_sleep(ms):
    """Sleep at most ms with memory kept, radio off. Returns WAKE_TIMER or WAKE_BUTTON."""
    _arm_button()
    machine.lightsleep(ms)
    return WAKE_BUTTON if machine.wake_reason() == _GPIO_WAKEUP else WAKE_TIMER


def deep_sleep(ms):
    """Sleep ms and boot. Does not return; only RTC memory, flash and the clock go on."""
    _arm_button()
    machine.deepsleep(ms)


def cpu_fast(on):
    """Full speed for long work, or the lowest that the radio allows."""
    machine.freq(_FAST_HZ if on else _SLOW_HZ)


def reset():
    """Start the program again. Does not return."""
    machine.reset()


def clock_ms():
    """Monotonic milliseconds since the battery was put in, through every sleep and reset; never set."""
    return time.time_ns() // 1000000


def rtc_load():
    """The bytes of the last rtc_store, b"" after a loss of power (or anything at all: check them)."""
    return machine.RTC().memory()


def rtc_store(buf):
    """Keep at most 2,048 bytes over deep sleep and resets."""
    machine.RTC().memory(buf)


def partition(name):
    """Flash partition "sightings" or "lists" as an extended block device of 4,096-byte blocks. OSError when absent."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=name)
    if not found:
        raise OSError(19)  # ENODEV
    return found[0]


def moved():
    """Whether the token was moved since the last call; this board has no sensor and can't know: always True."""
    return True


def entropy(count):
    """count bytes from the chip's generator. Good only while the radio is up: draw then."""
    return os.urandom(count)


def battery_mv():
    """Battery voltage, read through the 1:2 divider."""
    adc = machine.ADC(machine.Pin(_PIN_BATTERY), atten=machine.ADC.ATTN_11DB)
    return adc.read_uv() // 500


def led(on):
    """Light on or off; on a board without the part (HAS_LED) this does nothing, and likewise below."""
    _led.value(1 if on else 0)


def motor(on):
    """Vibration on or off."""
    _motor.value(1 if on else 0)


def buzzer(hz):
    """Tone of hz, 0 for silence."""
    global _buzzer
    if _buzzer:
        _buzzer.deinit()
        _buzzer = None
    if hz:
        _buzzer = machine.PWM(machine.Pin(_PIN_BUZZER), freq=hz, duty_u16=32768)


def button_pressed():
    """True while the button is down."""
    return not _button.value()


def watchdog(timeout_ms):
    """Start the watchdog; it counts awake time only. Returns an object with feed()."""
    return machine.WDT(timeout=timeout_ms)


cpu_fast(False)  # a boot comes up at full speed
