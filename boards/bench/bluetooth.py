# MicroPython's `bluetooth` on the bench: arguments and irqs as extmod/modbluetooth.c has them. The stack is the host's.
import errno
import struct
import sys

import benchlink
from bluetooth_gatt import Gatt
from bluetooth_gatt import call as _call
from bluetooth_gatt import need_active as _need_active
from bluetooth_uuid import UUID
from bluetooth_uuid import buffer as _buffer
from micropython import const

FLAG_READ = 0x0002
FLAG_WRITE_NO_RESPONSE = 0x0004
FLAG_WRITE = 0x0008
FLAG_NOTIFY = 0x0010
FLAG_INDICATE = 0x0020

_OP_ACTIVE, _OP_MAC, _OP_ADDR_MODE, _OP_NAME, _OP_MTU = const(0x40), const(0x41), const(0x42), const(0x43), const(0x44)
_OP_ADVERTISE, _OP_ADV_STOP, _OP_SCAN, _OP_SCAN_STOP = const(0x45), const(0x46), const(0x47), const(0x48)
_OP_CONNECT, _OP_CONNECT_CANCEL, _OP_DISCONNECT = const(0x49), const(0x4A), const(0x4B)
_OP_HANDLED = const(0x57)

_EV_REPORT, _EV_IRQ, _EV_ASK = const(0x40), const(0x41), const(0x42)
_IRQ_SCAN_RESULT, _IRQ_SCAN_DONE = const(5), const(6)
_FRAMES = (15, 18, 19)  # a value read, a notification, an indication: bytes to work on
_SHUTDOWN_MS = const(2000)
_ADV_BYTES = const(31)
# Layout of each irq's numbers; what follows them is the address (tail "a"), a UUID ("u") or data ("d").
_LAYOUT = {
    1: ("<HB", "a"),
    2: ("<HB", "a"),
    3: ("<HH", ""),
    4: ("<HH", ""),
    6: ("<", ""),
    7: ("<HB", "a"),
    8: ("<HB", "a"),
    9: ("<HHH", "u"),
    10: ("<HH", ""),
    11: ("<HHHB", "u"),
    12: ("<HH", ""),
    13: ("<HH", "u"),
    14: ("<HH", ""),
    15: ("<HH", "d"),
    16: ("<HHH", ""),
    17: ("<HHH", ""),
    18: ("<HH", "d"),
    19: ("<HH", "d"),
    20: ("<HHH", ""),
    21: ("<HH", ""),
    27: ("<HHHHH", ""),
}
_MISSING = object()


