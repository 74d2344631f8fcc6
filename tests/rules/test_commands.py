"""Rules: every command of `emask` that a document names is there, with the options that are named."""

import pytest

from tests.commands import named, wrong
from tools import ROOT

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_of_a_document_are_there(path):
    assert [problem for words in named(path.read_text(encoding="utf-8")) if (problem := wrong(words))] == []


def test_commands_are_found_in_lines_and_blocks_and_a_wrong_one_is_told():
    block = "```\nX=1 emask kiosk nothing  # a comment\nsudo -u a /opt/emask/bin/emask kiosk status A --no\n```\n"
    found = named(f"Say `emask kiosk sync A B`.\n\n{block}")
    assert found == [["kiosk", "nothing"], ["kiosk", "status", "A", "--no"], ["kiosk", "sync", "A", "B"]]
    assert [wrong(words) for words in found] == [
        "kiosk nothing: no such command",
        "kiosk status A --no: no option --no",
        "",
    ]
