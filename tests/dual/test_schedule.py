# When windows are, how long, who is followed, and how little a liar can move them.
from emask import schedule, window
from emask.schedule import FULL, LOW, LOWER, LOWEST, MEETING, MINUTE, PROBE, SEARCH, Schedule

_OWN = 1_900_000_000_000 // 300000 * 300000  # own time at tick 0: a meeting point, less its phase
_DAY = 86400000


def slot_at(tick_ms):
    return (_OWN + tick_ms) // 900000


class Token:
    """A schedule with a clock that is off: true ms in, ticks and own time from it."""

    def __init__(self, ppm=20, off_ppm=0, off_ms=0, known=True, level=FULL):
        self.off_ppm, self.off_ms = off_ppm, off_ms
        self.schedule = Schedule(ppm)
        self.schedule.level = level
        if known:
            self.schedule.confirmed(0)

    def tick(self, true_ms):
        return true_ms + true_ms * self.off_ppm // 1000000

    def true(self, tick_ms):
        return tick_ms - tick_ms * self.off_ppm // 1000000

    def next(self, true_ms):
        tick = self.tick(true_ms)
        return self.schedule.plan(tick, _OWN + tick + self.off_ms, slot_at)

    def shut(self, plan, heard=(), idents=0):
        self.schedule.opened(plan)
        self.schedule.closed(plan, heard, idents)


def _alone(token, until_ms):
    now, plans = 1000, []
    while now < until_ms:
        plan = token.next(now)
        token.shut(plan)
        plans.append(plan)
        now = token.true(plan.start_ms + plan.length_ms)
    return plans


