# bluetooth.UUID and the buffer rule of MicroPython's C code, on the bench. Knows no stack.
import struct
import sys


class UUID(bytes):
    """16-, 32- or 128-bit UUID, little endian as in the air; the real one too hands these bytes out as a buffer."""

    if sys.implementation.name == "micropython":

        def __init__(self, value):
            super().__init__(_uuid_bytes(value))

    else:

        def __new__(cls, value):
            return bytes.__new__(cls, _uuid_bytes(value))

    def __eq__(self, other):
        return isinstance(other, UUID) and bytes(self) == bytes(other)

    def __ne__(self, other):
        return not self == other

    def __lt__(self, other):
        a, b = _uuid_order(self, other)
        return a < b

    def __gt__(self, other):
        a, b = _uuid_order(self, other)
        return a > b

    def __le__(self, other):
        return not self > other

    def __ge__(self, other):
        return not self < other

    def __hash__(self):
        return hash(bytes(self))

    def __add__(self, other):
        raise TypeError("unsupported types for __add__")

    def __repr__(self):
        digits = "".join("%02x" % byte for byte in reversed(bytes(self)))
        if len(digits) <= 8:
            return "UUID(0x" + digits + ")"
        return "UUID('" + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])) + "')"

    __str__ = __repr__


def _uuid_bytes(value):
    if isinstance(value, int):
        if value > 65535:
            raise ValueError("invalid UUID")
        return struct.pack("<H", value & 0xFFFF)
    raw = bytes(buffer(value))
    if len(raw) in (2, 4, 16):
        return raw
    digits = raw.replace(b"-", b"")
    for char in digits:
        if char not in b"0123456789abcdefABCDEF":
            raise ValueError("invalid char in UUID")
    if len(digits) != 32:
        raise ValueError("UUID too long" if len(digits) > 32 else "UUID too short")
    return bytes(int(digits[i : i + 2], 16) for i in range(30, -2, -2))


def _uuid_order(a, b):
    if not isinstance(b, UUID):
        raise TypeError("unsupported types for comparison")
    a, b = bytes(a), bytes(b)
    return (a, b) if len(a) == len(b) else (len(a), len(b))


def buffer(value):
    """Anything with the buffer protocol; MicroPython's str has it."""
    if isinstance(value, str):
        return value.encode()
    return memoryview(value)
