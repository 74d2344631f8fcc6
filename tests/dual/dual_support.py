# Owns what tests on both interpreters share: vectors, a RAM flash, expectations. Must not import pytest.
import json


def vectors(name):
    """The content of tests/vectors/<name>.json."""
    folder = __file__.replace("\\", "/").rsplit("/", 2)[0]
    with open(folder + "/vectors/" + name + ".json") as file:
        return json.load(file)


def raises(kind, function, *args):
    """The exception of this kind that the call raised; fails if it raised none."""
    try:
        function(*args)
    except kind as error:
        return error
    raise AssertionError("nothing was raised")


class PowerCut(Exception):
    """The power failed in the middle of a flash operation."""


class Flash:
    """Block device in RAM with the rules of NOR flash: programming clears bits, only an erase sets them.

    `power`: bytes that can still be programmed (an erase counts 16) before the power fails; None: for ever.
    """

    def __init__(self, blocks=8, block_bytes=4096):
        self.block_bytes = block_bytes
        self.data = bytearray(b"\xff" * (blocks * block_bytes))
        self.erases = [0] * blocks
        self.power = None
        self.reads = 0
        self.dead = False

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.erases)
        if op == 5:
            return self.block_bytes
        if op == 6:
            self._spend(16)
            self.erases[arg] += 1
            at = arg * self.block_bytes
            self.data[at : at + self.block_bytes] = b"\xff" * self.block_bytes
        return 0

    def readblocks(self, block, buf, offset=0):
        if self.dead:
            raise OSError(5)
        self.reads += 1
        at = block * self.block_bytes + offset
        assert offset + len(buf) <= self.block_bytes
        buf[:] = memoryview(self.data)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset):
        if self.dead:
            raise OSError(5)
        at = block * self.block_bytes + offset
        assert offset + len(buf) <= self.block_bytes
        for i in range(len(buf)):
            self._spend(1)
            old = self.data[at + i]
            assert old & buf[i] == buf[i], "programming cannot set bits"
            self.data[at + i] = buf[i]

    def _spend(self, count):
        if self.power is None:
            return
        if self.power < count:
            self.power = 0
            raise PowerCut()
        self.power -= count
