"""Owns whole list files on the host: build, read, verify. The bytes of header and record are emask.keylist's."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emask import keylist, spec


class ListFileError(Exception):
    """A list file that is damaged, cut off, too large or of another kind."""


@dataclass(frozen=True)
class ListFile:
    """A verified list: its header fields, and all bytes of the file."""

    header: keylist.Header
    data: bytes

    @property
    def serial(self) -> int:
        return self.header.serial

    @property
    def digest(self) -> bytes:
        return self.data[-spec.LIST_HASH_BYTES :]


def build(header: bytes, records: Sequence[bytes]) -> bytes:
    """Join a packed header and packed records, and close with the SHA-256 of both."""
    body = header + b"".join(records)
    return body + hashlib.sha256(body).digest()


def parse(data: bytes) -> ListFile:
    """Check length, version, hash and count, in that order; raise ListFileError."""
    if len(data) < spec.LIST_HEADER_BYTES + spec.LIST_HASH_BYTES:
        raise ListFileError("too short for a list")
    if len(data) > spec.MAX_LIST_BYTES:
        raise ListFileError(f"{len(data)} bytes, a token takes {spec.MAX_LIST_BYTES}")
    try:
        header = keylist.unpack_header(data[: spec.LIST_HEADER_BYTES])
        keylist.check(header, len(data))
    except keylist.ListError as error:
        raise ListFileError(str(error)) from None
    if hashlib.sha256(data[: -spec.LIST_HASH_BYTES]).digest() != data[-spec.LIST_HASH_BYTES :]:
        raise ListFileError("damaged: the hash does not fit")
    return ListFile(header, data)


def load(path: Path) -> ListFile:
    """Read and check the list at `path`; OSError if it can't be read."""
    return parse(path.read_bytes())
