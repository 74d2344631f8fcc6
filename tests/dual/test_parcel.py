# The sealed pages of a swap: NIST's and the RFC's vectors of what they are made of, golden bytes, and what is refused.
from hashlib import sha256

import cryptolib
from dual_support import raises, vectors

from emask.parcel import Parcel
from emask_crypto import hkdf, hpke, x25519

RFC = vectors("rfc")
GOLDEN = vectors("golden")["swap"]
KEY = bytes(range(32))
FIRST = bytes.fromhex("070a67431e00b45001014d000000c250ff0003000000")
TEXTS = (FIRST + bytes(464 - len(FIRST)), bytes([n & 255 for n in range(464)]))


def _vector(begin):
    return [RFC[name] for name in RFC if name.startswith(begin)][0]


def _pages():
    parcel = Parcel(KEY)
    return [parcel.seal(text) for text in TEXTS]


def test_cbc_gives_the_vector_of_nist():
    given = {name: bytes.fromhex(value) for name, value in _vector("NIST SP 800-38A").items()}
    key, iv, half = given["key"], given["iv"], len(given["text"]) // 2
    assert cryptolib.aes(key, 2, iv).encrypt(given["text"]) == given["sealed"]
    cipher = cryptolib.aes(key, 2, iv)  # one text in two pieces
    assert cipher.encrypt(given["text"][:half]) + cipher.encrypt(given["text"][half:]) == given["sealed"]
    cipher = cryptolib.aes(key, 2, iv)
    assert cipher.decrypt(given["sealed"][:half]) + cipher.decrypt(given["sealed"][half:]) == given["text"]


def test_hmac_gives_the_vectors_of_rfc_4231():
    for given in _vector("RFC 4231"):
        assert hkdf.hmac(bytes.fromhex(given["key"]), bytes.fromhex(given["text"])).hex() == given["tag"]


def test_pages_and_receipt_are_the_golden_ones_and_open_again():
    pages = _pages()
    assert [len(page) for page in pages] == [480, 480]
    assert pages[0][:32].hex() == GOLDEN["page_begin"] and pages[0][464:].hex() == GOLDEN["page_tag"]
    digest = sha256()
    for page in pages:
        digest.update(page)
    assert digest.digest().hex() == GOLDEN["pages_sha256"]
    parcel = Parcel(KEY)
    assert [parcel.open(page) for page in pages] == list(TEXTS)
    assert parcel.receipt().hex() == GOLDEN["receipt"]


def test_page_opens_in_its_place_only():
    first, second = _pages()
    other = Parcel(bytes(32)).seal(TEXTS[0])
    for wrong in (second, other, first[:-1], first + b"\0", b"", first[16:] + first[:16]):
        raises(ValueError, Parcel(KEY).open, wrong)
    parcel = Parcel(KEY)
    parcel.open(first)
    raises(ValueError, parcel.open, first)
    raises(ValueError, parcel.open, second)  # after one that was wrong none opens


def test_page_with_one_bit_flipped_does_not_open():
    first = _pages()[0]
    for bit in list(range(0, 8 * 464, 97)) + list(range(8 * 464, 8 * 480)):
        wrong = bytearray(first)
        wrong[bit // 8] ^= 1 << bit % 8
        raises(ValueError, Parcel(KEY).open, bytes(wrong))


def test_receipt_depends_on_the_number_of_pages():
    one, two = Parcel(KEY), Parcel(KEY)
    one.seal(TEXTS[0])
    for text in TEXTS:
        two.seal(text)
    assert one.receipt() != two.receipt() != Parcel(KEY).receipt()


def test_both_ends_of_an_agreement_have_the_same_secret():
    old, new = b"\x21" * 32, b"\x22" * 32
    enc, public = x25519.public(old), x25519.public(new)
    assert hpke.agree(old, enc, public) == hpke.agree(new, enc, public, enc)
    raises(ValueError, hpke.agree, new, bytes(32), public, bytes(32))