def _meet(tokens, minutes, start_ms=1000, far=()):
    """Play windows of tokens that hear each other whenever their windows overlap by 60 ms; far: pairs that do not.

    Returns the minutes in which all of them heard somebody.
    """
    now = {token: start_ms for token in tokens}
    good = set()
    while min(now.values()) < start_ms + minutes * 60000:
        plans = {token: token.next(now[token]) for token in tokens}
        spans = {}
        for token, plan in plans.items():
            begin = token.true(plan.start_ms)
            spans[token] = begin, begin + plan.length_ms
        first = min(tokens, key=lambda token: spans[token][1])
        beside = [
            token
            for token in tokens
            if token is not first
            and min(spans[token][1], spans[first][1]) - max(spans[token][0], spans[first][0]) >= 60
            and plans[token].adv_ms
        ]
        group = [first] + beside
        for token in group:
            heard = []
            for number, other in enumerate(group):
                if other is not token and plans[other].adv_ms:
                    middle = (max(spans[token][0], spans[other][0]) + min(spans[token][1], spans[other][1])) // 2
                    field = other.schedule.field(other.tick(middle), plans[other])
                    heard.append((number, token.tick(middle), field))
            token.shut(plans[token], heard, len(heard))
            now[token] = spans[token][1]
        if len(group) == len(tokens):
            good.add(spans[first][0] // 60000)
    return good


def test_confirmed_token_alone_meets_every_five_minutes():
    plans = _alone(Token(), 4 * 3600000)
    assert {plan.kind for plan in plans} == {MEETING}
    assert [b.point_ms - a.point_ms for a, b in zip(plans, plans[1:])] == [300000] * (len(plans) - 1)
    assert plans[0].point_ms % 300000 == schedule.PHASE_MS


def test_company_has_a_short_window_every_minute():
    token = Token()
    now, kinds, lengths = 1000, [], set()
    for _ in range(40):
        plan = token.next(now)
        heard = [(1, plan.point_ms, token.schedule.field(plan.point_ms, plan))]
        token.shut(plan, heard, 1)
        kinds.append(plan.kind)
        if plan.kind == MINUTE:
            lengths.add(plan.length_ms)
        now = plan.start_ms + plan.length_ms
    assert kinds[:10] == 2 * [MEETING, MINUTE, MINUTE, MINUTE, MINUTE]
    assert max(lengths) <= schedule.BASE_MS + 10


def test_company_is_remembered_for_some_minutes_only():
    token = Token()
    plan = token.next(1000)
    token.shut(plan, (), 1)
    kinds = [plan.kind for plan in _alone(token, 1800000)]
    assert kinds.count(MINUTE) == 5 and kinds[-5:] == [MEETING] * 5


def test_wide_window_holds_the_reach_on_both_sides():
    plan = Token().next(1000)
    assert plan.kind == MEETING and plan.point_ms - plan.start_ms >= 720
    assert plan.listen_ms * 10 == plan.scan_ms


def test_long_alone_widens_then_sweeps():
    plans = _alone(Token(), 30 * 3600000)
    lengths = [plan.length_ms for plan in plans if plan.kind == MEETING]
    assert lengths[0] == min(lengths) and 3000 < max(lengths) <= 2 * schedule.LOST_MS + 400
    assert PROBE in {plan.kind for plan in plans} and plans[-1].kind in (MINUTE, PROBE)


def test_sweep_covers_half_a_minute_without_a_gap():
    probes = [plan for plan in _alone(Token(ppm=5500), 3600000) if plan.kind == PROBE]
    spans = sorted({(plan.start_ms - plan.point_ms, plan.start_ms - plan.point_ms + plan.length_ms) for plan in probes})
    assert len(spans) == schedule.SWEEP_MINUTES
    for before, after in zip(spans, spans[1:]):
        assert after[0] <= before[1] - schedule.BASE_MS
    assert spans[0][0] <= schedule.BASE_MS // 2 and spans[-1][1] >= 30000


def test_token_that_never_knew_the_time_searches_ever_more_rarely():
    plans = _alone(Token(known=False), 10 * 3600000)
    starts = [plan.start_ms for plan in plans if plan.kind == SEARCH]
    assert starts[0] <= 1000 and all(plan.adv_ms == 0 for plan in plans if plan.kind == SEARCH)
    gaps = [b - a for a, b in zip(starts, starts[1:])]
    assert 600000 <= gaps[0] < 720000 and all(b >= a * 3 // 2 for a, b in zip(gaps, gaps[1:]))


def test_long_search_tires_and_goes_on():
    plans = _alone(Token(known=False), 30 * 3600000)
    probes = [plan.start_ms for plan in plans if plan.kind == PROBE]
    early = [at for at in probes if at < 6 * 3600000]
    late = [at for at in probes if at > 24 * 3600000]
    assert len(early) > 300 and 60 <= len(late) <= 73


def test_lost_token_goes_where_others_are():
    token, other = Token(known=False, off_ms=123456), Token()
    plan = token.next(5000)
    assert plan.kind == SEARCH
    theirs = other.next(5000)
    at = theirs.point_ms
    token.shut(plan, [(1, at, other.schedule.field(at, theirs))] * 3, 1)
    plan = token.next(70000)
    assert abs(plan.point_ms - other.next(70000).point_ms) % 60000 in (0, 5, 59995)


def test_two_that_drifted_for_ten_hours_come_together_within_a_quarter():
    for drift in (-20, 3, 20):
        tokens = [Token(off_ppm=drift), Token(off_ppm=-drift)]
        start = 10 * 3600000
        minutes = _meet(tokens, 15, start)
        assert len(minutes) >= 10, drift


def test_two_that_lost_each_other_meet_within_a_quarter():
    for off in (-29000, -7000, 900, 4000, 11000, 26000):
        tokens = [Token(ppm=5500), Token(ppm=5500, off_ms=off)]
        assert _meet(tokens, 15, 3600000), off


def test_fast_oscillators_in_company_learn_each_others_rate():
    tokens = [Token(ppm=5500, off_ppm=2000), Token(ppm=5500, off_ppm=-2000)]
    _meet(tokens, 60)
    lengths = [plan.length_ms for plan in (token.next(3700000) for token in tokens)]
    good = _meet(tokens, 30, 3700000)
    assert len(good) >= 20, (len(good), lengths)


def test_advert_field_points_to_the_meeting_window():
    token = Token()
    plan = token.next(1000)
    for at in (plan.point_ms - 700, plan.point_ms, plan.point_ms + 700):
        assert (plan.point_ms - at - token.schedule.field(at, plan) * 10) % 300000 < 10
    assert token.schedule.field(plan.point_ms, plan) == 30000


def test_low_battery_saves_in_order():
    used = []
    for level in (FULL, LOW, LOWER, LOWEST):
        token = Token(level=level)
        now, count = 1000, 0
        while now < 3600000:
            plan = token.next(now)
            token.shut(plan, (), 1)
            count += plan.start_ms < 3600000
            now = plan.start_ms + plan.length_ms
        used.append(count)
    assert used == [60, 36, 12, 6]


def test_low_battery_never_searches():
    plans = _alone(Token(known=False, level=LOWER), 3600000)
    assert {plan.kind for plan in plans} == {MEETING}


def test_liar_moves_windows_by_the_stated_bound_at_most():
    for lie in (-119000, -1400, 25, 1400, 60000):
        token = Token()
        moved = []
        now = 1000
        while now < 3 * 3600000:
            plan = token.next(now)
            at = plan.point_ms
            field = (token.schedule.field(at, plan) * 10 + lie) % 300000 // 10
            token.shut(plan, [(n, at, field) for n in range(20)], 20)
            now = plan.start_ms + plan.length_ms
            moved.append(abs(token.schedule.grid.shift_ms(now)))
        assert max(moved) <= 500 + 2 * 20 * 3 * 3600 // 1000, lie
        assert moved[14] <= 2 * 720, lie


def test_one_liar_among_honest_ones_moves_little():
    token = Token()
    now = 1000
    for _ in range(60):
        plan = token.next(now)
        at = plan.point_ms
        honest = (token.schedule.field(at, plan) * 10 + now * 0 - token.schedule.grid.shift_ms(at)) // 10
        heard = [(n, at, honest) for n in range(9)] + [(9, at, honest + 140)]
        token.shut(plan, heard, 10)
        now = plan.start_ms + plan.length_ms
    assert abs(token.schedule.grid.shift_ms(now)) < 300


def test_after_a_liar_the_old_place_is_still_in_the_window():
    token, honest = Token(), Token()
    now = 1000
    for _ in range(40):
        plan = token.next(now)
        field = (token.schedule.field(plan.point_ms, plan) * 10 + 900) // 10
        token.shut(plan, [(1, plan.point_ms, field)], 1)
        now = plan.start_ms + plan.length_ms
    assert abs(token.schedule.grid.shift_ms(now)) > 300
    assert len(_meet([token, honest], 15, now)) >= 8


def test_many_in_company_need_a_shorter_reach():
    spans = []
    for idents in (1, 7, 8, 23, 24):
        token, plan = _settled(idents)
        while plan.kind != MEETING:
            plan = token.next(plan.start_ms + plan.length_ms)
            token.shut(plan, (), idents)
        spans.append(plan.point_ms - plan.start_ms - 176)
    assert spans == [720, 720, 450, 450, 270]


def _settled(idents):
    """A token after three meetings with so many, and the first window after them."""
    token = Token()
    plan, meetings = token.next(1000), 0
    while meetings < 3:
        token.shut(plan, (), idents)
        meetings += plan.kind == MEETING
        plan = token.next(plan.start_ms + plan.length_ms)
    return token, plan


def test_many_who_come_at_once_meet_each_minute_until_they_have_settled():
    for idents, kinds in ((7, [MEETING, MINUTE, MINUTE, MINUTE]), (8, [MEETING, MEETING, MEETING, MINUTE])):
        token = Token()
        plan, found, reach = token.next(1000), [], []
        for _ in kinds:
            token.shut(plan, (), idents)
            found.append(plan.kind)
            reach.append(plan.point_ms - plan.start_ms - 176)
            plan = token.next(plan.start_ms + plan.length_ms)
        assert found == kinds, idents
        assert all([reach[n] == 720 for n in range(4) if kinds[n] == MEETING])


def test_token_that_lies_still_keeps_its_meetings_only_until_it_is_moved():
    token = Token()
    plan, kinds = token.next(1000), []
    for number in range(20):
        token.schedule.opened(plan)
        token.schedule.closed(plan, (), 3, number < 18)
        plan = token.next(plan.start_ms + plan.length_ms)
        kinds.append(plan.kind)
    assert MINUTE in kinds[:14] and kinds[14:18] == [MEETING] * 4 and kinds[18:] == [MINUTE] * 2


def test_tired_token_does_not_meet_more_often():
    token = Token()
    token.schedule.level = LOW
    plan = token.next(1000)
    token.shut(plan, (), 30)
    assert plan.kind == MEETING and token.next(plan.start_ms + plan.length_ms).kind == MINUTE


def test_crowd_advertises_less_often_and_stays_longer():
    token, plan = _settled(60)
    assert plan.kind == MINUTE and plan.adv_ms == 90 and plan.length_ms >= plan.adv_ms + 30


def test_board_with_a_slow_controller_listens_longer():
    wide = Schedule(20, 100)
    wide.confirmed(0)
    plan = wide.plan(1000, _OWN + 1000, slot_at)
    assert plan.adv_ms == 100 and plan.listen_ms >= 112


def test_slot_shift_is_bounded_and_uses_all_of_it():
    draws = [bytes((a, b)) for a in range(256) for b in (0, 1, 7, 255)]
    seen = {window.slot_shift_ms(lambda count, draw=draw: draw) for draw in draws}
    bound = window.JITTER_MS
    assert min(seen) == -bound and max(seen) == bound and len(seen) == 2 * bound + 1


def test_first_advert_comes_at_a_random_moment_of_the_interval():
    plan = Token().next(1000)
    delays = {window.advert_delay_ms(chance, plan) for chance in range(256)}
    assert min(delays) == 0 and max(delays) == plan.adv_ms - 1


def test_windows_of_different_slots_shift_follow_the_shift():
    token = Token()
    plan = token.next(1000)
    assert plan.shift_ms == 0 and token.schedule.draw(lambda count: bytes((3, 1))[:count])
    assert not token.schedule.draw(lambda count: b"zz")
    shift_ms = window.slot_shift_ms(lambda count: bytes((3, 1)))
    later = token.next(900000)
    assert later.shift_ms == shift_ms != 0
    assert (later.point_ms - plan.point_ms - shift_ms) % 60000 == 0


def test_window_that_took_place_is_not_planned_again():
    token = Token()
    plan = token.next(1000)
    token.schedule.opened(plan)
    assert token.next(plan.start_ms + 1).number == plan.number + 10
    assert token.next(plan.start_ms + plan.length_ms).number > plan.number


def test_state_survives_sleep():
    token = Token(off_ppm=5)
    _meet([token, Token(off_ppm=-5)], 20)
    record = token.schedule.pack()
    again = Schedule(20)
    assert again.unpack(record) and again.pack() == record
    assert again.plan(2000000, _OWN + 2000000, slot_at) == token.schedule.plan(2000000, _OWN + 2000000, slot_at)
    assert not again.unpack(record[:-1]) and not again.unpack(b"")


def test_pull_is_bounded_whatever_is_heard():
    token = Token()
    before = token.schedule.grid.shift_ms(1000)
    plan = token.next(1000)
    noise = [(n, plan.point_ms + n * 977, n * 7919 % 65536) for n in range(64)]
    token.shut(plan, noise, 64)
    assert abs(token.schedule.grid.shift_ms(1000) - before) <= 2 * 720
