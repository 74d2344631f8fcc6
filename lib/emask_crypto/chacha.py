# Owns ChaCha20-Poly1305 (RFC 8439). Must not know nonces' use: who seals sees to it that no pair of key and nonce
# serves twice. Blocks are computed side by side in wide integers, which spares most of the interpreter's steps.
import struct

from micropython import const

_BLOCK = const(64)
_MOST = const(4)  # blocks side by side: more would be quicker, and take more memory in one piece
TAG_BYTES = const(16)
_P = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_HEAD = b"expand 32-byte k"

# A row of the state is one integer: for each block four lanes of 64 bits, each with a word of 32 in it.


def _lanes(words):
    return int.from_bytes(b"".join([struct.pack("<II", word, 0) for word in words]), "little")


def _row(data, ones):
    return _lanes(struct.unpack("<4I", data)) * ones


def _stream(key, nonce, first, count):
    # `count` blocks from block number `first` on.
    ones = sum([1 << 256 * block for block in range(count)])
    mask = 0xFFFFFFFF * (ones * 0x1000000000000000100000000000000010000000000000001)
    a = _row(_HEAD, ones)
    b = _row(key[:16], ones)
    c = _row(key[16:], ones)
    d = _row(bytes(4) + nonce, ones) + sum([first + block << 256 * block for block in range(count)])
    start = (a, b, c, d)
    low = [((1 << 64 * lanes) - 1) * ones for lanes in range(4)]
    for _ in range(10):
        a, b, c, d = _quarter(a, b, c, d, mask)
        b, c, d = _turn(b, 1, low), _turn(c, 2, low), _turn(d, 3, low)
        a, b, c, d = _quarter(a, b, c, d, mask)
        b, c, d = _turn(b, 3, low), _turn(c, 2, low), _turn(d, 1, low)
    rows = [(new + old & mask).to_bytes(32 * count, "little") for new, old in zip((a, b, c, d), start)]
    return _packed(rows, count)


def _packed(rows, count):
    # The words of each block in their order: lane after lane of row after row.
    found = bytearray(_BLOCK * count)
    at = 0
    for block in range(count):
        for row in rows:
            for lane in range(32 * block, 32 * block + 32, 8):
                found[at : at + 4] = row[lane : lane + 4]
                at += 4
    return found


def _quarter(a, b, c, d, mask):
    a = a + b & mask
    d ^= a
    d = (d << 16 | d >> 16) & mask
    c = c + d & mask
    b ^= c
    b = (b << 12 | b >> 20) & mask
    a = a + b & mask
    d ^= a
    d = (d << 8 | d >> 24) & mask
    c = c + d & mask
    b ^= c
    return a, (b << 7 | b >> 25) & mask, c, d


def _turn(row, lanes, low):
    # Each block's four lanes, turned to the left.
    return row >> 64 * lanes & low[4 - lanes] | (row & low[lanes]) << 64 * (4 - lanes)


def _cover(key, nonce, text, found):
    # Writes `text` covered into `found`, a group of blocks at a time; returns the one-time key of Poly1305.
    size = len(text)
    blocks = 1 + (size + _BLOCK - 1) // _BLOCK
    once = b""
    at = 0
    for first in range(0, blocks, _MOST):
        stream = _stream(key, nonce, first, min(_MOST, blocks - first))
        begin = 0
        if not first:
            once = bytes(stream[:32])
            begin = _BLOCK
        count = min(len(stream) - begin, size - at)
        mixed = int.from_bytes(text[at : at + count], "little") ^ int.from_bytes(
            stream[begin : begin + count], "little"
        )
        found[at : at + count] = mixed.to_bytes(count, "little")
        at += count
    return once


def _absorb(total, r, data, size):
    for at in range(0, size, 16):
        part = data[at : min(at + 16, size)]
        number = int.from_bytes(part, "little") | 1 << 128  # a shorter part counts as filled with zeros
        total = (total + number) * r % _P
    return total


def _tag(once, aad, text, size):
    r = int.from_bytes(once[:16], "little") & _CLAMP
    total = _absorb(_absorb(0, r, aad, len(aad)), r, text, size)
    total = _absorb(total, r, struct.pack("<QQ", len(aad), size), 16) + int.from_bytes(once[16:], "little")
    return (total & (1 << 128) - 1).to_bytes(16, "little")


def seal(key, nonce, text, aad=b""):
    """`text` covered, and its tag of 16 bytes. key: 32 bytes; nonce: 12 bytes, never twice with one key."""
    size = len(text)
    found = bytearray(size + TAG_BYTES)
    once = _cover(key, nonce, text, found)
    found[size:] = _tag(once, aad, found, size)
    return bytes(found)


def unseal(key, nonce, sealed, aad=b""):
    """The text of what seal() gave, or None if a bit of it, of `aad` or of the key is another."""
    size = len(sealed) - TAG_BYTES
    if size < 0:
        return None
    found = bytearray(size)
    once = _cover(key, nonce, sealed[:size], found)
    wrong = 0
    for have, want in zip(sealed[size:], _tag(once, aad, sealed, size)):
        wrong |= have ^ want
    return None if wrong else bytes(found)
