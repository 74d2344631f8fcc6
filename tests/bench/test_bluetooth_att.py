# Facts about the ATT server and the client's procedures by themselves: hostile PDUs, long values, private addresses.
import random
import struct

from hypothesis import given
from hypothesis import strategies as st

from tools.bench import att, gattc, gattdb
from tools.bench.privacy import Addresses, resolvable_address


def database() -> gattdb.Database:
    db = gattdb.default_database(lambda: b"name")
    service = db.add_service(bytes(range(16)))
    db.add_characteristic(b"\x01\xaa", gattdb.READ | gattdb.WRITE)
    db.add_characteristic(b"\x02\xaa", gattdb.NOTIFY)
    db.add_descriptor(b"\x01\x29", gattdb.READ)
    db.end_service(service)
    return db


def answer(server: gattdb.Server, pdu: bytes, mtu: int = 23, verdict: int = 0) -> bytes | None:
    generator = server.answer(pdu, mtu)
    try:
        generator.send(None)
        while True:
            generator.send(verdict)
    except StopIteration as stop:
        return stop.value


def drive(procedure: gattc.Procedure, server: gattdb.Server, mtu: int = 23) -> int:
    try:
        request = procedure.send(None)
        while True:
            response = answer(server, request, mtu)
            assert response is not None
            assert len(response) <= mtu
            request = procedure.send(response)
    except StopIteration as stop:
        return stop.value


@given(st.binary(min_size=1, max_size=40), st.integers(23, 517))
def test_no_request_breaks_the_server(pdu: bytes, mtu: int):
    response = answer(gattdb.Server(database()), pdu, mtu)
    assert response is None or 0 < len(response) <= mtu


@given(st.binary(min_size=1, max_size=30), st.integers(0, 5))
def test_no_response_breaks_a_procedure(pdu: bytes, which: int):
    procedures = [
        gattc.services(lambda *found: None),
        gattc.services_by_uuid(b"\x00\x18", lambda *found: None),
        gattc.characteristics(1, 9, None, lambda *found: None),
        gattc.descriptors(1, 9, lambda *found: None),
        gattc.write_long(3, bytes(30), 23),
        gattc.exchange_mtu(256, lambda mtu: None),
    ]
    procedure = procedures[which]
    procedure.send(None)
    try:
        for _ in range(50):
            procedure.send(pdu)
    except (StopIteration, struct.error, IndexError):
        return


def test_discovery_walks_the_whole_database_in_the_smallest_mtu():
    server = gattdb.Server(database())
    found: list[tuple] = []
    assert drive(gattc.services(lambda *values: found.append(values)), server) == 0
    assert [(first, last) for first, last, _ in found] == [(1, 5), (6, 13), (14, 20)]
    characteristics: list[tuple] = []
    assert drive(gattc.characteristics(14, 20, None, lambda *values: characteristics.append(values)), server) == 0
    assert [values[:3] for values in characteristics] == [(16, 16, 0x0A), (20, 18, 0x10)]
    descriptors: list[tuple] = []
    assert drive(gattc.descriptors(18, 20, lambda *values: descriptors.append(values)), server) == 0
    assert descriptors == [(19, att.CCCD), (20, b"\x01\x29")]


def test_long_values_are_written_and_read_in_pieces():
    db = database()
    server = gattdb.Server(db)
    db.values[16].size = 300
    value = random.Random(1).randbytes(200)
    assert drive(gattc.write_long(16, value, 23), server) == 0
    assert db.values[16].data == value
    read: list[bytes] = []
    assert drive(gattc.read_long(16, lambda: 23, read.append), server) == 0
    assert read == [value]


def test_refused_read_has_the_scripts_code():
    response = answer(gattdb.Server(database()), struct.pack("<BH", att.READ_REQ, 16), verdict=8)
    assert response == att.error(att.READ_REQ, 16, 8)


def test_resolvable_address_agrees_with_the_sample_of_the_core_specification():
    irk = bytes.fromhex("ec0234a357c8ad05341010a60a397d9b")[::-1]
    assert resolvable_address(irk, bytes.fromhex("708194")) == bytes.fromhex("7081940dfbaa")


def test_resolvable_address_lasts_fifteen_minutes():
    addresses = Addresses(random.Random(1))
    addresses.choose(2, busy=False)
    first = addresses.on_air(0)
    assert addresses.on_air(899_999_999) == first
    assert addresses.on_air(900_000_000) != first
