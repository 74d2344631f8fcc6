"""Owns the LE advertising reports inside HCI events. Knows no file format and no identifier scheme.

Bluetooth Core 5.4, vol. 4 part E: 7.7.65.2 (legacy reports), 7.7.65.13 (extended reports, which may come in
fragments). RSSI 127 means that the radio gave none.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

RSSI_UNKNOWN = 127

_LE_META = 0x3E
_LEGACY = 0x02
_EXTENDED = 0x0D
_LEGACY_HEAD = struct.Struct("<BB6sB")
_EXTENDED_HEAD = struct.Struct("<HB6sBBBbbHB6sB")
_COMPLETE, _MORE, _CUT = 0, 1, 2
_LONGEST_ADVERT = 1650


class Report(NamedTuple):
    """One advert: address type, address (6 bytes, as sent: low byte first), RSSI in dBm or 127, payload."""

    addr_type: int
    addr: bytes
    rssi_dbm: int
    data: bytes


class ReportReader:
    """Turns events into reports; joins fragments. `malformed` counts events and fragments that made no sense."""

    def __init__(self) -> None:
        self.malformed = 0
        self._parts: dict[tuple[int, bytes, int], bytes] = {}

    def feed(self, event: bytes) -> Iterator[Report]:
        """Yield the complete reports of one HCI event (code, length, parameters); other events yield none."""
        if len(event) < 3 or event[0] != _LE_META or event[2] not in (_LEGACY, _EXTENDED):
            return
        body = event[3 : 2 + event[1]]
        if len(event) != 2 + event[1] or not body:
            self.malformed += 1
            return
        yield from self._legacy(body) if event[2] == _LEGACY else self._extended(body)

    def finish(self) -> None:
        """The capture is over: a fragment that waits for its rest will not get it."""
        self.malformed += len(self._parts)
        self._parts.clear()

    def _legacy(self, body: bytes) -> Iterator[Report]:
        at = 1
        for _ in range(body[0]):
            head_end = at + _LEGACY_HEAD.size
            if head_end > len(body) or head_end + body[head_end - 1] + 1 > len(body):
                self.malformed += 1
                return
            _, addr_type, addr, length = _LEGACY_HEAD.unpack_from(body, at)
            at = head_end + length + 1
            rssi_dbm = struct.unpack_from("<b", body, at - 1)[0]
            yield Report(addr_type, addr, rssi_dbm, body[head_end : at - 1])

    def _extended(self, body: bytes) -> Iterator[Report]:
        at = 1
        for _ in range(body[0]):
            head_end = at + _EXTENDED_HEAD.size
            if head_end > len(body) or head_end + body[head_end - 1] > len(body):
                self.malformed += 1
                return
            head = _EXTENDED_HEAD.unpack_from(body, at)
            at = head_end + head[-1]
            report = self._join(head, body[head_end:at])
            if report is not None:
                yield report

    def _join(self, head: tuple, data: bytes) -> Report | None:
        event_type, addr_type, addr, _, _, set_id, _, rssi_dbm = head[:8]
        sender = (addr_type, addr, set_id)
        data = self._parts.pop(sender, b"") + data
        status = event_type >> 5 & 3
        if status == _MORE and len(data) <= _LONGEST_ADVERT:
            self._parts[sender] = data
            return None
        if status != _COMPLETE:
            self.malformed += 1
            if status != _CUT:
                return None
        return Report(addr_type, addr, rssi_dbm, data)
