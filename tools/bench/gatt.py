# A node's GATT: the server that its script fills, the client it drives. Knows attributes and irqs, no radio.
from __future__ import annotations

import errno
import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tools.bench import att, gattc, gattdb
from tools.bench.engine import OpError

if TYPE_CHECKING:
    from tools.bench.gap import Gap
    from tools.bench.link import Link

OP_MTU = 0x44
OP_REGISTER, OP_READ, OP_WRITE, OP_SET_BUFFER, OP_NOTIFY = 0x4C, 0x4D, 0x4E, 0x4F, 0x50
OP_SERVICES, OP_CHARACTERISTICS, OP_DESCRIPTORS = 0x51, 0x52, 0x53
OP_CLIENT_READ, OP_CLIENT_WRITE, OP_EXCHANGE_MTU, OP_HANDLED = 0x54, 0x55, 0x56, 0x57
EV_ASK = 0x42
IRQ_WRITE, IRQ_READ_REQUEST = 3, 4
IRQ_SERVICE, IRQ_SERVICES_DONE, IRQ_CHARACTERISTIC, IRQ_CHARACTERISTICS_DONE = 9, 10, 11, 12
IRQ_DESCRIPTOR, IRQ_DESCRIPTORS_DONE, IRQ_READ_RESULT, IRQ_READ_DONE, IRQ_WRITE_DONE = 13, 14, 15, 16, 17
IRQ_NOTIFY, IRQ_INDICATE, IRQ_INDICATE_DONE, IRQ_MTU = 18, 19, 20, 21

DEFAULT_PREFERRED_MTU = 256  # CONFIG_BT_NIMBLE_ATT_PREFERRED_MTU
MAX_MTU = 527  # BLE_ATT_MTU_MAX
_APP_ERROR = -9  # minus BLE_HS_EAPP: no value to send
_E2BIG = 7
_CONFIRM_US = 30_000_000
_MAX_WAITING = 12  # PDUs that NimBLE's buffers hold before it says ENOMEM (CONFIG_BT_NIMBLE_MSYS_1_BLOCK_COUNT)


class Peer:
    """One connection: what its client may see, what we ask it."""

    def __init__(self, handle: int, link: Link, server: gattdb.Server, client: gattc.Client) -> None:
        self.handle, self.link, self.server, self.client = handle, link, server, client
        self.mtu_asked = False
        self.indicating = 0  # value handle of the indication that is not confirmed
        self.to_indicate: deque[int] = deque()


class Asked(NamedTuple):
    """A request that waits for the script's handler."""

    peer: Peer
    request: bytes
    answer: gattdb.Answer


