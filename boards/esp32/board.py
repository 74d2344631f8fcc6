"""Owns the board with the first ESP32: its pins and what is measured of it. Must not know identifiers or records.

Board contract version 1 (docs/SPEC-board; typed in boards/contract.pyi). Pins: 32 and 33 carry the
32 kHz crystal; the button needs an RTC pin with a pull-up, so not 34-39.
"""

from espchip import *

NAME = "esp32"
SPEC_VERSION = 1
TX_POWER_DBM = 0  # the controller's default level at the antenna; MicroPython has no call to change it
RSSI_CORRECTION_DB = 0  # added to what the radio reports; 0 until the antenna is measured against a reference [E]
CLOCK_ERROR_PPM = 20  # 32 kHz crystal, worst case; the internal oscillator asleep would be 5,000
BATTERY_MAH = 400
BATTERY_LOW_MV = (3555, 3402, 3342)  # power.toml's low_percent by the bench's line; a product puts in its cell's curve
ADVERT_MS = 20  # shortest advertising interval of the controller for adverts that can't be connected to
HAS_LED = True
HAS_MOTOR = True
HAS_BUZZER = True
HAS_MOTION = False
DEEP_FROM_MS = 4000  # a shorter sleep is light: the boot would cost more (emask bench power says both)

setup(button=27, led=25, motor=26, buzzer=14, battery=35, divider=2, arm=arm_ext0)
