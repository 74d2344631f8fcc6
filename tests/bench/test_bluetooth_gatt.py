# Facts about GATT on the bench between two scripts: irq order, buffers, subscriptions, refusals, disconnects.
import re
from pathlib import Path

import pytest

from tests.bench.ble_rig import Rig

_COMMON = """
import bluetooth, errno, struct, time
from micropython import const
ble = bluetooth.BLE()
SERVICE = bluetooth.UUID("7d9c0001-5a7e-4b1c-9a52-3c1e4e564e56")
log = []
def plain(d):
    return bytes(d) if isinstance(d, memoryview) else d
def until(event, ms=3000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        for i, e in enumerate(log):
            if e[0] == event:
                return log.pop(i)
        time.sleep_ms(5)
    raise ValueError("no irq %d" % event)
"""
_PERIPHERAL = (
    _COMMON
    + """
R, W, WN, N, I = 2, 8, 4, 16, 32
def irq(event, data):
    log.append((event,) + tuple([plain(d) for d in data]))
    if event == 4 and data[1] == secret:
        return 8
    if event == 3:
        print("wrote", data[1] - rx, ble.gatts_read(data[1]))
ble.active(True)
ble.irq(irq)
ble.config(gap_name="token")
((rx, long, tx, both, secret, note),) = ble.gatts_register_services(((SERVICE, (
    (bluetooth.UUID(0xAA01), R | W | WN),
    (bluetooth.UUID(0xAA02), R | W),
    (bluetooth.UUID(0xAA03), R | N),
    (bluetooth.UUID(0xAA04), R | N | I),
    (bluetooth.UUID(0xAA05), R, ((bluetooth.UUID(0x2901), R),)),
)),))
print("handles", rx, long, tx, both, secret, note)
ble.gatts_set_buffer(long, 60, True)
ble.gatts_write(note, "note")
ble.gap_advertise(100_000, b"\\x02\\x01\\x06")
"""
)
_CENTRAL = (
    _COMMON
    + """
def irq(event, data):
    log.append((event,) + tuple([plain(d) for d in data]))
ble.active(True)
ble.irq(irq)
ble.gap_scan(0, 30_000, 30_000)
found = until(5)
ble.gap_scan(None)
ble.gap_connect(found[1], found[2])
conn = until(7)[1]
"""
)


@pytest.fixture
def rig(tmp_path: Path):
    with Rig(tmp_path) as made:
        yield made


def run(rig: Rig, peripheral: str, central: str, seconds: float = 20.0) -> tuple[list[str], list[str]]:
    rig.node("p", _PERIPHERAL + peripheral)
    rig.node("c", _CENTRAL + central)
    rig.s(seconds)
    for name in "pc":
        assert rig.of("script_ended", name), (name, rig.out(name))
    return rig.out("p"), rig.out("c")


def test_first_script_handle_is_sixteen_and_cccds_take_their_places(rig: Rig):
    out, _ = run(rig, "until(1)\nuntil(2)\n", "ble.gap_disconnect(conn)\nprint(until(8)[1] == conn)\n")
    assert out == ["handles 16 18 20 23 26 27"]


