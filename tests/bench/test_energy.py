# Facts about the energy model: time in each state times its current, each consumer, the battery, the boards' tables.
# Knows no firmware: nodes run scripts that do one thing.
from __future__ import annotations

import re
import shutil
import tomllib

import pytest

from tests.bench.ble_rig import Rig
from tools import ROOT
from tools.bench import energy, summary
from tools.bench.energy import CONSUMERS, Board, BoardError, Meter
from tools.bench.medium import airtime_us

TABLES = sorted((ROOT / "boards").glob("*/power.toml"))
PRODUCTS = [path for path in TABLES if (path.parent / "board.py").is_file()]
BOARD = Board.load(ROOT / "boards" / "esp32c3")
MA, US = BOARD.current_ma, BOARD.time_us
MAH = 3.6e9  # mA us
NEEDED = {*energy._CURRENTS, *energy._TIMES, *energy._COSTS}


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as made:
        yield made


def spent(rig, script, seconds, **more):
    """(mA us per consumer, node) of a node that runs this script for so long after its boot."""
    node = rig.node("n", script, **more)
    rig.engine.run(US["boot"] + int(seconds * 1e6))
    return {name: used * MAH for name, used in node.account.charge_mah().items() if used}, node


def test_meter_adds_time_times_current():
    meter = Meter(BOARD)
    meter.add("sleep", "light_sleep", 3_600_000_000)
    meter.add("sleep", "deep_sleep", 3_600_000_000)
    meter.add("motor", "motor", 1_800_000_000)
    assert meter.mah()["sleep"] == pytest.approx(0.305) and meter.mah()["motor"] == pytest.approx(30)
    assert meter.total_mah() == pytest.approx(30.305) and set(meter.mah()) == set(CONSUMERS)


def test_boot_and_waiting_are_charged_by_their_time(rig):
    used, _ = spent(rig, "import time\ntime.sleep(5)", 10)
    assert used["boot"] == US["boot"] * MA["boot"]
    assert used["cpu"] == pytest.approx(10e6 * MA["cpu_idle"], rel=0.01) and set(used) == {"boot", "cpu"}


def test_light_sleep_is_charged_as_sleep_and_its_end_as_work(rig):
    used, node = spent(rig, "import machine\nfor _ in range(10): machine.lightsleep(1000)\nmachine.lightsleep()", 60)
    awake_us = (60e6 * MA["light_sleep"] - used["sleep"]) / MA["light_sleep"]
    assert 10 * US["light_wake"] <= awake_us < 10 * (US["light_wake"] + BOARD.cost_us["wake"]) + 10_000
    assert used["cpu"] == pytest.approx(awake_us * MA["cpu_active"], rel=1e-6)
    assert set(used) == {"boot", "cpu", "sleep"} and node.boots == 1


def test_each_end_of_a_sleep_costs_the_work_of_a_wake_up(rig):
    """The table's cost of the main loop between sleeps, which takes no virtual time by itself."""
    used, _ = spent(rig, "import machine\nwhile True: machine.lightsleep(1000)", 100)
    per_wake_us = used["cpu"] / MA["cpu_active"] / 99
    assert per_wake_us == pytest.approx(US["light_wake"] + BOARD.cost_us["wake"], rel=0.05)


def test_deep_sleep_is_charged_as_sleep_and_each_end_as_a_boot(rig):
    used, node = spent(rig, "import machine\nmachine.deepsleep(10000)", 60)
    assert node.boots == 6 and used["boot"] == pytest.approx(node.boots * US["boot"] * MA["boot"], rel=0.01)
    rest_us = 60e6 - (node.boots - 1) * US["boot"]
    assert used["sleep"] == pytest.approx(rest_us * MA["deep_sleep"], rel=0.01)
    assert used["cpu"] == pytest.approx(node.boots * BOARD.cost_us["wake"] * MA["cpu_active"], rel=0.05)


