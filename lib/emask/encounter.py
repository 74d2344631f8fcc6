# Owns one sender's blocks in a part of a day: from levels to the probability that each was within the distance (SPEC
# 6). Must not know keys, lists, nor other senders. Integers only; a block is five minutes, UTC; its place and the part
# are those of emask.context.
from array import array

from micropython import const

from emask.context import ALL, level_of, spread

_ALL, _MORE, _BLOCKS, _BLOCK = const(72), const(12), const(48), const(5)
_CODES = const(0xFFFFF)
_STILL = const(0x10000000)
_FURTHER = const(1)  # value of a block: heard further away; what is above is a probability in 1/256
_BELOW = const(4)  # codes, so about 16 dB: a minute so much weaker than its block's strongest is not near with it
_REF = const(-80)  # dBm at which the log odds are the rule's bias
# Places in a rule (SPEC 5.1)
_BIAS, _SLOPE, _SHARE, _ADVERTS, _CORRECTION = const(3), const(4), const(5), const(6), const(7)
_LEAST, _RIGID, _AT_REST = const(10), const(11), const(12)
# Probability of log odds 0, 0.5 ... 5.5 in 1/256.
_LOGISTIC = b"\x80\x9f\xbb\xd1\xe1\xed\xf4\xf8\xfb\xfd\xfe\xff"


def chance(odds):
    """Probability in 1/256 of log odds in 1/256."""
    strong = min(abs(odds), 1407)
    at, rest = strong >> 7, strong & 127
    value = _LOGISTIC[at] + ((_LOGISTIC[at + 1] - _LOGISTIC[at]) * rest >> 7)
    return value if odds >= 0 else 256 - value


def odds(rule, level, more):
    """Log odds, in 1/256, that a block of this evidence was within the distance."""
    return 4 * rule[_BIAS] + rule[_SLOPE] * (level - _REF) + (rule[_ADVERTS] * more >> 2) >> 2


class Encounter:
    """A sender's blocks in a part, and an hour around it. First `add` for its sightings, then `judge`."""

    def __init__(self, rule, context):
        self._rule = rule
        self._context = context
        self._blocks = array("I", bytes(4 * ALL))  # codes of five minutes, TX power + 128 (8 bits), still
        self._rates = bytearray(ALL)

    def add(self, part, minute, sent_dbm, still, adverts, levels):
        """A sighting of the sender, from this minute on."""
        for at, codes, rate in spread(part, minute, adverts, levels):
            was = self._blocks[at]
            for place in (15, 15 << 4, 15 << 8, 15 << 12, 15 << 16):
                if was & place > codes & place:
                    codes = codes & ~place | was & place
            self._blocks[at] = codes | sent_dbm + 128 << 20 | (_STILL if still else 0)
            self._rates[at] = rate

    def evidence(self, at):
        """(level, more) of the block at this place, None if it has none: dBm as if sent with 0 dBm to an ordinary
        receiver; doublings, in 1/16, of adverts beyond what was heard of others."""
        rule = self._rule
        block = self._blocks[at]
        level = level_of(block & _CODES)
        if level is None:
            return None
        own_db, more = self._context.own(at, self._rates[at])
        return level - (block >> 20 & 255) + 128 - rule[_CORRECTION] - (own_db * rule[_SHARE] >> 8), more

    def judge(self, values, at_rest):
        """Raise the values of the part's 48 blocks; yields on the way.

        Value: minutes that count (3 bits), their probability (8 bits), minutes heard that do not (3 bits). at_rest: how
        many minutes of this day the own token has lain still so far; returned with this part's.
        """
        least = self._rule[_LEAST]
        judged = bytearray(_ALL)
        for at in range(_ALL):
            found = self.evidence(at) if self._blocks[at] else None
            if found:
                value = chance(odds(self._rule, *found))
                judged[at] = min(value, 255) if value >= least else _FURTHER
            if not at & 15:
                yield
        at_rest = self._blank(judged, at_rest)
        yield
        for at in range(_MORE, _MORE + _BLOCKS):
            if judged[at]:
                values[at - _MORE] = max(values[at - _MORE], self._minutes(judged, at))
        return at_rest

    def _minutes(self, judged, at):
        # The block's value. A silent minute between two that count does so too, over the block's ends as well.
        codes = [self._blocks[at] >> 4 * number & 15 for number in range(_BLOCK)]
        weak = max(codes) - _BELOW
        known = sum([code > 1 for code in codes])
        if judged[at] == _FURTHER:
            return known
        strong = [number for number in range(_BLOCK) if codes[number] > max(1, weak)]
        first = 0 if judged[at - 1] > _FURTHER else strong[0]
        last = _BLOCK if judged[at + 1] > _FURTHER else strong[-1] + 1
        near = sum([code < 2 or code > weak for code in codes[first:last]])
        return near << 11 | judged[at] << 3 | known - len(strong)

    def _blank(self, judged, at_rest):
        # To 0: levels that never change, or an own token that lies about for too long.
        limit = self._rule[_AT_REST]
        begin = last = known = 0
        for at in range(_ALL):
            if not judged[at]:
                continue
            codes = [code for code in [self._blocks[at] >> shift & 15 for shift in range(0, 20, 4)] if code > 1]
            if at - last > 1 or max(codes) > known + 1 or min(codes) < known - 1:
                self._wipe(judged, begin, last)
                begin, known = at, codes[0]
            last = at
            if self._blocks[at] & _STILL and limit < 255 and _MORE <= at < _MORE + _BLOCKS:
                at_rest += len(codes)
                if at_rest > limit:
                    judged[at] = 0
        self._wipe(judged, begin, last)
        return at_rest

    def _wipe(self, judged, first, last):
        rigid = self._rule[_RIGID]
        if rigid and _BLOCK * (last - first) >= rigid:
            for at in range(first, last + 1):
                judged[at] = 0