class Gatt:
    """Requests from the air are served one at a time: as with synchronous events, the next waits for the handler."""

    def __init__(self, gap: Gap) -> None:
        self._gap, self._engine = gap, gap.engine
        self._peers: dict[int, Peer] = {}
        self._incoming: deque[tuple[Peer, bytes]] = deque()
        self._asked: Asked | None = None
        self._discovering = False
        self.reset()
        ops: dict[int, Callable[[bytes], bytes | None]] = {
            OP_MTU: self._mtu,
            OP_REGISTER: self._register,
            OP_READ: self._read,
            OP_WRITE: self._write,
            OP_SET_BUFFER: self._set_buffer,
            OP_NOTIFY: self._update,
            OP_SERVICES: self._services,
            OP_CHARACTERISTICS: self._characteristics,
            OP_DESCRIPTORS: self._descriptors,
            OP_CLIENT_READ: self._client_read,
            OP_CLIENT_WRITE: self._client_write,
            OP_EXCHANGE_MTU: self._exchange_mtu,
            OP_HANDLED: self._handled,
        }
        gap.node.ops.update(ops)

    def reset(self) -> None:
        for peer in self._peers.values():
            peer.client.close()
        self._peers.clear()
        self._incoming.clear()
        self._asked = None
        self._discovering = False
        self._preferred_mtu = DEFAULT_PREFERRED_MTU
        self.db = gattdb.default_database(lambda: self._gap.device_name)

    # Links

    def opened(self, handle: int, link: Link) -> None:
        client = gattc.Client(self._gap.name, self._engine, lambda pdu: self._send(peer, pdu), lambda: self._lost(link))
        peer = Peer(handle, link, gattdb.Server(self.db), client)
        self._peers[handle] = peer

    def closed(self, handle: int) -> None:
        peer = self._peers.pop(handle)
        peer.client.close()
        if peer.indicating:
            self._irq(IRQ_INDICATE_DONE, "<HHH", handle, peer.indicating, gattc.NOT_CONNECTED)

    def _lost(self, link: Link) -> None:
        link.terminate(self._gap)

    def _send(self, peer: Peer, pdu: bytes) -> None:
        self._log(peer, "out", pdu)
        peer.link.send(self._gap, pdu)

    def received(self, handle: int, pdu: bytes) -> None:
        self._incoming.append((self._peers[handle], pdu))
        self._work()

    def _work(self) -> None:
        while self._incoming and self._asked is None:
            peer, pdu = self._incoming.popleft()
            if self._peers.get(peer.handle) is not peer or not pdu:
                continue
            self._log(peer, "in", pdu)
            if pdu[0] == att.CONFIRM:
                self._confirmed(peer, gattc.OK)
            elif pdu[0] == att.MTU_REQ and len(pdu) >= 3:
                self._mtu_asked(peer, struct.unpack_from("<H", pdu, 1)[0])
            elif att.for_server(pdu):
                self._step(Asked(peer, pdu, peer.server.answer(pdu, peer.link.mtu)), None)
            elif pdu[0] in (att.NOTIFY, att.INDICATE):
                self._told(peer, pdu)
            else:
                peer.client.response(pdu)

    def _log(self, peer: Peer, way: str, pdu: bytes) -> None:
        kind = att.KINDS.get(pdu[0])
        if kind and self._engine.log.full:
            self._engine.log.event("gatt", self._gap.name, way=way, op=kind, bytes=len(pdu))

    def _irq(self, event: int, layout: str, *values: int, tail: bytes = b"") -> None:
        self._gap.irq(event, struct.pack(layout, *values) + tail)

    def _need_buffer(self, peer: Peer) -> None:
        if len(peer.link.end_of(self._gap).queue) >= _MAX_WAITING:
            raise OpError(errno.ENOMEM)

    def _peer(self, handle: int) -> Peer:
        self._gap.link(handle)
        return self._peers[handle]

    # Server: requests from the air

    def _step(self, asked: Asked, verdict: int | None) -> None:
        """Go on with a request until it asks the script or is answered."""
        try:
            what, handle = asked.answer.send(verdict)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as stop:
            if stop.value is not None and self._peers.get(asked.peer.handle) is asked.peer:
                self._send(asked.peer, stop.value)
            return
        self._asked = asked
        event = IRQ_WRITE if what == "write" else IRQ_READ_REQUEST
        self._gap.node.post(EV_ASK, struct.pack("<BHH", event, asked.peer.handle, handle))

    def _handled(self, payload: bytes) -> None:
        asked, self._asked = self._asked, None
        if asked:
            self._step(asked, payload[0])
        self._work()

    def _mtu_asked(self, peer: Peer, theirs: int) -> None:
        self._send(peer, struct.pack("<BH", att.MTU_RSP, self._preferred_mtu))
        self._mtu_agreed(peer, max(att.DEFAULT_MTU, min(theirs, self._preferred_mtu)))

    def _mtu_agreed(self, peer: Peer, mtu: int) -> None:
        peer.link.mtu = mtu
        self._irq(IRQ_MTU, "<HH", peer.handle, mtu)

    # Server: the script's side

    def _register(self, payload: bytes) -> bytes:
        """S uuid, C uuid flags, D uuid flags ...; answers the handles of values and descriptors in this order."""
        gap = self._gap
        if gap.radio.adv is not None or gap.radio.scanning is not None or gap.links:
            raise OpError(errno.EBUSY)
        self.db = gattdb.default_database(lambda: gap.device_name)
        handles: list[int] = []
        service = None
        services = at = 0
        while at < len(payload):
            kind, size = payload[at : at + 1], payload[at + 1]
            uuid = payload[at + 2 : at + 2 + size]
            at += 2 + size
            if kind == b"S":
                services += 1
                if services > gattdb.MAX_SERVICES:
                    raise OpError(_E2BIG)
                service = self.db.add_service(uuid)
                continue
            flags = struct.unpack_from("<H", payload, at)[0]
            at += 2
            add = self.db.add_characteristic if kind == b"C" else self.db.add_descriptor
            handles.append(add(uuid, flags))
            if service:
                self.db.end_service(service)
        return struct.pack(f"<{len(handles)}H", *handles)

    def _read(self, payload: bytes) -> bytes:
        value = self.db.values.get(struct.unpack("<H", payload)[0])
        if value is None:
            return b""
        data = value.data
        if value.append:
            value.data = b""
        return data

    def _write(self, payload: bytes) -> None:
        handle, send_update = struct.unpack_from("<HB", payload)
        value = self._value(handle)
        value.data = payload[3:]
        value.size = max(value.size, len(value.data))
        if send_update:
            self._tell_subscribers(handle)

    def _value(self, handle: int) -> gattdb.Value:
        if handle not in self.db.values:
            raise OpError(errno.EINVAL)
        return self.db.values[handle]

    def _set_buffer(self, payload: bytes) -> None:
        handle, size, append = struct.unpack("<HHB", payload)
        value = self._value(handle)
        value.data, value.size, value.append = b"", size, bool(append)

    def _tell_subscribers(self, handle: int) -> None:
        for peer in list(self._peers.values()):
            bits = peer.server.cccd.get(handle + 1, 0)
            if bits & 1:
                self._send(peer, struct.pack("<BH", att.NOTIFY, handle) + self.db.values[handle].data)
            elif bits & 2:
                peer.to_indicate.append(handle)
                self._indicate_next(peer)

    def _update(self, payload: bytes) -> None:
        """gatts_notify and gatts_indicate: whether the peer has subscribed plays no part, as in NimBLE."""
        conn_handle, handle, kind, own_data = struct.unpack_from("<HHBB", payload)
        peer = self._peer(conn_handle)
        self._need_buffer(peer)
        if own_data:
            data = payload[6:]
        elif handle in self.db.values:
            data = self.db.values[handle].data
        else:
            raise OpError(_APP_ERROR)
        if kind == 1:
            self._send(peer, struct.pack("<BH", att.NOTIFY, handle) + data)
            return
        if peer.indicating:
            raise OpError(errno.EBUSY)
        self._indicate(peer, handle, data)

    def _indicate(self, peer: Peer, handle: int, data: bytes) -> None:
        peer.indicating = handle
        self._send(peer, struct.pack("<BH", att.INDICATE, handle) + data)
        self._engine.at(self._gap.name, self._engine.now_us + _CONFIRM_US, self._unconfirmed, peer, handle)

    def _indicate_next(self, peer: Peer) -> None:
        if peer.to_indicate and not peer.indicating:
            handle = peer.to_indicate.popleft()
            self._indicate(peer, handle, self.db.values[handle].data)

    def _confirmed(self, peer: Peer, status: int) -> None:
        handle, peer.indicating = peer.indicating, 0
        if handle:
            self._irq(IRQ_INDICATE_DONE, "<HHH", peer.handle, handle, status)
            self._indicate_next(peer)

    def _unconfirmed(self, peer: Peer, handle: int) -> None:
        if peer.indicating == handle and self._peers.get(peer.handle) is peer:
            self._confirmed(peer, gattc.TIMED_OUT)
            self._lost(peer.link)

    # Client

    def _told(self, peer: Peer, pdu: bytes) -> None:
        if len(pdu) < 3:
            return
        handle = struct.unpack_from("<H", pdu, 1)[0]
        event = IRQ_NOTIFY if pdu[0] == att.NOTIFY else IRQ_INDICATE
        self._irq(event, "<HH", peer.handle, handle, tail=pdu[3:])
        if pdu[0] == att.INDICATE:
            self._send(peer, bytes((att.CONFIRM,)))

    def _run(self, peer: Peer, procedure: gattc.Procedure, done: Callable[[int], None]) -> None:
        if peer.client.full:
            raise OpError(errno.ENOMEM)
        peer.client.run(procedure, done)

    def _services(self, payload: bytes) -> None:
        peer = self._peer(struct.unpack_from("<H", payload)[0])
        uuid = payload[2:]

        def emit(first: int, last: int, found: bytes) -> None:
            self._irq(IRQ_SERVICE, "<HHH", peer.handle, first, last, tail=found)

        procedure = gattc.services_by_uuid(uuid, emit) if uuid else gattc.services(emit)
        self._run(peer, procedure, lambda status: self._irq(IRQ_SERVICES_DONE, "<HH", peer.handle, status))

    def _range(self, payload: bytes) -> tuple[Peer, int, int]:
        conn_handle, first, last = struct.unpack_from("<HHH", payload)
        peer = self._peer(conn_handle)
        if not 0 < first <= last:
            raise OpError(errno.EINVAL)
        return peer, first, last

    def _characteristics(self, payload: bytes) -> None:
        if self._discovering:
            raise OpError(errno.EBUSY)
        peer, first, last = self._range(payload)

        def emit(end: int, value: int, properties: int, uuid: bytes) -> None:
            self._irq(IRQ_CHARACTERISTIC, "<HHHB", peer.handle, end, value, properties, tail=uuid)

        def done(status: int) -> None:
            self._discovering = False
            self._irq(IRQ_CHARACTERISTICS_DONE, "<HH", peer.handle, status)

        self._run(peer, gattc.characteristics(first, last, payload[6:] or None, emit), done)
        self._discovering = True

    def _descriptors(self, payload: bytes) -> None:
        peer, first, last = self._range(payload)
        if first == last:
            raise OpError(errno.EINVAL)

        def emit(handle: int, uuid: bytes) -> None:
            self._irq(IRQ_DESCRIPTOR, "<HH", peer.handle, handle, tail=uuid)

        procedure = gattc.descriptors(first, last, emit)
        self._run(peer, procedure, lambda status: self._irq(IRQ_DESCRIPTORS_DONE, "<HH", peer.handle, status))

    def _client_read(self, payload: bytes) -> None:
        conn_handle, handle = struct.unpack("<HH", payload)
        peer = self._peer(conn_handle)

        def emit(data: bytes) -> None:
            self._irq(IRQ_READ_RESULT, "<HH", peer.handle, handle, tail=data)

        def done(status: int) -> None:
            self._irq(IRQ_READ_DONE, "<HHH", peer.handle, handle, status)

        self._run(peer, gattc.read(handle, emit), done)

    def _client_write(self, payload: bytes) -> None:
        conn_handle, handle, response = struct.unpack_from("<HHB", payload)
        peer = self._peer(conn_handle)
        data = payload[5 : 5 + peer.link.mtu - 3]
        if not response:
            self._need_buffer(peer)
            self._send(peer, struct.pack("<BH", att.WRITE_CMD, handle) + data)
            return

        def done(status: int) -> None:
            self._irq(IRQ_WRITE_DONE, "<HHH", peer.handle, handle, status)

        self._run(peer, gattc.write(handle, data), done)

    def _exchange_mtu(self, payload: bytes) -> None:
        peer = self._peer(struct.unpack("<H", payload)[0])
        if peer.mtu_asked:
            raise OpError(errno.EALREADY)
        procedure = gattc.exchange_mtu(self._preferred_mtu, lambda mtu: self._mtu_agreed(peer, mtu))
        self._run(peer, procedure, lambda status: None)
        peer.mtu_asked = True

    def _mtu(self, payload: bytes) -> bytes:
        """A new preferred MTU, or b"" to ask."""
        if payload:
            mtu = struct.unpack("<H", payload)[0]
            if not att.DEFAULT_MTU <= mtu <= MAX_MTU:
                raise OpError(errno.EINVAL)
            self._preferred_mtu = mtu
        return struct.pack("<H", self._preferred_mtu)
