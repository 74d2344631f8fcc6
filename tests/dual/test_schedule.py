# When windows are, how far they jitter, and how little others can move them.
from emask import schedule


def test_window_is_the_next_whole_minute_shifted():
    for now, offset, start in (
        (0, 0, 0),
        (1, 0, 60000),
        (59999, 0, 60000),
        (60000, 0, 60000),
        (60000, 50, 60050),
        (60050, 50, 60050),
        (60051, 50, 120050),
        (59950, -50, 59950),
        (59951, -50, 119950),
        (1785000000123, 7, 1785000060007 if (1785000000123 - 7) % 60000 else 0),
    ):
        found = schedule.next_window(now, offset)
        if start < 200000:
            assert found == start
        assert 0 <= found - now < 60000 and (found - offset) % 60000 == 0


def test_jitter_is_within_50_ms_and_uses_all_of_it():
    seen = {schedule.slot_offset_ms(bytes((a, b))) for a in range(256) for b in (0, 1, 7, 255)}
    assert min(seen) == -50 and max(seen) == 50 and len(seen) == 101


def test_lost_token_listens_longer():
    assert schedule.window_ms(True) == 600 and schedule.window_ms(False) == 2000


def test_advert_field_is_bounded():
    assert schedule.advert_field(1000, 60400) == 5940
    assert schedule.advert_field(1000, 500) == 0
    assert schedule.advert_field(0, 10000000) == 65535


def test_pull_goes_towards_the_middle_of_what_was_heard():
    pull = schedule.Pull()
    for ahead in (30, 40, 50, 20000, 45):
        pull.add(100000, (60000 + ahead) // 10, 100000)
    assert pull.step_ms() == 40
    assert pull.step_ms() == 0


def test_pull_is_bounded_both_ways_whatever_is_said():
    for field, rx in ((65535, 5), (2500, 0), (0, 70000), (3100, 0), (1, 3)):
        pull = schedule.Pull()
        for _ in range(100):
            pull.add(rx, field, 0)
        assert -100 <= pull.step_ms() <= 100


def test_pull_takes_the_shorter_way_round_the_minute():
    pull = schedule.Pull()
    pull.add(0, 5995, 0)
    assert pull.step_ms() == -50


def test_one_hostile_beacon_among_honest_ones_moves_nothing():
    pull = schedule.Pull()
    for _ in range(5):
        pull.add(0, 6000, 0)
    for _ in range(4):
        pull.add(0, 2900, 0)
    assert pull.step_ms() == 0


def test_two_tokens_apart_come_together():
    mine, other = 0, 730
    for _ in range(20):
        pull = schedule.Pull()
        pull.add(mine, (60000 + other - mine) // 10, mine)
        mine += pull.step_ms()
    assert abs(other - mine) < 10
