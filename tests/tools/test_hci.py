"""Facts about captures: the recorded one, and made ones with fragments, several reports an event, and damage."""

import json
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from emask import gaen
from tools.cli import main
from tools.hci.btsnoop import CaptureError, events
from tools.hci.heard import listen
from tools.hci.reports import ReportReader

RECORDED = Path(__file__).parents[1] / "data" / "dp3t_exp34_06.btsnoop"
ADDR = bytes(range(6))
ADVERT = gaen.build_advert(gaen.Chain(bytes(16), 2642976), -8)


def extended(*reports):
    head = struct.Struct("<HB6sBBBbbHB6sB")
    body = b"".join(
        head.pack(kind, 1, addr, 1, 0, 0xFF, 127, rssi, 0, 0, bytes(6), len(data)) + data
        for kind, addr, rssi, data in reports
    )
    return bytes((0x3E, 2 + len(body), 0x0D, len(reports))) + body


def legacy(*reports):
    body = b"".join(
        struct.pack("<BB6sB", 3, 1, addr, len(data)) + data + struct.pack("<b", rssi) for addr, rssi, data in reports
    )
    return bytes((0x3E, 2 + len(body), 0x02, len(reports))) + body


def capture(packets, link=1002, flags=3):
    data = struct.pack(">8sII", b"btsnoop\0", 1, link)
    for packet in packets:
        data += struct.pack(">IIIIq", len(packet), len(packet), flags, 0, 0) + packet
    return data


def run(path, *options):
    return CliRunner().invoke(main, ["decode", str(path), *options])


def test_recorded_morning_is_counted_exactly():
    result = run(RECORDED, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == {
        "reports": 13793,
        "addresses": 476,
        "malformed": 0,
        "schemes": {
            "gaen": {"reports": 9847, "ids": 473, "addresses": 473, "rssi_min": -98, "rssi_max": -17},
            "bluezone": {"reports": 0, "ids": 0, "addresses": 0, "rssi_min": None, "rssi_max": None},
        },
    }


def test_several_reports_in_one_event_count_each():
    heard = listen(
        [
            extended((0x13, ADDR, -60, ADVERT), (0x13, ADDR[::-1], -70, b"\x02\x01\x06")),
            legacy((ADDR, -50, ADVERT), (ADDR, 127, ADVERT)),
        ]
    )
    count = heard.schemes["gaen"]
    assert (heard.reports, len(heard.addresses), heard.malformed) == (4, 2, 0)
    assert (count.reports, len(count.ids), count.rssi_min, count.rssi_max) == (3, 1, -60, -50)


def test_fragments_are_joined_and_other_senders_do_not_disturb():
    first, rest = ADVERT[:14], ADVERT[14:]
    heard = listen(
        [extended((0x20, ADDR, -60, first)), extended((0x13, ADDR[::-1], -50, b"")), extended((0x00, ADDR, -61, rest))]
    )
    assert heard.reports == 2 and heard.schemes["gaen"].reports == 1 and heard.malformed == 0


def test_fragment_without_its_rest_is_malformed():
    heard = listen([extended((0x20, ADDR, -60, ADVERT[:14]))])
    assert (heard.reports, heard.malformed) == (0, 1)


def test_structure_that_runs_past_the_end_is_malformed():
    heard = listen([legacy((ADDR, -60, b"\x02\x01\x06\x1e\xff\x01"))])
    assert (heard.reports, heard.malformed) == (1, 1)


def test_event_shorter_than_its_reports_is_malformed():
    heard = listen([bytes((0x3E, 3, 0x0D, 1, 0)), bytes((0x3E, 200, 0x02, 1)), bytes((0x0E, 1, 0))])
    assert (heard.reports, heard.malformed) == (0, 2)


@pytest.mark.parametrize("link, flags, wrap", [(1001, 3, b""), (1002, 3, b"\x04"), (2001, 3, b"")])
def test_all_link_types_give_the_same_events(link, flags, wrap):
    event = legacy((ADDR, -60, ADVERT))
    assert list(events(capture([wrap + event], link, flags))) == [event]


@pytest.mark.parametrize("cut", [5, 12, 20, 300, 41, -1])
def test_truncated_file_gets_one_line_and_code_2(tmp_path, cut):
    whole = capture([b"\x04" + legacy((ADDR, -60, ADVERT))] * 8)
    path = tmp_path / "cut.btsnoop"
    path.write_bytes(whole[:cut])
    result = run(path, "--json")
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1 and ("truncated" in result.output or "btsnoop" in result.output)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        struct.pack(">8sII", b"btsnoop\0", 2, 1002),
        struct.pack(">8sII", b"btsnoop\0", 1, 1),
    ],
)
def test_foreign_file_gets_one_line_and_code_2(tmp_path, data):
    path = tmp_path / "foreign"
    path.write_bytes(data)
    result = run(path)
    assert result.exit_code == 2 and len(result.output.splitlines()) == 1


@given(st.binary(max_size=80), st.sampled_from([0x02, 0x0D]))
def test_any_event_is_read_without_a_crash(body, kind):
    reader = ReportReader()
    for report in reader.feed(bytes((0x3E, 1 + len(body), kind)) + body):
        assert len(report.addr) == 6
    reader.finish()


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(data):
    try:
        listen(events(capture([], 1002) + data))
    except CaptureError as error:
        assert str(error)
