# What the firmware may expect of aioble: holds for the real one (AIOBLE=DIR) and the double; ids say which was used.
from pathlib import Path

import pytest

from tests.bench.ble_rig import Rig, aioble_folder

_FOLDER, _WHICH = aioble_folder()
_HEAD = """
import aioble, asyncio, bluetooth
from aioble import core
SERVICE, RX, TX = [bluetooth.UUID("7d9c000%d-5a7e-4b1c-9a52-3c1e4e564e56" % n) for n in (1, 2, 3)]
"""
_SERVER = (
    _HEAD
    + """
service = aioble.Service(SERVICE)
rx = aioble.BufferedCharacteristic(service, RX, write=True, capture=True, max_len=200)
tx = aioble.Characteristic(service, TX, read=True, notify=True, indicate=True, initial=b"first")
aioble.register_services(service)
"""
)
_CLIENT = (
    _HEAD
    + """
async def connect():
    async with aioble.scan(5000, 30000, 30000, active=True) as scanner:
        async for result in scanner:
            if SERVICE in result.services():
                device = result.device
                break
    return await device.connect()
"""
)


@pytest.fixture(params=[_WHICH])
def rig(tmp_path: Path):
    with Rig(tmp_path) as made:
        yield made


def run(rig: Rig, seconds: float = 20.0, **scripts: str) -> list[list[str]]:
    for name, script in scripts.items():
        rig.node(name, script, paths=(_FOLDER,))
    rig.s(seconds)
    out = [rig.out(name) for name in scripts]
    assert all(rig.of("script_ended", name) for name in scripts), out
    return out


def test_handlers_are_asked_in_order_and_told_of_a_stop(rig: Rig):
    script = (
        _HEAD
        + """
core.register_irq_handler(lambda event, data: print("first", event), lambda: print("stopped"))
core.register_irq_handler(lambda event, data: print("second", event) or True, None)
core.ensure_active()
core.ble.gap_scan(0)
core.ble.gap_scan(None)
aioble.stop()
print(core.ble.active(), aioble.config("gap_name"))
"""
    )
    (out,) = run(rig, a=script, seconds=3)
    assert out == ["first 6", "second 6", "stopped", "False b'MPY ESP32'"]


def test_advertise_times_out_and_swallows_cancellation(rig: Rig):
    script = (
        _HEAD
        + """
async def main():
    try:
        await aioble.advertise(100_000, name="KT", timeout_ms=500)
    except asyncio.TimeoutError:
        print("timeout")
    task = asyncio.create_task(aioble.advertise(100_000, name="KT"))
    await asyncio.sleep_ms(100)
    task.cancel()
    print(await task)
    try:
        await aioble.advertise(100_000, name="n" * 30)
    except ValueError:
        print("too long")
asyncio.run(main())
"""
    )
    (out,) = run(rig, a=script, seconds=5)
    assert out == ["timeout", "None", "too long"]


def test_advert_holds_flags_services_and_name(rig: Rig):
    server = _SERVER + "asyncio.run(aioble.advertise(100_000, name='KT', services=[SERVICE]))\nprint('connected')\n"
    client = (
        _CLIENT
        + """
async def main():
    seen = []
    async with aioble.scan(3000, 30000, 30000, active=True) as scanner:
        async for result in scanner:
            seen = [result]
    print(seen[0].name(), list(seen[0].services()) == [SERVICE], seen[0].rssi)
    await seen[0].device.connect()
asyncio.run(main())
"""
    )
    rig.node("s", server, paths=(_FOLDER,))
    (out,) = run(rig, c=client)
    assert out == ["KT True -60"]
    assert rig.out("s")[0] == "connected"


