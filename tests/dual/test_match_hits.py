# The matcher against the straightforward way, on random sightings: every slot of every record looked up in a dict.
import gc
from hashlib import sha256

import rules
from dual_support import Chance, Flash

from emask import clock, keylist, scheme, sighting, spec
from emask.match import Matcher
from emask.store import Store

_FIRST = 20660 * 86400
_DAYS = 4
_PPM = 300
_BLOCKS = 20


class _Header:
    def __init__(self, number, issued_s):
        self.scheme, self.issued_s, self.rule = number, issued_s, rules.changed()


class _Hits:
    """In place of the decision: what it was told."""

    def __init__(self):
        self.found = []
        self.left_out = set()

    @property
    def hits(self):
        return len(self.found)

    def hit(self, *fields):
        self.found.append(fields)

    def run(self, others):
        yield


class _World:
    """Random records, and sightings of some of their IDs, of strangers, of the other scheme, in several segments."""

    def __init__(self, chance, number, flash):
        self.rules = rules = scheme.get(number)
        self.issued_s = _FIRST + (_DAYS - 1) * 86400 + chance.below(86400)
        self.anchors = [clock.pack_anchor(1, 0, _FIRST, 0, 0), clock.pack_anchor(1, 200000, _FIRST + 200040, 0, 2000)]
        # A segment that is dated three days off by the store, one by a single time, one never.
        self.anchors.append(clock.pack_anchor(2, 5000, _FIRST + 2 * 86400, 0, 60))
        gc.collect()
        self.records = []
        for block in range(flash.ioctl(4, 0)):
            flash.ioctl(6, block)
        self.store = Store(flash)
        self.store.mount()
        chains = []
        heard = []
        for at in range(12):
            key = chance.draw(rules.KEY_BYTES)
            first = _FIRST // rules.SLOT_S + chance.below(_DAYS * rules.SLOTS_PER_DAY) - 50
            index = first & 0xFFFF if number == spec.GAEN else (0, 95, chance.below(96))[at % 3]
            count = 1 + chance.below(2 * rules.SLOTS_PER_DAY)
            self.records.append(keylist.pack_record(key + bytes(32 - len(key)), first, index, count))
            chains.append((key, first, index, count))
        for tick in range(0, 86400 * _DAYS, 2400):
            key, first, index, count = chains[chance.below(len(chains))]
            chain = rules.Chain(key, first, index)
            true = (_FIRST + tick) // rules.SLOT_S - first
            chain.skip(max(0, true + chance.below(9) - 4) if chance.below(8) else chance.below(count))
            self._hear(heard, chance, tick, chain.id(), number)
            other = 3 - number
            self._hear(heard, chance, tick, chance.draw(scheme.get(other).ID_BYTES), (number, other)[chance.below(2)])
            # Only the first bytes of it are those of somebody's.
            self._hear(heard, chance, tick, chain.id()[:3] + chance.draw(13)[: rules.ID_BYTES - 3], number)

        for slot, record in sorted(heard):  # the store's slots never go back
            self.store.append(spec.SIGHTING, slot, record)

    def _hear(self, heard, chance, tick, ident, number):
        segment = (1, 1, 1, 2, 7)[chance.below(5)]
        slot = _FIRST // 900 + tick // 900 + (288 if segment == 2 else 0)
        minute = (tick + chance.below(900)) // 60 & 0xFFFF
        levels = sighting.flat(1 + chance.below(65535), -60)
        record = sighting.pack(number, ident, segment, minute, 9, -60, 0, levels)
        heard.append((slot, record))

    def hits(self, capacity):
        """Of the whole comparison, in order."""
        matcher = self.matcher(capacity)
        for _ in matcher.run(lambda: iter(self.records)):
            pass
        return sorted(matcher.exposure.found)

    def matcher(self, capacity, done=0, reached=0):
        """A Matcher of it all, or of what an earlier one has not done, which tells a _Hits."""
        header = _Header(self.rules.NUMBER, self.issued_s)
        matcher = Matcher(header, self.store, clock.Anchors(self.anchors, _PPM), capacity, None, done, reached)
        matcher.exposure = _Hits()
        return matcher

    def straightforward(self):
        """As SPEC 6 says it, without an index, pieces or days."""
        known = {}
        for _, slot, payload in self.store.scan(spec.SIGHTING):
            fields = sighting.unpack(payload)
            if fields[0] == self.rules.NUMBER:
                known.setdefault(fields[1], []).append((slot, fields))
        found = []
        length = self.rules.SLOT_S
        for number, record in enumerate(self.records):
            key, first, index, count = keylist.unpack_record(record)
            chain = self.rules.Chain(key[: self.rules.KEY_BYTES], first, index)
            for slot in range(first, first + min(count, self.rules.KEY_DAYS * self.rules.SLOTS_PER_DAY)):
                for heard in known.get(chain.id(), ()) if (slot + 1) * length <= self.issued_s else ():
                    self._judge(found, number, chain, *heard)
                chain.step()
        return found

    def _judge(self, found, number, chain, store_slot, fields):
        anchors = clock.Anchors(self.anchors, _PPM)
        dated = anchors.date(fields[2], anchors.tick_of(fields[2], fields[3]))
        first_s, tolerance = store_slot * 900, 8
        if dated:
            first_s = dated[0]
            tolerance = min(8, max(2, 1 - (-dated[1] // 900)))
        last_s = first_s + 60 * max([number for number in range(17) if fields[8] << 1 >> number & 1])
        begin_s = chain.slot * self.rules.SLOT_S
        in_time = begin_s - 900 * tolerance < last_s and first_s < begin_s + self.rules.SLOT_S + 900 * tolerance
        if in_time and last_s <= self.issued_s:
            found.append((number, chain.slot, first_s // 60, chain.tx_dbm(0), 9, fields[9], False))


def _digest(world):
    return sha256(world.store._blocks._device.data).digest()


def test_matches_are_those_of_the_straightforward_way():
    flash = Flash(_BLOCKS)
    for seed in range(2):
        for number in (spec.BLUEZONE, spec.GAEN):
            world = _World(Chance(seed), number, flash)
            wanted = sorted(world.straightforward())
            assert len(wanted) > 5, "the data have matches"
            for capacity in (1024, 60):
                assert world.hits(capacity) == wanted, (seed, number, capacity)


def test_comparison_that_is_cut_off_anywhere_and_run_again_matches_the_same():
    world = _World(Chance(7), spec.BLUEZONE, Flash(_BLOCKS))
    before = _digest(world)
    wanted = sorted(world.straightforward())
    for steps in range(1, 200, 40):
        run = world.matcher(100).run(lambda: iter(world.records))
        for _ in range(steps):
            next(run, None)
    world.store.mount()
    assert world.hits(100) == wanted
    assert _digest(world) == before, "and nothing was written meanwhile"


def _marks(world, capacity, *before):
    """(matches, all that a comparison said in between of how far it came, how often it walked the records)."""
    matcher = world.matcher(capacity, *before)
    marks, walks = [], []

    def open_records():
        walks.append(1)
        return iter(world.records)

    for _ in matcher.run(open_records):
        if matcher.reached not in [reached for _done, reached in marks]:
            marks.append((matcher.done, matcher.reached))
    return sorted(matcher.exposure.found), marks, len(walks)


def test_comparison_that_goes_on_matches_the_same():
    flash = Flash(_BLOCKS)
    saved = twice = 0
    for seed in range(3):
        for capacity, few in ((1024, 2), (30, 2), (1024, 12), (9, 1)):
            world = _World(Chance(seed), spec.BLUEZONE, flash)
            world.records = world.records[:few]  # so that some days have no hit
            wanted, marks, walks = _marks(world, capacity)
            assert wanted == sorted(world.straightforward())
            for mark in marks[1:]:
                found, more, left = _marks(world, capacity, *mark)
                assert found == wanted, (seed, capacity, few, mark)
                saved += left < walks
                for second in more[1:]:
                    twice += 1
                    assert _marks(world, capacity, *second)[0] == wanted, (seed, capacity, few, mark, second)
    assert saved and twice
