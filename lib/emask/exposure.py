# Owns the way from matched sightings to the decision: hits, who is a contact, minutes in any 24 hours (SPEC 6). Must
# not know keys, lists, flash or where the sightings come from. Integers only; minutes are UTC, since the epoch.
import struct
from array import array

from micropython import const

from emask.context import Context, heard
from emask.encounter import Encounter

_PART = const(240)  # minutes; see emask.context
_PARTS = const(6)  # of a day
_DAY = const(1440)
_BLOCKS = const(48)  # of five minutes, in a part
_HOUR = const(60)
_SPAN = const(16)  # minutes of a sighting
_MAX_HITS = const(640)
_HIT = "<HIIbBB8s"  # record, ID slot, first minute, TX power, still, adverts, levels
_HIT_BYTES = const(21)
_CHUNK = const(32)  # hits
_STEP = const(31)
_NEAR = const(0x8888888888888888)  # of 16 levels: -78 dBm and stronger
# Places in a rule (SPEC 5.1)
_MINUTES, _TX_LOW, _TX_HIGH, _NOISE, _PATIENCE, _FLAGS = const(1), const(8), const(9), const(13), const(14), const(15)
_GROUPS_TOO = const(1)  # flag: contacts within the own household or home alert like any other


class Exposure:
    """Hits of a list's records, and what they come to. rule: emask.rule.

    First `hit` for every sighting that matched, then `run`. At most 640 hits; the rest is counted in `hits_dropped`.

    decided: None, or (UTC day with most of the minutes, minutes within the distance, details); details: length,
    nearness, certainty, two bits each, for a health worker's words, never for the wearer's signal. met: the contacts of
    that day and the days beside it, most sightings first. left_out: records of
    the own household or home, which count only if the rule says so. pauses: (first, last) UTC minutes in which the
    wearer was protected: no block that they touch counts.
    """

    def __init__(self, rule):
        self._rule = rule
        self._chunks = []  # hits, a few at a time: no large piece of memory is asked for
        self.hits = 0
        self._last = None
        self.decided = None
        self.met = []
        self.left_out = set()
        self.pauses = []
        self.hits_dropped = 0

    def hit(self, record, id_slot, minute, tx_dbm, adverts, levels, still=False):
        """A sighting (adverts, its 8 bytes of levels, from this UTC minute on) bore the ID of a record's slot."""
        sent = max(self._rule[_TX_LOW], min(self._rule[_TX_HIGH], tx_dbm))
        packed = struct.pack(_HIT, record, id_slot, minute, sent, still, adverts, levels)
        if packed == self._last:
            return  # written twice, by a cut of power
        if self.hits >= _MAX_HITS:
            self.hits_dropped += 1
            return
        place = self.hits % _CHUNK * _HIT_BYTES
        if not place:
            self._chunks.append(bytearray(_CHUNK * _HIT_BYTES))
        self._chunks[-1][place : place + _HIT_BYTES] = self._last = packed
        self.hits += 1

    def ground(self, per_day):
        """(record, one or two of its slots) that the decided day rests on: the one that was near for longest; per_day:
        slots of the scheme. (None, ()) if all IDs are of another day."""
        met: dict = {}
        found = None
        day = self.decided[0] if self.decided else -1
        for at in range(self.hits):
            record, slot, _minute, _sent, _still, _adverts, levels = self._hit(at)
            if slot // per_day != day or record in self.left_out:
                continue
            near, slots = met.get(record, (0, ()))
            near += heard(int.from_bytes(levels, "little") & _NEAR)
            met[record] = near, slots if slot in slots else (slots + (slot,))[:2]
            if found is None or near > met[found][0]:
                found = record
        return found, met[found][1] if found is not None else ()

    def _hit(self, at):
        return struct.unpack_from(_HIT, self._chunks[at // _CHUNK], at % _CHUNK * _HIT_BYTES)

    def run(self, others):
        """Decide, in short pieces of work: yields after each; then `decided` is set.

        others(part): yields (minute, adverts, levels) of everybody's sightings of about these four hours of UTC, None
        for a pause.
        """
        seen, parts = {}, set()
        enough = self._rule[_MINUTES]
        for at in range(self.hits):
            # A record is a contact from two different IDs on, or from the rule's minutes.
            record, slot, minute, _sent, _still, _adverts, levels = self._hit(at)
            first, several, minutes = seen.get(record, (slot, False, 0))
            minutes += heard(int.from_bytes(levels, "little"))
            seen[record] = first, several or slot != first or minutes >= enough, minutes
            parts.add(minute // _PART)
            parts.add((minute + _SPAN) // _PART)
            if not at & _STEP:
                yield
        out = () if self._rule[_FLAGS] & _GROUPS_TOO else self.left_out
        contacts = {record: 0 for record in seen if seen[record][1] and record not in out}
        window = [bytes(_BLOCKS)] * _PARTS  # values of the last 24 hours' blocks
        sums = [0, 0, 0]
        last = 0
        for part in sorted(parts):
            for gap in range(max(last + 1, part - _PARTS), part):
                yield from self._best(gap, window, sums, bytes(_BLOCKS))
            values = array("H", bytes(2 * _BLOCKS))
            if part // _PARTS != last // _PARTS:
                for record in contacts:
                    contacts[record] = 0
            yield from self._fill(part, contacts, others, values)
            yield from self._best(part, window, sums, values)
            last = part
        if self.decided:
            yield from self._rank(contacts, self.decided[0])

    def _rank(self, contacts, day):
        first = (day - 1) * _DAY
        number = {}
        for at in range(self.hits):
            record, _slot, minute = self._hit(at)[:3]
            if record in contacts and first <= minute < first + 3 * _DAY:
                number[record] = number.get(record, 0) + 1
            if not at & _STEP:
                yield
        self.met = sorted(number, key=lambda record: -number[record])

    def _fill(self, part, contacts, others, values):
        # The highest value of each of the part's blocks, over all contacts. contacts: minutes of the day at rest.
        begin = part * _PART
        own = {}
        for at in range(self.hits):
            hit = self._hit(at)
            if hit[0] in contacts and begin - _HOUR - _SPAN < hit[2] < begin + _PART + _HOUR:
                own.setdefault(hit[0], array("H")).append(at)
            if not at & _STEP:
                yield
        if not own:
            return
        context = Context(part)
        for one in others(part):
            if one:
                context.hear(*one)
            else:
                yield
        yield
        for record in own:
            sender = Encounter(self._rule, context)
            for at in own[record]:
                sender.add(part, *self._hit(at)[2:])
            yield
            contacts[record] = yield from sender.judge(values, contacts[record])
        for first, last in self.pauses:
            for at in range(max(0, (first - begin) // 5), min(_BLOCKS, (last - begin) // 5 + 1)):
                values[at] = 0

    def _best(self, part, window, sums, values):
        # The best 24 hours that end in this part, if better than what was decided before; the window moves on.
        rule = self._rule
        most = self.decided[1] if self.decided else rule[_MINUTES]
        best = None
        for at, value in enumerate(values):
            _count(sums, window[0][at], -1)
            _count(sums, value, 1)
            minutes, further, doubt = sums
            # Less what so many minutes further away would give by chance.
            left = minutes - (max(0, further - rule[_PATIENCE]) * rule[_NOISE] >> 8)
            if value >> 11 and left >= most:
                most = left
                best = at, minutes, doubt // minutes
        yield
        if best:
            at, minutes, doubt = best
            earlier = [0, 0, 0]
            for number in range(_PARTS - part % _PARTS):  # parts of the day before
                for place in range(0 if number else at + 1, _BLOCKS):
                    _count(earlier, window[number][place], 1)
            day = part // _PARTS - (2 * earlier[0] > minutes)
            self.decided = day, most, self._details(most, doubt)
        window.pop(0)
        window.append(values)

    def _details(self, minutes, doubt):
        # doubt: mean probability, in 1/256, that a counted minute was further away than the distance.
        rule = self._rule[_MINUTES]
        sure = minutes - minutes * doubt // 256  # minutes expected to be true ones
        length = (minutes >= 30) + (minutes >= 60) + (minutes >= 180)
        nearness = (doubt < 112) + (doubt < 76) + (doubt < 40)
        return length | nearness << 2 | (2 * sure >= rule) + (sure >= rule) + (sure >= 2 * rule) << 4


def _count(sums, value, sign):
    # A block's value (emask.encounter) into: minutes that count; heard further away; how unsure the first are.
    minutes = value >> 11
    sums[0] += sign * minutes
    sums[1] += sign * (value & 7)
    sums[2] += sign * minutes * (256 - (value >> 3 & 255))
