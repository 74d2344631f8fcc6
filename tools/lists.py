"""Owns whole list files on the host: build, read, verify. Their bytes are emask.manifest's."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emask import keylist, manifest, signed, spec
from tools import signing, wire

INDEX = "index.json"  # on a site, what its lists are
INDEX_FORMAT = "emask-lists/1"
SMALLEST_BYTES = spec.BLOCK_BYTES  # a list of no record
LARGEST_BYTES = spec.BLOCK_BYTES * 100  # 99 chunks, and the manifest
KINDS = {"f0": spec.F0_LIST, "f1": spec.F1_LIST}  # of the ill; of contacts whom such a list warned


class ListFileError(Exception):
    """A list file that is damaged, cut off, too large, not signed or of another kind."""


@dataclass(frozen=True)
class ListFile:
    """A checked list: its manifest, and all bytes of the file."""

    header: manifest.Manifest
    data: bytes

    @property
    def serial(self) -> int:
        return self.header.serial

    @property
    def ends(self) -> bool:
        """Whether it says that the programme is over."""
        return bool(self.header.flags & spec.LIST_END)

    @property
    def line(self) -> tuple[int, int, int]:
        """Kind, region and scheme: a newer list takes the place of older ones of the same line only."""
        return self.header.kind, self.header.region, self.header.scheme

    @property
    def name(self) -> str:
        """A file name that sorts by serial."""
        return f"list-{self.header.region}-{self.serial:010d}-{self.header.base:010d}.eml"

    def content_end(self, block: int) -> int:
        """Where in the file the content of a block ends: block 0 is not full."""
        return spec.BLOCK_BYTES * (block + 1) if block else manifest.unpack_lead(self.data)[1]

    def records(self) -> list[bytes]:
        at = [manifest.record_at(number) for number in range(self.header.count)]
        return [self.data[place : place + spec.RECORD_BYTES] for place in at]


@dataclass(frozen=True)
class Terms:
    """What a list says beside its records. base: it holds what is new since that serial; 0: everything.
    ends: the programme is over.
    """

    region: int
    serial: int
    issued_s: int
    scheme: int
    rule: bytes
    base: int = 0
    revoked: Sequence[int] = ()
    withdrawn: Sequence[bytes] = ()
    kind: int = spec.F0_LIST
    ends: bool = False


def build(terms: Terms, records: Sequence[bytes], certificate: bytes, key: Ed25519PrivateKey) -> bytes:
    """The bytes of a list file; keylist.ListError if the records do not fit."""
    chunks = _chunks(records)
    proven = signing.sign(key, _manifest(terms, len(records), chunks))
    first = wire.pack_lead(len(proven), certificate) + proven
    return b"".join([first.ljust(spec.BLOCK_BYTES, b"\0"), *chunks])


def manifest_of(terms: Terms, records: Sequence[bytes]) -> bytes:
    """What is signed of a list, with the hash of all records in it; keylist.ListError if they do not fit."""
    return _manifest(terms, len(records), _chunks(records))


def _manifest(terms: Terms, count: int, chunks: list[bytes]) -> bytes:
    return wire.pack_manifest(
        signed.Head(terms.kind, terms.region, terms.serial),
        terms.issued_s,
        terms.base,
        count,
        terms.scheme,
        terms.rule,
        terms.revoked,
        terms.withdrawn,
        [hashlib.sha256(chunk).digest() for chunk in chunks],
        spec.LIST_END if terms.ends else 0,
    )


def signed_part(found: ListFile) -> bytes:
    """The manifest of a list file, but for its signature."""
    return manifest.block(found.data)[1][: -spec.SIGNATURE_BYTES]


def _chunks(records: Sequence[bytes]) -> list[bytes]:
    size = manifest.RECORDS_PER_CHUNK
    parts = [b"".join(records[size * n : size * n + size]) for n in range(manifest.chunks_for(len(records)))]
    return [part.ljust(spec.BLOCK_BYTES, b"\0") for part in parts]


def parse(data: bytes, root: bytes | None = None) -> ListFile:
    """Check form, hashes and, if `root` is given, the signatures up to it; raise ListFileError."""
    try:
        certificate, content = manifest.block(data[: spec.BLOCK_BYTES])
        header = manifest.unpack(content)
        if root is not None:
            key = signing.check_certificate(certificate, root, spec.LIST_KEY)
            signing.check(content, key.key)
    except (keylist.ListError, signed.SignedError) as error:
        raise ListFileError(str(error)) from None
    if len(data) != spec.BLOCK_BYTES * (1 + header.chunks):
        raise ListFileError("list is of another size than it says")
    if any(data[manifest.unpack_lead(data)[1] : spec.BLOCK_BYTES]):
        raise ListFileError("damaged: something stands behind the manifest")
    for chunk in range(header.chunks):
        _check_chunk(data, header, len(content), chunk)
    return ListFile(header, data)


def _check_chunk(data: bytes, header: manifest.Manifest, size: int, chunk: int) -> None:
    at = manifest.hash_at((header, size), chunk)
    start = spec.BLOCK_BYTES * (1 + chunk)
    if hashlib.sha256(data[start : start + spec.BLOCK_BYTES]).digest() != data[at : at + 32]:
        raise ListFileError(f"damaged: the hash of chunk {chunk} does not fit")


def load(path: Path, root: bytes | None = None) -> ListFile:
    """Read and check the list at `path`; OSError if it can't be read."""
    return parse(path.read_bytes(), root)


def sound(path: Path, root: bytes | None = None) -> ListFile | None:
    """The list at `path`; None if it is damaged or can't be read."""
    try:
        return load(path, root)
    except (ListFileError, OSError):
        return None