def test_start_of_the_radio_is_charged_to_the_radio_and_not_to_the_processor(rig):
    used, _ = spent(rig, "import bluetooth\nbluetooth.BLE().active(True)\nimport machine\nmachine.idle()", 10)
    assert used["radio start"] == US["radio_start"] * MA["radio_start"]
    assert used["radio idle"] == pytest.approx((10e6 - US["radio_start"]) * MA["radio_idle"], rel=0.01)
    assert used.get("cpu", 0) < 0.02e6 * MA["cpu_active"]


def test_receiving_stands_in_place_of_the_idle_radio(rig):
    script = (
        "import bluetooth\nb = bluetooth.BLE()\nb.active(True)\nb.config(addr_mode=3)\nb.gap_scan(4000, 30000, 15000)"
    )
    used, node = spent(rig, script, 10)
    assert used["receive"] == pytest.approx(2e6 * MA["rx"], rel=0.01)
    assert used["radio idle"] == pytest.approx((10e6 - US["radio_start"] - 2e6) * MA["radio_idle"], rel=0.02)
    assert "transmit" not in used and node.radio.used_us["tx"] == 0


def test_sending_is_charged_by_airtime(rig):
    script = "import bluetooth\nb = bluetooth.BLE()\nb.active(True)\nb.config(addr_mode=3)\n"
    used, node = spent(rig, script + "b.gap_advertise(100000, adv_data=bytes(20), connectable=False)", 10)
    assert node.radio.sent > 80
    assert used["transmit"] == pytest.approx(node.radio.sent * 3 * airtime_us(20) * MA["tx"])


def test_stop_of_the_radio_takes_its_time_and_a_start_after_it_is_charged_again(rig):
    script = "import bluetooth\nb = bluetooth.BLE()\nfor _ in range(5):\n b.active(True)\n b.active(False)\n"
    used, _ = spent(rig, script + "import machine\nmachine.lightsleep()", 10)
    assert used["radio start"] == 5 * US["radio_start"] * MA["radio_start"]
    work_us = used["cpu"] / MA["cpu_active"]
    assert work_us == pytest.approx(5 * US["radio_stop"] + BOARD.cost_us["wake"], rel=0.1)


def test_frames_of_a_connection_cost_work(rig):
    """A notification is charged where it is made; the rest of this script is the same without it."""
    script = (
        "import bluetooth\nb = bluetooth.BLE()\nb.active(True)\n"
        "((v,),) = b.gatts_register_services(((bluetooth.UUID(1), ((bluetooth.UUID(2), 16),)),))\n"
        "for _ in range(100):\n try:\n  %s(0, v, b'x')\n except OSError:\n  pass\n"
    )
    used = {}
    for name in ("gatts_notify", "gatts_read"):
        call = "b.gatts_notify" if name == "gatts_notify" else "(lambda *a: b.gatts_read(v))"
        node = rig.node(name, script % call)
        rig.s(5)
        used[name] = node.account.meter.charge["cpu"] / MA["cpu_active"]
    assert used["gatts_notify"] - used["gatts_read"] == pytest.approx(100 * BOARD.cost_us["gatt_frame"], rel=0.05)


def test_parts_are_added_while_they_are_on(rig):
    script = "import machine, time\np = machine.Pin(%d, machine.Pin.OUT)\np.on()\ntime.sleep(2)\np.off()\ntime.sleep(3)"
    for name in ("led", "motor", "buzzer"):
        node = rig.node(name, script % BOARD.pins[name])
        rig.s(10)
        assert node.account.charge_mah()[name] * MAH == pytest.approx(2e6 * MA[name], rel=0.001)
        assert node.account.charge_mah()["cpu"] * MAH == pytest.approx(rig.engine.now_us * MA["cpu_idle"], rel=0.7)


def test_flash_is_added_by_page_and_block(rig):
    script = (
        "import esp32\np = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='sightings')[0]\n"
        "p.writeblocks(0, bytes(300), 0)\np.ioctl(6, 0)\n"
    )
    used, _ = spent(rig, script, 5)
    expected = 2 * US["flash_program_page"] * MA["flash_program"] + US["flash_erase"] * MA["flash_erase"]
    assert used["flash"] == pytest.approx(expected)


