"""Rules: what people are told says the same in both languages, points at what is there, and ticks no box for them."""

import re

import pytest

from tests.browser import chromium, violations
from tests.commands import named
from tools import ROOT

__all__ = ["chromium"]
FOLDERS = (ROOT / "docs" / "roles", ROOT / "docs" / "programme")
PAIRS = sorted(path for folder in FOLDERS for path in folder.glob("*.en.*"))
ALL = sorted(path for folder in FOLDERS for path in folder.iterdir() if path.suffix in (".md", ".html"))
PRINTED = [path for path in ALL if path.suffix == ".html"]
LEAST_PT = {"wearer": 20, "poster": 26}


def ids(path):
    return path.name


def other(path):
    return path.with_name(path.name.replace(".en.", ".vi."))


def shape(path):
    """What must be the same in each language."""
    text = path.read_text(encoding="utf-8")
    links = [link.replace(".vi.", ".en.").split("#")[0] for link in re.findall(r'(?:\]\(|src=")([^)"]+)', text)]
    return {
        "headings": re.findall(r"^#+(?= )|<h\d>", text, re.MULTILINE),
        "rows": len(re.findall(r"^\|", text, re.MULTILINE)),
        "points": len(re.findall(r"^(?:- |> |\d+\. )", text, re.MULTILINE)),
        "links": sorted(links),
        "commands": named(text),
        "numbers": sorted(re.findall(r"\d+(?:\.\d+)?", text)),
    }


@pytest.mark.parametrize("path", PAIRS, ids=ids)
def test_both_languages_say_the_same_as_far_as_a_machine_can_tell(path):
    assert shape(path) == shape(other(path))


def test_every_page_is_there_in_both_languages_and_in_the_index():
    index = (FOLDERS[0] / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in ALL if path.name != "README.md"]
    assert len(names) == 2 * len(PAIRS) >= 24
    assert [name for name in names if name not in index] == []


@pytest.mark.parametrize("path", ALL, ids=ids)
def test_page_points_at_what_is_there(path):
    text = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r'(?:\]\(|src="|href=")([^)"]+)', text) if "://" not in link]
    for link in links:
        name, _, place = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), link
        assert not place or place in anchors(target), link


def anchors(path):
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", ALL, ids=ids)
def test_nobody_agrees_by_default(path):
    assert not re.search(r"[☑☒✓✔✗]|\[[xX]\]|\bchecked\b(?=[\s>=])(?=[^<]*>)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [path for path in ALL if path.stem.split(".")[0] == "taken"], ids=ids)
def test_page_of_taken_parts_names_each_number_of_its_picture(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d) ", text, re.MULTILINE) == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("path", PRINTED, ids=ids)
def test_printed_page_is_one_sheet_in_large_letters(chromium, path, tmp_path):
    import pypdfium2

    page = chromium.new_page()
    page.goto(path.as_uri())
    assert violations(page) == ""
    sizes = page.evaluate(
        "[...document.querySelectorAll('p, h1, h2')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= LEAST_PT[path.name.split(".")[0]] * 96 / 72
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    page.close()
    assert len(pypdfium2.PdfDocument(tmp_path / "page.pdf")) == 1
