"""The chip of the board on the desk. HANDS, in the environment: the button is pressed once the light has been on."""

import os

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
cause = PWRON_RESET  # set by board_vm
_lit = []
_rtc = [b""]


def reset_cause():
    return cause


def freq(hz):
    pass


def wake_reason():
    return 0


def reset():
    raise SystemExit(11)


class Pin:
    IN, OUT, PULL_UP = 1, 3, 2

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self.number = number

    def value(self, level=None):
        if level is not None:
            if level:
                _lit.append(self.number)
            return None
        return 0 if _lit and os.getenv("HANDS") == "1" else 1


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, atten=0):
        pass

    def read_uv(self):
        return int(os.getenv("BATTERY_MV") or "4000") * 500


class PWM(Pin):
    def deinit(self):
        pass


class RTC:
    def memory(self, data=None):
        if data is None:
            return _rtc[0]
        _rtc[0] = bytes(data)
        return None


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


def unique_id():
    return bytes(6)
