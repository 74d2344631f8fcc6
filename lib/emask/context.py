# Owns what the receiver heard of everybody at the time of a contact: its own offset, and how still everybody was.
# Must not know which sightings matched, nor the rule. Block: five minutes, numbered since the epoch, UTC.
from micropython import const

from emask import sighting

BLOCK = const(5)  # minutes that are judged as one, three in a quarter of an hour
_BLOCK = BLOCK
_DAY = const(1440)
_RECEIVER_REF = const(-85)  # dBm that an ordinary receiver hears on average
_MAX_BLOCKS = const(1152)
_MAX_PAIRS = const(4000)
_HEARD_MAX = const(500)
_FEW = const(5)  # sightings for which an ordinary receiver is taken for granted
_PRIOR = const(8)  # pairs of blocks for which "somewhat still" is taken for granted
_PRIOR_R = const(38)  # 0.3 of 128


class Context:
    """What the receiver heard of everybody in the blocks that matter: its own offset, and how still everybody was.

    First `want` for all blocks that matter, then `hear` for each sighting of anybody, then `compare` for each again.
    Bounded: 1,152 blocks; those beyond have no context.
    """

    def __init__(self):
        self._blocks = {}  # block -> sum of -dBm, number of sightings (16, 9 bits)
        self._days = {}  # UTC day -> [pairs, sum xx + yy, sum xy]

    def want(self, minute, length):
        """The blocks of these minutes matter."""
        for block in range(minute // _BLOCK, (minute + length - 1) // _BLOCK + 1):
            if len(self._blocks) < _MAX_BLOCKS:
                self._blocks.setdefault(block, 0)

    def wants(self, minute):
        """Whether a sighting that begins at this minute may lie in a block that matters."""
        blocks = self._blocks
        block = minute // _BLOCK
        return block in blocks or block + 1 in blocks or block + 3 in blocks

    def hear(self, minute, levels):
        """Take one sighting of anybody, for the offset."""
        for block, value in blocks_of(minute, levels).items():
            was = self._blocks.get(block)
            if was is not None and was & 511 < _HEARD_MAX:
                self._blocks[block] = was + (-level_of(value) << 9) + 1

    def compare(self, minute, levels):
        """Take it again, for the stillness: its levels in two blocks are alike if nobody moves."""
        found = blocks_of(minute, levels)
        for block, value in found.items():
            other = found.get(block + 1)
            if other is None or not self._blocks.get(block) or not self._blocks.get(block + 1):
                continue
            day = self._days.setdefault(block * _BLOCK // _DAY, [0, 0, 0])
            if day[0] < _MAX_PAIRS:
                x, y = level_of(value) - self._heard_db(block), level_of(other) - self._heard_db(block + 1)
                for at, more in enumerate((1, x * x + y * y, x * y)):
                    day[at] += more

    def heard_in(self, block):
        """Whether anybody was heard in this block."""
        return bool(self._blocks.get(block))

    def _heard_db(self, block):
        was = self._blocks[block]
        return -((was >> 9) // (was & 511))

    def offset_db(self, block):
        """How much stronger than an ordinary receiver this one heard everybody, drawn to 0 where that were few."""
        number = self._blocks.get(block, 0) & 511
        return (self._heard_db(block) - _RECEIVER_REF) * number // (number + _FEW) if number else 0

    def stillness(self, day):
        """Correlation, in 1/128, of levels five minutes apart on this day; drawn to 0.3 where little was heard."""
        pairs, spread, common = self._days.get(day, (0, 0, 0))
        found = 256 * common // spread if spread else 0
        return (pairs * found + _PRIOR * _PRIOR_R) // (pairs + _PRIOR)


def blocks_of(minute, levels):
    """{block: its minutes' levels, gathered} of a sighting from this UTC minute on."""
    blocks = {}
    for number in range(sighting.SPAN):
        code = sighting.code_at(levels, number)
        if code > 1:
            gather(blocks, (minute + number) // _BLOCK, sighting.level_dbm(code))
    return blocks


def gather(blocks, block, dbm):
    """Add one minute's level to a block: strongest + 256, sum of dBm + 256, number (9, 12, 4 bits of an integer)."""
    was = blocks.get(block, 0)
    blocks[block] = max(was >> 16, dbm + 256) << 16 | (was & 0xFFFF) + (dbm + 256 << 4) + 1


def level_of(value):
    """A gathered block's level in dBm: between the mean and the strongest of its minutes, for bodies in the way."""
    return ((value >> 16) + (value >> 4 & 0xFFF) // (value & 15)) // 2 - 256
