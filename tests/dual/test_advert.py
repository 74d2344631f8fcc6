# Adverts byte by byte, real phones' variants, and hostile bytes.
from dual_support import raises, vectors

from emask import advert, scheme

_IDENT = bytes(range(12))
_FLAGS = b"\x02\x01\x06"
_UUID = b"\x03\x03\x56\x4e"
_ID = b"\x0f\xff\xb5\x22" + _IDENT
_DATA = b"\x07\x16\x56\x4e\x10\xf4\x34\x12"


def _bluezone():
    rules = scheme.get("bluezone")
    return rules.build_advert(rules.Chain(bytes(range(32)), 0, 100), -12, 5940)


def _gaen():
    rules = scheme.get("gaen")
    key = bytes.fromhex(vectors("schemes")["gaen"]["key"])
    return rules.build_advert(rules.Chain(key, 2642977), -20, 5940)


def test_bluezone_advert_is_the_golden_one_byte_by_byte():
    built = _bluezone()
    assert built.hex() == vectors("golden")["bluezone_advert"]
    assert len(built) == 31
    assert built[:11] == b"\x02\x01\x06\x03\x03\x56\x4e\x0f\xff\xb5\x22"
    assert built[23:28] == b"\x07\x16\x56\x4e\x10"
    assert built[28:] == b"\xf4\x34\x17"


def test_gaen_advert_is_the_golden_one_byte_by_byte():
    built = _gaen()
    assert built.hex() == vectors("golden")["gaen_advert"]
    assert len(built) == 31
    assert built[:11] == b"\x02\x01\x1a\x03\x03\x6f\xfd\x17\x16\x6f\xfd"


def test_bluezone_advert_decodes_to_what_was_put_in():
    chain = scheme.get("bluezone").Chain(bytes(range(32)), 0, 100)
    assert advert.decode(_bluezone()) == (1, chain.id(), -12, 5940)
    assert advert.decode(memoryview(_bluezone())) == (1, chain.id(), -12, 5940)


def test_gaen_advert_decodes_and_its_key_opens_the_tx_power():
    key = bytes.fromhex(vectors("schemes")["gaen"]["key"])
    chain = scheme.get("gaen").Chain(key, 2642977)
    number, ident, sealed, window = advert.decode(_gaen())
    assert (number, ident, window) == (2, chain.id(), None)
    assert chain.tx_dbm(sealed) == -20


def test_phones_without_service_data_and_without_flags_are_heard():
    assert advert.decode(_FLAGS + _UUID + _ID) == (1, _IDENT, None, None)
    assert advert.decode(_ID + _UUID) == (1, _IDENT, None, None)
    assert advert.decode(b"\x05\x02\x0f\x18\x56\x4e" + _ID) == (1, _IDENT, None, None)
    assert advert.decode(_gaen()[3:])[0] == 2
    assert advert.decode(_gaen()[7:])[0] == 2


def test_zero_length_ends_the_payload():
    assert advert.decode(_FLAGS + _UUID + _ID + bytes(12)) == (1, _IDENT, None, None)
    assert advert.decode(b"\0" + _UUID + _ID) is None


def test_service_data_of_another_version_or_length_is_left_out():
    assert advert.decode(_UUID + _ID + b"\x07\x16\x56\x4e\x20\xf4\x34\x12") == (1, _IDENT, None, None)
    assert advert.decode(_UUID + _ID + b"\x06\x16\x56\x4e\x10\xf4\x34") == (1, _IDENT, None, None)
    assert advert.decode(_UUID + _ID + _DATA) == (1, _IDENT, -12, 0x1234)


def test_identifier_of_any_other_length_is_refused():
    for length in range(0, 24):
        if length != 12:
            body = b"\xff\xb5\x22" + bytes(length)
            assert advert.decode(_UUID + bytes((len(body),)) + body) is None
        if length != 20:
            body = b"\x16\x6f\xfd" + bytes(length)
            assert advert.decode(bytes((len(body),)) + body) is None


def test_another_company_or_no_service_is_no_identifier():
    assert advert.decode(_ID) is None
    assert advert.decode(_FLAGS + _UUID + b"\x0f\xff\x4c\x00" + _IDENT) is None
    assert advert.decode(_FLAGS + b"\x03\x03\x0f\x18" + _ID) is None
    assert advert.decode(b"\x04\x03\x0f\x56\x4e" + _ID) is None


def test_every_truncation_of_an_advert_is_survived():
    for whole in (_bluezone(), _gaen()):
        for size in range(len(whole)):
            found = advert.decode(whole[:size])
            assert found is None or size == 23  # the bluezone advert of a phone ends there


def test_every_length_byte_is_survived_at_every_place():
    for whole in (_bluezone(), _gaen()):
        for at in range(len(whole)):
            for value in (0, 1, 2, 3, 15, 23, 31, 127, 255):
                changed = bytearray(whole)
                changed[at] = value
                found = advert.decode(changed)
                assert found is None or len(found[1]) in (12, 16)


def test_noise_of_any_length_is_survived():
    state = 1
    for size in range(0, 64):
        noise = bytearray(size)
        for at in range(size):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            noise[at] = state >> 16 & 0xFF
        assert advert.decode(noise) is None


def test_malformed_is_told_apart_from_foreign():
    assert list(advert.ad_structures(_FLAGS + _UUID)) == [(1, 2, 3), (3, 5, 7)]
    assert list(advert.ad_structures(b"")) == []
    for broken in (b"\x02", b"\x02\x01", _FLAGS + b"\x1f\xff", b"\xff" * 31):
        raises(ValueError, list, advert.ad_structures(broken))
        assert advert.decode(broken) is None
    assert advert.decode(_UUID + _ID + b"\x09\x09abc") is None
