# Owns the way from matched sightings to minutes within the rule's distance, and the decision (SPEC 6). Must not know
# keys, lists, flash or where the sightings come from. Integers only; what a minute is: UTC minutes since the epoch.
import struct
from array import array
from collections import namedtuple

from micropython import const

from emask import sighting
from emask.context import BLOCK, Context, gather, level_of
from emask.rule import GROUPS_TOO

_DAY = const(1440)  # minutes
_BLANK = const(1)  # of a line: heard, but it counts for nothing
_WEAK = const(0x8000)  # of a line: much weaker than others of its block
_BELOW = const(4)  # codes, so about 16 dB
_HEARD = const(1)  # of a day's minutes: heard further away; what is above is a probability
_QUARTER = const(15)
_PART = const(240)  # minutes at a time: a day at once takes too much memory
_REACH = const(3)  # blocks to each side that are an encounter's context
_MAX_HITS = const(640)
_HIT = "<HIIbB8s"  # record, ID slot, first minute, TX power, still, levels
_HIT_BYTES = const(20)
_CHUNK = const(32)  # hits
_REF = const(-80)  # dBm at which the log odds are the rule's bias
_SILENCE = const(-104)  # dBm taken for a block in which others were heard, but not this one
# Probability of log odds 0, 0.5 ... 5.5 in 1/256.
_LOGISTIC = b"\x80\x9f\xbb\xd1\xe1\xed\xf4\xf8\xfb\xfd\xfe\xff"

# day: UTC day with most of the minutes. minutes: within the distance. length, nearness, certainty: 0 to 3, for a health
# worker's words, never for the wearer's signal.
Decision = namedtuple("Decision", ("day", "minutes", "length", "nearness", "certainty"))


def chance(odds):
    """Probability in 1/256 of log odds in 1/256."""
    strong = min(abs(odds), 1407)
    at, rest = strong >> 7, strong & 127
    value = _LOGISTIC[at] + ((_LOGISTIC[at + 1] - _LOGISTIC[at]) * rest >> 7)
    return value if odds >= 0 else 256 - value


