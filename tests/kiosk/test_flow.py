"""Facts about the order of the kiosk's screens, and about what a token's status means to a person."""

from dataclasses import replace
from datetime import date

import pytest

from emask import spec
from tools import wire
from tools.kiosk.hall import flow, report
from tools.kiosk.hall.flow import Flow

NOW_S = 1_795_500_000  # 2026-11-24, afternoon in Viet Nam
DAY = NOW_S // spec.DAY_S


def status(**changed):
    known = dict(zip(wire.STATUS_FIELDS, (2, 2, spec.STATE_TIME_KNOWN, 3900, 5, NOW_S - 9000, 0, 64, 512, 0, 1, 0)))
    return {**known, **changed}


def told(**changed):
    return report.read(status(**changed), NOW_S)


NONE = told()
ALERT = told(state=spec.STATE_TIME_KNOWN | spec.STATE_ALERT, alert_day=DAY - 3)


def at_the_result(what):
    own = Flow(phone="115")
    own.seen()
    own.ask_which()
    assert own.tap("yes") and own.screen.name == "checking"
    own.told(what)
    assert own.screen.name == "closer" and own.screen.row.private
    assert own.tap("show")
    return own


def test_wearer_without_warning_reads_the_date_and_gets_a_slip():
    own = at_the_result(NONE)
    assert own.screen.name == "none" and own.screen.fields["day"] == date(2026, 11, 24)
    own.tap("next")
    own.news(0.5)
    own.finished()
    assert own.screen.name == "slip" and not own.acknowledged
    own.tap("print")
    assert own.screen.name == "done"
    own.time_is_up()
    assert own.screen.name == "start"


@pytest.mark.parametrize("tap, screen", [("ok", "leave"), ("refer", "referred")])
def test_warning_is_acknowledged_after_the_advice_only(tap, screen):
    own = at_the_result(ALERT)
    assert own.screen.name == "alert" and own.screen.fields["day"] == date.fromordinal(719163 + DAY - 3)
    own.tap("next")
    assert own.screen.name == "advice" and own.screen.fields["phone"] == "115" and not own.acknowledged
    own.tap(tap)
    assert own.screen.name == screen and own.acknowledged and own.referred == (tap == "refer")


def test_warning_that_nobody_read_is_not_acknowledged():
    own = at_the_result(ALERT)
    own.time_is_up()
    assert own.screen.name == "leave" and not own.acknowledged


def test_warning_that_was_taken_back_is_acknowledged_once_it_was_read():
    own = at_the_result(told(alert_day=spec.ALERT_TAKEN_BACK))
    assert own.screen.name == "withdrawn" and not own.acknowledged
    own.tap("next")
    assert own.screen.name == "leave" and own.acknowledged
    own = at_the_result(told(alert_day=spec.ALERT_TAKEN_BACK))
    own.time_is_up()
    assert own.screen.name == "leave" and not own.acknowledged, "nobody read it: it is said again"


def test_next_wearer_sees_nothing_of_the_one_before():
    own = at_the_result(ALERT)
    own.tap("next")
    own.tap("refer")
    own.seen()
    assert own.report is None and not own.acknowledged and not own.referred


def test_token_that_nobody_claimed_shows_no_result():
    own = Flow()
    own.seen()
    own.news()
    own.finished()
    assert own.screen.name == "blind" and own.report is None


@pytest.mark.parametrize("name", [name for name, row in flow.TABLE.items() if row.taps])
def test_every_tap_and_every_end_of_time_leads_to_a_screen(name):
    row = flow.TABLE[name]
    assert {*row.taps.values(), row.then} - {"result", "rest", "step"} <= set(flow.TABLE)


