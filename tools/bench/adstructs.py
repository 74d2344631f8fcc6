# What a device has advertised so far, field by field, as a desktop stack shows it. Knows no radio and no scheme.
from __future__ import annotations

import struct
from collections.abc import Iterator

from tools.bench.att import uuid_text

_UUIDS = {0x02: 2, 0x03: 2, 0x06: 16, 0x07: 16}
_SHORT_NAME, _NAME, _TX_POWER, _DATA_16, _DATA_128, _MANUFACTURER = 0x08, 0x09, 0x0A, 0x16, 0x21, 0xFF


class Advertised:
    """Merged fields of advert and scan response. Malformed rests are ignored."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.uuids: list[str] = []
        self.manufacturer: dict[int, bytes] = {}
        self.service_data: dict[str, bytes] = {}
        self.tx_power: int | None = None

    def take(self, payload: bytes, *, is_response: bool) -> None:
        """A new advert; its lists of services replace the old ones, those of a response add to them."""
        fields = list(structures(payload))
        if not is_response and any(kind in _UUIDS for kind, _ in fields):
            self.uuids = []
        for kind, data in fields:
            self._field(kind, data)

    def _field(self, kind: int, data: bytes) -> None:
        if kind in _UUIDS:
            size = _UUIDS[kind]
            for at in range(0, len(data) - size + 1, size):
                uuid = uuid_text(data[at : at + size])
                if uuid not in self.uuids:
                    self.uuids.append(uuid)
        elif kind == _NAME or (kind == _SHORT_NAME and self.name is None):
            self.name = data.decode("utf-8", "replace")
        elif kind == _TX_POWER and len(data) == 1:
            self.tx_power = struct.unpack("b", data)[0]
        elif kind == _DATA_16 and len(data) >= 2:
            self.service_data[uuid_text(data[:2])] = data[2:]
        elif kind == _DATA_128 and len(data) >= 16:
            self.service_data[uuid_text(data[:16])] = data[16:]
        elif kind == _MANUFACTURER and len(data) >= 2:
            self.manufacturer[data[0] | data[1] << 8] = data[2:]


def structures(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """(AD type, data) up to the first zero length or overrun."""
    at = 0
    while at + 1 < len(payload) and 0 < payload[at] <= len(payload) - at - 1:
        end = at + 1 + payload[at]
        yield payload[at + 1], payload[at + 2 : end]
        at = end
