# The VM's end of the pipe to the bench: one call at a time, the local clock, events.
# Knows no radio, no board, no firmware.
import struct
import sys

OP_IDLE, OP_SLEEP, OP_SYNC, OP_PIN, OP_PROGRAM, OP_ERASE = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
OP_RTC, OP_ADC, OP_WATCHDOG, OP_OFF, OP_NVS_SET, OP_NVS_GET, OP_FREQ = 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D
OP_ENDED = 0x0E
_POSTED = 0x80  # added to an operation that gets no answer
OFF_DEEP_SLEEP, OFF_RESET = 2, 3
FOREVER = -1

_POWER_GONE = -999  # the errno that says: this VM has no power (a cut, a reset from outside, the watchdog)
_LIGHT_US = 1000  # so little charged CPU time moves nothing
_SYNC_US = 4000  # charged CPU time beyond this is handed over at once, so that a busy loop moves the clock
_REQUEST = "<IBI"  # length of the payload, operation, CPU time charged since the last request (us)
_REPLY = "<IhqH"  # length of what follows, errno (0 is none), local time (us), number of events
_EVENT = "<HBq"  # length of the payload, kind, local time (us)


class PowerOff(BaseException):
    """Power is gone: unwinds everything up to the runner. kind: one of the OFF_ numbers, None for a cut from
    outside.
    """

    def __init__(self, kind=None, ms=0):
        self.kind = kind
        self.ms = ms


class _State:
    pass


_s = _State()
_handlers = {}
_head = bytearray(16)
_buf = bytearray(4096)


def open_link(fd_in, fd_out):
    _s.rx = open("/proc/self/fd/%d" % fd_in, "rb", 0)
    _s.tx = open("/proc/self/fd/%d" % fd_out, "wb", 0)
    _s.now = 0
    _s.charged = 0
    _s.dispatching = False
    _s.dead = False
    _s.waiting = []
    _s.posted = b""


def boot():
    """Forget what belonged to the last boot; the bench's own state is kept by the host."""
    global ble_active, ble_corrupt
    _handlers.clear()
    _s.waiting = []
    _s.now = 0  # a battery pull starts the count again: the next answer says where it stands
    _s.charged = 0
    _s.dead = False
    _s.dispatching = False
    ble_active = False
    ble_corrupt = False


ble_active = False  # set by bluetooth.py, read by machine.py and os.py
ble_corrupt = False  # set by machine.py: light sleep with the radio up
frame_us = 0  # device time of one GATT event's handler or one notification, likewise
cost_us = {}  # the board's whole cost table
report_us = 0  # device time that one advert's report costs, from the board's cost table


def on_event(kind, fn):
    _handlers[kind] = fn


def now_us():
    """Local time since power-on, us. Reading it costs a little time, so that a polling loop ends."""
    _s.charged += 3
    if _s.charged > _SYNC_US and not _s.dispatching:
        call(OP_SYNC)
    return _s.now


def charge(us):
    _s.charged += us


def post(op, payload=b""):
    """Tell the host with the next call: for what has no answer and can't fail. Raises PowerOff."""
    if _s.charged > _LIGHT_US:
        call(OP_SYNC)
    if _s.dead:
        raise PowerOff()
    _s.posted += struct.pack(_REQUEST, len(payload), op | _POSTED, 0) + payload


def call(op, payload=b""):
    """Ask the host. Returns the answer (valid until the next call). Raises OSError(errno), PowerOff."""
    if _s.dead:
        raise PowerOff()
    charged = _s.charged
    _s.charged = 0
    posted = _s.posted
    _s.posted = b""
    _s.tx.write(posted + struct.pack(_REQUEST, len(payload), op, charged) + payload)
    _read_exact(_head, 16)
    length, errno, now, events = struct.unpack(_REPLY, _head)
    if length > len(_buf):
        _grow(length)
    if length:
        _read_exact(_buf, length)
    if errno == _POWER_GONE:
        _s.dead = True
        raise PowerOff()
    view = memoryview(_buf)[:length]
    if events:
        view = _take_events(view, events)
    if now > _s.now:
        _s.now = now
    if errno:
        raise OSError(errno)
    return view


def _read_exact(buf, n):
    got = _s.rx.readinto(memoryview(buf)[:n])
    while got < n:
        more = _s.rx.readinto(memoryview(buf)[got:n])
        if not more:
            sys.exit(3)
        got += more


def _grow(length):
    global _buf
    _buf = bytearray(length + 1024)


def _take_events(view, count):
    if _s.dispatching:  # never nested: keep copies, the dispatcher below takes them when the running handler is done
        at = 0
        for _ in range(count):
            n, kind, t = struct.unpack_from(_EVENT, view, at)
            _s.waiting.append((kind, t, bytes(view[at + 11 : at + 11 + n])))
            at += 11 + n
        return view[at:]
    # A handler may call the host, which overwrites the buffer: work on a copy.
    end = 0
    for _ in range(count):
        end += 11 + struct.unpack_from("<H", view, end)[0]
    batch = memoryview(bytes(view[:end]))
    rest = bytes(view[end:])
    _s.dispatching = True
    try:
        at = 0
        for _ in range(count):
            n, kind, t = struct.unpack_from(_EVENT, batch, at)
            _dispatch(kind, t, batch[at + 11 : at + 11 + n])
            at += 11 + n
        while _s.waiting:
            kind, t, payload = _s.waiting.pop(0)
            _dispatch(kind, t, memoryview(payload))
    finally:
        _s.dispatching = False
    return rest


def _dispatch(kind, t, payload):
    """Call the handler at the time of its event, which may be earlier than what the program has seen of the clock."""
    fn = _handlers.get(kind)
    if fn:
        now = _s.now
        _s.now = t
        fn(payload)
        if now > _s.now:
            _s.now = now


def idle_until(deadline_us):
    """Wait for an event or for the local time deadline_us (FOREVER: for an event only)."""
    call(OP_IDLE, struct.pack("<q", deadline_us))
