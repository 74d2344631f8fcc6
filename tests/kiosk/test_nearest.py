"""Facts about which token lies on the tray."""

from tools.kiosk.hall.nearest import SETTLE_S, Nearest


def heard(*tokens, until_s=3.0):
    """tokens: (address, level, since_s)."""
    own = Nearest()
    at_s = 0.0
    while at_s <= until_s:
        for address, level, since_s in tokens:
            if at_s >= since_s:
                own.add(address, address, level, at_s)
        at_s += 0.1
    return own


def test_single_token_is_chosen_after_a_moment():
    assert heard(("a", -50, 0), until_s=0.5).choice(0.5) == ("wait", "")
    assert heard(("a", -50, 0)).choice(3.0) == ("one", "a")


def test_strongest_wins_by_a_margin():
    assert heard(("a", -50, 0), ("b", -58, 0)).choice(3.0) == ("one", "a")
    assert heard(("a", -50, 0), ("b", -57, 0)).choice(3.0) == ("two", "")


def test_token_far_away_is_none():
    assert heard(("a", -85, 0)).choice(3.0) == ("none", "")
    assert heard(("a", -50, 0), ("b", -85, 0)).choice(3.0) == ("one", "a")


def test_token_that_fell_silent_is_forgotten():
    own = heard(("a", -50, 0))
    assert own.choice(7.0) == ("none", "") and not own.devices


def test_second_token_that_came_later_is_waited_for_no_longer():
    assert heard(("a", -50, 0), ("b", -52, 2.0)).choice(3.0) == ("two", "")


def test_one_strong_packet_makes_nobody_nearest():
    own = heard(("a", -60, 0), ("b", -75, 0))
    own.add("b", "b", -30, 3.0)
    assert own.choice(3.0) == ("one", "a")
    assert SETTLE_S < 2
