"""Owns a product image: the files of a board as ROMFS, the header, the signature (docs/SPEC-flash). Knows no disk."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from mpremote.romfs import VfsRomWriter

BLOCK_BYTES = 4096
HEADER_BYTES = 128
PAYLOAD_MAX = 31 * BLOCK_BYTES
_HEADER = "<4sBBHII16s32s"
_SIGNED = 64
_LABEL = b"emask firmware 1\x00"
# MicroPython runs a main.py; the token's own files of these names step aside for it.
_RENAMED = {"boot.mpy": "token_boot.mpy", "main.mpy": "token_main.mpy"}
_MAIN = b"""# Starts the token (made by emask firmware build).
import machine
import time

if machine.reset_cause() != machine.DEEPSLEEP_RESET:
    time.sleep_ms(2500)  # a flash station may stop it here: later the token sleeps, and its USB with it
import token_boot
import token_main
"""


class ImageError(Exception):
    """An image that is damaged, too large, for another board or not signed by the key at hand."""


@dataclass(frozen=True)
class Image:
    """A checked image: what the header says, and all bytes."""

    board: str
    version: int
    payload: bytes
    head: bytes

    @property
    def data(self) -> bytes:
        return self.head + self.payload

    @property
    def signed(self) -> bool:
        return any(self.head[_SIGNED:])


def romfs(files: Mapping[str, bytes]) -> bytes:
    """A ROMFS of files by their path ("emask/advert.mpy"), in their order, plus the main.py that starts it."""
    placed = {_RENAMED.get(path, path): data for path, data in files.items()} | {"main.py": _MAIN}
    writer = VfsRomWriter()
    folder = ""
    for path in sorted(placed, key=lambda path: (path.rpartition("/")[0], path)):
        inside, _, name = path.rpartition("/")
        if inside != folder:
            if folder:
                writer.closedir()
            if inside:
                writer.opendir(inside)
            folder = inside
        writer.mkfile(name, placed[path])
    if folder:
        writer.closedir()
    return bytes(writer.finalise())


def build(board: str, version: int, payload: bytes, key: Ed25519PrivateKey | None = None) -> Image:
    """Header and payload; without a key the signature is zeros, which no token takes. ImageError if it is too large."""
    if len(payload) > PAYLOAD_MAX:
        raise ImageError(f"{len(payload)} bytes, a slot holds {PAYLOAD_MAX}")
    digest = hashlib.sha256(payload).digest()
    signed = struct.pack(_HEADER, b"EMFW", 1, 1, 0, version, len(payload), board.encode(), digest)
    signature = key.sign(_LABEL + signed) if key else bytes(HEADER_BYTES - _SIGNED)
    return Image(board, version, payload, signed + signature)


def parse(data: bytes, key: bytes | None = None) -> Image:
    """Check length, version, size and hash, and with a public key (32 bytes) the signature; raise ImageError."""
    if len(data) < HEADER_BYTES:
        raise ImageError("too short for an image")
    magic, version, kind, zero, number, size, board, digest = struct.unpack_from(_HEADER, data)
    if magic != b"EMFW" or version != 1 or kind != 1 or zero:
        raise ImageError("no image, or one of another version")
    payload = data[HEADER_BYTES:]
    if len(payload) != size or not 0 < size <= PAYLOAD_MAX:
        raise ImageError("cut off, or too large for a slot")
    if hashlib.sha256(payload).digest() != digest:
        raise ImageError("damaged: the hash does not fit")
    try:
        name = board.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise ImageError("the board's name is no text") from None
    if key is not None:
        _check_signature(key, data[:HEADER_BYTES])
    return Image(name, number, payload, data[:HEADER_BYTES])


def parse_head(data: bytes) -> int:
    """The firmware version in the first bytes of an image or a slot; ImageError if there is none."""
    if len(data) < HEADER_BYTES or data[:4] != b"EMFW":
        raise ImageError("no image")
    return int(struct.unpack_from(_HEADER, data)[4])


def _check_signature(key: bytes, head: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(head[_SIGNED:], _LABEL + head[:_SIGNED])
    except (InvalidSignature, ValueError):
        raise ImageError("not signed by the release key") from None


def new_key() -> bytes:
    """A fresh release key, 32 secret bytes."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_key(secret: bytes) -> bytes:
    """The 32 public bytes of a release key."""
    return load_key(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def load_key(secret: bytes) -> Ed25519PrivateKey:
    """A key from its 32 bytes; ImageError if they are not 32."""
    if len(secret) != 32:
        raise ImageError("a release key has 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(secret)
