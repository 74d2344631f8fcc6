# `esp32` on the bench: flash partitions over the node's image file, NVS, wake by GPIO.
# Reads are local, writes go to the host.
import errno
import struct

import benchlink
import machine

WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True
HEAP_DATA, HEAP_EXEC = 4, 1
_BLOCK = 4096

# Set by the runner: label -> (number, offset, size), and the open image.
partitions = {}
image = None
read_us = 0
record_us = 0


def wake_on_gpio(pins, level=False):
    machine.wake_pins.clear()
    for pin in pins or ():
        machine.wake_pins.add(pin.number)


def wake_on_ext1(pins, level=False):
    raise ValueError("this chip wakes by GPIO")


def idf_heap_info(capabilities):
    return [(98304, 49152, 32768, 40960)]


class Partition:
    BOOT, RUNNING = 0, 1
    TYPE_APP, TYPE_DATA = 0, 1

    def __init__(self, label, block_size=_BLOCK):
        if label not in partitions:
            raise OSError(errno.ENOENT)
        self._label = label
        self._number, self._offset, self._size = partitions[label]

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=_BLOCK):
        names = [n for n in sorted(partitions) if label is None or n == label]
        return [Partition(n) for n in names] if type == Partition.TYPE_DATA else []

    def info(self):
        return (Partition.TYPE_DATA, 0x81, self._offset, self._size, self._label, False)

    def readblocks(self, block, buf, offset=0):
        at = self._place(block * _BLOCK + offset, len(buf))
        benchlink.charge(read_us)
        image.seek(self._offset + at)
        image.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        """Without an offset the blocks are erased first, as esp32.Partition does."""
        at = self._place(block * _BLOCK + (offset or 0), len(buf))
        if offset is None:
            for n in range(block, block + (len(buf) + _BLOCK - 1) // _BLOCK):
                self.ioctl(6, n)
        benchlink.charge(record_us)
        done = 0
        while done < len(buf):
            part = bytes(buf[done : done + 1024])
            benchlink.call(benchlink.OP_PROGRAM, struct.pack("<BI", self._number, at + done) + part)
            done += len(part)

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._size // _BLOCK
        if command == 5:
            return _BLOCK
        if command == 6:
            at = self._place(argument * _BLOCK, _BLOCK)
            benchlink.call(benchlink.OP_ERASE, struct.pack("<BI", self._number, at))
            return 0
        return 0 if command in (1, 2, 3) else None

    def _place(self, at, length):
        if at < 0 or at + length > self._size:
            raise OSError(errno.EINVAL)
        return at


class NVS:
    def __init__(self, namespace):
        self._prefix = namespace.encode() + b"/"

    def set_i32(self, key, value):
        self.set_blob(key, struct.pack("<i", value))

    def get_i32(self, key):
        buf = bytearray(4)
        self.get_blob(key, buf)
        return struct.unpack("<i", buf)[0]

    def set_blob(self, key, value):
        benchlink.call(benchlink.OP_NVS_SET, self._prefix + key.encode() + b"\0" + bytes(value))

    def get_blob(self, key, buf):
        data = benchlink.call(benchlink.OP_NVS_GET, self._prefix + key.encode())
        buf[: len(data)] = bytes(data)
        return len(data)

    def erase_key(self, key):
        self.set_blob(key, b"")

    def commit(self):
        pass
