"""Facts about the report: whole without a network, escaped, readable without colours and without the drawings."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from tests.tools.sample_report import sample
from tools import report


def test_report_is_one_file_without_network(tmp_path):
    text = report.render(sample(), tmp_path / "deep" / "report.html").read_text()
    assert "<script" not in text and "@import" not in text
    assert not re.findall(r"""(?:src|href)\s*=|url\(|https?://""", text)


def test_same_dict_gives_the_same_bytes():
    assert report.html(sample()) == report.html(sample())


def test_every_drawing_is_well_formed_and_has_a_text():
    drawings = re.findall(r"<svg.*?</svg>", report.html(sample()), re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("role") == "img" and len(root.get("aria-label")) > 20


def test_names_are_escaped():
    data = sample()
    data["words"] = ["<b>&"]
    data["tokens"][0]["name"] = data["energy"]["tokens"][0]["name"] = data["timeline"]["token"] = "<i>"
    text = report.html(data)
    assert "<b>&" not in text.split("<main>")[1].split("</section>")[0] and "<i>" not in text
    assert "&lt;i&gt;" in text


@pytest.mark.parametrize(
    "truth, alert, words",
    [
        (True, True, "contact, alerted"),
        (True, False, "contact, NOT alerted"),
        (False, True, "no contact, but alerted"),
        (False, False, "no contact, not alerted"),
        (None, True, "alerted, contact not known"),
    ],
)
def test_outcome_is_told_in_words(truth, alert, words):
    data = sample()
    data["outcomes"] = {"P01": {"truth": truth, "alert": alert, "why": ""}}
    assert f">{words}<" in report.html(data)


def test_optional_parts_may_be_missing():
    data = sample(3)
    for key in ("subtitle", "facts", "case", "timeline", "notes", "made"):
        del data[key]
    data["contacts"] = []
    assert "Each token" in report.html(data)


def test_missing_part_is_named(tmp_path):
    with pytest.raises(ValueError, match="energy"):
        report.render({key: value for key, value in sample().items() if key != "energy"}, tmp_path / "r.html")
