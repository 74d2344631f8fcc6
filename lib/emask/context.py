# Owns what the receiver heard of everybody in one part of a day: how much stronger than an ordinary one, how many
# adverts. Must not know which sightings matched, nor the rule. A block is five minutes, a part four hours, UTC: with a
# day at once the memory would have to be in large pieces.
from array import array

from micropython import const

BLOCKS = const(48)  # of a part
MORE = const(12)  # of the part before, and of the part after
ALL = const(72)
_ALL, _MORE, _BLOCKS, _BLOCK = const(72), const(12), const(48), const(5)
_CODES = const(0xFFFFF)  # four bits for each of a block's minutes
_RECEIVER_REF = const(-85)  # dBm that an ordinary receiver hears on average
_MOST = const(500)  # sightings of a block
_FEW = const(5)  # sightings for which an ordinary receiver is taken for granted
_LIMIT_DB = const(15)


class Context:
    """First `hear` for each sighting of anybody that may lie in this part, then `own` for a place; see `spread`."""

    def __init__(self, part):
        self._part = part
        self._dbm, self._rates, self._number = [array("H", bytes(2 * _ALL)) for _ in range(3)]

    def hear(self, minute, adverts, levels):
        """Take one sighting of anybody."""
        for at, codes, rate in spread(self._part, minute, adverts, levels):
            level = level_of(codes)
            if level is not None and self._number[at] < _MOST:
                self._number[at] += 1
                self._dbm[at] -= level
                self._rates[at] += rate

    def own(self, at, rate):
        """(dB by which this receiver heard everybody stronger than an ordinary one, doublings in 1/16 by which `rate`
        is above everybody's); drawn to 0 where few were heard."""
        number = self._number[at]
        if not number:
            return 0, 0
        more_db = (-(self._dbm[at] // number) - _RECEIVER_REF) * number // (number + _FEW)
        return max(-_LIMIT_DB, min(_LIMIT_DB, more_db)), rate - self._rates[at] // number


def heard(bits):
    """How many of these levels of four bits are not 0."""
    number = 0
    while bits:
        number += bits & 15 > 0
        bits >>= 4
    return number


def spread(part, minute, adverts, levels):
    """Yield (place, codes, rate) of each block of the part, or an hour around it, in which this sighting was heard.

    part: number of the four hours since the epoch; minute: UTC, of the first level; place: 0 is an hour before the
    part; codes: its minutes' levels, four bits each. rate: adverts per minute in which any was heard, as a logarithm:
    doublings in 1/16.
    """
    bits = int.from_bytes(levels, "little")
    rest = max(16, 16 * adverts // max(1, heard(bits)))
    rate = -16
    while rest > 31:
        rest >>= 1
        rate += 16
    at = minute // _BLOCK - part * _BLOCKS + _MORE
    bits <<= 4 * (minute % _BLOCK)
    while bits:
        if bits & _CODES and 0 <= at < _ALL:
            yield at, bits & _CODES, rate + rest
        bits >>= 20
        at += 1


def level_of(codes):
    """A block's level in dBm, half way between the mean and the strongest of its minutes, for bodies in the way; None
    if no minute's level is known."""
    best = total = number = 0
    while codes:
        code = codes & 15
        if code > 1:
            best = max(best, code)
            total += code
            number += 1
        codes >>= 4
    return 2 * (best * number + total) // number - 110 if number else None
