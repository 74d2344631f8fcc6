"""Owns a station for tests: its settings, running it until every board is settled, reading a board's flash."""

import time
from pathlib import Path

from click.testing import CliRunner

from tools import ROOT
from tools.cli import main
from tools.firmware import layout
from tools.flash import record
from tools.flash.station import Options, Station

KEY = bytes(range(32))
FACTS = {"region": 84, "authority_root": "11" * 32, "authority_recovery": "22" * 32}
LONGEST_S = 240


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def wait(true):
    deadline = time.monotonic() + LONGEST_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def station(bundle, folder, ports, **options):
    kept = record.Record(folder / "flash.sqlite")
    batch = kept.open_batch("box 1", "esp32c3", 1)
    given = Options(bundle, FACTS, folder / "labels", radio_ms=50, hands_ms=300, **options)
    return Station(given, kept, batch, lambda: [port for port in ports if Path(port).exists()]), kept


def settle(unit, ports):
    """Run until every port is done or stopped for good; the places in the order of the ports."""

    def over():
        assert time.monotonic() < deadline, unit.state()
        places = [unit.places.get(port) for port in ports]
        return all(place and place.phase in ("done", "stopped") and place.code != "unplugged" for place in places)

    deadline = time.monotonic() + LONGEST_S
    unit.run(over)
    return [unit.places[port] for port in ports]


def partition(flash, name):
    part = layout.partition_table(ROOT / "boards" / "partitions.csv")[name]
    return flash.read_bytes()[part.offset : part.offset + part.size]