@pytest.mark.parametrize("name", flow.TABLE)
def test_every_screen_comes_back_to_the_start_or_waits_for_the_visit(name):
    """Who walks away leaves nothing behind: time alone leads to the start, or the visit does."""
    of_the_visit = {"seen", "two", "which", "checking", "leave", "number", "still", "moving", "closed"}
    seen = set()
    while name != "start" and name not in of_the_visit:
        assert name not in seen
        seen.add(name)
        assert flow.TABLE[name].limit_s
        name = flow.TABLE[name].then.replace("rest", "weak")


def test_reading_leaves_time_for_the_list_within_a_visit():
    assert flow.TABLE["closer"].limit_s + flow.TABLE["alert"].limit_s < 150


def test_tap_that_the_screen_does_not_have_changes_nothing():
    own = Flow()
    before = own.screen
    assert not own.tap("ok") and not own.tap("staff") and own.screen is before and before.taps == ("found",)


def test_staff_button_is_there_in_a_clinic_only():
    own = Flow(clinic=True)
    assert own.screen.taps == ("found", "staff") and own.tap("staff") and own.screen.name == "staff"


@pytest.mark.parametrize("agree, proxy", [("agree", False), ("proxy", True)])
@pytest.mark.parametrize("upload, screen", [("taken", "given"), ("the wearer did not agree", "kept")])
def test_upload_asks_first_then_shows_the_number_and_says_what_became_of_it(agree, proxy, upload, screen):
    own = Flow(clinic=True)
    for tap in ("staff", "upload", agree):
        assert own.tap(tap)
    assert own.screen.name == "press" and (own.errand, own.proxy) == ("upload", proxy)
    own.seen()
    own.show_number((3, 5))
    assert own.screen.taps == ("stop",) and own.screen.name == ("still" if proxy else "number")
    own.finished(upload, code="BCDEFGHJKLMN")
    assert own.screen.name == screen and own.errand == ""
    assert own.screen.fields == ({"receipt": "BCDEFGHJKLMN"} if screen == "given" else {})


def at_the_advice(certified):
    own = Flow(phone="115", clinic=True)
    own.certified = certified
    own.seen()
    own.ask_which()
    own.tap("yes")
    own.told(replace(ALERT, findings=(report.Finding("T41"),)))
    for tap in ("show", "next"):
        own.tap(tap)
    return own


def test_details_are_there_for_who_asks_at_a_clinic_s_kiosk_only():
    assert "details" not in at_the_advice(False).screen.taps
    own = at_the_advice(True)
    assert not own.detailed and own.tap("details") and own.detailed and own.acknowledged
    own.finished(details=(2, 3, 1))
    assert own.screen.name == "details" and own.screen.row.private
    assert own.screen.fields == {"length": 2, "near": 3, "sure": 1}
    own.tap("next")
    assert own.screen.name == "weak" and own.screen.fields == {"code": "T41"}


def test_next_wearer_does_not_inherit_the_wish_for_details():
    own = at_the_advice(True)
    own.tap("details")
    own.finished()
    own.seen()
    assert not own.detailed


@pytest.mark.parametrize("taps", [["found"], ["staff", "back"]])
@pytest.mark.parametrize("upload, screen", [("wiped", "wiped"), ("the wearer did not agree", "unwiped")])
def test_found_or_returned_token_is_wiped_after_a_question_and_the_button(taps, upload, screen):
    own = Flow(clinic=True)
    for tap in [*taps, "wipe"]:
        assert own.tap(tap), tap
    assert own.screen.name == "press" and own.errand == "wipe"
    own.seen()
    own.show_number((3, 5))
    assert own.screen.name == "number"
    own.finished(upload)
    assert own.screen.name == screen and own.errand == "" and own.report is None


def begun(*taps):
    own = Flow(clinic=True)
    for tap in ("staff", "more", *taps):
        assert own.tap(tap), tap
    assert own.screen.name == "press"
    return own


def test_household_takes_one_token_after_another_until_it_is_finished():
    own = begun("household", "agree")
    for _ in range(3):
        own.seen()
        own.finished()
        assert own.screen.name == "joined" and own.errand == "household"
        own.tap("another")
    own.seen()
    own.finished()
    own.tap("finish")
    assert own.screen.name == "start" and own.errand == ""


