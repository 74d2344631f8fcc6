# Owns SHA-512 (FIPS 180-4), which MicroPython's hashlib lacks. For short messages: a block costs thousands of steps.
import struct
from binascii import a2b_base64

from micropython import const

_BLOCK = const(128)
_M = 0xFFFFFFFFFFFFFFFF

# Fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 80.
_START = a2b_base64(b"agnmZ/O8yQi7Z66FhMqnOzxu83L+lPgrpU/1Ol8dNvFRDlJ/reaC0ZsFaIwrPmwfH4PZq/tBvWtb4M0ZE34heQ==")
_K = a2b_base64(
    b"QoovmNcoriJxN0SRI+9lzbXA+8/sTTsv6bXbpYGJ27w5VsJb80i1OFnxEfG2BdAZkj+CpK8ZT5urHF7V2m2BGNgHqpijAwJCEoNbAUVwb74k"
    b"MYW+TuSyjFUMfcPV/7Ticr5ddPJ7iW+A3rH+OxaWsZvcBqclxxI1wZvxdM9pJpTkm2nBnvFK0u++R4Y4TyXjD8GdxouM1bUkDKHMd6ycZS3p"
    b"LG9ZKwJ1SnSEqm6m5INcsKncvUH71Hb5iNqDEVO1mD5RUu5m36uoMcZtLbQyELADJ8iY+yE/v1l/x77vDuTG4AvzPaiPwtWnkUeTCqclBspj"
    b"UeADgm8UKSlnCg5ucCe3CoVG0i/8LhshOFwmySZNLG38WsQq7VM4DROdlbPfZQpzVIuvY952agq7PHeyqIHCyS5H7a7mknIshRSCNTuiv+ih"
    b"TPEDZKgaZku8QjABwkuLcND4l5HHbFGjBlS+MNGS6BnW71IY1pkGJFVlqRD0DjWFV3EgKhBqoHAyu9G4GaTBFrjS0MgeN2wIUUGrUydId0zf"
    b"juuZNLC8teGbSKg5HAyzxclaY07YqkrjQYrLW5zKT3dj43NoLm/z1rK4o3SPgu5d77L8eKVjb0MXL2CEyHgUofCrcozHAggaZDnskL7/+iNj"
    b"HiikUGzr3oK96b75o/eyxnkVxnF48uNyUyvKJz7O6iZhnNGGuMchwMIH6tp91s3g6x71fU9/7m7ReAbwZ6pyF2+6CmN9xaLImKYRP5gEvvkN"
    b"rhtxCzUTHEcbKNt39SMEfYQyyqt7QMckkzyevgoVyb68Qx1nxJwQDUxMxdS+yz5Ctll/KZz8ZX4qX8tvqzrW+uxsRBmMSkdYFw=="
)


def _next_word(words, at):
    # Word `at` of the schedule, put in the place of the word 16 before it.
    low, high = words[at + 1 & 15], words[at - 2 & 15]
    low2, high2 = low | low << 64, high | high << 64  # doubled: a rotation is one shift
    low = low2 >> 1 ^ low2 >> 8 ^ low >> 7
    high = high2 >> 19 ^ high2 >> 61 ^ high >> 6
    word = words[at & 15] + (low & _M) + words[at - 7 & 15] + (high & _M) & _M
    words[at & 15] = word
    return word


def _compress(state, block):
    words = list(struct.unpack(">16Q", block))
    a, b, c, d, e, f, g, h = state
    for at in range(80):
        word = words[at] if at < 16 else _next_word(words, at)
        twice = e | e << 64
        h += (twice >> 14 ^ twice >> 18 ^ twice >> 41) & _M
        h += (g ^ e & (f ^ g)) + word + struct.unpack_from(">Q", _K, 8 * at)[0]
        twice = a | a << 64
        top = h + ((twice >> 28 ^ twice >> 34 ^ twice >> 39) & _M) + (a & b | c & (a | b))
        a, b, c, d, e, f, g, h = top & _M, a, b, c, d + h & _M, e, f, g
    return [old + new & _M for old, new in zip(state, (a, b, c, d, e, f, g, h))]


def sha512(message):
    """The 64 bytes of the hash of `message` (bytes)."""
    size = len(message)
    pad = -(size + 17) % _BLOCK
    data = message + b"\x80" + bytes(pad + 8) + struct.pack(">Q", 8 * size)
    state = struct.unpack(">8Q", _START)
    for at in range(0, len(data), _BLOCK):
        state = _compress(state, data[at : at + _BLOCK])
    return struct.pack(">8Q", *state)
