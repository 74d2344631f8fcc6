"""Owns what is the same on every ESP32-class chip: sleep, clock, memory, entropy, parts. Must not name a GPIO.

A board's own file takes these names and calls setup() with its pins: together they keep boards/contract.pyi.
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

SLEEP = getattr(board_config, "SLEEP", "deep")  # "light" | "deep": set per device, in a file of its own
WAKE_POWER = const(0)
WAKE_TIMER = const(1)
WAKE_BUTTON = const(2)
WAKE_WATCHDOG = const(3)
WAKE_RESET = const(4)

_button: machine.Pin
_led: machine.Pin
_motor: machine.Pin
_buzzer_pin = _battery_pin = _divider = 0
_buzzer = None
_FAST_HZ = const(160000000)
_SLOW_HZ = const(80000000)  # the radio needs no less
_WAKE_EXT0 = const(2)  # ESP_SLEEP_WAKEUP_EXT0
_WAKE_GPIO = const(7)  # ESP_SLEEP_WAKEUP_GPIO, which the machine module gives no name


def arm_gpio(pin):
    """Let a low level of pin end both sleeps; None: nothing does. C3 and C6."""
    esp32.wake_on_gpio((pin,) if pin else (), esp32.WAKEUP_ALL_LOW)


def arm_ext0(pin):
    """As arm_gpio, by the RTC controller of ESP32 and S3."""
    esp32.wake_on_ext0(pin, esp32.WAKEUP_ALL_LOW)


_arm = arm_gpio


def setup(button, led, motor, buzzer, battery, divider, arm):
    """Take the pins: GPIO numbers; the button is active low; the battery's voltage is divider times its pin's.

    arm: arm_gpio or arm_ext0.
    """
    global _button, _led, _motor, _buzzer_pin, _battery_pin, _divider, _arm
    _button = machine.Pin(button, machine.Pin.IN, machine.Pin.PULL_UP)
    _led = machine.Pin(led, machine.Pin.OUT, value=0)
    _motor = machine.Pin(motor, machine.Pin.OUT, value=0)
    _buzzer_pin = buzzer
    _battery_pin = battery
    _divider = divider
    _arm = arm
    cpu_fast(False)  # a boot comes up at full speed


def wake_reason():
    """Why this program started: one of WAKE_*."""
    cause = machine.reset_cause()
    if cause == machine.PWRON_RESET:
        return WAKE_POWER
    if cause == machine.WDT_RESET:
        return WAKE_WATCHDOG
    if cause == machine.DEEPSLEEP_RESET:
        return _woken()
    return WAKE_RESET


def _woken():
    return WAKE_BUTTON if machine.wake_reason() in (_WAKE_EXT0, _WAKE_GPIO) else WAKE_TIMER


def _arm_button():
    # A button that is held down must not end each sleep at once. Pin.irq is never used on this pin: the wake-up
    # leaves it level-triggered, and an attached handler would then run until the wearer lets go.
    _arm(None if button_pressed() else _button)


def light_sleep(ms):
    """Sleep at most ms with memory kept, radio off. Returns WAKE_TIMER or WAKE_BUTTON."""
    _arm_button()
    machine.lightsleep(ms)
    return _woken()


def deep_sleep(ms):
    """Sleep ms and boot. Does not return; only RTC memory, flash and the clock go on."""
    _arm_button()
    machine.deepsleep(ms)


def battery_mv():
    """Battery voltage, read through the divider."""
    adc = machine.ADC(machine.Pin(_battery_pin), atten=machine.ADC.ATTN_11DB)
    return adc.read_uv() * _divider // 1000


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
        _buzzer = machine.PWM(machine.Pin(_buzzer_pin), freq=hz, duty_u16=32768)


def button_pressed():
    """True while the button is down."""
    return not _button.value()


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
    """Whether the token was moved since the last call; a board without a sensor can't know: always True."""
    return True


def entropy(count):
    """count bytes from the chip's generator. Good only while the radio is up: draw then."""
    return os.urandom(count)


def watchdog(timeout_ms):
    """Start the watchdog; it counts awake time only. Returns an object with feed()."""
    return machine.WDT(timeout=timeout_ms)


def keep_image():
    """The product has shown that it works: an image on trial stays (docs/FLASH). Without slots nothing happens."""
    try:
        import slots
    except ImportError:
        return
    slots.keep()