def test_discovery_finds_services_characteristics_and_descriptors(rig: Rig):
    central = """
ble.gattc_discover_services(conn)
print(until(10)[2], [e[2:] for e in log if e[0] == 9])
ble.gattc_discover_services(conn, SERVICE)
until(10)
first, last = [e[2:4] for e in log if e[0] == 9][-1]
ble.gattc_discover_characteristics(conn, first, last)
print(error(lambda: ble.gattc_discover_characteristics(conn, first, last)) == 16)
print(until(12)[2], [e[2:] for e in log if e[0] == 11])
ble.gattc_discover_descriptors(conn, 23, 24)
print(until(14)[2], [e[2:] for e in log if e[0] == 13])
ble.gattc_discover_services(conn, bluetooth.UUID(0x1234))
print(until(10)[2])
"""
    helper = "def error(call):\n    try:\n        call()\n    except OSError as e:\n        return e.errno\n"
    _, out = run(rig, "until(1)\nuntil(2, 9000)\n", helper + central + "ble.active(False)\n")
    service = "UUID('7d9c0001-5a7e-4b1c-9a52-3c1e4e564e56')"
    assert out == [
        f"0 [(1, 5, UUID(0x1800)), (6, 13, UUID(0x1801)), (14, 27, {service})]",
        "True",
        "0 [(16, 16, 10, UUID(0xaa01)), (18, 18, 10, UUID(0xaa02)), (21, 20, 18, UUID(0xaa03)), "
        "(24, 23, 50, UUID(0xaa04)), (27, 26, 2, UUID(0xaa05))]".replace("(16, 16, 10", "(16, 16, 14"),
        "0 [(24, UUID(0x2902))]",
        "0",
    ]


def test_values_are_cut_to_their_buffer_and_appended_where_asked(rig: Rig):
    central = """
ble.gattc_exchange_mtu(conn)
print(until(21)[2])
ble.gattc_write(conn, 16, b"x" * 30, 1)
print(until(17)[3])
for piece in (b"a" * 25, b"b" * 25, b"c" * 25):
    ble.gattc_write(conn, 18, piece, 1)
    until(17)
ble.gattc_write(conn, 16, b"fast", 0)
ble.gattc_read(conn, 27)
print(until(15)[3], until(16)[3])
ble.active(False)
"""
    out, central_out = run(rig, "until(2, 9000)\n", central)
    assert out[1:] == [
        f"wrote 0 {b'x' * 20}",
        f"wrote 2 {b'a' * 25}",
        f"wrote 2 {b'b' * 25}",
        f"wrote 2 {b'c' * 25}",
        "wrote 0 b'fast'",
    ]
    assert central_out == ["256", "0", "b'note' 0"]


def test_appended_writes_wait_until_they_are_read(rig: Rig):
    peripheral = """
ble.irq(lambda event, data: log.append((event,) + tuple(data[:2])))
until(2, 9000)
print(ble.gatts_read(long), ble.gatts_read(long))
"""
    central = """
for piece in (b"abc", b"def", b"g" * 20, b"h" * 20, b"i" * 20):
    ble.gattc_write(conn, 18, piece, 1)
    until(17)
ble.active(False)
"""
    out, _ = run(rig, peripheral, central)
    assert out[1] == f"{b'abcdef' + b'g' * 20 + b'h' * 20 + b'i' * 14} b''"


def test_notifications_and_indications_reach_who_subscribed(rig: Rig):
    peripheral = """
conn = until(1)[1]
time.sleep(1)
ble.gatts_write(tx, b"unheard", True)
ble.gatts_notify(conn, tx, b"forced")
until(3, 5000)
ble.gatts_write(tx, b"told", True)
ble.gatts_write(both, b"sure", True)
print(until(20)[2:] == (both, 0))
ble.gatts_indicate(conn, both, b"once")
try:
    ble.gatts_indicate(conn, both, b"twice")
except OSError as e:
    print(e.errno == 16)
print(until(20)[2:] == (both, 0))
for bad in (lambda: ble.gatts_notify(9, tx, b""), lambda: ble.gatts_notify(conn, 99)):
    try:
        bad()
    except OSError as e:
        print(e.errno in (errno.ENOTCONN, -9))
until(2, 9000)
"""
    central = """
print(until(18))
ble.gattc_write(conn, 21, b"\\x01\\x00", 1)
print(until(17)[3])
ble.gattc_write(conn, 21, b"\\x02\\x00", 1)
print(until(17)[3] - 256)
ble.gattc_write(conn, 24, b"\\x02\\x00", 1)
until(17)
ble.gattc_write(conn, 16, b"go", 1)
print(until(18), until(19), until(19))
time.sleep(1)
ble.active(False)
"""
    out, central_out = run(rig, peripheral, central)
    assert out[2:] == ["True", "True", "True", "True", "True"]
    assert central_out == [
        "(18, 1, 20, b'forced')",
        "0",
        "6",
        "(18, 1, 20, b'told') (19, 1, 23, b'sure') (19, 1, 23, b'once')",
    ]


