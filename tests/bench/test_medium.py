# Facts about the air: airtime, channels, delays, windows, deafness, collision, capture, floor, whole dBm.
# Knows no VM: radios are driven as a controller drives them.
from __future__ import annotations

import pytest

from tools.bench.engine import Engine
from tools.bench.links import ConstantLink, LinkTable, PathLinks
from tools.bench.log import EventLog
from tools.bench.medium import AdvParams, Medium, ScanParams, airtime_us

NONCONN, IND, SCAN_RSP = 3, 0, 4
S = 1_000_000
AIR_US = 376  # 31 bytes
STEP_US = AIR_US + 250


class Air:
    """Some radios, every link at a level of its own (default -60 dBm)."""

    def __init__(self, *levels: tuple[str, str, float], seed: int = 1) -> None:
        self.log = EventLog(None)
        self.engine = Engine(seed, self.log)
        self.links = LinkTable(self.engine.rng)
        for a, b, level in levels:
            self.links.add(ConstantLink(a, b, level))
        self.links.add(ConstantLink("*", "*", -60.0))
        self.medium = Medium(self.engine, self.links)
        self.sent: list[tuple[str, int]] = []
        push = self.medium.push
        self.medium.push = lambda event: (self.sent.append((event.radio.name, event.t_us)), push(event))  # type: ignore

    def advertise(self, name, *, interval_us=100_000, data=bytes(31), kind=NONCONN, rsp=b""):
        radio = self.medium.radios.get(name) or self.medium.add_radio(name)
        radio.advertise(AdvParams(interval_us, kind, 1, name.encode().ljust(6, b"-"), data, rsp))
        return radio

    def scan(self, name, *, interval_us=30_000, window_us=30_000, active=False):
        radio = self.medium.radios.get(name) or self.medium.add_radio(name)
        reports = []
        radio.scan(ScanParams(interval_us, window_us, active, reports.append))
        return radio, reports

    def run(self, us):
        self.engine.run(self.engine.now_us + us)

    def at_once(self, *names, late_us=0):
        """Each of the radios sends one advert now, the later ones late_us after the first."""
        for number, name in enumerate(names):
            radio = self.advertise(name, interval_us=10 * S)
            radio._adv_run += 1
            self.engine.at(name, self.engine.now_us + number * late_us, radio._send, radio._adv_run)
        self.run(50_000)


def test_airtime_is_8_us_a_byte_with_16_bytes_around_the_data():
    assert [airtime_us(n) for n in (0, 1, 31)] == [128, 136, 376]


def test_sending_is_charged_three_channels_for_each_event():
    air = Air()
    radio = air.advertise("a")
    air.run(10 * S)
    assert radio.sent > 90 and radio.used_us == {"tx": radio.sent * 3 * AIR_US, "rx": 0}


def test_events_follow_the_interval_and_a_random_delay_below_10_ms():
    air = Air()
    air.advertise("a")
    air.run(60 * S)
    times = [t for _, t in air.sent]
    delays = [b - a - 100_000 for a, b in zip(times, times[1:], strict=False)]
    assert all(0 <= delay < 10_000 for delay in delays)
    assert min(delays) < 500 and max(delays) > 9_500 and 4_500 < sum(delays) / len(delays) < 5_500


def test_each_scan_interval_listens_on_the_next_channel():
    """The time of a report tells the channel: PDUs follow each other in the order 37, 38, 39."""
    air = Air()
    air.advertise("a", interval_us=20_000)
    radio, reports = air.scan("b")
    air.run(10 * S)
    radio.scan(None)
    starts = dict.fromkeys(t for _, t in air.sent)
    found = set()
    for report in reports:
        channel = next(c for c in range(3) if report.t_us - AIR_US - c * STEP_US in starts)
        at = report.t_us - AIR_US
        assert at // 30_000 % 3 == channel and at % 30_000 + AIR_US <= 30_000
        found.add(channel)
    assert found == {0, 1, 2}


def test_scanner_that_always_listens_hears_nearly_all():
    air = Air()
    air.advertise("a")
    radio, reports = air.scan("b")
    air.run(30 * S)
    radio.scan(None)
    lost = radio.total.missed
    assert len(reports) > 270 and set(lost) <= {"not listening"} and lost.get("not listening", 0) <= 0.06 * len(reports)
    assert radio.used_us["rx"] == 30 * S


def test_scanner_hears_the_share_of_its_window_and_pays_for_that_alone():
    air = Air()
    air.advertise("a")
    radio, reports = air.scan("b", interval_us=100_000, window_us=25_000)
    air.run(300 * S)
    radio.scan(None)
    heard = len(reports) / air.sent[-1][1] * 105_000
    assert heard == pytest.approx(0.25, abs=0.03)
    assert all((report.t_us - AIR_US) % 100_000 + AIR_US <= 25_000 for report in reports)
    assert radio.used_us["rx"] == 75 * S


