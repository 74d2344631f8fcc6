# A GATT client: procedures as generators of ATT requests, with NimBLE's status codes. Knows no VM, no asyncio.
from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from tools.bench import att

if TYPE_CHECKING:
    from tools.bench.engine import Engine, Timer

# NimBLE host codes as irq data carries them; an ATT error is ATT_BASE plus its code.
OK, NOT_CONNECTED, BAD_DATA, TIMED_OUT = 0, 7, 10, 13
ATT_BASE = 0x100
_TRANSACTION_S = 30
_MAX_PROCEDURES = 4  # BLE_GATT_MAX_PROCS

# Yields a request, is sent the response, returns a status. Results go out through the `emit` it was made with.
Procedure = Generator[bytes, bytes, int]
Emit = Callable[..., None]


class Client:
    """Runs procedures over send(pdu). lost() is called when a transaction has timed out: the link is useless then."""

    def __init__(self, owner: str, engine: Engine, send: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._owner, self._engine, self._send, self._lost = owner, engine, send, lost
        self._running: deque[tuple[Procedure, Callable[[int], None]]] = deque()
        self._timer: Timer | None = None

    @property
    def full(self) -> bool:
        return len(self._running) >= _MAX_PROCEDURES

    def run(self, procedure: Procedure, done: Callable[[int], None]) -> None:
        """Start a procedure, or queue it behind those that run; done(status) ends it."""
        self._running.append((procedure, done))
        if len(self._running) == 1:
            self._advance(None)

    def response(self, pdu: bytes) -> None:
        if self._running:
            self._advance(pdu)

    def close(self) -> None:
        """The link is down: everything that runs fails."""
        self._stop_timer()
        running, self._running = self._running, deque()
        for procedure, done in running:
            procedure.close()
            done(NOT_CONNECTED)

    def _advance(self, pdu: bytes | None) -> None:
        self._stop_timer()
        procedure, done = self._running[0]
        try:
            request = procedure.send(pdu)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as stop:
            return self._finish(done, stop.value)
        except (struct.error, IndexError):
            return self._finish(done, BAD_DATA)
        self._timer = self._engine.at(self._owner, self._engine.now_us + _TRANSACTION_S * 1_000_000, self._timeout)
        self._send(request)
        return None

    def _finish(self, done: Callable[[int], None], status: int) -> None:
        self._running.popleft()
        done(status)
        if self._running:
            self._advance(None)

    def _timeout(self) -> None:
        self._timer = None
        running, self._running = self._running, deque()
        for procedure, done in running:
            procedure.close()
            done(TIMED_OUT)
        self._lost()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _status(pdu: bytes) -> int:
    """Status of a response that is an error."""
    return ATT_BASE + att.unpack_error(pdu)[2]


def _ended(pdu: bytes) -> int:
    """A search ends well with Attribute Not Found."""
    code = att.unpack_error(pdu)[2]
    return OK if code == att.ATTRIBUTE_NOT_FOUND else ATT_BASE + code


def services(emit: Emit) -> Procedure:
    """emit(first handle, last handle, uuid) for every primary service."""
    first = 1
    while first <= 0xFFFF:
        pdu = yield struct.pack("<BHH", att.READ_GROUP_REQ, first, 0xFFFF) + att.PRIMARY_SERVICE
        if pdu[0] != att.READ_GROUP_RSP:
            return _ended(pdu)
        found = att.entries(pdu)
        if not found:
            return BAD_DATA
        for entry in found:
            start, end = struct.unpack_from("<HH", entry)
            emit(start, end, entry[4:])
            first = end + 1
    return OK


def services_by_uuid(uuid: bytes, emit: Emit) -> Procedure:
    """emit(first handle, last handle, uuid) for every primary service of this UUID."""
    first = 1
    while first <= 0xFFFF:
        pdu = yield struct.pack("<BHH", att.FIND_TYPE_VALUE_REQ, first, 0xFFFF) + att.PRIMARY_SERVICE + uuid
        if pdu[0] != att.FIND_TYPE_VALUE_RSP:
            return _ended(pdu)
        for at in range(1, len(pdu) - 3, 4):
            start, end = struct.unpack_from("<HH", pdu, at)
            emit(start, end, uuid)
            first = end + 1
    return OK


def characteristics(first: int, last: int, uuid: bytes | None, emit: Emit) -> Procedure:
    """emit(end handle, value handle, properties, uuid). Each result waits for the next: only then is its end known."""
    waiting: tuple[int, int, bytes] | None = None
    status = OK
    while first <= last:
        pdu = yield struct.pack("<BHH", att.READ_TYPE_REQ, first, last) + att.CHARACTERISTIC
        if pdu[0] != att.READ_TYPE_RSP:
            status = _ended(pdu)
            break
        for entry in att.entries(pdu):
            declared, properties, value = struct.unpack_from("<HBH", entry)
            if waiting:
                emit(declared - 1, *waiting)
            waiting = (value, properties, entry[5:]) if uuid is None or entry[5:] == uuid else None
            first = declared + 1
    if waiting:
        emit(last, *waiting)
    return status


def descriptors(first: int, last: int, emit: Emit) -> Procedure:
    """emit(handle, uuid) for every attribute after `first`, as NimBLE does: `first` is the characteristic's value."""
    first += 1
    while first <= last:
        pdu = yield struct.pack("<BHH", att.FIND_INFO_REQ, first, last)
        if pdu[0] != att.FIND_INFO_RSP:
            return _ended(pdu)
        size = 4 if pdu[1] == 1 else 18
        for at in range(2, len(pdu) - size + 1, size):
            first = struct.unpack_from("<H", pdu, at)[0]
            emit(first, pdu[at + 2 : at + size])
        first += 1
    return OK


def read(handle: int, emit: Emit) -> Procedure:
    """emit(value), as much as one response holds."""
    pdu = yield struct.pack("<BH", att.READ_REQ, handle)
    if pdu[0] != att.READ_RSP:
        return _status(pdu)
    emit(pdu[1:])
    return OK


def read_long(handle: int, mtu: Callable[[], int], emit: Emit) -> Procedure:
    """emit(value), read in pieces to its end."""
    pdu = yield struct.pack("<BH", att.READ_REQ, handle)
    value = b""
    while pdu[0] in (att.READ_RSP, att.READ_BLOB_RSP):
        value += pdu[1:]
        if len(pdu) < mtu() or len(value) >= att.MAX_VALUE:
            emit(value)
            return OK
        pdu = yield struct.pack("<BHH", att.READ_BLOB_REQ, handle, len(value))
    return _status(pdu)


def write(handle: int, data: bytes) -> Procedure:
    pdu = yield struct.pack("<BH", att.WRITE_REQ, handle) + data
    return OK if pdu[0] == att.WRITE_RSP else _status(pdu)


def write_long(handle: int, data: bytes, mtu: int) -> Procedure:
    """Prepare and execute: values beyond mtu - 3 bytes."""
    piece = mtu - 5
    for offset in range(0, len(data), piece):
        pdu = yield struct.pack("<BHH", att.PREPARE_REQ, handle, offset) + data[offset : offset + piece]
        if pdu[0] != att.PREPARE_RSP:
            status = _status(pdu)
            yield bytes((att.EXECUTE_REQ, 0))
            return status
    pdu = yield bytes((att.EXECUTE_REQ, 1))
    return OK if pdu[0] == att.EXECUTE_RSP else _status(pdu)


def exchange_mtu(own_mtu: int, agreed: Callable[[int], Any]) -> Procedure:
    """agreed(the smaller of both) on success."""
    pdu = yield struct.pack("<BH", att.MTU_REQ, own_mtu)
    if pdu[0] != att.MTU_RSP:
        return _status(pdu)
    agreed(max(att.DEFAULT_MTU, min(own_mtu, struct.unpack_from("<H", pdu, 1)[0])))
    return OK
