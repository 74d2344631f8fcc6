# lib/emask_crypto by the vectors of the RFCs (tests/vectors/rfc.json), and what it must refuse.
from dual_support import raises, vectors

from emask_crypto import chacha, ed25519, hkdf, hpke, sha512, x25519

RFC = vectors("rfc")
P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
# Every point of small order: of order 1, 2, 4 (twice, by sign) and 8 (four times), as y and the sign of x.
SMALL_Y = (
    1,
    P - 1,
    0,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
)


def _vector(begin):
    for name in RFC:
        if name.startswith(begin):
            return RFC[name]
    raise AssertionError("no such vector")


def _bytes(vector):
    return {name: bytes.fromhex(value) for name, value in vector.items() if isinstance(value, str)}


def _le(number):
    return number.to_bytes(32, "little")


def _flipped(data, bit):
    found = bytearray(data)
    found[bit >> 3] ^= 1 << (bit & 7)
    return bytes(found)


def _signed():
    vector = _bytes(_vector("RFC 8032")[1])
    return vector["public"], vector["message"], vector["signature"]


# -- SHA-512, HKDF


def test_sha512_gives_the_examples_of_its_standard():
    for vector in _vector("FIPS 180-4"):
        assert sha512.sha512(vector["text"].encode()).hex() == vector["hash"]


def test_hkdf_gives_the_vectors_of_rfc_5869():
    for vector in _vector("RFC 5869"):
        given = _bytes(vector)
        key = hkdf.extract(given["salt"], given["secret"])
        assert key == given["prk"]
        assert hkdf.expand(key, given["info"], vector["size"]) == given["okm"]


# -- Ed25519


def test_signatures_of_rfc_8032_are_good():
    for vector in _vector("RFC 8032"):
        given = _bytes(vector)
        assert ed25519.verify(given["public"], given["message"], given["signature"])


def test_signature_with_any_bit_flipped_is_bad():
    public, message, signature = _signed()
    for bit in list(range(0, 512, 29)) + [255, 509, 510, 511]:
        assert not ed25519.verify(public, message, _flipped(signature, bit)), bit
    for bit in range(0, 256, 37):
        assert not ed25519.verify(_flipped(public, bit), message, signature), bit
    for bit in range(8):
        assert not ed25519.verify(public, _flipped(message, bit), signature), bit


def test_signature_of_another_message_or_key_is_bad():
    public, message, signature = _signed()
    other = _bytes(_vector("RFC 8032")[2])
    assert not ed25519.verify(public, message + b"\0", signature)
    assert not ed25519.verify(other["public"], message, signature)
    assert not ed25519.verify(public, message, other["signature"])


def test_truncated_or_longer_input_is_bad():
    public, message, signature = _signed()
    for size in (0, 1, 31, 32, 63, 65, 128):
        assert not ed25519.verify(public, message, (signature + bytes(64))[:size])
    for size in (0, 31, 33):
        assert not ed25519.verify((public + b"\0")[:size], message, signature)


def test_second_form_of_s_is_bad():
    public, message, signature = _signed()
    s = int.from_bytes(signature[32:], "little")
    assert s + L < 1 << 256
    assert not ed25519.verify(public, message, signature[:32] + _le(s + L))
    assert not ed25519.verify(public, message, signature[:32] + _le(L))


def test_second_form_of_a_point_is_bad():
    _, message, signature = _signed()
    for y in range(19):  # y and y + p are the same number in other bytes
        for sign in (0, 1 << 255):
            assert ed25519._decode(_le(y + P | sign)) is None
            assert not ed25519.verify(_le(y + P | sign), message, _le(y + P | sign) + bytes(32))
    assert ed25519._decode(_le(1 | 1 << 255)) is None  # x = 0 with the sign of -0


