"""Owns a token made of Python as far as a swap goes, with the firmware's own pages. Knows no records."""

from emask import spec
from emask.parcel import Parcel
from emask_crypto import hpke
from tests.tools.fake_token import FakeToken

TEXTS = [bytes([n + 1]) * spec.SWAP_TEXT_BYTES for n in range(9)]
_LAST = b"\xff" + bytes(spec.SWAP_TEXT_BYTES - 1)


class SwapToken(FakeToken):
    """texts: what it knows, 464 bytes each; without any it is new, on the shelf. `faults`: "spoilt_page", or those."""

    def __init__(self, root, texts=(), **how):
        super().__init__(root, serial=2, **how)
        self.texts = [*texts, _LAST] if texts else []
        self.shelf = not texts
        self.parcel = None
        self._receipt = self._awaited = b""

    def _answer(self, kind, body):
        return self._move(body) if kind == spec.MOVE else super()._answer(kind, body)

    def _ask(self, body):
        flags, _, field = self._keys.unpack_ask(body)
        if not flags & spec.ASK_SWAP:
            return super()._ask(body)
        self.asked, self.field = flags, field
        result, told = self._step(flags, field)
        return self._keys.pack_reply(result, told + bytes(spec.UPLOAD_BLOB_BYTES - len(told)))

    def _step(self, flags, field):
        empty = self.shelf and not self.texts
        if flags & (spec.ASK_SWAP_KEY | spec.ASK_SWAP_TAKE) and self._receipt:
            return spec.SWAP_TAKEN, self._receipt
        if flags & spec.ASK_SWAP_KEY and empty:
            self._pair = self._drawn()
            return spec.SWAP_READY, self._pair[1]
        if flags & spec.ASK_SWAP_TAKE and empty:
            secret, public = self._pair
            self.parcel = Parcel(hpke.agree(secret, field, public, field))
            return spec.SWAP_READY, b""
        if flags & spec.ASK_SWAP_GIVE and not empty:
            return self._gives(field) if self.agrees else (spec.UPLOAD_NOT_AGREED, b"")
        if flags & spec.ASK_SWAP_DONE:
            return self._done(field)
        return spec.UPLOAD_NOT_ASKED, b""

    def _gives(self, public):
        secret, enc = self._drawn()
        self.parcel, self._left = Parcel(hpke.agree(secret, enc, public)), list(self.texts)
        return spec.SWAP_READY, enc

    def _done(self, receipt):
        if receipt != self._awaited:
            return spec.UPLOAD_NOT_AGREED, b""
        self.texts, self.shelf = [], True
        return spec.UPLOAD_WIPED, b""

    def _move(self, page):
        if not page:
            return self._pages()
        try:
            self.texts.append(self.parcel.open(page))
        except ValueError:
            self.texts = []
            return [(spec.REFUSED, bytes((spec.REFUSED_MALFORMED,)))]
        if self.texts[-1] != _LAST:
            return []
        self._receipt, self.shelf = self.parcel.receipt(), False
        return [(spec.RECEIPT, self._receipt)]

    def _pages(self):
        some, self._left = self._left[: spec.SWAP_AT_ONCE], self._left[spec.SWAP_AT_ONCE :]
        pages = [self.parcel.seal(text) for text in some]
        if "spoilt_page" in self.faults:
            pages = [page[:-1] + bytes((page[-1] ^ 1,)) for page in pages]
        told = [(spec.PAGE, page) for page in pages]
        if len(some) == spec.SWAP_AT_ONCE:
            return told
        self._awaited = self.parcel.receipt()
        return [*told, (spec.OK, b"")]
