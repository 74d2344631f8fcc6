# A GATT server as NimBLE keeps it: attributes, values, permissions, answers to ATT requests. Knows no link and no VM.
from __future__ import annotations

import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from tools.bench import att

READ, WRITE_NO_RESPONSE, WRITE, NOTIFY, INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
READ_ENCRYPTED, READ_AUTHENTICATED, READ_AUTHORIZED = 0x0200, 0x0400, 0x0800
WRITE_ENCRYPTED, WRITE_AUTHENTICATED, WRITE_AUTHORIZED = 0x1000, 0x2000, 0x4000
DEFAULT_VALUE_BYTES = 20  # MP_BLUETOOTH_DEFAULT_ATTR_LEN
MAX_SERVICES = 8
_MAX_PREPARED = 64

# A request handler asks its host about a value by yielding ("read" or "write", handle); it is sent an ATT error or 0.
Answer = Generator[tuple[str, int], int, bytes | None]


@dataclass
class Value:
    """What scripts read and write. size: how much a peer may put in; append: a peer's writes add up until read."""

    data: bytes = b""
    size: int = DEFAULT_VALUE_BYTES
    append: bool = False

    def put(self, data: bytes) -> None:
        """A peer's write: what doesn't fit is silently cut off, as in the C code."""
        kept = self.data if self.append else b""
        self.data = (kept + data)[: self.size]


@dataclass
class Attribute:
    """kind: declaration (fixed), stack (its value is the stack's), value (a script's), cccd."""

    handle: int
    uuid: bytes
    kind: str
    flags: int
    fixed: Callable[[], bytes] = lambda: b""
    group_end: int = 0


@dataclass
class Database:
    """All attributes in the order of their handles, from 1 on without a gap."""

    attributes: list[Attribute] = field(default_factory=list)
    values: dict[int, Value] = field(default_factory=dict)

    def get(self, handle: int) -> Attribute | None:
        return self.attributes[handle - 1] if 0 < handle <= len(self.attributes) else None

    def between(self, first: int, last: int) -> list[Attribute]:
        return self.attributes[first - 1 : last] if first else []

    def _add(self, uuid: bytes, kind: str, flags: int, fixed: bytes | Callable[[], bytes] = b"") -> Attribute:
        value = fixed if callable(fixed) else lambda: fixed
        attribute = Attribute(len(self.attributes) + 1, uuid, kind, flags, value)
        self.attributes.append(attribute)
        if kind in ("value", "stack"):
            self.values[attribute.handle] = Value()
        return attribute

    def add_service(self, uuid: bytes) -> Attribute:
        service = self._add(att.PRIMARY_SERVICE, "declaration", READ, uuid)
        service.group_end = service.handle
        return service

    def end_service(self, service: Attribute) -> None:
        service.group_end = len(self.attributes)

    def add_characteristic(self, uuid: bytes, flags: int, fixed: Callable[[], bytes] | None = None) -> int:
        """Declaration, value and, if it can notify or indicate, the CCCD; returns the value's handle."""
        handle = len(self.attributes) + 2
        self._add(att.CHARACTERISTIC, "declaration", READ, struct.pack("<BH", flags & 0xFF, handle) + uuid)
        self._add(uuid, "stack" if fixed else "value", flags, fixed or b"")
        if flags & (NOTIFY | INDICATE):
            self._add(att.CCCD, "cccd", READ | WRITE)
        return handle

    def add_descriptor(self, uuid: bytes, flags: int) -> int:
        return self._add(uuid, "value", flags & (READ | WRITE | WRITE_NO_RESPONSE)).handle


def default_database(name: Callable[[], bytes]) -> Database:
    """GAP and GATT service as NimBLE of ESP-IDF 5 registers them; a script's first service gets handle 14."""
    db = Database()
    gap = db.add_service(b"\x00\x18")
    db.add_characteristic(b"\x00\x2a", READ, name)
    db.add_characteristic(b"\x01\x2a", READ, lambda: b"\x00\x00")
    db.end_service(gap)
    gatt = db.add_service(b"\x01\x18")
    db.add_characteristic(b"\x05\x2a", INDICATE, lambda: b"\x01\x00\xff\xff")
    db.add_characteristic(b"\x3a\x2b", READ, lambda: b"\x00")
    db.add_characteristic(b"\x29\x2b", READ | WRITE, lambda: b"\x00")
    db.end_service(gatt)
    return db