def test_consumers_add_up_to_the_total_and_the_summary_says_percent_of_the_battery(rig):
    used, node = spent(rig, "import machine\nwhile True: machine.lightsleep(10000)", 3600)

    class Done:  # what summary._node asks of a run
        pass

    facts = summary._node(Done(), node)
    assert facts["charge_mah"] == pytest.approx(sum(facts["consumers_mah"].values()), abs=1e-4)
    assert facts["mah_per_day"] == pytest.approx(facts["charge_mah"] * 24, rel=0.001)
    assert facts["percent_per_day"] == pytest.approx(100 * facts["mah_per_day"] / 400, abs=0.01)
    assert sum(used.values()) / MAH == pytest.approx(facts["charge_mah"], abs=1e-4)


def test_nothing_is_charged_without_a_battery(rig):
    _, node = spent(rig, "", 10)
    node.power_off()
    before = node.account.charge_mah()
    rig.s(3600)
    assert node.account.charge_mah() == before and node.account.on_us == pytest.approx(10e6 + US["boot"], rel=0.01)


def test_voltage_falls_in_a_line_with_the_charge_and_then_off_a_cliff(rig):
    node = rig.node("n", "import machine\nwhile True: machine.lightsleep(60000)")
    node.config.battery_mah = 0.3 * 2  # two hours of light sleep
    shown = []
    for _ in range(5):
        shown.append(node.account.battery_mv(node.config.battery_mah))
        rig.s(1800)
    assert shown[0] in range(4_140, 4_151) and shown == sorted(shown, reverse=True)
    assert shown[2] == pytest.approx(3_725, abs=10)
    rig.s(1800)
    assert node.account.battery_mv(node.config.battery_mah) == 3_000


# The boards' tables


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_each_figure_of_a_board_names_its_source(path):
    table = tomllib.loads(path.read_text())
    for part in ("current_ma", "time_us", "cost_us"):
        for name, entry in table[part].items():
            assert set(entry) == {"value", "source"} and entry["value"] > 0, name
            assert re.match(r"\[(DS|V|M|S|E)\]", entry["source"]), f"{name}: {entry['source']}"


@pytest.mark.parametrize("path", PRODUCTS, ids=lambda path: path.parent.name)
def test_table_agrees_with_the_board_that_it_describes(path):
    table, code = tomllib.loads(path.read_text()), (path.parent / "board.py").read_text()
    board = Board.load(path.parent)
    for name, value in (("TX_POWER_DBM", board.tx_power_dbm), ("BATTERY_MAH", int(board.battery_mah))):
        assert re.search(rf"^{name} = {value}\b", code, re.M), name
    assert re.search(rf"^CLOCK_ERROR_PPM = {table['board']['clock_error_ppm']}\b", code, re.M)
    for name, number in board.pins.items():
        assert re.search(rf"\b{name}={number}\b", code), name
    assert board.partitions == {"sightings": 983_040, "lists": 409_600}


def test_each_entry_that_is_missing_or_no_number_is_named(tmp_path):
    text = (ROOT / "boards" / "esp32c3" / "power.toml").read_text()
    names = re.findall(r"^(\w+) = \{ value", text, re.M)
    assert {"deep_sleep", "rx", "tx", "light_wake", "flash_program_page", "wake", "report"} <= NEEDED <= set(names)
    for name in names:
        for changed in ("",) * (name in NEEDED) + (f'{name} = {{ value = "much", source = "[E]" }}',):
            (tmp_path / "power.toml").write_text(re.sub(rf"^{name} = .*$", changed, text, count=1, flags=re.M))
            with pytest.raises(BoardError, match=name):
                Board.load(tmp_path)


def test_damaged_table_is_one_line(tmp_path):
    for content in (b"[board", b"\xff\xfe", b"", b"board = 3"):
        (tmp_path / "power.toml").write_bytes(content)
        with pytest.raises(BoardError, match="power.toml") as caught:
            Board.load(tmp_path)
        assert "\n" not in str(caught.value)
    shutil.rmtree(tmp_path)
    with pytest.raises(BoardError, match="no such file"):
        Board.load(tmp_path)