def test_household_outlives_a_visit_that_breaks():
    own = begun("household", "agree")
    own.seen()
    own.broke("lost", "K51")
    assert own.screen.name == "unjoined" and own.screen.fields == {"code": "K51"} and own.errand == "household"
    own.time_is_up()
    assert own.screen.name == "start" and own.errand == ""


@pytest.mark.parametrize(
    "tap, minutes, screen", [("four", 240, "paused"), ("eight", 480, "paused"), ("end", 0, "resumed")]
)
def test_pause_is_for_hours_or_ends(tap, minutes, screen):
    own = begun("pause", tap)
    own.seen()
    assert own.pause_min == minutes
    own.finished()
    assert own.screen.name == screen and own.errand == ""


@pytest.mark.parametrize("upload, screen", [("taken", "noted"), ("the token has nothing to give", "kept")])
def test_warned_contact_is_asked_in_words_of_its_own(upload, screen):
    own = Flow(clinic=True)
    for tap in ("staff", "more", "contact"):
        assert own.tap(tap)
    assert own.screen.name == "since" and not own.free and own.tap("agree")
    own.seen()
    own.show_number((3, 5))
    own.finished(upload)
    assert own.screen.name == screen and own.errand == ""


def test_contact_of_a_contact_reads_it_alone_and_without_a_day():
    own = at_the_result(told(state=spec.STATE_TIME_KNOWN | spec.STATE_LESSER))
    assert own.screen.name == "lesser" and own.screen.row.private and own.screen.fields["phone"] == "115"
    own.tap("next")
    assert own.screen.name == "leave" and not own.acknowledged and own.report.alert_day is None


@pytest.mark.parametrize("screen, taps", [("consent", ["staff", "upload", "stop"]), ("staff", ["staff", "start"])])
def test_stopped_errand_is_forgotten(screen, taps):
    own = Flow(clinic=True)
    for tap in taps:
        own.tap(tap)
    assert own.screen.name == "start" and own.errand == ""


def test_errand_outlives_two_tokens_and_a_wrong_one():
    own = Flow(clinic=True)
    for tap in ("staff", "handover"):
        own.tap(tap)
    own.two()
    own.back()
    assert own.screen.name == "press" and own.errand == "handover"


def test_closed_kiosk_stays_closed_until_its_fault_is_gone():
    own = Flow()
    own.closed("K11")
    number = own.screen.number
    own.closed("K11")
    own.back()
    assert own.screen.name == "closed" and own.screen.fields == {"code": "K11"}
    assert number == 1
    own.opened()
    assert own.screen.name == "start"


def test_progress_is_the_same_screen():
    own = Flow()
    own.checking(0.2)
    number = own.screen.number
    own.checking(0.9)
    assert own.screen.number == number and own.screen.share == 0.9


# -- the report


@pytest.mark.parametrize(
    "changed, result",
    [
        ({}, "none"),
        ({"list_issued_s": 0, "list_serial": 0}, "new"),
        ({"state": spec.STATE_TIME_KNOWN | spec.STATE_LIST_WAITS}, "waiting"),
        ({"list_issued_s": NOW_S - 9 * spec.DAY_S}, "stale"),
        ({"state": spec.STATE_ALERT, "alert_day": DAY}, "alert"),
        ({"state": spec.STATE_ALERT | spec.STATE_LESSER, "alert_day": DAY}, "alert"),
        ({"state": spec.STATE_TIME_KNOWN | spec.STATE_LESSER}, "lesser"),
        ({"state": spec.STATE_LESSER, "list_issued_s": NOW_S - 9 * spec.DAY_S}, "lesser"),
        ({"alert_day": spec.ALERT_TAKEN_BACK}, "withdrawn"),
        ({"state": spec.STATE_ALERT | spec.STATE_LIST_WAITS, "alert_day": DAY}, "alert"),
    ],
)
def test_result_of_a_status(changed, result):
    assert told(**changed).result == result


