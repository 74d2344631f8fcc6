"""Owns the staged list: its bytes in the partition "lists", its progress, its hash. Must not know radio or matching."""

import struct
from hashlib import sha256

from micropython import const

from emask import keylist, spec

EMPTY = const(0)
STAGING = const(1)
COMPLETE = const(2)  # whole and correct, not yet matched
MATCHED = const(3)

_FORMAT = "<BII24sI"  # LISTINFO: state, serial and issue of the last whole list, header staged, bytes staged
_BYTES = const(37)
_BLOCK = const(4096)
_CHUNK = const(512)
_NO_HEADER = bytes(24)


class ListStage:
    """One list at a time. device: block device of 4,096-byte blocks. store: LogStore, mounted. slot(): store slot."""

    def __init__(self, device, store, slot):
        self._device = device
        self._store = store
        self._slot = slot
        self.state = EMPTY
        self.serial = 0
        self.issued = 0
        self._header = _NO_HEADER
        self.received = 0  # bytes of the offered file that are here
        self.reading = False  # while it is being matched, nothing may overwrite it
        found = store.latest(spec.LISTINFO)
        if found and len(found[1]) == _BYTES:
            self.state, self.serial, self.issued, self._header, self.received = struct.unpack(_FORMAT, found[1])

    def _save(self):
        record = struct.pack(_FORMAT, self.state, self.serial, self.issued, self._header, self.received)
        self._store.append(spec.LISTINFO, self._slot(), record)

    def header(self):
        """The staged list's header, unpacked."""
        return keylist.unpack_header(self._header)

    def _body_bytes(self):
        return keylist.list_size(self.header().count) - spec.LIST_HASH_BYTES

    def offer(self, header):
        """A list is offered, 24 bytes. Returns None if it is wanted, from `received` on, or a LIST_ACK code."""
        try:
            offered = keylist.unpack_header(header)
        except keylist.ListError:
            return spec.LIST_TOO_BIG
        if keylist.list_size(offered.count) > self._device.ioctl(4, 0) * _BLOCK:
            return spec.LIST_TOO_BIG
        if offered.serial <= self.serial:
            return spec.LIST_OLD_SERIAL
        if self.reading:
            return spec.LIST_OUT_OF_ORDER
        if self.state != STAGING or header != self._header:
            self.state = STAGING
            self._header = bytes(header)
            self.received = 0
            self._save()
        return None

    def data(self, offset, chunk):
        """Store the next bytes of the file. Returns None or a LIST_ACK code."""
        if self.state != STAGING or offset != self.received:
            return spec.LIST_OUT_OF_ORDER
        if offset + len(chunk) > self._body_bytes() + spec.LIST_HASH_BYTES:
            return spec.LIST_TOO_BIG
        view = memoryview(chunk)
        while view:
            within = self.received % _BLOCK
            if within == 0:
                self._open_block()
            size = min(len(view), _BLOCK - within)
            self._device.writeblocks(self.received // _BLOCK, view[:size], within)
            self.received += size
            view = view[size:]
        return None

    def _open_block(self):
        # After a reset the transfer goes on at the start of the block that was being written.
        self._device.ioctl(6, self.received // _BLOCK)
        if self.received:
            self._save()

    def finish(self, digest):
        """All bytes are said to be here. Returns a LIST_ACK code; the list counts only on LIST_OK."""
        if self.state != STAGING or self.received < self._body_bytes():
            return spec.LIST_OUT_OF_ORDER
        if self._digest() != digest or self._read(0, spec.LIST_HEADER_BYTES) != self._header:
            self.state = EMPTY
            self._save()
            return spec.LIST_BAD_HASH
        header = self.header()
        self.state, self.serial, self.issued = COMPLETE, header.serial, header.issued_s
        self._save()
        return spec.LIST_OK

    def _digest(self):
        digest = sha256()
        left = self._body_bytes()
        at = 0
        while left:
            size = min(left, _CHUNK)
            digest.update(self._read(at, size))
            at += size
            left -= size
        return digest.digest()

    def _read(self, at, size):
        buf = bytearray(size)
        view = memoryview(buf)
        while view:
            part = min(len(view), _BLOCK - at % _BLOCK)
            self._device.readblocks(at // _BLOCK, view[:part], at % _BLOCK)
            view = view[part:]
            at += part
        return bytes(buf)

    def records(self):
        """Yields the 40 bytes of each record of the whole list."""
        at = spec.LIST_HEADER_BYTES
        for _ in range(self.header().count):
            yield self._read(at, spec.RECORD_BYTES)
            at += spec.RECORD_BYTES

    def matched(self):
        """The whole list has been compared: remember it."""
        self.state = MATCHED
        self._save()
