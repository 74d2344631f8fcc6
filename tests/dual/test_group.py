# Marks of a household or home: members know them, strangers see chance.
from emask import group, keylist

_HOME, _OTHER = bytes(range(16)), bytes(range(1, 17))


def _record(number):
    return keylist.pack_record(bytes([number & 255, number >> 8]) * 16, 1983000 + number, 5, 96)


def test_mark_is_the_one_computed_by_hand():
    # printf "emask group\\0" + 00..0f + 32 zeros | sha256sum: cf28...
    assert group.mark(_HOME, bytes(32)) == 0x28CF


def test_marked_record_says_what_it_said_before():
    for number in range(50):
        marked = group.marked(_HOME, _record(number))
        assert keylist.unpack_record(marked) == keylist.unpack_record(_record(number))
        assert marked != group.marked(_OTHER, _record(number))


def test_members_know_each_other_and_nobody_else():
    for number in range(50):
        marked = group.marked(_HOME, _record(number))
        assert group.own(_HOME, marked) and not group.own(_OTHER, marked)
        assert group.own(_HOME, group.marked(_OTHER, marked)) is False


def test_largest_slot_and_number_leave_the_mark_alone():
    for mark in (0, 1, 0x3FFF):
        record = keylist.pack_record(bytes(32), (1 << 24) - 1, 0xFFFF, 1023, mark)
        assert keylist.mark_of(record) == mark
        assert keylist.unpack_record(record) == (bytes(32), (1 << 24) - 1, 0xFFFF, 1023)


def test_marks_of_one_household_have_nothing_in_common():
    marks = [group.mark(_HOME, keylist.unpack_record(_record(number))[0]) for number in range(500)]
    assert len(set(marks)) > 480
    for bit in range(14):
        assert 190 < sum([mark >> bit & 1 for mark in marks]) < 310
