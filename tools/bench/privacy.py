# A node's addresses by mode, with NimBLE's vices: public after each start, changes refused in silence. Knows no radio.
from __future__ import annotations

import random

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PUBLIC, RANDOM, RESOLVABLE, NON_RESOLVABLE = 0, 1, 2, 3
_OUI = bytes.fromhex("240ac4")  # Espressif
_LIFE_US = 900_000_000
# NimBLE's fixed default identity key (ble_hs_pvcy.c): it can resolve every such device, so mode 2 hides nothing.
_DEFAULT_IRK = bytes.fromhex("ef 8d e2 16 4f ec 43 0d bf 5b dd 34 c0 53 1e b8")


class Addresses:
    """Addresses are (type, 6 bytes as shown); type 0 public, 1 random."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.public = _OUI + rng.randbytes(3)
        self.reset()

    def reset(self) -> None:
        self._mode = PUBLIC
        self._random: bytes | None = None
        self._rpa: tuple[int, bytes] | None = None

    def choose(self, mode: int, busy: bool) -> None:
        """config(addr_mode=). A random address can't change while the controller is busy: only the mode does then."""
        if mode in (RANDOM, NON_RESOLVABLE) and not busy:
            drawn = bytearray(self._rng.randbytes(6))
            drawn[0] = drawn[0] & 0x3F | (0xC0 if mode == RANDOM else 0)
            self._random = bytes(drawn)
        if mode == RESOLVABLE:
            self._rpa = None
        if mode <= NON_RESOLVABLE:
            self._mode = mode

    @property
    def resolvable(self) -> bool:
        return self._mode == RESOLVABLE

    def missing(self) -> bool:
        """A random address is wanted, and none was ever set."""
        return self._mode in (RANDOM, NON_RESOLVABLE) and self._random is None

    def shown(self) -> tuple[int, bytes] | None:
        """What config("mac") tells; None where that raises."""
        if self._mode == PUBLIC:
            return 0, self.public
        if self._mode == RESOLVABLE or self._random is None:
            return None
        return 1, self._random

    def on_air(self, now_us: int) -> tuple[int, bytes]:
        """The address that is sent."""
        if self._mode != RESOLVABLE:
            return self.shown() or (0, self.public)
        if self._rpa is None or now_us - self._rpa[0] >= _LIFE_US:
            self._rpa = (now_us, resolvable_address(_DEFAULT_IRK, self._rng.randbytes(3)))
        return 1, self._rpa[1]


def resolvable_address(irk: bytes, prand: bytes) -> bytes:
    """prand with its top bits 01, then the hash ah() of it (Core 5.4, vol 3, part H, 2.2.2); 6 bytes, as shown.

    prand: 3 bytes, most significant first; irk: 16 bytes as stored, least significant first.
    """
    prand = bytes((prand[0] & 0x3F | 0x40,)) + prand[1:]
    aes = Cipher(algorithms.AES(irk[::-1]), modes.ECB()).encryptor()  # noqa: S305  # one block, as the function is defined
    return prand + aes.update(bytes(13) + prand)[13:]
