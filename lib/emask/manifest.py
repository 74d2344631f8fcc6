# Owns the signed manifest of a list and the layout of the list file (SPEC 5). Must not know who signs or stores it.
#
# File: block 0 holds "EML2", the manifest's length, the list key's certificate, the manifest; each block after it is a
# chunk of 102 records, the last ones filled with zeros. Blocks have 4,096 bytes, as in flash.
import struct
from collections import namedtuple

from micropython import const

from emask import keylist, signed, spec
from emask import rule as rules

_LEAD = "<4sHH"
MAGIC = b"EML2"
_FIXED = "<IIIBBBBBB"  # issued, base, records, scheme, flags, bytes of rule, revoked, withdrawn, chunks
MANIFEST_AT = const(152)
_FIXED_AT = const(8)  # in the manifest
_RULE_AT = const(26)
_STEPS = (0, 1, 2, 4, 8, 16, 24, 32, 48, 64, 80, 99)  # numbers of chunks: sizes tell little of how many cases there are
RECORDS_PER_CHUNK = 102
WITHDRAWN_BYTES = 16
BEFORE_HASHES_BYTES = 600  # no manifest has more before the hashes of its chunks

Manifest = namedtuple(
    "Manifest",
    (
        "kind",
        "region",
        "serial",
        "issued_s",
        "base",
        "count",
        "scheme",
        "flags",
        "chunks",
        "rule",
        "revoked",
        "withdrawn",
    ),
)


def chunks_for(count):
    """How many chunks a list of `count` records has; ListError if it is too big."""
    need = -(-count // RECORDS_PER_CHUNK)
    for step in _STEPS:
        if step >= need:
            return step
    raise keylist.ListError("list is too big")


def _rule(data):
    try:
        return rules.unpack(data)
    except rules.RuleError:
        raise keylist.ListError("list rule is unknown or out of range")


def unpack_lead(data):
    """(certificate, where the manifest ends) of a file's first bytes; ListError."""
    if len(data) < MANIFEST_AT:
        raise keylist.ListError("list is cut short")
    magic, size, _ = struct.unpack_from(_LEAD, data, 0)
    if magic != MAGIC:
        raise keylist.ListError("not a list file")
    end = MANIFEST_AT + size
    if size < _RULE_AT + spec.SIGNATURE_BYTES or end > spec.BLOCK_BYTES:
        raise keylist.ListError("list manifest is of an impossible size")
    return data[8:MANIFEST_AT], end


def unpack_offer(data):
    """(signed.Head, issued, base, chunks) of the first 178 bytes of a file, unproven; ListError."""
    if len(data) < spec.LIST_OFFER_BYTES:
        raise keylist.ListError("list is cut short")
    unpack_lead(data)
    head = _head(data[MANIFEST_AT:])
    fields = struct.unpack_from(_FIXED, data, MANIFEST_AT + _FIXED_AT)
    return head, fields[0], fields[1], fields[8]


def _head(data):
    try:
        head = signed.unpack_head(data)
    except signed.SignedError:
        raise keylist.ListError("list of an unknown version")
    if head.kind not in (spec.F0_LIST, spec.F1_LIST):
        raise keylist.ListError("not a list")
    return head


def block(data):
    """(certificate, manifest with its signature) of the content of block 0, any length beyond it; ListError."""
    certificate, end = unpack_lead(data)
    if len(data) < end:
        raise keylist.ListError("list is cut short")
    return bytes(certificate), bytes(data[MANIFEST_AT:end])


def unpack(data, size=None):
    """The Manifest, whoever signed it; ListError if it is malformed.

    data: all of it with its signature, or its first 600 bytes, and then size says how many it has.
    """
    size = len(data) if size is None else size
    head = _head(data)
    if len(data) < _RULE_AT + spec.SIGNATURE_BYTES:
        raise keylist.ListError("list manifest is cut short")
    issued_s, base, count, scheme, flags, rule, revoked, withdrawn, chunks = struct.unpack_from(_FIXED, data, _FIXED_AT)
    ends = [_RULE_AT, rule, 4 * revoked, WITHDRAWN_BYTES * withdrawn, 32 * chunks]
    if size != sum(ends) + spec.SIGNATURE_BYTES or len(data) < sum(ends[:4]):
        raise keylist.ListError("list manifest is of another size than it says")
    if not 1 <= scheme <= 2:
        raise keylist.ListError("list of an unknown scheme")
    if revoked > spec.REVOKED_MAX or withdrawn > spec.WITHDRAWN_MAX or base >= head.serial:
        raise keylist.ListError("list manifest is out of range")
    if chunks_for(count) != chunks:
        raise keylist.ListError("list size does not fit its records")
    at = _RULE_AT + rule
    serials = struct.unpack_from("<%dI" % revoked, data, at)
    at += 4 * revoked
    gone = tuple([bytes(data[n : n + 16]) for n in range(at, at + 16 * withdrawn, 16)])
    fields = (issued_s, base, count, scheme, flags, chunks, _rule(data[_RULE_AT : _RULE_AT + rule]))
    return Manifest(*(head + fields + (serials, gone)))


def hash_at(found, chunk):
    """Where in a file's block 0 the SHA-256 of a chunk stands; found: Manifest, length of it with its signature."""
    manifest, size = found
    return MANIFEST_AT + size - spec.SIGNATURE_BYTES - 32 * (manifest.chunks - chunk)


def record_at(number):
    """Where in a list file a record stands."""
    return spec.BLOCK_BYTES * (1 + number // RECORDS_PER_CHUNK) + spec.RECORD_BYTES * (number % RECORDS_PER_CHUNK)
