# Facts about bluetooth.BLE on the bench: power, addresses, advertising, scanning, connecting. Scripts run on the VM.
from pathlib import Path

import pytest

from tests.bench.ble_rig import Rig

_HEAD = """
import bluetooth, errno, time
ble = bluetooth.BLE()
got = []
def irq(event, data):
    got.append((event,) + tuple([bytes(d) if isinstance(d, memoryview) else d for d in data]))
ble.irq(irq)
def error(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except OSError as e:
        return e.errno
    except Exception as e:
        return type(e).__name__
    return 0
"""
_ADVERTISER = _HEAD + "ble.active(True)\nble.gap_advertise(100_000, b'\\x02\\x01\\x06')\ntime.sleep(60)\n"


@pytest.fixture
def rig(tmp_path: Path):
    with Rig(tmp_path) as made:
        yield made


def lines(rig: Rig, script: str, seconds: float = 5.0, name: str = "a") -> list[str]:
    rig.node(name, _HEAD + script)
    rig.s(seconds)
    out = rig.out(name)
    assert rig.of("script_ended", name), out
    return out


def test_inactive_interface_refuses_with_enodev(rig: Rig):
    script = """
calls = [lambda: ble.config("mac"), lambda: ble.config(addr_mode=1), lambda: ble.gap_scan(0),
         lambda: ble.gap_advertise(100000), lambda: ble.gatts_register_services(()), lambda: ble.gatts_write(3, b""),
         lambda: ble.gap_disconnect(1), lambda: ble.gattc_read(1, 3), lambda: ble.config("mtu")]
print([error(call) == errno.ENODEV for call in calls])
print(ble.gatts_read(16), ble.gap_advertise(None), ble.config("gap_name"))
"""
    assert lines(rig, script) == [str([True] * 9), "b'' None b'MPY ESP32'"]


def test_each_start_makes_the_address_public_again(rig: Rig):
    script = """
ble.active(True)
public = ble.config("mac")
ble.config(addr_mode=3)
private = ble.config("mac")
ble.active(False)
ble.active(True)
print(public[0], private[0], private[1][0] >> 6, ble.config("mac") == public)
"""
    assert lines(rig, script) == ["0 1 0 True"]


def test_random_modes_draw_a_new_address_at_each_call(rig: Rig):
    script = """
ble.active(True)
drawn = set()
for mode in (1, 1, 3, 3):
    ble.config(addr_mode=mode)
    kind, addr = ble.config("mac")
    drawn.add(addr)
    print(kind, addr[0] >> 6)
print(len(drawn))
"""
    assert lines(rig, script) == ["1 3", "1 3", "1 0", "1 0", "4"]


def test_address_does_not_change_while_advertising_or_scanning(rig: Rig):
    script = """
ble.active(True)
ble.config(addr_mode=3)
first = ble.config("mac")
ble.gap_advertise(100_000, b"")
ble.config(addr_mode=3)
print(ble.config("mac") == first)
ble.gap_advertise(None)
ble.gap_scan(0)
ble.config(addr_mode=3)
print(ble.config("mac") == first)
ble.gap_scan(None)
ble.config(addr_mode=3)
print(ble.config("mac") == first)
"""
    assert lines(rig, script) == ["True", "True", "False"]


def test_resolvable_mode_hides_the_address_from_config(rig: Rig):
    script = "ble.active(True)\nble.config(addr_mode=2)\nprint(error(ble.config, 'mac') == errno.EINVAL)\n"
    assert lines(rig, script) == ["True"]


def test_config_refuses_what_the_esp32_port_lacks(rig: Rig):
    script = """
ble.active(True)
print(error(ble.config, rxbuf=500), error(ble.config, "rxbuf"), error(ble.config))
print(error(ble.config, mtu=10) == errno.EINVAL)
print(error(ble.config, gap_name="x" * 32) == errno.EINVAL, error(ble.config, bond=True) == errno.EOPNOTSUPP)
print([error(call) == errno.EOPNOTSUPP for call in (lambda: ble.gap_pair(1), lambda: ble.l2cap_listen(1, 2))])
"""
    assert lines(rig, script) == ["ValueError ValueError TypeError", "True", "True True", "[True, True]"]


def test_advertising_checks_its_parameters(rig: Rig):
    script = """
ble.active(True)
print(error(ble.gap_advertise, 19_000), error(ble.gap_advertise, 11_000_000), error(ble.gap_advertise, 20_000))
print(error(ble.gap_advertise, 100_000, bytes(32)) == errno.EINVAL, error(ble.gap_advertise, 100_000, bytes(31)))
print(error(ble.gap_scan, 0, 10_000, 20_000), error(ble.gap_scan, 0), error(ble.gap_scan, 0) == errno.EALREADY)
"""
    assert lines(rig, script) == ["-530 -530 0", "True 0", "-530 0 True"]


