# Levels of the battery: each threshold once, no going back and forth.
from emask import battery

_LOW = (3512, 3402, 3342)


def test_each_threshold_is_a_level():
    assert [battery.level(mv, 0, _LOW) for mv in (4100, 3512, 3511, 3402, 3401, 3341, 0)] == [0, 0, 1, 1, 2, 3, 3]


def test_a_rested_cell_does_not_flip_the_level():
    assert battery.level(3530, 1, _LOW) == 1
    assert battery.level(3553, 1, _LOW) == 0
    assert battery.level(3420, 2, _LOW) == 2
