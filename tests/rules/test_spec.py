"""Rules: the specification's vectors are the tests' vectors, its schema exists, and its numbers are the code's."""

import json
import re
import struct

from emask import spec
from tools import ROOT

SPEC = (ROOT / "docs" / "SPEC.md").read_text(encoding="utf-8")


def values(plain):
    if isinstance(plain, dict):
        return [value for part in plain.values() for value in values(part)]
    return [value for part in plain for value in values(part)] if isinstance(plain, list) else [str(plain)]


def test_table_of_vectors_is_that_of_the_tests():
    golden = json.loads((ROOT / "tests" / "vectors" / "golden.json").read_text())
    table = SPEC.split("## 13. Vectors")[1]
    assert re.findall(r"`([0-9a-f]{4,})`", table) == values(golden)


def test_spec_names_the_numbers_of_the_code():
    for text in (spec.SERVICE_UUID, f"{spec.BLOCK_BYTES:,}", f"{spec.GAEN_SERVICE:04X}"[2:], "0x4E56"):
        assert text in SPEC
    for name in (
        "HELLO",
        "SESSION",
        "ASK",
        "LIST_OFFER",
        "LIST_DATA",
        "BYE",
        "ROOT",
        "MOVE",
        "NONCE",
        "STATUS",
        "LIST_WANT",
        "LIST_ACK",
        "OK",
        "UPLOAD",
        "REFUSED",
        "PAGE",
        "RECEIPT",
    ):
        assert re.search(rf"^\| {getattr(spec, name)} {name} \|", SPEC, re.MULTILINE), name


def test_layouts_in_the_spec_have_the_sizes_it_says():
    for kind, size, layout in re.findall(r"^\| \d ([A-Z]+), (\d+) \| `(<[0-9A-Za-z]+)`", SPEC, re.MULTILINE):
        assert struct.calcsize(layout) == int(size), kind
    assert struct.calcsize("<B16sHHBbb8s") == spec.SIGHTING_BYTES
    assert struct.calcsize("<B16sHHBbbb") == spec.HEARD_BYTES
    for layout in ("<B16sHHBbb8s", "<B16sHHBbbb"):
        assert f"`{layout}`" in SPEC
    assert struct.calcsize("<4sHH144s") + 8 + struct.calcsize("<IIIBBBBBB") == spec.LIST_OFFER_BYTES
    assert struct.calcsize("<BBBBhHBBbbbBBBBBB") == spec.RULE_BYTES and "`<BBBBhHBBbbbBBBBBB`" in SPEC
    assert struct.calcsize("<144s32sIHHB64s") == spec.SESSION_BYTES
    assert struct.calcsize("<BBHI") + struct.calcsize("<II32s32s") + 64 == spec.CERTIFICATE_BYTES
    assert struct.calcsize("<32sIHH") == spec.RECORD_BYTES


def test_no_document_points_at_what_is_not_there():
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
