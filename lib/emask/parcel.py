# Owns the sealed pages in which a token's records move to another token, and the receipt for them (SPEC 4.5). Must not
# know what is in them. AES and SHA-256 are the chip's own, which takes a thirtieth of ChaCha in bytecode.
import struct

from cryptolib import aes
from micropython import const

from emask import spec
from emask_crypto import hkdf

_INFO = b"emask/1 swap\0"
_TAG_BYTES = const(16)
_CBC = const(2)


class Parcel:
    """The pages of one swap, in their order. shared: 32 bytes that serve it alone, and only both tokens know.

    It can seal them or open them.
    """

    def __init__(self, shared):
        keys = hkdf.expand(hkdf.extract(b"", shared), _INFO, 96)
        self._cipher = aes(keys[:32], _CBC, bytes(16))  # over all pages as one text: so its key may begin with zeros
        self._mac, self._thanks = keys[32:64], keys[64:]
        self._pages = 0

    def _tag(self, sealed):
        self._pages += 1
        return hkdf.hmac(self._mac, struct.pack(">I", self._pages) + sealed)[:_TAG_BYTES]

    def seal(self, text):
        """The next page, 480 bytes, of a text of 464."""
        sealed = self._cipher.encrypt(text)
        return sealed + self._tag(sealed)

    def open(self, page):
        """The text of the next page. ValueError if this is not it: then no other is any more."""
        sealed = page[: spec.SWAP_TEXT_BYTES]
        if len(page) != spec.SWAP_PAGE_BYTES or self._tag(sealed) != page[spec.SWAP_TEXT_BYTES :]:
            raise ValueError
        return self._cipher.decrypt(sealed)

    def receipt(self):
        """32 bytes that only who opened all these pages can tell, or who sealed them."""
        return hkdf.hmac(self._thanks, struct.pack(">I", self._pages))