def test_refusals_come_back_as_att_errors(rig: Rig):
    central = """
for handle in (26, 99):
    ble.gattc_read(conn, handle)
    print(until(16)[3] - 256)
for handle in (20, 15, 99):
    ble.gattc_write(conn, handle, b"x", 1)
    print(until(17)[3] - 256)
ble.gattc_read(conn, 3)
print(until(15)[3])
ble.active(False)
"""
    _, out = run(rig, "until(2, 9000)\n", central)
    assert out == ["8", "1", "3", "3", "1", "b'token'"]


def test_services_cannot_change_while_connected_or_advertising(rig: Rig):
    peripheral = """
for event in (0, 1):
    if event:
        until(1)
    try:
        ble.gatts_register_services(())
    except OSError as e:
        print(e.errno == 16)
until(2, 9000)
"""
    out, _ = run(rig, peripheral, "time.sleep(1)\nble.active(False)\n")
    assert out[1:] == ["True", "True"]


def test_pulled_battery_shows_as_supervision_timeout(rig: Rig):
    rig.node("p", _PERIPHERAL + "until(1, 60000)\ntime.sleep(60)\n")
    wait = "t = time.ticks_ms()\nprint(until(8, 20000)[1])\nprint(time.ticks_diff(time.ticks_ms(), t))\n"
    rig.node("c", _CENTRAL + wait)
    while not rig.of("link", "c"):
        rig.s(0.1)
    rig.s(1)
    rig.engine.nodes["p"].power_off()
    rig.s(10)
    out = rig.out("c")
    assert out[0] == "1"
    assert 2_500 < int(out[1]) - 1_000 < 3_500
    assert rig.of("link", "c")[-1]["reason"] == 8


def test_operations_in_flight_end_when_the_link_does(rig: Rig):
    central = """
ble.gattc_read(conn, 16)
ble.gattc_read(conn, 18)
ble.gap_disconnect(conn)
until(8)
print([e[3] for e in log if e[0] == 16])
"""
    _, out = run(rig, "until(2, 9000)\n", central)
    assert out == ["[7, 7]"]


def test_what_waits_is_lost_when_the_link_is_ended(rig: Rig):
    peripheral = "until(3)\nble.gatts_notify(1, tx, b'last words')\nble.gap_disconnect(1)\nuntil(2)\n"
    central = "ble.gattc_write(conn, 16, b'go', 0)\nuntil(8)\nprint([e for e in log if e[0] == 18])\n"
    _, out = run(rig, peripheral, central)
    assert out == ["[]"]


def test_same_seed_gives_the_same_log(tmp_path: Path):
    logs = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Rig(folder, seed=5, level_dbm=-93.0) as rig:
            central = "ble.gattc_exchange_mtu(conn)\nuntil(21)\nble.gap_disconnect(conn)\nuntil(8)\n"
            run(rig, "until(2, 9000)\n", central)
        logs.append((folder / "log.jsonl").read_bytes())
    assert logs[0] == logs[1]
    assert re.search(rb'"retries":[1-9]', logs[0]), "the link was weak enough to lose something"


def test_log_holds_no_bytes_of_what_was_said(rig: Rig):
    run(rig, "until(2, 9000)\n", "ble.gattc_write(conn, 16, b'secretsecret', 1)\nuntil(17)\nble.active(False)\n")
    text = (rig.folder / "log.jsonl").read_text()
    assert '"op":"write"' in text
    assert "secret" not in text
    assert b"secret".hex() not in text
