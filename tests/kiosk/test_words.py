"""Facts about the kiosk's languages: complete, short, and without a promise that nobody can keep."""

import re
from datetime import date

import pytest

from tools.kiosk.hall import flow, words

LANGUAGES = words.load_all()
FIELDS = {"day": date(2026, 11, 24), "phone": "1900\N{NO-BREAK SPACE}9095", "code": "T11", "a": 3, "b": 5}
GRADES = [{"length": a, "near": b, "sure": c} for a in range(4) for b in range(4) for c in range(4)]
NOT_SCREENS = {"neutral", "down"}
# What a result must never say, in each language: that someone is well, safe, free of it, or negative.
PROMISES = {
    "en": r"\b(well|healthy|safe|fine|negative|free of|not ill|not infected|no risk|clear)\b",
    "vi": r"(khỏe|an toàn|âm tính|không bệnh|không nhiễm|không mắc|yên tâm|không sao|bình an)",
}
everywhere = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)


def test_vietnamese_comes_first_and_english_second():
    assert list(LANGUAGES)[:2] == ["vi", "en"]


def shown(said, language, name, row, languages):
    """All that stands on a screen: what it says, its buttons, the other languages, the short number."""
    others = [other.name for other in languages.values() if other is not language] if name == "start" else []
    return [said, *map(language.label, row.taps), *others, *(("3", "5") if name in ("number", "still") else ())]


@everywhere
def test_language_has_every_screen_button_and_line(language):
    taps = {tap for row in flow.TABLE.values() for tap in row.taps}
    first = next(iter(LANGUAGES.values()))
    assert set(language.screen) == set(flow.TABLE) | NOT_SCREENS
    assert set(language.tap) == taps
    assert set(language.slip) == set(first.slip)


@everywhere
@pytest.mark.parametrize("name", flow.TABLE)
def test_screen_has_at_most_twelve_words_with_its_buttons(language, name):
    longest = max((language.say(name, **FIELDS, **grades) for grades in GRADES), key=words.count)
    texts = shown(longest, language, name, flow.TABLE[name], LANGUAGES)
    assert sum(map(words.count, texts)) <= words.MOST_WORDS, texts


@everywhere
def test_nothing_says_that_anyone_is_well(language):
    promise = re.compile(PROMISES[language.tag], re.IGNORECASE)
    for text in (*language.screen.values(), *language.tap.values(), *language.slip.values()):
        assert not promise.search(text.replace("_", " ")), text


@everywhere
@pytest.mark.parametrize(
    "name, told", [("none", "day"), ("stale", "day"), ("alert", "day"), ("advice", "phone"), ("lesser", "phone")]
)
def test_result_says_its_date_or_whom_to_call(language, name, told):
    assert f"{{{told}}}" in language.screen[name]


@everywhere
def test_no_warning_is_said_with_its_date_and_that_it_is_no_test(language):
    said = language.say("none", day=date(2026, 11, 4))
    assert "4" in said and "test" in said.replace("xét\N{NO-BREAK SPACE}nghiệm", "test")


@everywhere
def test_words_for_a_health_worker_differ_and_tell_no_time_place_or_number(language):
    said = {language.say("details", **grades) for grades in GRADES}
    assert len(said) == len(GRADES) and not any(sign.isdecimal() for text in said for sign in text)
    assert language.speak("details", **GRADES[5]) == language.say("details", **GRADES[5]).replace(
        "\N{NO-BREAK SPACE}", " "
    )


@everywhere
@pytest.mark.parametrize(
    "name", ["lost", "retry", "closed", "weak", "broken", "battery", "empty", "unjoined", "unprinted"]
)
def test_fault_names_its_staff_code(language, name):
    assert language.say(name, code="K11").count("K11") == 1


def test_date_is_one_word():
    assert words.count(LANGUAGES["vi"].day(date(2026, 11, 24))) == 1
    assert LANGUAGES["vi"].day(date(2026, 11, 24)) == "ngày 24 tháng 11".replace(" ", "\N{NO-BREAK SPACE}")


def test_file_that_lacks_a_part_is_named(tmp_path):
    (tmp_path / "xx.toml").write_text('name = "X"\norder = 3\n')
    with pytest.raises(words.WordsError, match="xx.toml"):
        words.load_all(tmp_path)
    with pytest.raises(words.WordsError, match="no language"):
        words.load_all(tmp_path / "none")


def test_language_that_is_spoken_only_is_shown_in_another_s_words(tmp_path):
    (tmp_path / "hmn.toml").write_text('name = "Hmoob"\norder = 9\nlike = "vi"\n')
    known = words.load_all(words.FOLDER, tmp_path)
    assert list(known)[-1] == "hmn" and known["hmn"].name == "Hmoob"
    assert known["hmn"].say("start") == known["vi"].say("start") and known["hmn"].voice == "vi"
    (tmp_path / "hmn.toml").write_text('name = "Hmoob"\norder = 9\nlike = "fr"\n')
    with pytest.raises(words.WordsError, match="hmn.toml"):
        words.load_all(words.FOLDER, tmp_path)


def vietnamese(number):
    """A number up to 39 in words, by the language's rule."""
    digits = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]
    tens, unit = divmod(number, 10)
    if not tens:
        return digits[unit]
    last = {0: "", 1: "mốt" if tens > 1 else "một", 5: "lăm"}.get(unit, digits[unit])
    return f"{'mười' if tens == 1 else digits[tens] + ' mươi'} {last}".strip()


def test_days_are_spoken_as_the_rule_of_vietnamese_numbers_has_them():
    spoken = LANGUAGES["vi"].spoken
    assert spoken["days"] == [vietnamese(day) for day in range(1, 32)]
    assert spoken["months"] == [("tư" if month == 4 else vietnamese(month)) for month in range(1, 13)]


@everywhere
def test_language_can_speak_each_day_month_and_digit(language):
    assert [len(language.spoken[name]) for name in ("days", "months", "digits")] == [31, 12, 10]


def test_numbers_are_spoken_in_words_and_a_telephone_number_digit_by_digit():
    said = LANGUAGES["vi"].speak("alert", day=date(2026, 11, 24))
    assert said.endswith("ngày hai mươi bốn tháng mười một.") and not any(sign.isdecimal() for sign in said)
    assert "một chín không không chín không chín năm" in LANGUAGES["vi"].speak("advice", phone="1900 9095")
    assert LANGUAGES["en"].speak("closed", code="K11").endswith("Code K one one")
