# Owns the cutting of messages into numbered frames and their joining (SPEC 4.1). Must not know what messages mean.
# Frame: sequence u8, flags u8, payload; the first frame's payload begins with type u8, length of the body u16.
import struct

from micropython import const

from emask import spec

_HEAD = const(2)
_LEAD = const(3)


class FrameError(ValueError):
    """A frame that does not fit what came before; the joiner has started anew."""


def split(kind, body, frame_bytes, seq):
    """Yield the frames (at most frame_bytes each, at least 6) of a message, numbered from `seq` modulo 256."""
    data = struct.pack("<BH", kind, len(body)) + bytes(body)
    room = max(frame_bytes, 6) - _HEAD
    for at in range(0, len(data), room):
        flags = (0 if at else spec.FRAME_FIRST) | (spec.FRAME_LAST if at + room >= len(data) else 0)
        yield bytes((seq & 0xFF, flags)) + data[at : at + room]
        seq += 1


class Joiner:
    """Joins frames to messages whose body has at most max_bytes. Numbers must follow on, over messages too."""

    def __init__(self, max_bytes=512):
        self._buf = bytearray(max_bytes + _LEAD)
        self.reset()

    def reset(self):
        """Forget all: the next frame must be a first one, of any number."""
        self._seq = None
        self._have = 0
        self._want = 0

    def feed(self, frame):
        """Take one frame; (type, body) when a message is complete, else None. FrameError if it does not fit."""
        if len(frame) <= _HEAD:
            self._fail("frame is too short")
        seq, flags = frame[0], frame[1]
        if flags > spec.FRAME_FIRST | spec.FRAME_LAST:
            self._fail("frame has unknown flags")
        if self._seq is not None and seq != self._seq:
            self._fail("frame is out of sequence")
        if bool(flags & spec.FRAME_FIRST) == bool(self._want):
            self._fail("frame is not the one expected")
        if flags & spec.FRAME_FIRST:
            self._start(frame)
        self._take(memoryview(frame)[_HEAD:])
        self._seq = seq + 1 & 0xFF
        if not flags & spec.FRAME_LAST:
            return None
        return self._finish()

    def _start(self, frame):
        if len(frame) < _HEAD + _LEAD:
            self._fail("frame is too short")
        self._want = _LEAD + struct.unpack_from("<H", frame, _HEAD + 1)[0]
        if self._want > len(self._buf):
            self._fail("message is too long")

    def _take(self, payload):
        end = self._have + len(payload)
        if end > self._want:
            self._fail("frame runs past its message")
        self._buf[self._have : end] = payload
        self._have = end

    def _finish(self):
        if self._have != self._want:
            self._fail("message is cut short")
        body = bytes(memoryview(self._buf)[_LEAD : self._want])
        self._have = self._want = 0
        return self._buf[0], body

    def _fail(self, why):
        self.reset()
        raise FrameError(why)