@pytest.mark.parametrize("changed", [{"list_issued_s": 0}, {"state": spec.STATE_LIST_WAITS}])
def test_no_date_is_said_of_a_list_that_was_not_compared(changed):
    assert told(**changed).day is None


def test_date_is_the_one_where_the_kiosk_stands():
    evening = DAY * spec.DAY_S - 3600  # 23:00 UTC: the next morning in Viet Nam
    assert told(list_issued_s=evening).day == report.local_day(evening) == date.fromordinal(719163 + DAY)


@pytest.mark.parametrize(
    "changed, code, broken",
    [
        ({"battery_mv": 3550}, "T11", False),
        ({"battery_mv": 3400}, "T12", True),
        ({"state": 0}, "T21", False),
        ({"adverts_heard": 0}, "T31", False),
        ({"damaged": 1}, "T41", False),
        ({"state": spec.STATE_TIME_KNOWN | spec.STATE_STORE_WORN}, "T42", True),
        ({"state": spec.STATE_TIME_KNOWN | spec.STATE_STORE_FULL}, "T43", False),
        ({"list_issued_s": NOW_S - 9 * spec.DAY_S}, "T61", False),
        ({"resets": 32}, "T71", False),
    ],
)
def test_health_check_finds(changed, code, broken):
    found = told(**changed)
    assert (found.codes, found.broken) == (code, broken)


def test_old_firmware_is_found_if_the_newest_is_known():
    assert report.read(status(), NOW_S, firmware=3).codes == "T51"
    assert NONE.codes == ""


def test_token_that_is_weak_on_the_tray_has_a_weak_radio():
    assert report.read(status(), NOW_S, level_dbm=-73).codes == "T32"
    assert report.read(status(), NOW_S, level_dbm=-72).codes == ""


@pytest.mark.parametrize("level_mv, screen", [(3550, "battery"), (3400, "empty")])
def test_weak_battery_alone_is_said_in_words_of_its_own(level_mv, screen):
    own = at_the_result(told(battery_mv=level_mv))
    own.tap("next")
    own.finished()
    assert own.screen.name == screen and own.tap("next") and own.screen.name == "slip"


@pytest.mark.parametrize("what, screen", [({"battery_mv": 3400, "damaged": 1}, "broken"), ({"damaged": 1}, "weak")])
def test_weak_token_is_told_after_the_result_and_before_the_slip(what, screen):
    own = at_the_result(told(**what))
    own.tap("next")
    own.finished()
    assert own.screen.name == screen and own.screen.fields["code"].split()[-1] == "T41"
    own.tap("next")
    assert own.screen.name == "slip"


def test_report_of_a_token_on_the_shelf_blames_it_for_nothing():
    assert replace(told(state=spec.STATE_SHELF, list_issued_s=0, adverts_heard=0), day=None).findings == ()


# -- the end of the programme


@pytest.mark.parametrize("errand", [[], ["staff", "handover"], ["found", "wipe"]])
def test_token_whose_programme_is_over_is_asked_for_whatever_was_wanted_of_it(errand):
    own = Flow(clinic=True)
    for tap in errand:
        own.tap(tap)
    own.seen()
    own.news()
    own.finished(over=True)
    assert own.screen.name == "ended" and own.errand == ""
    own.time_is_up()
    assert own.screen.name == "start"


def test_wearer_who_was_told_a_result_gets_the_slip_before_the_end_is_said():
    own = at_the_result(NONE)
    own.tap("next")
    own.finished(over=True)
    assert own.screen.name == "slip"
    own.tap("skip")
    assert own.screen.name == "ended"
    own.time_is_up()
    own.seen()
    own.finished()
    assert own.screen.name == "blind"
