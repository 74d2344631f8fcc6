# ATT PDUs as bytes (Core 5.4, vol 3, part F): opcodes, errors, what both ends pack and unpack. Knows no link.
from __future__ import annotations

import struct

ERROR_RSP, MTU_REQ, MTU_RSP = 0x01, 0x02, 0x03
FIND_INFO_REQ, FIND_INFO_RSP, FIND_TYPE_VALUE_REQ, FIND_TYPE_VALUE_RSP = 0x04, 0x05, 0x06, 0x07
READ_TYPE_REQ, READ_TYPE_RSP, READ_REQ, READ_RSP, READ_BLOB_REQ, READ_BLOB_RSP = 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D
READ_GROUP_REQ, READ_GROUP_RSP, WRITE_REQ, WRITE_RSP = 0x10, 0x11, 0x12, 0x13
PREPARE_REQ, PREPARE_RSP, EXECUTE_REQ, EXECUTE_RSP = 0x16, 0x17, 0x18, 0x19
NOTIFY, INDICATE, CONFIRM, WRITE_CMD = 0x1B, 0x1D, 0x1E, 0x52

INVALID_HANDLE, READ_NOT_PERMITTED, WRITE_NOT_PERMITTED, INVALID_PDU = 0x01, 0x02, 0x03, 0x04
INSUFFICIENT_AUTHENTICATION, REQUEST_NOT_SUPPORTED, INVALID_OFFSET, INSUFFICIENT_AUTHORIZATION = 0x05, 0x06, 0x07, 0x08
PREPARE_QUEUE_FULL, ATTRIBUTE_NOT_FOUND, INVALID_LENGTH, UNSUPPORTED_GROUP = 0x09, 0x0A, 0x0D, 0x10

DEFAULT_MTU = 23
MAX_VALUE = 512
PRIMARY_SERVICE, CHARACTERISTIC, CCCD = b"\x00\x28", b"\x03\x28", b"\x02\x29"

_FOR_CLIENT = frozenset((*range(ERROR_RSP, EXECUTE_RSP + 1, 2), NOTIFY, INDICATE))
KINDS = {
    MTU_REQ: "mtu",
    FIND_INFO_REQ: "find info",
    FIND_TYPE_VALUE_REQ: "find service",
    READ_TYPE_REQ: "read by type",
    READ_REQ: "read",
    READ_BLOB_REQ: "read blob",
    READ_GROUP_REQ: "read services",
    WRITE_REQ: "write",
    PREPARE_REQ: "prepare",
    EXECUTE_REQ: "execute",
    NOTIFY: "notify",
    INDICATE: "indicate",
    CONFIRM: "confirm",
    WRITE_CMD: "write command",
}


def for_server(pdu: bytes) -> bool:
    """True if this PDU is for the server of the receiving end (requests, commands), False if for its client."""
    return pdu[0] not in _FOR_CLIENT


def error(request: int, handle: int, code: int) -> bytes:
    return struct.pack("<BBHB", ERROR_RSP, request, handle, code)


def unpack_error(pdu: bytes) -> tuple[int, int, int]:
    """(request opcode, handle, code); a short one counts as an invalid PDU."""
    if len(pdu) < 5:
        return 0, 0, INVALID_PDU
    request, handle, code = struct.unpack_from("<BHB", pdu, 1)
    return request, handle, code


def entries(pdu: bytes) -> list[bytes]:
    """The equal-sized entries of a READ_TYPE_RSP or READ_GROUP_RSP, without its length byte."""
    size = pdu[1] if len(pdu) > 1 else 0
    if size < 2:
        return []
    body = pdu[2:]
    return [body[at : at + size] for at in range(0, len(body) - size + 1, size)]


def uuid_text(uuid: bytes) -> str:
    """Little endian UUID of 2 or 16 bytes as the 128-bit text bleak uses."""
    if len(uuid) == 2:
        return f"0000{uuid[1]:02x}{uuid[0]:02x}-0000-1000-8000-00805f9b34fb"
    digits = uuid[::-1].hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
