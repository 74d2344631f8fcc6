"""Owns the count of what a token would have heard. Decodes with the firmware's own decoder; knows no file format."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from emask import advert
from emask import scheme as schemes
from tools.hci.reports import RSSI_UNKNOWN, Report, ReportReader


@dataclass
class SchemeCount:
    """Adverts of one identifier scheme; levels in dBm, None when no report carried one."""

    reports: int = 0
    ids: set[bytes] = field(default_factory=set)
    addresses: set[tuple[int, bytes]] = field(default_factory=set)
    rssi_min: int | None = None
    rssi_max: int | None = None

    def add(self, report: Report, identifier: bytes) -> None:
        self.reports += 1
        self.ids.add(identifier)
        self.addresses.add((report.addr_type, report.addr))
        if report.rssi_dbm != RSSI_UNKNOWN:
            self.rssi_min = min(report.rssi_dbm, self.rssi_min if self.rssi_min is not None else report.rssi_dbm)
            self.rssi_max = max(report.rssi_dbm, self.rssi_max if self.rssi_max is not None else report.rssi_dbm)

    def summary(self) -> dict:
        return {
            "reports": self.reports,
            "ids": len(self.ids),
            "addresses": len(self.addresses),
            "rssi_min": self.rssi_min,
            "rssi_max": self.rssi_max,
        }


@dataclass
class Heard:
    """A whole capture. `malformed`: adverts whose structures run past their end, and events that are none."""

    reports: int = 0
    malformed: int = 0
    addresses: set[tuple[int, bytes]] = field(default_factory=set)
    schemes: dict[str, SchemeCount] = field(default_factory=lambda: {"gaen": SchemeCount(), "bluezone": SchemeCount()})

    def add(self, report: Report) -> None:
        self.reports += 1
        self.addresses.add((report.addr_type, report.addr))
        found = advert.decode(report.data)
        if found is not None:
            self.schemes[schemes.get(found[0]).NAME].add(report, bytes(found[1]))
        elif not _well_formed(report.data):
            self.malformed += 1

    def summary(self) -> dict:
        """The JSON object of `emask decode`."""
        return {
            "reports": self.reports,
            "addresses": len(self.addresses),
            "malformed": self.malformed,
            "schemes": {name: count.summary() for name, count in self.schemes.items()},
        }


def listen(events: Iterable[bytes]) -> Heard:
    """Count all adverts in a stream of HCI events."""
    heard, reader = Heard(), ReportReader()
    for event in events:
        for report in reader.feed(event):
            heard.add(report)
    reader.finish()
    heard.malformed += reader.malformed
    return heard


def _well_formed(data: bytes) -> bool:
    try:
        for _ in advert.ad_structures(data):
            pass
    except ValueError:
        return False
    return True