def test_unconnectable_advert_is_scannable_and_data_is_kept(rig: Rig):
    rig.node(
        "a",
        _HEAD
        + """
ble.active(True)
ble.gap_advertise(20_000, b"\\x02\\x01\\x06", resp_data=b"\\x04\\x09abc", connectable=False)
time.sleep(2)
ble.gap_advertise(20_000)
time.sleep(2)
""",
    )
    script = """
ble.active(True)
ble.gap_scan(3500, 30_000, 30_000, True)
time.sleep(4)
print(sorted(set([(e[3], e[5]) for e in got if e[0] == 5])), got[-1], max([e[4] for e in got if e[0] == 5]))
"""
    data, answer = b"\x02\x01\x06", b"\x04\tabc"
    assert lines(rig, script, name="b") == [f"[(0, {data}), (2, {data}), (4, {answer})] (6,) -60"]


def test_stopping_a_scan_tells_at_once(rig: Rig):
    script = "ble.active(True)\nble.gap_scan(0)\nble.gap_scan(None)\nprint(got)\nble.gap_scan(None)\nprint(got)\n"
    assert lines(rig, script) == ["[(6,)]", "[(6,)]"]


def test_exception_in_the_handler_takes_the_handler_away(rig: Rig):
    rig.node("a", _ADVERTISER)
    script = """
count = 0
def bad(event, data):
    global count
    count += 1
    raise MemoryError("full")
ble.active(True)
ble.irq(bad)
ble.gap_scan(2000, 30_000, 30_000)
time.sleep(3)
print(count)
"""
    out = lines(rig, script, name="b")
    assert out[0] == "Unhandled exception in IRQ callback handler"
    assert out[-2:] == ["MemoryError: full", "1"]


def test_reports_beyond_a_hundred_are_dropped_and_counted(rig: Rig):
    for name in ("a", "c", "d"):
        rig.node(name, _ADVERTISER.replace("100_000", "20_000"))
    script = """
import benchlink
ble.active(True)
ble.gap_scan(0, 30_000, 30_000)
benchlink.charge(4_000_000)
ble.gap_scan(None)
print(len([e for e in got if e[0] == 5]))
"""
    assert lines(rig, script, seconds=8, name="b") == ["100"]
    assert rig.of("report_drop", "b")[0]["count"] > 50


def test_light_sleep_with_the_radio_up_leaves_it_dead_until_a_reset(rig: Rig):
    rig.node("a", _ADVERTISER)
    script = """
import machine
ble.active(True)
ble.gap_scan(0, 30_000, 30_000)
machine.lightsleep(100)
del got[:]
time.sleep(1)
print(got, error(ble.gap_advertise, 100_000) == errno.ETIMEDOUT, error(ble.active, False) == errno.ETIMEDOUT)
"""
    assert lines(rig, script, name="b") == ["[] True True"]


def test_connecting_to_nobody_ends_in_a_disconnect_without_handle(rig: Rig):
    script = """
ble.active(True)
ble.gap_connect(1, b"\\xc0abcde", 500)
print(error(ble.gap_connect, 1, b"\\xc0abcde") == errno.EALREADY, error(ble.gap_scan, 0) == 16)
time.sleep(1)
print(got)
print(error(ble.gap_connect, None) == errno.EALREADY, ble.gap_disconnect(1), error(ble.gap_connect, 1, b"short"))
"""
    gone = (8, 65535, 255, bytes(6))
    assert lines(rig, script) == ["True True", f"[{gone}]", "True False ValueError"]


def test_uuid_reads_and_compares_as_the_real_one(rig: Rig):
    script = """
U = bluetooth.UUID
a, b = U(0x180D), U("A5A5A5A5-FFFF-9999-1111-5A5A5A5A5A5A")
print(a, b, bytes(a), len(bytes(b)), a == U(b"\\x0d\\x18"), a == b, a < b, a == bytes(a), hash(a) == hash(U(a)))
print([error(U, v) for v in (70000, "12", "xyz", "A5A5A5A5-FFFF-9999-1111-5A5A5A5A5A5A00", 1.5)])
"""
    assert lines(rig, script) == [
        "UUID(0x180d) UUID('a5a5a5a5-ffff-9999-1111-5a5a5a5a5a5a') b'\\r\\x18' 16 True False True False True",
        "['ValueError', 0, 'ValueError', 'ValueError', 'TypeError']",
    ]