def test_captured_writes_come_one_by_one_with_their_data(rig: Rig):
    server = (
        _SERVER
        + """
async def main():
    connection = await aioble.advertise(100_000, services=[SERVICE])
    with connection.timeout(9000):
        for _ in range(3):
            who, data = await rx.written()
            print(who is connection, len(data), data[:2], connection.mtu)
            await asyncio.sleep_ms(700)
    await connection.disconnected(timeout_ms=9000)
    print(connection.is_connected())
asyncio.run(main())
"""
    )
    client = (
        _CLIENT
        + """
async def main():
    connection = await connect()
    print(await connection.exchange_mtu(), connection.mtu)
    remote = await (await connection.service(SERVICE)).characteristic(RX)
    for data in (b"a" * 5, b"b" * 150, b"c" * 240):
        await remote.write(data, response=True)
    await asyncio.sleep_ms(3000)
    await connection.disconnect()
    print(connection.is_connected())
asyncio.run(main())
"""
    )
    server_out, client_out = run(rig, s=server, c=client)
    assert server_out == ["True 5 b'aa' 256", "True 150 b'bb' 256", "True 200 b'cc' 256", "False"]
    assert client_out == ["256 256", "False"]


def test_notify_indicate_and_read(rig: Rig):
    server = (
        _SERVER
        + """
async def main():
    connection = await aioble.advertise(100_000, services=[SERVICE])
    await rx.written(timeout_ms=9000)
    tx.notify(connection, b"note")
    await rx.written(timeout_ms=9000)
    await tx.indicate(connection, b"sure")
    tx.write(b"second")
    print("indicated", tx.read())
    await connection.disconnected()
asyncio.run(main())
"""
    )
    client = (
        _CLIENT
        + """
async def main():
    async with await connect() as connection:
        service = await connection.service(SERVICE)
        found = []
        async for c in service.characteristics():
            found.append(c)
        remote_rx, remote_tx = found
        print(await remote_tx.read())
        await remote_tx.subscribe(notify=True)
        await remote_rx.write(b"1", response=True)
        print(bytes(await remote_tx.notified(timeout_ms=3000)))
        await remote_rx.write(b"2", response=True)
        print(bytes(await remote_tx.indicated(timeout_ms=3000)))
        await asyncio.sleep_ms(500)
        print(await remote_tx.read())
asyncio.run(main())
"""
    )
    server_out, client_out = run(rig, s=server, c=client)
    assert server_out == ["indicated b'second'"]
    assert client_out == ["b'first'", "b'note'", "b'sure'", "b'second'"]


def test_waiting_ends_with_time_and_with_the_connection(rig: Rig):
    server = (
        _SERVER
        + """
async def main():
    connection = await aioble.advertise(100_000, services=[SERVICE])
    for ms in (300, 9000):
        try:
            with connection.timeout(ms):
                await rx.written()
        except asyncio.TimeoutError:
            print("timeout")
        except aioble.DeviceDisconnectedError:
            print("disconnected", connection.is_connected())
    await connection.disconnect()
asyncio.run(main())
"""
    )
    client = (
        _CLIENT
        + """
async def main():
    connection = await connect()
    await asyncio.sleep_ms(1500)
    await connection.disconnect()
asyncio.run(main())
"""
    )
    server_out, _ = run(rig, s=server, c=client)
    assert server_out == ["timeout", "disconnected False"]


def test_server_disconnects_and_can_be_visited_again_after_a_stop(rig: Rig):
    server = (
        _HEAD
        + """
async def main():
    for visit in range(2):
        service = aioble.Service(SERVICE)
        rx = aioble.BufferedCharacteristic(service, RX, write=True, capture=True, max_len=100)
        aioble.register_services(service)
        connection = await aioble.advertise(100_000, services=[SERVICE], timeout_ms=9000)
        print((await rx.written(timeout_ms=9000))[1])
        await asyncio.sleep_ms(300)
        await connection.disconnect(2000)
        print(connection.is_connected())
        aioble.stop()
asyncio.run(main())
"""
    )
    client = (
        _CLIENT
        + """
async def main():
    for visit in range(2):
        connection = await connect()
        remote = await (await connection.service(SERVICE)).characteristic(RX)
        await remote.write(b"visit%d" % visit, response=True)
        await connection.disconnected(timeout_ms=5000)
        await asyncio.sleep_ms(500)
asyncio.run(main())
"""
    )
    server_out, _ = run(rig, s=server, c=client)
    assert server_out == ["b'visit0'", "False", "b'visit1'", "False"]