class Exposure:
    """Hits of a list's records, and what they come to. rule: emask.rule.Rule.

    First `hit` for every sighting that matched, then the context's two rounds, then `decision`. At most 640 hits; the
    rest is counted in `hits_dropped`.
    """

    def __init__(self, rule):
        self._rule = rule
        self._chunks = []  # hits, a few at a time: no large piece of memory is asked for
        self._count = 0
        self._last = None
        self._lying = 0  # minutes of this record and day in which the own token lay still
        self.decided = None
        self._left_out = set()
        self._pauses = []
        self.context = Context()
        self.hits_dropped = 0

    def __len__(self):
        return self._count

    def hit(self, record, id_slot, minute, tx_dbm, levels, still=False):
        """A sighting (its 8 bytes of levels, from this UTC minute on) bore the identifier of a record's slot."""
        sent = max(self._rule.tx_low, min(self._rule.tx_high, tx_dbm))
        packed = struct.pack(_HIT, record, id_slot, minute, sent, still, levels)
        if packed == self._last:
            return  # written twice, by a cut of power
        if self._count >= _MAX_HITS:
            self.hits_dropped += 1
            return
        place = self._count % _CHUNK * _HIT_BYTES
        if not place:
            self._chunks.append(bytearray(_CHUNK * _HIT_BYTES))
        self._chunks[-1][place : place + _HIT_BYTES] = self._last = packed
        self._count += 1
        self.context.want(minute, sighting.SPAN)

    def _hits(self):
        # (record, ID slot, first minute, TX power, still, levels) of each.
        for number in range(self._count):
            yield struct.unpack_from(_HIT, self._chunks[number // _CHUNK], number % _CHUNK * _HIT_BYTES)

    def leave_out(self, record):
        """The record is of the own household or home: it counts only if the rule says so."""
        self._left_out.add(record)

    def pause(self, first, last):
        """Between these UTC minutes the wearer was protected: nothing counts."""
        self._pauses.append((first, last))

    def _line(self, record, first, last):
        # A record's minutes from first to before last, 0 if not heard: level code, still, TX power (4, 1, 8 bits).
        line = array("H", bytes(2 * (last - first)))
        for of_record, _slot, start, sent, still, levels in self._hits():
            if of_record != record or not first - sighting.SPAN < start < last:
                continue
            for number in range(max(0, first - start), min(sighting.SPAN, last - start)):
                code = sighting.code_at(levels, number)
                if code > line[start + number - first] & 15:
                    line[start + number - first] = (sent + 128 << 1 | still) << 4 | code
        return line

    def _gathered(self, line, first):
        # {block: level} as if sent with 0 dBm and heard by an ordinary receiver.
        blocks = {}
        for at, value in enumerate(line):
            if value & 15 > 1:
                block = (first + at) // BLOCK
                own_db = self.context.offset_db(block) * self._rule.share >> 8
                sent = (value >> 5) - 128 + self._rule.correction_db
                gather(blocks, block, sighting.level_dbm(value & 15) - sent - own_db)
        for block in blocks:
            blocks[block] = level_of(blocks[block])
        return blocks

    def evidence(self, record, first, last):
        """{block: (level, level around it or None, stillness)} of a record from one minute to before another.

        Levels are as if sent with 0 dBm and heard by an ordinary receiver; block: five minutes since the epoch.
        """
        blocks = self._gathered(self._line(record, first, last), first)
        found = {}
        for block, level in blocks.items():
            found[block] = level, self._around(blocks, block), self.context.stillness(block * BLOCK // _DAY)
        return found

    def odds(self, level, around, stillness):
        """Log odds, in 1/256, that a block of this evidence was within the distance."""
        rule = self._rule
        odds = 4 * rule.bias + rule.slope * (level - _REF)
        if around is not None:
            weight = max(0, min(stillness, rule.still_high) - rule.still_low)
            odds += rule.context * weight * (around - _REF) // (rule.still_high - rule.still_low)
        return odds >> 2

    def _around(self, blocks, block):
        # Mean level of the blocks around this one; silence counts where others were heard.
        total = number = 0
        for other in range(block - _REACH, block + _REACH + 1):
            if other in blocks and other != block:
                total += blocks[other]
                number += 1
            elif other != block and self.context.heard_in(other):
                total += _SILENCE - (self.context.offset_db(other) * self._rule.share >> 8)
                number += 1
        return total // number if number else None

    def _fill(self, record, day, minutes):
        # The highest probability of each of the day's 1440 minutes, of this record, into `minutes`; yields on the way.
        self._lying = 0
        for part in range(0, _DAY, _PART):
            yield from self._fill_part(record, day * _DAY, part, minutes)

    def _fill_part(self, record, begin, part, minutes):
        rule = self._rule
        margin = rule.rigid + rule.bridge + BLOCK * (_REACH + 1)
        first = begin + part - margin
        line = self._line(record, first, first + _PART + 2 * margin)
        if not any(line):
            return
        yield
        blocks = self._gathered(line, first)
        yield
        judged = {}
        for number, block in enumerate(blocks):
            stillness = self.context.stillness(block * BLOCK // _DAY)
            judged[block] = chance(self.odds(blocks[block], self._around(blocks, block), stillness))
            self._weaken(line, block * BLOCK - first)
            if not number & 31:
                yield
        self._blank(line, margin)
        yield
        before = value_before = -1000
        for at, heard in enumerate(line):
            if not heard:
                continue
            value = 0 if heard == _BLANK else judged.get((first + at) // BLOCK, 0)
            if value and (value < rule.least or heard & _WEAK):
                value = _HEARD
            if at - before <= rule.bridge and min(value_before, value) > _HEARD:
                _lift(minutes, part, range(before + 1 - margin, at - margin), min(value_before, value))
            _lift(minutes, part, (at - margin,), value)
            before, value_before = at, value

    def _weaken(self, line, start):
        # Marks the minutes of a block that are much weaker than its strongest: one minute near makes not all so.
        part = [value & 15 for value in line[max(0, start) : start + BLOCK]]
        for at, code in enumerate(part):
            if code > 1 and code + _BELOW <= max(part):
                line[max(0, start) + at] |= _WEAK

    def _blank(self, line, margin):
        # To 1, heard but nothing more: a level that never changes, or an own token that lies about for too long.
        rule = self._rule
        begin = last = known = 0
        for at, value in enumerate(line):
            if not value:
                continue
            if at - last > rule.bridge or abs((value & 15) - known) > 1:
                if rule.rigid and last - begin >= rule.rigid:
                    _wipe(line, begin, last)
                begin, known = at, value & 15
            last = at
            if value & 16 and margin <= at < margin + _PART:
                self._lying += 1
                if self._lying > rule.still and rule.still < 255:
                    line[at] = _BLANK
        if rule.rigid and last - begin >= rule.rigid:
            _wipe(line, begin, last)

    def minutes(self, record, day):
        """The minutes of a UTC day that count as within the distance for this record, by its hits alone."""
        minutes = bytearray(_DAY)
        for _ in self._fill(record, day, minutes):
            pass
        return self._left(_counted(minutes), _further(minutes))

    def decision(self):
        """The Decision if any 24 hours hold the rule's minutes within the distance, else None. See `run`."""
        for _ in self.run():
            pass
        return self.decided

    def run(self):
        """Decide, in short pieces of work: yields after each; then `decided` is the Decision or None."""
        day_minutes = bytearray(_DAY)
        totals = bytearray(2 * 96)  # minutes that count in each quarter of two days
        others = bytearray(2 * 96)  # minutes heard that do not
        doubts = array("H", bytes(4 * 96))  # how unsure they are: minutes x (1 - probability), 1/256
        last = -2
        self.decided = None
        for day in self._days():
            for quarter in range(96):
                keep = day == last + 1
                totals[quarter] = totals[96 + quarter] if keep else 0
                others[quarter] = others[96 + quarter] if keep else 0
                doubts[quarter] = doubts[96 + quarter] if keep else 0
            yield from self._day(day, day_minutes)
            for quarter in range(96):
                part = day_minutes[quarter * _QUARTER : (quarter + 1) * _QUARTER]
                totals[96 + quarter], others[96 + quarter] = _counted(part), _further(part)
                doubts[96 + quarter] = sum([256 - value for value in part if value > _HEARD])
            yield
            self.decided = self._best(day, totals, others, doubts, self.decided)
            last = day
            yield

    def _days(self):
        days = set()
        for hit in self._hits():
            days.add(hit[2] // _DAY)
            days.add((hit[2] + sighting.SPAN) // _DAY)
        return sorted(days)

    def _day(self, day, minutes):
        for at in range(_DAY):
            minutes[at] = 0
        for record in self._contacts():
            yield from self._fill(record, day, minutes)
        for first, last in self._pauses:
            for minute in range(max(0, first - day * _DAY), min(_DAY, last + 1 - day * _DAY)):
                minutes[minute] = 0

    def _contacts(self):
        # Records that are contacts: at least two different IDs, or the rule's minutes heard.
        seen = {}
        for record, slot, _start, _sent, _still, levels in self._hits():
            first, several, minutes = seen.get(record, (slot, False, 0))
            heard = sum([sighting.code_at(levels, number) > 0 for number in range(sighting.SPAN)])
            seen[record] = (first, several or slot != first, minutes + heard)
        enough = self._rule.minutes
        out = () if self._rule.flags & GROUPS_TOO else self._left_out
        return [record for record, was in seen.items() if (was[1] or was[2] >= enough) and record not in out]

    def _left(self, minutes, further):
        # Minutes less what so many minutes further away would give by chance.
        rule = self._rule
        return max(0, minutes - (max(0, further - rule.patience) * rule.noise >> 8))

    def _best(self, day, totals, others, doubts, best):
        minutes = further = doubt = 0
        for quarter in range(192):
            minutes += totals[quarter] - (totals[quarter - 96] if quarter >= 96 else 0)
            further += others[quarter] - (others[quarter - 96] if quarter >= 96 else 0)
            doubt += doubts[quarter] - (doubts[quarter - 96] if quarter >= 96 else 0)
            left = self._left(minutes, further)
            if quarter < 96 or not totals[quarter] or left < self._rule.minutes:
                continue
            if best is None or left >= best.minutes:
                earlier = sum(totals[quarter - 95 : 96])
                best = self._decided(day - (2 * earlier > minutes), left, doubt // minutes)
        return best

    def _decided(self, day, minutes, doubt):
        # doubt: mean probability, in 1/256, that a counted minute was further away than the distance.
        rule = self._rule.minutes
        length = (minutes >= 30) + (minutes >= 60) + (minutes >= 180)
        nearness = (doubt < 112) + (doubt < 76) + (doubt < 40)
        sure = minutes - minutes * doubt // 256  # minutes expected to be true ones
        certainty = (2 * sure >= rule) + (sure >= rule) + (sure >= 2 * rule)
        return Decision(day, minutes, length, nearness, certainty)


def _lift(minutes, part, places, value):
    for at in places:
        if 0 <= at < _PART and value > minutes[part + at]:
            minutes[part + at] = min(value, 255)


def _wipe(line, first, last):
    for at in range(first, last + 1):
        line[at] = _BLANK if line[at] else 0


def _counted(minutes):
    return sum([value > _HEARD for value in minutes])


def _further(minutes):
    return sum([value == _HEARD for value in minutes])
