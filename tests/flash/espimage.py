"""Owns a stand-in for ESP-IDF's build: files with the format of an ESP32-C3's image, and nothing in them that runs."""

import hashlib
import random
import struct
from pathlib import Path

from tools import ROOT
from tools.firmware import layout

_CHIP_IDS = {"esp32c3": 5, "esp32": 0, "esp32s3": 9, "esp32c6": 13}


def image(board: str, size: int, seed: int) -> bytes:
    """One segment of `size` bytes, half of it random: an image compresses to about the share that a real one does."""
    data = bytearray(size)
    data[: size // 2] = random.Random(seed).randbytes(size // 2)
    head = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40380000)
    head += struct.pack("<B3sHBHH4sB", 0xEE, bytes(3), _CHIP_IDS[board], 0, 0, 0xFFFF, bytes(4), 1)
    body = head + struct.pack("<II", 0x3FC80000, size) + data
    check = 0xEF
    for byte in data:
        check ^= byte
    body += bytes(15 - len(body) % 16) + bytes([check])
    return body + hashlib.sha256(body).digest()


def build(folder: Path, board: str = "esp32c3", size: int = 60_000) -> Path:
    """The folder that `make` of MicroPython's ESP32 port would leave."""
    table = layout.partition_table(ROOT / "boards" / "partitions.csv").to_binary()
    files = {
        "bootloader/bootloader.bin": image(board, 20_000, 1),
        "partition_table/partition-table.bin": table,
        "micropython.bin": image(board, size, 2),
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
