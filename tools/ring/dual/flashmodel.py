# A NOR flash in RAM, as strict as real ones: programming only clears bits, cuts of power come in the middle of
# anything, what was cut reads differently each time, blocks wear out. Runs on both interpreters; knows no store.
from hashlib import sha256


class PowerCut(Exception):
    """The power failed in the middle of a flash operation."""


class Refused(Exception):
    """The operation is one that real flash can't do."""


class Chance:
    """Numbers from a seed, the same on both interpreters."""

    def __init__(self, seed=1):
        self._state = sha256(b"%d" % seed).digest()

    def draw(self, count):
        """count bytes."""
        found = b""
        while len(found) < count:
            self._state = sha256(self._state).digest()
            found += self._state
        return found[:count]

    def below(self, limit):
        """A number from 0 to limit - 1."""
        return int.from_bytes(self.draw(4), "little") % limit


ERASE_COST = 16  # of `power`, as a byte programmed costs 1


class Flash:
    """Block device of MicroPython's extended protocol.

    power: what can still be done before the power fails (a byte programmed 1, an erase ERASE_COST); None: for ever.
    lives: erases that each block bears; beyond, an erase leaves bits at 0, and every second such block says so.
    """

    def __init__(self, blocks=16, block_bytes=4096, chance=None, lives=None):
        self.block_bytes = block_bytes
        self.data = bytearray(b"\xff" * (blocks * block_bytes))
        self.erases = [0] * blocks
        self.power = None
        self.dead = False
        self.reads = self.programmed = 0
        self._chance = chance or Chance()
        self._lives = lives
        self._weak = {}  # address -> bits that may read as 0 or 1
        self._ragged = {}  # block -> True: its bits are half-way between 0 and 1

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.erases)
        if op == 5:
            return self.block_bytes
        return self._erase(arg) if op == 6 else 0

    def readblocks(self, block, buf, offset=0):
        self._answer(offset, buf)
        self.reads += 1
        at = block * self.block_bytes + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]
        if block in self._ragged:
            noise = self._chance.draw(len(buf))
            for i in range(len(buf)):
                buf[i] |= noise[i]
        for address, bits in self._weak.items():
            if at <= address < at + len(buf):
                buf[address - at] &= ~(bits & self._chance.draw(1)[0]) & 0xFF

    def writeblocks(self, block, buf, offset):
        self._answer(offset, buf)
        at = block * self.block_bytes + offset
        old = int.from_bytes(self.data[at : at + len(buf)], "little")
        new = int.from_bytes(bytes(buf), "little")
        if new & (old ^ ((1 << 8 * len(buf)) - 1)):
            raise Refused("a bit can't be programmed from 0 to 1")
        done = len(buf)
        if self.power is not None and self.power < done:
            done = self.power
        self.programmed += done
        both = (old & new).to_bytes(len(buf), "little")
        self.data[at : at + done] = both[:done]
        for address in [a for a in self._weak if at <= a < at + done]:
            self._weak[address] &= buf[address - at]  # what is programmed to 0 now is firm
        if self.power is not None:
            self.power -= done
            if done < len(buf):
                self._weak[at + done] = self._weak.get(at + done, 0) | self.data[at + done] & ~buf[done] & 0xFF
                raise PowerCut()

    def _answer(self, offset, buf):
        if self.dead:
            raise OSError(5)
        if offset + len(buf) > self.block_bytes:
            raise Refused("beyond the block's end")

    def _erase(self, block):
        if self.dead:
            raise OSError(5)
        at = block * self.block_bytes
        if self.power is not None and self.power < ERASE_COST:
            self._erase_half(block, at)
            self.power = 0
            raise PowerCut()
        if self.power is not None:
            self.power -= ERASE_COST
        self.erases[block] += 1
        self.data[at : at + self.block_bytes] = b"\xff" * self.block_bytes
        self._settle(block)
        if self._lives and self.erases[block] > self._lives[block]:
            self.data[at + self._chance.below(self.block_bytes)] &= 0x7F
            if block & 1:
                raise OSError(5)
        return 0

    def _settle(self, block):
        self._ragged.pop(block, None)
        for address in [a for a in self._weak if a // self.block_bytes == block]:
            del self._weak[address]

    def _erase_half(self, block, at):
        # Nothing yet; the first part; the last part; or everything, half-way between 0 and 1.
        if self.power == 0:
            return
        kind = self._chance.below(3)
        size = self.block_bytes
        part = 1 + self._chance.below(size)
        if kind == 0:
            self.data[at : at + part] = b"\xff" * part
        elif kind == 1:
            self.data[at + size - part : at + size] = b"\xff" * part
        else:
            self._ragged[block] = True
        for address in [a for a in self._weak if a // size == block and self.data[a] == 0xFF]:
            del self._weak[address]
