# Both schemes by protocol.md's vectors, and by golden.json, computed without emask.
from hashlib import sha256

from dual_support import raises, vectors

from emask import scheme
from emask.sought import CAPACITY, Sought


def _joined(chain, count, also=None):
    digest = sha256()
    for _ in range(count):
        digest.update(chain.id())
        if also:
            digest.update(chain.aem(also))
        chain.step()
    return digest.digest().hex()


def _at(chain, count):
    chain.skip(count)
    return chain.id().hex()


def test_bluezone_gives_the_vectors_of_the_protocol():
    rules = scheme.get("bluezone")
    for vector in vectors("schemes")["bluezone"]:
        key = bytes.fromhex(vector["key"])
        assert rules.Chain(key, 0).id().hex() == vector["id0"]
        assert _at(rules.Chain(key, 0), 1) == vector["id1"]
        assert _at(rules.Chain(key, 0), 95) == vector["id95"]
        assert _at(rules.Chain(key, 0), 96) == vector["next_id0"]
        assert _joined(rules.Chain(key, 0), 96) == vector["joined_sha256"]
        assert rules.advance(key, 96)[0].hex() == vector["next_key"]


def test_bluezone_ids_of_later_days_are_those_computed_elsewhere():
    rules = scheme.get(1)
    for index, ident in vectors("golden")["bluezone_ids"].items():
        chain = rules.Chain(bytes(range(32)), 1000, int(index))
        assert chain.id().hex() == ident
        assert (chain.slot, chain.index) == (1000, int(index))


def test_stepping_skipping_and_starting_at_an_index_agree():
    for name in scheme.names():
        rules = scheme.get(name)
        key = bytes(range(rules.KEY_BYTES))
        stepped = rules.Chain(key, 0, 0)
        for index in range(200):
            skipped = rules.Chain(key, 0, 0)
            skipped.skip(index)
            assert stepped.id() == skipped.id() == rules.Chain(key, index, index).id()
            assert (stepped.slot, stepped.index) == (skipped.slot, skipped.index) == (index, index)
            stepped.step()


def test_seeking_stops_at_each_slot_that_is_sought_and_at_no_other():
    for name in scheme.names():
        rules = scheme.get(name)
        key = bytes(range(rules.KEY_BYTES))
        for first, count, wanted in ((0, 300, (0, 5, 95, 96, 97, 191, 299)), (50, 60, (50, 109)), (3, 93, ())):
            sought = Sought(CAPACITY)
            chain = rules.Chain(key, 1000 + first, first)
            idents = {}
            for slot in range(1000 + first, 1000 + first + count):
                idents[slot] = chain.id()
                if slot - 1000 in wanted:
                    sought.add(chain.id()[0], chain.id()[1], chain.id()[2], slot)
                chain.step()
            chain = rules.Chain(key, 1000 + first, first)
            found = []
            left = chain.seek(count, sought)
            while left:
                assert chain.slot == 1000 + first + count - left and chain.id() == idents[chain.slot]
                assert chain.slot in list(sought.positions(chain.id()[0], chain.id()[1], chain.id()[2]))
                found.append(chain.slot - 1000)
                chain.step()
                left = chain.seek(left - 1, sought)
            assert tuple(found) == wanted


def test_gaen_gives_the_vectors_of_the_protocol():
    vector = vectors("schemes")["gaen"]
    rules = scheme.get("gaen")
    key = bytes.fromhex(vector["key"])
    metadata = bytes.fromhex(vector["metadata"])
    chain = rules.Chain(key, vector["interval"])
    assert chain.id().hex() == vector["rpi"]
    assert chain.aem(metadata).hex() == vector["aem"]
    chain.skip(143)
    assert chain.id().hex() == vector["rpi143"]
    assert chain.aem(metadata).hex() == vector["aem143"]
    assert _joined(rules.Chain(key, vector["interval"]), 144, metadata) == vector["joined_sha256"]


def test_gaen_sealed_metadata_opens_again():
    chain = scheme.get("gaen").Chain(bytes(16), 99)
    assert chain.aem(chain.aem(b"\x40\x08\x00\x00")) == b"\x40\x08\x00\x00"


def test_gaen_interval_is_the_one_nearest_to_the_slot():
    rules = scheme.get("gaen")
    for slot, index, interval in (
        (2642976, 2642976 & 0xFFFF, 2642976),
        (2642976, 2642970 & 0xFFFF, 2642970),
        (0x2FFFF, 0x0003, 0x30003),
        (0x30001, 0xFFFE, 0x2FFFE),
        (3, 0xFFFF, 0xFFFFFFFF),
    ):
        chain = rules.Chain(bytes(16), slot, index)
        assert (chain.slot, chain.interval, chain.index) == (slot, interval, index)


def test_constants_fit_a_day():
    for name in scheme.names():
        rules = scheme.get(name)
        assert rules.SLOT_S * rules.SLOTS_PER_DAY == 86400
        assert len(rules.Chain(bytes(rules.KEY_BYTES), 0).id()) == rules.ID_BYTES


def test_unknown_scheme_is_refused():
    for which in (0, 3, "", "herald", None):
        raises(ValueError, scheme.get, which)