class Server:
    """Answers one client; what that prepared and subscribed to is its own. cccd: attribute handle to bits set."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.cccd: dict[int, int] = {}
        self._prepared: list[tuple[int, int, bytes]] = []

    def answer(self, pdu: bytes, mtu: int) -> Answer:
        """Generator: returns the response PDU, or None for a command."""
        handler = _HANDLERS.get(pdu[0])
        if handler is None:
            return None if pdu[0] & 0x40 else att.error(pdu[0], 0, att.REQUEST_NOT_SUPPORTED)
        try:
            return (yield from handler(self, pdu, mtu))
        except (struct.error, IndexError):
            return att.error(pdu[0], 0, att.INVALID_PDU)

    def _read(self, attribute: Attribute) -> Generator[tuple[str, int], int, tuple[int, bytes]]:
        """(ATT error or 0, value)."""
        flags = attribute.flags
        if not flags & READ:
            return att.READ_NOT_PERMITTED, b""
        if flags & (READ_ENCRYPTED | READ_AUTHENTICATED):
            return att.INSUFFICIENT_AUTHENTICATION, b""
        if flags & READ_AUTHORIZED:
            return att.INSUFFICIENT_AUTHORIZATION, b""
        if attribute.kind == "cccd":
            return 0, struct.pack("<H", self.cccd.get(attribute.handle, 0))
        if attribute.kind != "value":
            return 0, attribute.fixed()
        refused = yield "read", attribute.handle
        return refused, self.db.values[attribute.handle].data

    def _write(self, attribute: Attribute | None, data: bytes) -> Generator[tuple[str, int], int, int]:
        """ATT error or 0."""
        if attribute is None:
            return att.INVALID_HANDLE
        flags = attribute.flags
        if not flags & (WRITE | WRITE_NO_RESPONSE):
            return att.WRITE_NOT_PERMITTED
        if flags & (WRITE_ENCRYPTED | WRITE_AUTHENTICATED):
            return att.INSUFFICIENT_AUTHENTICATION
        if flags & WRITE_AUTHORIZED:
            return att.INSUFFICIENT_AUTHORIZATION
        if len(data) > att.MAX_VALUE:
            return att.INVALID_LENGTH
        if attribute.kind == "cccd":
            return self._subscribe(attribute, data)
        if attribute.kind == "value":
            self.db.values[attribute.handle].put(data)
            yield "write", attribute.handle
        return 0

    def _subscribe(self, cccd: Attribute, data: bytes) -> int:
        if len(data) != 2:
            return att.INVALID_LENGTH
        bits = data[0] | data[1] << 8
        owner = self.db.attributes[cccd.handle - 2].flags
        allowed = (1 if owner & NOTIFY else 0) | (2 if owner & INDICATE else 0)
        if bits & ~allowed:
            return att.REQUEST_NOT_SUPPORTED
        self.cccd[cccd.handle] = bits
        return 0

    # Requests

    def _find_info(self, pdu: bytes, mtu: int) -> Answer:
        first, last = struct.unpack_from("<HH", pdu, 1)
        bad = _bad_range(pdu[0], first, last)
        if bad:
            return bad
        out, size = b"", 0
        for attribute in self.db.between(first, last):
            entry = struct.pack("<H", attribute.handle) + attribute.uuid
            size = size or len(entry)
            if len(entry) != size or 2 + len(out) + size > mtu:
                break
            out += entry
        if not out:
            return att.error(pdu[0], first, att.ATTRIBUTE_NOT_FOUND)
        return struct.pack("BB", att.FIND_INFO_RSP, 1 if size == 4 else 2) + out
        yield  # a generator like the others

    def _find_type_value(self, pdu: bytes, mtu: int) -> Answer:
        first, last, kind = struct.unpack_from("<HHH", pdu, 1)
        bad = _bad_range(pdu[0], first, last)
        if bad:
            return bad
        out = b""
        for attribute in self.db.between(first, last):
            wanted = attribute.uuid == struct.pack("<H", kind) and attribute.fixed() == pdu[7:]
            if wanted and 1 + len(out) + 4 <= mtu:
                out += struct.pack("<HH", attribute.handle, attribute.group_end or attribute.handle)
        if not out:
            return att.error(pdu[0], first, att.ATTRIBUTE_NOT_FOUND)
        return bytes((att.FIND_TYPE_VALUE_RSP,)) + out
        yield

    def _read_type(self, pdu: bytes, mtu: int) -> Answer:
        first, last = struct.unpack_from("<HH", pdu, 1)
        bad = _bad_range(pdu[0], first, last)
        if bad:
            return bad
        out, size = b"", 0
        for attribute in self.db.between(first, last):
            if attribute.uuid != pdu[5:]:
                continue
            refused, value = yield from self._read(attribute)
            if refused:
                if not out:
                    return att.error(pdu[0], attribute.handle, refused)
                break
            entry = struct.pack("<H", attribute.handle) + value[: min(mtu - 4, 253)]
            size = size or len(entry)
            if len(entry) != size or 2 + len(out) + size > mtu:
                break
            out += entry
        if not out:
            return att.error(pdu[0], first, att.ATTRIBUTE_NOT_FOUND)
        return struct.pack("BB", att.READ_TYPE_RSP, size) + out

    def _read_group(self, pdu: bytes, mtu: int) -> Answer:
        first, last = struct.unpack_from("<HH", pdu, 1)
        bad = _bad_range(pdu[0], first, last)
        if bad:
            return bad
        if pdu[5:] != att.PRIMARY_SERVICE:
            return att.error(pdu[0], first, att.UNSUPPORTED_GROUP)
        out, size = b"", 0
        for attribute in self.db.between(first, last):
            if attribute.uuid != att.PRIMARY_SERVICE:
                continue
            entry = struct.pack("<HH", attribute.handle, attribute.group_end) + attribute.fixed()
            size = size or len(entry)
            if len(entry) != size or 2 + len(out) + size > mtu:
                break
            out += entry
        if not out:
            return att.error(pdu[0], first, att.ATTRIBUTE_NOT_FOUND)
        return struct.pack("BB", att.READ_GROUP_RSP, size) + out
        yield

    def _read_one(self, pdu: bytes, mtu: int) -> Answer:
        handle = struct.unpack_from("<H", pdu, 1)[0]
        offset = struct.unpack_from("<H", pdu, 3)[0] if pdu[0] == att.READ_BLOB_REQ else 0
        attribute = self.db.get(handle)
        if attribute is None:
            return att.error(pdu[0], handle, att.INVALID_HANDLE)
        refused, value = yield from self._read(attribute)
        if not refused and offset > len(value):
            refused = att.INVALID_OFFSET
        if refused:
            return att.error(pdu[0], handle, refused)
        return bytes((pdu[0] + 1,)) + value[offset : offset + mtu - 1]

    def _write_one(self, pdu: bytes, mtu: int) -> Answer:
        handle = struct.unpack_from("<H", pdu, 1)[0]
        refused = yield from self._write(self.db.get(handle), pdu[3:])
        if pdu[0] == att.WRITE_CMD:
            return None
        return att.error(pdu[0], handle, refused) if refused else bytes((att.WRITE_RSP,))

    def _prepare(self, pdu: bytes, mtu: int) -> Answer:
        handle, offset = struct.unpack_from("<HH", pdu, 1)
        attribute = self.db.get(handle)
        if attribute is None:
            return att.error(pdu[0], handle, att.INVALID_HANDLE)
        if not attribute.flags & (WRITE | WRITE_NO_RESPONSE):
            return att.error(pdu[0], handle, att.WRITE_NOT_PERMITTED)
        if len(self._prepared) >= _MAX_PREPARED:
            return att.error(pdu[0], handle, att.PREPARE_QUEUE_FULL)
        self._prepared.append((handle, offset, pdu[5:]))
        return bytes((att.PREPARE_RSP,)) + pdu[1:]
        yield

    def _execute(self, pdu: bytes, mtu: int) -> Answer:
        pieces, self._prepared = self._prepared, []
        whole: dict[int, bytes] = {}
        if pdu[1] == 1:
            for handle, offset, data in pieces:
                if offset != len(whole.get(handle, b"")):
                    return att.error(pdu[0], handle, att.INVALID_OFFSET)
                whole[handle] = whole.get(handle, b"") + data
        for handle, data in whole.items():
            refused = yield from self._write(self.db.get(handle), data)
            if refused:
                return att.error(pdu[0], handle, refused)
        return bytes((att.EXECUTE_RSP,))


def _bad_range(request: int, first: int, last: int) -> bytes | None:
    return att.error(request, first, att.INVALID_HANDLE) if first == 0 or first > last else None


_HANDLERS: dict[int, Callable[[Server, bytes, int], Answer]] = {
    att.FIND_INFO_REQ: Server._find_info,
    att.FIND_TYPE_VALUE_REQ: Server._find_type_value,
    att.READ_TYPE_REQ: Server._read_type,
    att.READ_GROUP_REQ: Server._read_group,
    att.READ_REQ: Server._read_one,
    att.READ_BLOB_REQ: Server._read_one,
    att.WRITE_REQ: Server._write_one,
    att.WRITE_CMD: Server._write_one,
    att.PREPARE_REQ: Server._prepare,
    att.EXECUTE_REQ: Server._execute,
}
