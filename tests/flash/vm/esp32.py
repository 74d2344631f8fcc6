"""Partitions over one image file of the whole flash, found in the partition table that was flashed into it."""

import struct

WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True
image = None  # the open file, set by board_vm
_BLOCK = 4096


def wake_on_gpio(pins, level=False):
    pass


def _table():
    image.seek(0x8000)
    found = {}
    while True:
        entry = image.read(32)
        if entry[:2] != b"\xaa\x50":
            return found
        _, kind, _, offset, size, name, _ = struct.unpack("<2sBBLL16sL", entry)
        found[name.rstrip(b"\x00").decode()] = (kind, offset, size)


class Partition:
    TYPE_APP, TYPE_DATA = 0, 1

    def __init__(self, label):
        table = _table()
        if label not in table:
            raise OSError(2)
        self.kind, self.offset, self.size = table[label]

    @staticmethod
    def find(type=0, subtype=0xFF, label=None):
        return [Partition(name) for name, entry in _table().items() if entry[0] == type and label in (None, name)]

    def readblocks(self, block, buf, offset=0):
        image.seek(self.offset + block * _BLOCK + offset)
        image.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            for number in range(len(buf) // _BLOCK):
                self.ioctl(6, block + number)
        at = self.offset + block * _BLOCK + (offset or 0)
        image.seek(at)
        old = int.from_bytes(image.read(len(buf)), "little")
        image.seek(at)
        image.write((old & int.from_bytes(bytes(buf), "little")).to_bytes(len(buf), "little"))
        image.flush()

    def ioctl(self, command, argument=0):
        if command == 4:
            return self.size // _BLOCK
        if command == 5:
            return _BLOCK
        if command == 6:
            image.seek(self.offset + argument * _BLOCK)
            image.write(b"\xff" * _BLOCK)
            image.flush()
        return 0
