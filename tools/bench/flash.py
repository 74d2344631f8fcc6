# A node's flash: one image file, partitions, and the physics: erase to ones, program only clears bits, cuts in the
# middle. Knows no VM.
from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096
PAGE = 256


class FlashError(Exception):
    """An operation that real flash refuses; the text says which rule it broke."""


class PowerCut(Exception):
    """Raised when the planned cut comes in the middle of an operation."""


@dataclass
class Partition:
    name: str
    offset: int
    size: int


class Flash:
    """Programs and erases go through here; the VM reads the image file itself."""

    def __init__(self, path: Path, sizes: dict[str, int], rng: random.Random) -> None:
        self.path = path
        self._rng = rng
        self.partitions: list[Partition] = []
        offset = 0
        for name, size in sizes.items():
            self.partitions.append(Partition(name, offset, size))
            offset += size
        if not path.exists() or path.stat().st_size != offset:
            path.write_bytes(b"\xff" * offset)
        self._file = path.open("r+b", buffering=0)
        self.erases: dict[int, int] = {}
        self.programmed_bytes = 0
        self.operations = 0
        self.cut_at: int | None = None  # operation number in the middle of which power goes

    def program(self, partition: int, address: int, data: bytes) -> int:
        """Clear bits at address. Returns the pages touched. Raises FlashError, PowerCut."""
        place = self._place(partition, address, len(data))
        self._file.seek(place)
        old = self._file.read(len(data))
        if any(new & ~was for new, was in zip(data, old, strict=True)):
            raise FlashError(f"{self.partitions[partition].name}+{address}: programs a 0 to a 1; erase the block first")
        cut = self._cut_here()
        done = data if not cut else data[: self._rng.randrange(len(data) + 1)]
        self._file.seek(place)
        self._file.write(done)
        self.programmed_bytes += len(done)
        if cut:
            raise PowerCut
        return (place + len(data) - 1) // PAGE - place // PAGE + 1

    def erase(self, partition: int, address: int) -> None:
        """Erase one 4,096-byte block. A cut leaves a part of it old, a part erased."""
        place = self._place(partition, address, BLOCK)
        if address % BLOCK:
            raise FlashError(f"{self.partitions[partition].name}+{address}: erase of what is not a block")
        cut = self._cut_here()
        size = BLOCK if not cut else self._rng.randrange(BLOCK)
        self._file.seek(place)
        self._file.write(b"\xff" * size)
        block = place // BLOCK
        self.erases[block] = self.erases.get(block, 0) + 1
        if cut:
            raise PowerCut

    def _cut_here(self) -> bool:
        self.operations += 1
        return self.cut_at is not None and self.operations >= self.cut_at

    def _place(self, partition: int, address: int, length: int) -> int:
        if partition >= len(self.partitions):
            raise FlashError(f"no partition {partition}")
        part = self.partitions[partition]
        if address < 0 or address + length > part.size:
            raise FlashError(f"{part.name}+{address}: beyond the partition's {part.size} bytes")
        return part.offset + address

    def close(self) -> None:
        self._file.close()
