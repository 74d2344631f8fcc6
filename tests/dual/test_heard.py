# Sightings, the minute in RAM, and how minutes become sightings.
from dual_support import vectors

from emask import heard, scheme, sighting


def _ident(number):
    return bytes((number & 0xFF, number >> 8)) + bytes(10)


def _minute(ident, minute, rssi, count=1, tx=None, segment=1):
    table = heard.MinuteTable(4)
    for _ in range(count):
        table.add(1, ident, rssi, tx)
    return list(table.drain(segment, minute))[0]


def _levels(codes):
    levels = bytearray(8)
    for number, code in codes.items():
        levels[number >> 1] |= code << 4 * (number & 1)
    return bytes(levels)


def test_sighting_is_the_golden_one_and_reads_back():
    ident = scheme.get(1).Chain(bytes(range(32)), 0, 7).id()
    levels = _levels({0: sighting.level_code(-60), 1: sighting.level_code(127), 14: sighting.level_code(-104)})
    record = sighting.pack(1, ident, 3, 1000, 321, -71, -12, levels)
    assert record.hex() == vectors("golden")["sighting"]
    assert sighting.unpack(record) == (1, ident, 3, 1000, 255, -58, -71, -12, 0x4003, levels)


def test_heard_minute_is_the_golden_one_and_reads_back():
    record = sighting.pack_minute(2, bytes(range(16)), 3, 1000, 6, -60, -71, -128)
    assert record.hex() == vectors("golden")["heard"]
    assert sighting.unpack_minute(record) == (2, bytes(range(16)), 3, 1000, 6, -60, -71, -128)


def test_level_is_kept_to_two_db_between_minus_104_and_minus_48():
    for rssi in range(-104, -47):
        assert abs(sighting.level_dbm(sighting.level_code(rssi)) - rssi) <= 2
    codes = [sighting.level_code(rssi) for rssi in range(-128, 127)]
    assert codes == sorted(codes) and codes[0] == 2 and codes[-1] == 15
    assert sighting.level_code(127) == 1 and sighting.level_dbm(1) == sighting.level_dbm(0) == 127


def test_flat_levels_set_the_minutes_asked_for():
    for minutes in (0, 1, 0x4003, 0xFFFF):
        record = sighting.pack(1, bytes(12), 0, 0, 1, -60, 0, sighting.flat(minutes, -62))
        assert sighting.unpack(record)[8] == minutes
        assert sighting.unpack(record)[5] == (-62 if minutes else 127)


def test_gaen_sighting_keeps_all_16_bytes():
    ident = bytes(range(16))
    assert sighting.unpack(sighting.pack(2, ident, 1, 2, 3, -4, 6, bytes(8)))[:5] == (2, ident, 1, 2, 3)


def test_sighting_of_another_version_scheme_or_length_is_none():
    sound = sighting.pack(1, bytes(12), 0, 0, 0, 0, 0, bytes(8)), sighting.pack_minute(1, bytes(12), 0, 0, 0, 0, 0, 0)
    for record, reader in zip(sound, (sighting.unpack, sighting.unpack_minute)):
        assert reader(record) is not None
        for other in (
            b"",
            record[:-1],
            record + b"\0",
            b"\x11" + record[1:],
            b"\x23" + record[1:],
            b"\x20" + record[1:],
        ):
            assert reader(other) is None
    assert sighting.unpack(sound[1]) is None and sighting.unpack_minute(sound[0]) is None


def test_count_saturates_and_minute_wraps():
    fields = sighting.unpack(sighting.pack(1, bytes(12), 0, 65536 + 9, 70000, 0, 0, bytes(8)))
    assert fields[3:5] == (9, 255)
    assert sighting.unpack_minute(sighting.pack_minute(1, bytes(12), 0, 65536 + 9, 70000, 0, 0, 0))[3:5] == (9, 255)


def test_minute_keeps_count_strongest_and_mean():
    table = heard.MinuteTable(4)
    for rssi in (-70, -60, -71):
        table.add(1, _ident(1), rssi, -12)
    table.add(2, bytes(range(16)), -90)
    assert len(table) == 2
    records = sorted([sighting.unpack_minute(record) for record in table.drain(5, 77)])
    assert records[0] == (1, _ident(1), 5, 77, 3, -60, -67, -12)
    assert records[1] == (2, bytes(range(16)), 5, 77, 1, -90, -90, -128)
    assert len(table) == 0 and list(table.drain(5, 78)) == []


