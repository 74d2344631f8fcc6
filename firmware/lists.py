"""Owns the staged list: its blocks in the partition "lists", each checked as it comes. Knows no radio, no matching."""

import gc
from hashlib import sha256

import settings
from listinfo import COMPLETE, EMPTY, MATCHED, STAGING
from micropython import const

from emask import keylist, manifest, signed, spec

WANT = const(-1)  # answer of data(): ask for the bytes at `offset`

_BLOCK = const(4096)
_SPOILT_MAX = const(3)
_PIECE = const(512)


class ListStage:
    """One list at a time. device: block device of 4,096-byte blocks; info: ListInfo; trust: Trust.

    certain: it is sure when things were heard.
    """

    def __init__(self, device, info, trust, certain):
        self._certain = certain
        self._device = device
        self._info = info
        self._trust = trust
        self._within = 0  # bytes of the block that is not whole yet
        self._end = 0  # where the content of block 0 ends
        self._erased = False  # the block that is next
        self._digest = sha256()
        self._spoilt = 0
        self._manifest = None

    @property
    def offset(self):
        """Where in the file the next byte belongs."""
        return self._info.blocks * _BLOCK + self._within

    def header(self):
        """The Manifest of the list in flash."""
        return self._loaded()[0]

    def _loaded(self):
        # (Manifest, its bytes with the signature), from block 0, whose signature was checked before it counted.
        if self._manifest is None:
            size = manifest.unpack_lead(self._read(0, manifest.MANIFEST_AT))[1] - manifest.MANIFEST_AT
            self._manifest = self._parsed(size), size
        return self._manifest

    def _parsed(self, size):
        # Never the whole block at once: a large list's hashes would take 3 KB in one piece.
        data = self._read(manifest.MANIFEST_AT, min(size, manifest.BEFORE_HASHES_BYTES))
        return manifest.unpack(data, size)

    def offer(self, data, anew=False):
        """A list is offered by its first 178 bytes. None: it is wanted, from `offset` on; else a LIST_ACK code.

        anew: from its beginning, so that `offset` tells nothing of before.
        """
        try:
            head, _, base, chunks = manifest.unpack_offer(data)
            refused = self._refused(head, base, chunks)
        except keylist.ListError:
            refused = spec.LIST_BAD_HASH
        if refused is not None:
            return refused
        name = sha256(data).digest()
        if anew or self._info.state != STAGING or name != self._info.offered:
            self._info.state, self._info.offered, self._info.blocks = STAGING, name, 0
            self._manifest = None
            self._info.save()
        self._end = manifest.unpack_lead(data)[1]
        self._again()
        self._spoilt = 0
        return None

    def _refused(self, head, base, chunks):
        if head.kind == spec.F1_LIST and not self._contacts()[2]:
            return spec.LIST_NOT_TRUSTED
        if head.region != settings.REGION:
            return spec.LIST_WRONG_REGION
        if chunks >= self._device.ioctl(4, 0):
            return spec.LIST_TOO_BIG
        # The last one once more, if it was compared when it was not sure when things were heard.
        least, sure = self._info.serial + (not self._certain or self._info.sure == self._info.serial), self._info.sure
        if head.kind == spec.F1_LIST:
            least, sure = self._contacts()[3] + 1, 0
        if head.serial < least:
            return spec.LIST_OLD_SERIAL
        if base > sure:
            return spec.LIST_GAP
        # A list that is not compared yet, or just now, is not given up: the next may build on it.
        return spec.LIST_OUT_OF_ORDER if self._info.state == COMPLETE else None

    def _contacts(self):
        import second

        return second.load(self._info.store)

    def _again(self):
        # The block begins anew: of what is in flash beyond whole blocks nothing is believed.
        self._within = 0
        self._erased = False
        self._digest = sha256()

    def ready(self):
        """Erase the block that is next; it takes its time, so do it while its first bytes are on their way."""
        if self._info.state == STAGING and not self._erased:
            self._device.ioctl(6, self._info.blocks)
            self._erased = True

    def data(self, offset, chunk):
        """The next bytes of the file. None: go on; WANT: ask for `offset`; else a LIST_ACK code."""
        if self._info.state != STAGING or offset != self.offset or not self._end:
            return spec.LIST_OUT_OF_ORDER
        end = _BLOCK if self._info.blocks else self._end
        if self._within + len(chunk) > end:
            return spec.LIST_TOO_BIG
        self.ready()
        self._device.writeblocks(self._info.blocks, memoryview(chunk), self._within)
        self._digest.update(chunk)
        self._within += len(chunk)
        return None if self._within < end else self._close()

    def _close(self):
        problem = self._check_chunk() if self._info.blocks else self._check_manifest()
        self._again()
        if problem:
            return problem
        if problem is None:
            self._info.blocks += 1
            if self._info.blocks > self.header().chunks:
                return self._complete()
            self._info.save()
        return WANT

    def _check_chunk(self):
        # None: good. 0: to be sent again. Else a LIST_ACK code.
        at = manifest.hash_at(self._loaded(), self._info.blocks - 1)
        if self._digest.digest() == self._read(at, 32):
            return None
        self._spoilt += 1
        return spec.LIST_BAD_HASH if self._spoilt > _SPOILT_MAX else 0

    def _check_manifest(self):
        try:
            found = self._proven()
        except (keylist.ListError, signed.SignedError):
            self._info.state = EMPTY
            self._info.save()
            return spec.LIST_NOT_TRUSTED
        self._manifest = found, self._end - manifest.MANIFEST_AT
        return None

    def _proven(self):
        # The Manifest in block 0, if all signatures up to the root hold.
        if sha256(self._read(0, spec.LIST_OFFER_BYTES)).digest() != self._info.offered:
            raise keylist.ListError("not what was offered")
        key = self._trust.certificate(manifest.unpack_lead(self._read(0, manifest.MANIFEST_AT))[0], spec.LIST_KEY)
        found = self._parsed(self._end - manifest.MANIFEST_AT)
        gc.collect()
        signed_end = self._end - spec.SIGNATURE_BYTES
        signature = self._read(signed_end, spec.SIGNATURE_BYTES)
        signed.check_digest(found, self._hash(manifest.MANIFEST_AT, signed_end), signature, key.key)
        if not key.since_s <= found.issued_s <= key.until_s or key.region not in (0, found.region):
            raise signed.SignedError("list key does not serve this list")
        return found

    def _hash(self, at, end):
        digest = sha256()
        while at < end:
            size = min(_PIECE, end - at)
            digest.update(self._read(at, size))
            at += size
        return digest.digest()

    def _complete(self):
        found = self.header()
        self._info.state = COMPLETE
        self._info.begin(0)
        if found.kind == spec.F0_LIST:
            self._trust.revoke(found.revoked)
            self._info.serial, self._info.issued = found.serial, found.issued_s
        self._info.save()
        return spec.LIST_OK

    def _read(self, at, size):
        buf = bytearray(size)
        self._device.readblocks(at // _BLOCK, buf, at % _BLOCK)
        return bytes(buf)

    def records(self):
        """Yields the 40 bytes of each record of the whole list."""
        for number in range(self.header().count):
            yield self.record(number)

    def record(self, number):
        """The 40 bytes of one; None: zeros."""
        return bytes(spec.RECORD_BYTES) if number is None else self._read(manifest.record_at(number), spec.RECORD_BYTES)

    def matched(self, certain):
        """The whole list has been compared: remember it. certain: it was sure when things were heard."""
        info = self._info
        info.state = MATCHED
        if certain and self.header().kind == spec.F0_LIST and self.header().base <= info.sure:
            info.sure = info.serial
        info.save()
