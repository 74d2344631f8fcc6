"""Owns what a flash station asks of a new token: first keys, time, tests of the parts. Must not know the station.

No part of the product: it comes with the bundle, and the station sends it over the cable before the token's tasks
run. Answers are words and numbers, never a key.
"""

import time

from device import Device
from micropython import const
from radio import ADDRESS_PRIVATE

import board

_PULSE_MS = const(300)
_STEP_MS = const(50)
_PULSES = const(2)
_SCAN_MS = const(30)  # without a pause


class _Untimed:
    """In place of a watchdog: the station has its own deadline."""

    def feed(self):
        pass


def provision(utc_s, utc_ms):
    """Draw the first key on the token, with the radio up; note the time; stay on the shelf. Returns the segment."""
    device = Device(board, _Untimed())
    device.wake(board.WAKE_POWER)
    radio = device.radio
    radio.start(ADDRESS_PRIVATE)
    try:
        slot = device.own_slot()
        device.identity.renew(lambda: device.store, device.clock, slot, device.slot(), board.entropy)
    finally:
        radio.stop()
    device.timekeeper().told(b"made", board.clock_ms(), utc_s, utc_ms, 1)  # the first time of its life
    device.save_state()
    device.freeze()
    return device.state.segment


def radio(listen_ms):
    """(True if the address is fresh and random, adverts heard, the strongest in dBm or 127)."""
    device = Device(board, _Untimed())
    clean = device.radio.start(ADDRESS_PRIVATE)
    try:
        device.radio.listen(_SCAN_MS, _SCAN_MS)
        time.sleep_ms(listen_ms)
    finally:
        device.radio.stop()
    levels = [rssi for _after, rssi, _data in device.radio.reports() if rssi != 127]
    return clean, device.radio.count, max(levels) if levels else 127


def hands(wait_ms):
    """Light and motor in turn until the button is pressed. Returns ms until then, or -1 after wait_ms."""
    done_ms = 0
    if board.button_pressed():
        return -1  # stuck
    while done_ms < wait_ms:
        on = done_ms // _PULSE_MS % _PULSES == 0
        board.led(on)
        board.motor(on)
        if board.button_pressed():
            break
        time.sleep_ms(_STEP_MS)
        done_ms += _STEP_MS
    board.led(False)
    board.motor(False)
    return done_ms if done_ms < wait_ms else -1