def test_unknown_level_counts_but_says_nothing():
    table = heard.MinuteTable(4)
    table.add(1, _ident(1), 127)
    table.add(1, _ident(2), 127)
    table.add(1, _ident(2), -50)
    records = sorted([sighting.unpack_minute(record) for record in table.drain(0, 0)])
    assert records[0][4:7] == (1, 127, 127)
    assert records[1][4:7] == (2, -50, -50)


def _kept(table):
    return sorted([sighting.unpack_minute(record)[1] for record in table.drain(0, 0)])


def test_full_table_keeps_the_strongest_and_counts_the_rest():
    table = heard.MinuteTable(3)
    for number, rssi in ((1, -80), (2, -90), (3, -70)):
        table.add(1, _ident(number), rssi)
    table.add(1, _ident(4), -95)
    assert table.dropped == 1
    table.add(1, _ident(5), -60)
    assert table.dropped == 2
    table.add(1, _ident(6), 127)
    assert table.dropped == 3
    assert _kept(table) == [_ident(1), _ident(3), _ident(5)]


def test_full_table_prefers_who_was_heard_twice_to_who_is_near():
    table = heard.MinuteTable(2)
    for number, rssi in ((1, -90), (1, -90), (2, -80), (3, -40), (4, -30), (4, -30), (5, -20)):
        table.add(1, _ident(number), rssi)
    assert _kept(table) == [_ident(1), _ident(4)] and table.dropped == 3


def test_full_table_prefers_who_was_there_in_the_minute_before():
    table = heard.MinuteTable(2)
    table.add(1, _ident(1), -95)
    assert _kept(table) == [_ident(1)]
    for number in (2, 3, 3, 4, 4):
        table.add(1, _ident(number), -40)
    table.add(1, _ident(1), 127)
    for number in range(5, 40):
        table.add(1, _ident(number), -20)
    assert _ident(1) in _kept(table)


def test_flood_of_identifiers_stays_bounded():
    table = heard.MinuteTable(64)
    for number in range(1000):
        table.add(1, _ident(number), -40 - number % 50)
    assert len(table) == 64
    assert table.dropped == 1000 - 64
    assert all([sighting.unpack_minute(record)[6] >= -43 for record in table.drain(0, 0)])


def test_minutes_of_a_slot_become_one_sighting_each():
    a, b = _ident(1), _ident(2)
    records = [_minute(a, 10, -60, 3, -12), _minute(b, 10, -80), _minute(a, 11, -70, 1, -12), _minute(a, 24, -50)]
    found = sorted([sighting.unpack(record) for record in heard.compact(records)])
    assert found == [
        (1, a, 1, 10, 5, -50, -60, -12, 1 | 1 << 1 | 1 << 14, _levels({0: 13, 1: 10, 14: 15})),
        (1, b, 1, 10, 1, -78, -80, -128, 1, _levels({0: 8})),
    ]


def test_minute_without_level_is_heard_but_lifts_nothing():
    records = [_minute(_ident(1), 10, 127), _minute(_ident(1), 11, -70), _minute(_ident(1), 12, 127)]
    fields = sighting.unpack(list(heard.compact(records))[0])
    assert fields[4:7] == (3, -70, -70) and fields[8] == 7
    assert fields[9] == _levels({0: 1, 1: 10, 2: 1})


def test_sighting_is_still_if_all_its_minutes_were():
    for stills, still in (((True, True), True), ((True, False), False), ((False, False), False)):
        records = []
        for minute, was in enumerate(stills):
            table = heard.MinuteTable(4)
            table.add(1, _ident(1), -60)
            records += table.drain(1, minute, was)
        found = list(heard.compact(records))[0]
        assert sighting.is_still(found) == still
        assert sighting.unpack(found)[:4] == (1, _ident(1), 1, 0)


def test_minutes_too_far_apart_or_of_another_segment_stay_apart():
    a = _ident(1)
    records = [_minute(a, 10, -60), _minute(a, 26, -60), _minute(a, 27, -60, 1, None, 2)]
    found = [sighting.unpack(record) for record in heard.compact(records)]
    assert [(fields[2], fields[3], fields[8]) for fields in found] == [(1, 10, 1), (1, 26, 1), (2, 27, 1)]


def test_minute_written_twice_counts_once_and_noise_is_left_out():
    record = _minute(_ident(1), 10, -60, 3)
    found = [sighting.unpack(record) for record in heard.compact([record, record, b"noise", bytes(25), bytes(32)])]
    assert len(found) == 1 and found[0][4] == 3


def test_sighting_goes_over_the_wrap_of_minutes():
    records = [_minute(_ident(1), 65535, -60), _minute(_ident(1), 65537, -60)]
    fields = sighting.unpack(list(heard.compact(records))[0])
    assert (fields[3], fields[8]) == (65535, 0b101)