def test_nothing_is_heard_after_a_scan_and_what_was_complete_before_is():
    air = Air()
    radio, reports = air.scan("b")
    air.at_once("a")
    assert len(reports) == 1
    radio.scan(None)
    air.at_once("a")
    assert len(reports) == 1


def test_radio_is_deaf_while_it_sends():
    air = Air()
    radio, reports = air.scan("b")
    air.at_once("a", "b")
    assert reports == [] and radio.met.missed == {"sending": 1}
    air.at_once("a")
    assert len(reports) == 1


@pytest.mark.parametrize("lead_db, heard", [(0, []), (9.9, []), (10, [b"a"]), (20, [b"a"])])
def test_stronger_of_two_survives_with_a_lead_of_10_db_only(lead_db, heard):
    air = Air(("a", "listener", -60.0), ("b", "listener", -60.0 - lead_db))
    radio, reports = air.scan("listener")
    air.at_once("a", "b", late_us=100)
    assert [report.addr[:1] for report in reports] == heard
    assert radio.met.missed["collision"] == 2 - len(heard)


def test_adverts_that_only_just_miss_each_other_are_both_heard():
    air = Air()
    radio, reports = air.scan("listener")
    air.at_once("a", "b", late_us=AIR_US)
    assert sorted(report.addr[:1] for report in reports) == [b"a", b"b"] and radio.met.missed == {}


def test_advert_out_of_range_disturbs_nobody():
    air = Air()
    air.links = LinkTable(air.engine.rng)
    air.links.add(ConstantLink("a", "listener", -90.0))
    air.medium.links = air.links
    _, reports = air.scan("listener")
    air.at_once("a", "far")
    assert [report.addr[:1] for report in reports] == [b"a"]


@pytest.mark.parametrize("level, heard", [(-100.0, 1), (-100.1, 0), (-99.6, 1), (-120.0, 0)])
def test_floor_of_sensitivity_is_minus_100_dbm(level, heard):
    air = Air(("a", "b", level))
    radio, reports = air.scan("b")
    air.at_once("a")
    assert len(reports) == heard and radio.met.missed == ({} if heard else {"too weak": 1})


@pytest.mark.parametrize("level, rssi", [(-60.4, -60), (-60.6, -61), (-99.9, -100), (25.0, 20)])
def test_level_is_told_in_whole_dbm(level, rssi):
    air = Air(("a", "b", level))
    _, reports = air.scan("b")
    air.at_once("a")
    assert [report.rssi for report in reports] == [rssi] and type(reports[0].rssi) is int


def test_weaker_sender_is_heard_weaker_by_its_offset():
    air = Air()
    air.advertise("a").tx_offset_db = -7.0
    _, reports = air.scan("b")
    air.run(S)
    assert {report.rssi for report in reports} == {-67}


def test_active_scan_asks_for_the_answer_and_both_sides_pay():
    air = Air()
    sender = air.advertise("a", kind=IND, rsp=b"\x02\x0a\x00")
    passive, first = air.scan("b")
    air.run(S)
    passive.scan(None)
    assert {report.adv_type for report in first} == {IND} and sender.used_us["rx"] == 0 and passive.used_us["tx"] == 0
    active, second = air.scan("c", active=True)
    air.run(S)
    active.scan(None)
    answers = [report for report in second if report.adv_type == SCAN_RSP]
    assert len(answers) == len(second) / 2 and {report.data for report in answers} == {b"\x02\x0a\x00"}
    assert active.used_us["tx"] == len(answers) * airtime_us(6) and sender.used_us["rx"] > 0


def test_same_seed_is_the_same_air_and_another_is_not():
    def heard(seed):
        air = Air(seed=seed)
        for name in "abcdef":
            air.advertise(name)
        _, reports = air.scan("z")
        air.run(5 * S)
        return reports

    assert heard(4) == heard(4) != heard(5)


def test_distance_weakens_by_the_logarithm_and_people_walk_straight():
    air = Air()
    paths = {"a": [(0, 0.0, 0.0)], "b": [(0, 1.0, 0.0), (10 * S, 11.0, 0.0)]}
    model = PathLinks(paths, air.engine.rng, ref_dbm=-55, exponent=2.0, body_loss_db=3, shadowing_db=0, fading_db=0)
    assert model.level_dbm("a", "b", 0) == -58
    assert model.distance_m("a", "b", 9 * S) == 10 and model.level_dbm("a", "b", 9 * S) == -78
    assert model.level_dbm("b", "a", 99 * S) == model.level_dbm("a", "b", 10 * S) < -78
    assert not model.knows("a", "c")