def test_point_of_small_order_is_bad_even_where_the_equation_holds():
    for y in SMALL_Y:
        for sign in (0, 1 << 255):
            assert ed25519._decode(_le(y | sign)) is None
    neutral = _le(1)
    assert not ed25519.verify(neutral, b"any", neutral + bytes(32))  # 0 * B = R + k * A holds for any message


def test_half_of_all_numbers_are_no_point():
    found = [ed25519._decode(_le(y)) is not None for y in range(2, 34)]
    assert 8 < sum(found) < 24


# -- X25519


def test_products_of_rfc_7748_come_out():
    for vector in _vector("RFC 7748, 5.2 and"):
        given = _bytes(vector)
        assert x25519.multiply(given["scalar"], given["u"]) == given["out"]
    assert x25519.public(given["scalar"]) == given["out"]  # the last of them is of the base point


def test_iterated_product_of_rfc_7748_comes_out():
    after = _vector("RFC 7748, 5.2: iterated")
    k = u = b"\x09" + bytes(31)
    for number in range(1, 1001):
        k, u = x25519.multiply(k, u), k
        if str(number) in after:
            assert k.hex() == after[str(number)]


def test_key_agreement_refuses_points_of_small_order():
    low = (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
        P,
        P + 1,
    )
    for u in low:
        raises(ValueError, x25519.multiply, bytes(range(32)), _le(u))


def test_key_agreement_refuses_keys_of_wrong_length():
    raises(ValueError, x25519.multiply, bytes(31), bytes(32))
    raises(ValueError, x25519.multiply, bytes(32), bytes(33))


# -- ChaCha20-Poly1305


def test_sealing_gives_the_vector_of_rfc_8439_and_unseals_it():
    given = _bytes(_vector("RFC 8439"))
    sealed = chacha.seal(given["key"], given["nonce"], given["text"], given["aad"])
    assert sealed == given["sealed"]
    assert chacha.unseal(given["key"], given["nonce"], sealed, given["aad"]) == given["text"]


def test_text_of_any_length_comes_back():
    key, nonce = bytes(range(32)), bytes(12)
    for size in (0, 1, 15, 16, 17, 63, 64, 65, 447, 448, 449, 511, 512, 513, 1100):
        text = bytes([n & 255 for n in range(size)])
        sealed = chacha.seal(key, nonce, text)
        assert len(sealed) == size + 16
        assert chacha.unseal(key, nonce, sealed) == text


def test_nothing_is_unsealed_after_one_bit_flipped():
    given = _bytes(_vector("RFC 8439"))
    key, nonce, sealed, aad = given["key"], given["nonce"], given["sealed"], given["aad"]
    for bit in list(range(0, 8 * len(sealed), 11)) + list(range(8 * len(sealed) - 128, 8 * len(sealed))):
        assert chacha.unseal(key, nonce, _flipped(sealed, bit), aad) is None
    assert chacha.unseal(_flipped(key, 255), nonce, sealed, aad) is None
    assert chacha.unseal(key, _flipped(nonce, 0), sealed, aad) is None
    assert chacha.unseal(key, nonce, sealed, _flipped(aad, 95)) is None


def test_nothing_is_unsealed_from_a_cut():
    given = _bytes(_vector("RFC 8439"))
    for size in (0, 1, 15, 16, 17, len(given["sealed"]) - 1):
        assert chacha.unseal(given["key"], given["nonce"], given["sealed"][:size], given["aad"]) is None


# -- HPKE


def _sent(given):
    enc = x25519.public(given["ephemeral"])
    shared = hpke.agree(given["ephemeral"], enc, given["receiver"])
    return hpke.seal(shared, enc, given["info"], given["text"], given["aad"])


def test_sender_gives_the_vector_of_rfc_9180():
    given = _bytes(_vector("RFC 9180"))
    sealed = _sent(given)
    assert sealed[:32] == given["enc"] and sealed[32:] == given["sealed"]


def test_sender_refuses_a_receiver_of_small_order():
    raises(ValueError, hpke.agree, bytes(range(32)), x25519.public(bytes(range(32))), bytes(32))