class BLE(Gatt):
    """The one BLE interface. OSError has NimBLE's errno, or minus its own code where there is no errno."""

    _one = None

    def __new__(cls, *args, **kwargs):
        if BLE._one is None:
            BLE._one = object.__new__(cls)
            BLE._one._start()
        return BLE._one

    def _start(self):
        self._handler = None
        self._scanning = False
        self._beacon_us = None
        benchlink.on_event(_EV_REPORT, self._on_report)
        benchlink.on_event(_EV_IRQ, self._on_irq)
        benchlink.on_event(_EV_ASK, self._on_ask)

    # irq

    def irq(self, handler):
        if handler is not None and not callable(handler):
            raise ValueError("invalid handler")
        self._handler = handler

    def _fire(self, event, data):
        """Call the handler. An exception in it is printed, and the handler is gone."""
        if self._handler is None:
            return None
        try:
            return self._handler(event, data)
        except benchlink.PowerOff:
            raise
        except BaseException as error:  # noqa: BLE001  # as in C: whatever it is, it ends here
            self._failed(error)
            return None

    def _failed(self, error):
        print("Unhandled exception in IRQ callback handler")
        _print_exception(error)
        self._handler = None

    def _on_report(self, data):
        """Reports one after the other: addr_type, addr[6], adv_type, rssi (signed), length, data."""
        at = 0
        end = len(data)
        try:
            while at < end:
                handler = self._handler
                if handler is None or not self._scanning or benchlink.ble_corrupt:
                    return
                benchlink.charge(benchlink.report_us)
                body = at + 10
                rssi = data[at + 8]
                if rssi > 127:
                    rssi -= 256
                first, at = at, body + data[at + 9]
                addr = data[first + 1 : first + 7]
                handler(_IRQ_SCAN_RESULT, (data[first], addr, data[first + 7], rssi, data[body:at]))
        except benchlink.PowerOff:
            raise
        except BaseException as error:  # noqa: BLE001  # as in _fire, without a call per report
            self._failed(error)

    def _on_irq(self, data):
        event = data[0]
        layout, tail = _LAYOUT[event]
        values = struct.unpack_from(layout, data, 1)
        if tail:
            rest = data[1 + struct.calcsize(layout) :]
            values += (UUID(rest) if tail == "u" else rest,)
        if event == _IRQ_SCAN_DONE:
            self._scanning = False
        elif event in _FRAMES:
            benchlink.charge(benchlink.frame_us)
        if not benchlink.ble_corrupt:
            self._fire(event, values)

    def _on_ask(self, data):
        """A write or a read from the air: the peer waits until the handler is done (conn, handle)."""
        benchlink.charge(benchlink.frame_us)
        result = self._fire(data[0], struct.unpack_from("<HH", data, 1))
        status = int(result) & 0xFF if isinstance(result, int) else 0
        benchlink.call(_OP_HANDLED, bytes((status,)))

    # general

    def active(self, active=None):
        if active is None:
            return benchlink.ble_active
        self._beacon_us = None
        if active:
            self._shutdown()
            _call(_OP_ACTIVE, b"\x01")
            benchlink.ble_active = True
        else:
            self._shutdown()
        return benchlink.ble_active

    def _shutdown(self):
        """Stop everything. Connections end in order: that takes some connection events, and their irqs are heard."""
        if not benchlink.ble_active:
            return
        self.gap_advertise(None)
        self.gap_scan(None)
        waited_ms = 0
        while _call(_OP_ACTIVE, b"\x00")[0] and waited_ms < _SHUTDOWN_MS:
            _sleep_ms(10)
            waited_ms += 10
        _call(_OP_ACTIVE, b"\x02")
        benchlink.ble_active = False

    def config(self, *args, **kwargs):
        if not kwargs:
            if len(args) != 1:
                raise TypeError("must query one param")
            return self._get(args[0])
        if args:
            raise TypeError("can't specify pos and kw args")
        for key, value in kwargs.items():
            self._set(key, value)

    def _get(self, key):
        if key == "mac":
            _need_active()
            reply = _call(_OP_MAC)
            return (reply[0], bytes(reply[1:7]))
        if key == "gap_name":
            return bytes(_call(_OP_NAME))
        if key == "mtu":
            _need_active()
            return struct.unpack("<H", _call(_OP_MTU))[0]
        raise ValueError("unknown config param")

    def _set(self, key, value):
        self._beacon_us = None
        if key == "gap_name":
            _call(_OP_NAME, b"=" + bytes(_buffer(value)))
        elif key == "mtu":
            _need_active()
            _call(_OP_MTU, struct.pack("<H", value & 0xFFFF))
        elif key == "addr_mode":
            _need_active()
            _call(_OP_ADDR_MODE, bytes((value & 0xFF,)))
        elif key in ("bond", "mitm", "le_secure"):
            if value:
                raise OSError(errno.EOPNOTSUPP)
        elif key != "io":
            raise ValueError("unknown config param")

    # GAP

    def gap_advertise(self, interval_us=500000, adv_data=None, *, resp_data=None, connectable=True):
        if interval_us is None:
            if benchlink.ble_active:
                benchlink.post(_OP_ADV_STOP)
            return
        flags = 1 if connectable else 0
        adv = resp = b""
        if adv_data is not None:
            flags |= 2
            adv = bytes(_buffer(adv_data))
        if resp_data is not None:
            flags |= 4
            resp = bytes(_buffer(resp_data))
        _need_active()
        asked = struct.pack("<BiHH", flags, interval_us, len(adv), len(resp)) + adv + resp
        # As the one before, but for its data: it can't be refused.
        if flags == 2 and interval_us == self._beacon_us and len(adv) <= _ADV_BYTES:
            benchlink.post(_OP_ADVERTISE, asked)
            return
        _call(_OP_ADVERTISE, asked)
        self._beacon_us = interval_us if flags == 2 else None

    def gap_scan(self, duration_ms=0, interval_us=1280000, window_us=11250, active=False):
        _need_active()
        if duration_ms is not None:
            _call(_OP_SCAN, struct.pack("<iiiB", duration_ms, interval_us, window_us, 1 if active else 0))
            self._scanning = True
        elif _call(_OP_SCAN_STOP)[0]:
            self._scanning = False
            self._fire(_IRQ_SCAN_DONE, ())

    def gap_connect(self, addr_type, addr=_MISSING, scan_duration_ms=None, min_interval_us=None, max_interval_us=None):
        if addr is _MISSING:
            if addr_type is not None:
                raise TypeError("invalid addr")
            _need_active()
            _call(_OP_CONNECT_CANCEL)
            return
        addr = bytes(_buffer(addr))
        if len(addr) != 6:
            raise ValueError("invalid addr")
        scan_ms = 2000 if scan_duration_ms is None else scan_duration_ms
        _need_active()
        if self._scanning:
            self.gap_scan(None)
        intervals = (scan_ms, min_interval_us or 0, max_interval_us or 0)
        _call(_OP_CONNECT, struct.pack("<B6siii", addr_type & 0xFF, addr, *intervals))

    def gap_disconnect(self, conn_handle):
        _need_active()
        try:
            _call(_OP_DISCONNECT, struct.pack("<H", conn_handle & 0xFFFF))
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise
            return False
        return True

    def gap_pair(self, conn_handle):
        raise OSError(errno.EOPNOTSUPP)

    def gap_passkey(self, conn_handle, action, passkey):
        raise OSError(errno.EOPNOTSUPP)


def _sleep_ms(ms):
    """Wait on the bench's clock; irqs come meanwhile."""
    end_us = benchlink.now_us() + ms * 1000
    while benchlink.now_us() < end_us:
        benchlink.idle_until(end_us)


def _print_exception(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        sys.excepthook(type(error), error, None)


def boot():
    """A boot of the machine with this module kept in memory: everything starts anew."""
    BLE._one = None
