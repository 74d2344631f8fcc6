# A sender that invents 10,000 identifiers an hour, all of them in the half second in which tokens listen. Runs on the
# bench in place of the firmware; knows the format and the windows, as anybody may.
import os
import time

import bluetooth  # type: ignore[import-not-found]

_PER_MINUTE = 167
_STEP_MS = 4
_WINDOW_MS = 4650  # of each minute: a little before the window
_HEAD = b"\x02\x01\x06\x03\x03\x56\x4e\x0f\xff\xb5\x22"
_TAIL = b"\x07\x16\x56\x4e\x10\x00\x52\x17"

ble = bluetooth.BLE()
ble.active(True)
minute_ms = 0
while True:
    time.sleep_ms(minute_ms + _WINDOW_MS - time.ticks_ms())  # type: ignore[attr-defined]
    for _ in range(_PER_MINUTE):
        ble.gap_advertise(20000, _HEAD + os.urandom(12) + _TAIL, connectable=False)
        time.sleep_ms(_STEP_MS)  # type: ignore[attr-defined]
    ble.gap_advertise(None)
    minute_ms += 60000
