"""Owns the product board, with the ESP32-C3: its pins and what is measured of it. Must not know identifiers or records.

Board contract version 1 (docs/SPEC-board; typed in boards/contract.pyi). Pins: 0 and 1 carry the
32 kHz crystal; only 0-5 can end deep sleep.
"""

from espchip import *

NAME = "esp32c3"
SPEC_VERSION = 1
TX_POWER_DBM = 0  # the controller's default level at the antenna; MicroPython has no call to change it
RSSI_CORRECTION_DB = 0  # added to what the radio reports; 0 until the antenna is measured against a reference [E]
CLOCK_ERROR_PPM = 20  # 32 kHz crystal, worst case; the internal oscillator would be 5,500
BATTERY_MAH = 400
BATTERY_LOW_MV = (3512, 3402, 3342)  # power.toml's low_percent by the bench's line; a product puts in its cell's curve
ADVERT_MS = 20  # shortest advertising interval of the controller for adverts that can't be connected to
HAS_LED = True
HAS_MOTOR = True
HAS_BUZZER = True
HAS_MOTION = False
DEEP_FROM_MS = 8000  # a shorter sleep is light: the boot would cost more (emask bench power says both)

setup(button=5, led=6, motor=7, buzzer=10, battery=3, divider=2, arm=arm_gpio)
