"""Owns the btsnoop file format: a file into HCI events. Knows nothing of what the events mean.

Format: 16 bytes of header, then per packet 24 bytes of header and the packet; integers big endian.
Source: RFC 1761 (snoop), its Bluetooth variant as written by Android and by BlueZ.
"""

import struct
from collections.abc import Iterator

_MAGIC = b"btsnoop\0"
_HEADER = struct.Struct(">8sII")
_RECORD = struct.Struct(">IIIIq")
_LONGEST_PACKET = 65_549  # an ACL packet and its indicator, with room for the largest length field

_HCI_UNENCAPSULATED = 1001
_HCI_UART = 1002
_BLUEZ_MONITOR = 2001
_UART_EVENT = 4
_MONITOR_EVENT = 3
_FLAG_RECEIVED = 1
_FLAG_COMMAND_OR_EVENT = 2


class CaptureError(Exception):
    """Not a btsnoop file, one of a kind that is not read here, or one that ends in the middle."""


def events(data: bytes) -> Iterator[bytes]:
    """Yield the HCI events of a capture, each from its event code on; raise CaptureError as soon as it breaks."""
    link = _link(data)
    at = _HEADER.size
    number = 0
    while at < len(data):
        number += 1
        if at + _RECORD.size > len(data):
            raise CaptureError(f"truncated: the file ends in the header of packet {number}")
        _, length, flags, _, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if length > _LONGEST_PACKET:
            raise CaptureError(f"damaged: packet {number} claims {length} bytes")
        if at + length > len(data):
            raise CaptureError(f"truncated: the file ends in packet {number}")
        event = _event(link, flags, data[at : at + length])
        if event is not None:
            yield event
        at += length


def _link(data: bytes) -> int:
    if data[: len(_MAGIC)] != _MAGIC:
        raise CaptureError("not a btsnoop file")
    if len(data) < _HEADER.size:
        raise CaptureError("truncated: the file ends in its header")
    _, version, link = _HEADER.unpack_from(data)
    if version != 1:
        raise CaptureError(f"btsnoop version {version} is not known")
    if link not in (_HCI_UNENCAPSULATED, _HCI_UART, _BLUEZ_MONITOR):
        raise CaptureError(f"link type {link} is not HCI")
    return link


def _event(link: int, flags: int, packet: bytes) -> bytes | None:
    if link == _HCI_UART:
        return packet[1:] if packet[:1] == bytes([_UART_EVENT]) else None
    if link == _BLUEZ_MONITOR:
        return packet if flags & 0xFFFF == _MONITOR_EVENT else None
    return packet if flags & 3 == _FLAG_RECEIVED | _FLAG_COMMAND_OR_EVENT else None
