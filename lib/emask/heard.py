# Owns the minute in RAM and its way to a sighting (SPEC 3.2). Must not know radio, clock or flash.
from array import array

from emask import sighting, spec

_UNKNOWN = spec.RSSI_UNKNOWN
_NO_TX = spec.TX_UNKNOWN


def _mean(total, levels):
    """Rounded mean of `levels` values in dBm, 127 if there are none. Halves go to the stronger side."""
    if not levels:
        return _UNKNOWN
    return (2 * total + levels) // (2 * levels)


class MinuteTable:
    """What was heard in this minute, one row per identifier; `capacity` rows, allocated once.

    Full: a row gives way to a newcomer that is worth more: first whoever was there in the minute before, then whoever
    was heard more than once, then the stronger. The loser's adverts count in `dropped`.
    """

    def __init__(self, capacity=64):
        self._capacity = capacity
        self._rows = {}
        self._scheme = bytearray(capacity)
        self._count = array("H", bytes(2 * capacity))
        self._levels = array("H", bytes(2 * capacity))
        self._sum = array("i", bytes(4 * capacity))
        self._best = array("b", bytes(capacity))
        self._tx = array("b", bytes(capacity))
        self._before = bytearray(256)  # which identifiers were there in the minute before, a bit of 2,048 each
        self.dropped = 0

    def __len__(self):
        return len(self._rows)

    def add(self, scheme, ident, rssi, tx=None):
        """Count one advert; rssi in dBm (127: heard, level unknown), tx the signed byte sent or None."""
        row = self._rows.get(ident)
        if row is None:
            row = self._new_row(ident, rssi)
            if row is None:
                self.dropped += 1
                return
            self._clear_row(row, scheme, tx)
        if self._count[row] < 0xFFFF:
            self._count[row] += 1
        if rssi == _UNKNOWN or self._levels[row] == 0xFFFF:
            return
        if not self._levels[row] or rssi > self._best[row]:
            self._best[row] = rssi
        self._levels[row] += 1
        self._sum[row] += rssi

    def _clear_row(self, row, scheme, tx):
        self._scheme[row] = scheme
        self._count[row] = self._levels[row] = self._sum[row] = 0
        self._best[row] = _UNKNOWN
        self._tx[row] = _NO_TX if tx is None else tx

    def _new_row(self, ident, rssi):
        row = len(self._rows)
        if row == self._capacity:
            weakest, row = self._weakest()
            worth = self._known(ident), False, -128 if rssi == _UNKNOWN else rssi
            if weakest is None or worth <= self._worth(weakest, row):
                return None
            self.dropped += self._count[row]
            del self._rows[weakest]
        self._rows[ident] = row
        return row

    def _known(self, ident):
        # Whether it was there in the minute before, by 11 bits.
        return bool(self._before[ident[0]] & 1 << (ident[1] & 7))

    def _worth(self, ident, row):
        # What lasts comes before what was heard more than once, and that before what is near.
        return self._known(ident), self._count[row] > 1, self._best[row] if self._levels[row] else -128

    def _weakest(self):
        found = None
        at = 0
        for ident, row in self._rows.items():
            if found is None or self._worth(ident, row) < self._worth(found, at):
                found, at = ident, row
        return found, at

    def drain(self, segment, minute, still=False):
        """Yield the HEARD record (25 bytes) of each row, for this minute of this segment; then start empty.

        still: the own token did not move since the last minute, by its motion sensor.
        """
        for ident, row in self._rows.items():
            mean = _mean(self._sum[row], self._levels[row])
            best = self._best[row]
            count = self._count[row]
            kind, tx = self._scheme[row], self._tx[row]
            yield sighting.pack_minute(kind, ident, segment, minute, count, best, mean, tx, still)
        for at in range(256):
            self._before[at] = 0
        for ident in self._rows:
            self._before[ident[0]] |= 1 << (ident[1] & 7)
        self._rows.clear()


def compact(records):
    """Sightings (32 bytes each) from HEARD records of one slot, one per identifier and span of 16 minutes.

    Records that are none are left out. Repeated records of one minute (after a cut of power) count once.
    """
    merged = {}
    for record in records:
        minute = sighting.unpack_minute(record)
        if minute is None:
            continue
        row = merged.get(minute[1])
        if row is None or row.segment != minute[2] or not 0 <= (minute[3] - row.minute) & 0xFFFF < sighting.SPAN:
            if row is not None:
                yield row.pack(minute[1])
            row = merged[minute[1]] = _Row(minute)
        row.add(minute, sighting.is_still(record))
    for ident, row in merged.items():
        yield row.pack(ident)


class _Row:
    """One sighting in the making."""

    def __init__(self, minute):
        self.scheme, self.segment, self.minute, self.tx = minute[0], minute[2], minute[3], minute[7]
        self.levels = bytearray(8)
        self.count = self.sum = self.known = 0
        self.still = True

    def add(self, minute, still):
        number = minute[3] - self.minute & 0xFFFF
        if sighting.code_at(self.levels, number):
            return
        self.still = self.still and still
        count, strongest, mean = minute[4:7]
        self.levels[number >> 1] |= sighting.level_code(strongest) << 4 * (number & 1)
        self.count += count
        if mean != _UNKNOWN:
            self.sum += mean * count
            self.known += count
        if self.tx == _NO_TX:
            self.tx = minute[7]

    def pack(self, ident):
        mean = _mean(self.sum, self.known)
        heard = (self.segment, self.minute, self.count, mean, self.tx, self.levels)
        return sighting.pack(self.scheme, ident, *heard, self.still)
