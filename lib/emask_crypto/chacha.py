# Owns ChaCha20-Poly1305 (RFC 8439). Must not know nonces' use: who seals sees to it that no pair of key and nonce
# serves twice. Blocks are computed side by side in wide integers, which spares most of the interpreter's steps.
import struct

from micropython import const

_BLOCK = const(64)
_MOST = const(8)  # blocks side by side
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
    return b"".join([row[at : at + 4] for block in range(count) for row in rows for at in _places(block)])


def _places(block):
    return range(32 * block, 32 * block + 32, 8)


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


def _keystream(key, nonce, size):
    # The one-time key of Poly1305, and `size` bytes or more to cover the text with.
    blocks = 1 + (size + _BLOCK - 1) // _BLOCK
    parts = [_stream(key, nonce, at, min(_MOST, blocks - at)) for at in range(0, blocks, _MOST)]
    joined = b"".join(parts)
    return joined[:32], joined[_BLOCK:]


def _tag(key, text, aad):
    padded = aad + bytes(-len(aad) % 16) + text + bytes(-len(text) % 16) + struct.pack("<QQ", len(aad), len(text))
    r = int.from_bytes(key[:16], "little") & _CLAMP
    total = 0
    for at in range(0, len(padded), 16):
        total = (total + int.from_bytes(padded[at : at + 16] + b"\x01", "little")) * r % _P
    total += int.from_bytes(key[16:], "little")
    return (total & (1 << 128) - 1).to_bytes(16, "little")


def _cover(text, stream):
    size = len(text)
    return (int.from_bytes(text, "little") ^ int.from_bytes(stream[:size], "little")).to_bytes(size, "little")


def seal(key, nonce, text, aad=b""):
    """`text` covered, and its tag of 16 bytes. key: 32 bytes; nonce: 12 bytes, never twice with one key."""
    once, stream = _keystream(key, nonce, len(text))
    covered = _cover(text, stream)
    return covered + _tag(once, covered, aad)


def unseal(key, nonce, sealed, aad=b""):
    """The text of what seal() gave, or None if a bit of it, of `aad` or of the key is another."""
    if len(sealed) < TAG_BYTES:
        return None
    covered = sealed[:-TAG_BYTES]
    once, stream = _keystream(key, nonce, len(covered))
    wrong = 0
    for have, want in zip(sealed[-TAG_BYTES:], _tag(once, covered, aad)):
        wrong |= have ^ want
    return None if wrong else _cover(covered, stream)
