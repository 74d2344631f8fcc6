# Marks of a household or home: members know them, strangers see chance.
from emask import group

_HOME, _OTHER = bytes(range(16)), bytes(range(1, 17))


def _key(number):
    return bytes([number & 255, number >> 8]) * 16


def test_mark_is_the_one_computed_by_hand():
    # printf "emask group\\0" + 00..0f + 32 zeros | sha256sum
    assert group.mark(_HOME, bytes(32)).hex() == "cf28df4d"


def test_members_know_each_other_and_nobody_else():
    own = group.Groups((_OTHER, _HOME))
    for number in range(50):
        assert own.own(_key(number), group.mark(_HOME, _key(number)))
        assert not own.own(_key(number), group.mark(bytes(16), _key(number)))
        assert not own.own(_key(number), group.mark(_HOME, _key(number + 1)))
    assert not group.Groups().own(_key(1), group.mark(_HOME, _key(1)))


def test_marks_of_one_group_have_nothing_in_common():
    marks = {group.mark(_HOME, _key(number)) for number in range(500)}
    assert len(marks) == 500
    for place in range(group.MARK_BYTES):
        assert len({found[place] for found in marks}) > 180


def test_secret_of_another_length_is_no_group():
    assert not group.Groups((b"", _HOME + b"x")).own(_key(1), group.mark(b"", _key(1)))
