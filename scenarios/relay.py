# A relay: hears adverts in one place and sends them in others, a minute later or more and again an hour after that.
# Runs on the bench in place of the firmware; knows the format and the windows, as anybody may.
import time

import bluetooth  # type: ignore[import-not-found]

_MINUTES_LATER = (1, 61)
_HOLD_MINUTES = 5  # who is alone is heard in every fifth minute only
_BEFORE_MS = 4200  # of each minute: from here on tokens may send
_WINDOW_MS = 1700
_FORMAT = b"\x02\x01\x06\x03\x03\x56\x4e\x0f\xff\xb5\x22"

ble = bluetooth.BLE()
ble.active(True)
heard = {}
minute = 0


def _irq(event, data):
    if event == 5 and bytes(data[4][:11]) == _FORMAT and minute not in heard:
        heard[minute] = bytes(data[4])


def last(later):
    """The last minute in which something was heard, at least `later` minutes ago and not long before that; or -1."""
    return max([at for at in heard if later <= minute - at <= later + _HOLD_MINUTES] or [-1])


ble.irq(_irq)
while True:
    time.sleep_ms(minute * 60000 + _BEFORE_MS - time.ticks_ms())  # type: ignore[attr-defined]
    payloads = [heard[at] for at in map(last, _MINUTES_LATER) if at >= 0]
    ble.gap_scan(0, 20000, 20000, False)
    for payload in payloads:
        ble.gap_advertise(20000, payload, connectable=False)
    time.sleep_ms(_WINDOW_MS)  # type: ignore[attr-defined]
    ble.gap_advertise(None)
    ble.gap_scan(None)
    minute += 1
