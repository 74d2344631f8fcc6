# Facts about the bench's bleak backends: real BleakScanner and BleakClient in virtual time, a script on the VM.
import asyncio
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakCharacteristicNotFoundError, BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError

from tests.bench.ble_rig import Rig
from tools.bench.bleak_backend import BenchClient, BenchScanner, bind
from tools.bench.loop import BenchLoop

SERVICE = "7d9c0001-5a7e-4b1c-9a52-3c1e4e564e56"
RX, TX, SECRET = (SERVICE.replace("7d9c0001", f"7d9c000{n}") for n in (2, 3, 4))
_TOKEN = f"""
import bluetooth, time
ble = bluetooth.BLE()
S = "{SERVICE}"
uuid = lambda n: bluetooth.UUID(S.replace("7d9c0001", "7d9c000%d" % n))
conn = [None]
def irq(event, data):
    if event == 1:
        conn[0] = data[0]
    elif event == 2:
        conn[0] = None
        ble.gap_advertise(100_000)
    elif event == 3:
        ble.gatts_notify(conn[0], tx, b"heard " + ble.gatts_read(rx))
    elif event == 4 and data[1] == secret:
        return 5
ble.active(True)
ble.config(addr_mode=1)
ble.irq(irq)
((rx, tx, secret),) = ble.gatts_register_services(((uuid(1), ((uuid(2), 8 | 4), (uuid(3), 2 | 16), (uuid(4), 2))),))
ble.gatts_set_buffer(rx, 512)
ble.gatts_write(tx, b"x" * 300)
ble.gap_advertise(100_000, b"\\x02\\x01\\x06\\x11\\x07" + bytes(uuid(1)), resp_data=b"\\x03\\x09KT")
time.sleep(1000)
"""


class Kiosk:
    """A rig with a token, and a loop in which bleak runs."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.scanner, self.client = bind(self.rig.medium.add_radio("kiosk"), self.rig.engine)
        self.node = self.rig.node("token", _TOKEN)
        self.loop = BenchLoop(self.rig.engine)
        self.loop.run_until_complete(asyncio.sleep(1))

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    async def find(self):
        device = await BleakScanner.find_device_by_filter(
            lambda device, data: SERVICE in data.service_uuids, timeout=10, backend=self.scanner
        )
        assert device is not None
        return device

    def connection(self, device) -> BleakClient:
        return BleakClient(device, backend=self.client)


@pytest.fixture
def kiosk(tmp_path: Path):
    made = Kiosk(tmp_path)
    yield made
    made.loop.close()
    made.rig.engine.close()


def test_scanner_merges_advert_and_response(kiosk: Kiosk):
    found = kiosk.run(BleakScanner.discover(5, return_adv=True, backend=kiosk.scanner, service_uuids=[SERVICE]))
    ((device, data),) = found.values()
    assert (data.local_name, data.service_uuids, data.rssi) == ("KT", [SERVICE], -60)
    assert device.address.count(":") == 5
    assert issubclass(kiosk.scanner, BenchScanner)
    assert kiosk.scanner.__name__ == "BenchScanner"


def test_filter_hides_devices_of_other_services(kiosk: Kiosk):
    other = SERVICE.replace("7d9c", "7d9d")
    assert kiosk.run(BleakScanner.discover(3, backend=kiosk.scanner, service_uuids=[other])) == []


def test_client_discovers_writes_and_is_notified(kiosk: Kiosk):
    async def visit():
        told = []
        async with kiosk.connection(await kiosk.find()) as client:
            assert isinstance(client._backend, BenchClient)
            characteristics = client.services.get_service(SERVICE).characteristics
            assert [(c.uuid, c.properties) for c in characteristics] == [
                (RX, ["write", "write-without-response"]),
                (TX, ["notify", "read"]),
                (SECRET, ["read"]),
            ]
            await client.start_notify(TX, lambda sender, data: told.append(bytes(data)))
            await client.write_gatt_char(RX, b"one", response=True)
            await client.write_gatt_char(RX, b"two", response=False)
            await client.write_gatt_char(RX, b"y" * 400, response=True)
            await asyncio.sleep(1)
            value = await client.read_gatt_char(TX)
            return told, bytes(value), client.mtu_size

    told, value, mtu = kiosk.run(visit())
    assert told == [b"heard one", b"heard two", (b"heard " + b"y" * 400)[: mtu - 3]]
    assert value == b"x" * 300
    assert mtu == 256


def test_refusals_and_unknown_names_raise_what_bleak_documents(kiosk: Kiosk):
    async def visit():
        async with kiosk.connection(await kiosk.find()) as client:
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.read_gatt_char(SECRET)
            assert refused.value.code == 5
            with pytest.raises(BleakCharacteristicNotFoundError):
                await client.read_gatt_char(RX.replace("7d9c", "0000"))
        with pytest.raises(BleakError):
            await client.read_gatt_char(TX)
        with pytest.raises(BleakDeviceNotFoundError):
            await kiosk.connection("C0:00:00:00:00:01").connect()

    kiosk.run(visit())


def test_lost_token_ends_the_connection_and_tells_the_callback(kiosk: Kiosk):
    async def visit():
        gone = asyncio.Event()
        client = BleakClient(await kiosk.find(), lambda client: gone.set(), backend=kiosk.client)
        await client.connect()
        kiosk.node.power_off()
        with pytest.raises(BleakError):
            await client.write_gatt_char(RX, b"anyone?", response=True)
        await asyncio.wait_for(gone.wait(), 5)
        return client.is_connected

    assert kiosk.run(visit()) is False


def test_absent_device_times_out(kiosk: Kiosk):
    async def visit():
        device = await kiosk.find()
        kiosk.node.power_off()
        with pytest.raises(TimeoutError):
            await BleakClient(device, timeout=5, backend=kiosk.client).connect()

    kiosk.run(visit())


def test_token_advertises_again_and_is_served_again(kiosk: Kiosk):
    async def visits():
        for _ in range(3):
            async with kiosk.connection(await kiosk.find()) as client:
                assert client.is_connected
        return True

    assert kiosk.run(visits())
