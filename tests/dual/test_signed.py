# Signed forms: certificates, manifests, the opening of a visit. Golden bytes, and what is refused.
from hashlib import sha256

import peer
import rules
from dual_support import raises, vectors

from emask import certificate, handshake, keylist, manifest, rule, signed, spec

GOLDEN = vectors("golden")
RULE = (20, 15, 2, -300, 126, 192, 40, -12, -21, 9, 128, 50, 60, 64, 30, 1)
ISSUED_S = 1785000000


def _golden(name):
    return bytes.fromhex(GOLDEN[name])


def _visit(name):
    return bytes.fromhex(GOLDEN["visit"][name])


def _flipped(data, bit):
    found = bytearray(data)
    found[bit >> 3] ^= 1 << (bit & 7)
    return bytes(found)


def test_change_of_the_root_is_read_and_only_the_recovery_keys_word_holds():
    data = _golden("root_change")
    found = certificate.unpack(data)
    assert (found.kind, found.region, found.serial) == (spec.ROOT_KEY, 0, 12)
    assert found.key == peer.public(peer.NEW_ROOT)
    assert signed.check(data, peer.public(peer.RECOVERY)).serial == 12
    assert raises(signed.SignedError, signed.check, data, peer.public(peer.ROOT))


def test_peer_signs_as_the_host_does():
    data = _golden("certificate")
    assert peer.statement(peer.ROOT, data[:-64]) == data


def test_certificate_is_read_and_checked():
    data = _golden("certificate")
    found = certificate.unpack(data)
    assert found[:5] == (spec.KIOSK_KEY, 84, 9, ISSUED_S, ISSUED_S + 14 * 86400)
    assert found.key == peer.public(peer.KIOSK)
    assert signed.check(data, peer.public(peer.ROOT)) == (spec.KIOSK_KEY, 84, 9)


def test_statement_with_any_bit_flipped_is_refused():
    data, root = _golden("certificate"), peer.public(peer.ROOT)
    for bit in list(range(0, 8 * len(data), 61)) + [8, 9, 16, 32]:  # kind, region and serial among them
        raises(signed.SignedError, signed.check, _flipped(data, bit), root)
    raises(signed.SignedError, signed.check, data, peer.public(peer.LIST))
    for size in (0, 7, 8, 64, 71, 143):
        raises(signed.SignedError, signed.check, data[:size], root)


def test_signature_of_one_kind_is_none_of_another():
    data = _golden("certificate")
    other = data[:1] + bytes((spec.LIST_KEY,)) + data[2:]
    raises(signed.SignedError, signed.check, other, peer.public(peer.ROOT))


def test_certificate_of_an_impossible_form_is_refused():
    data = _golden("certificate")
    term = ISSUED_S.to_bytes(4, "little")
    for bad in (
        b"",
        data[:-1],
        data + b"\0",
        b"\2" + data[1:],
        data[:1] + b"\1" + data[2:],
        data[:12] + term + data[16:],  # ends as it begins
        data[:12] + (ISSUED_S + 14 * 86400 + 1).to_bytes(4, "little") + data[16:],  # longer than 14 days
    ):
        raises(signed.SignedError, certificate.unpack, bad)


def test_end_of_a_programme_is_a_flag_that_is_signed():
    data = _golden("manifest_end")
    found = manifest.unpack(data)
    assert (found.serial, found.region, found.count, found.chunks, found.flags) == (78, 84, 0, 0, spec.LIST_END)
    signed.check(data, peer.public(peer.LIST))
    plain = data[:21] + b"\0" + data[22:]
    assert manifest.unpack(plain).flags == 0
    raises(signed.SignedError, signed.check, plain, peer.public(peer.LIST))


def test_manifest_is_read():
    data = _golden("manifest")
    found = manifest.unpack(data)
    assert found[:9] == (spec.F0_LIST, 84, 77, ISSUED_S, 70, 2, 1, 0, 1)
    assert found.rule == RULE
    assert found.revoked == (9,) and found.withdrawn == ()
    assert signed.check(data, peer.public(peer.LIST)).serial == 77
    assert not found.flags & spec.LIST_END
    at = manifest.hash_at((found, len(data)), 0) - 152
    assert data[at : at + 32] == data[-96:-64]


def test_rule_is_the_golden_one_and_reads_back():
    golden = bytes.fromhex(GOLDEN["rule"])
    assert rules.pack(RULE) == golden and rule.unpack(golden) == RULE
    assert rule.unpack(rules.pack(rules.BUILT_IN)) == rules.BUILT_IN


def test_rules_of_another_kind_or_out_of_range_are_refused():
    good = bytes.fromhex(GOLDEN["rule"])
    for data in (b"", good[:18], good + b"\0", b"\x02" + good[1:]):
        raises(rule.RuleError, rule.unpack, data)
    for wrong in ({"minutes": 0}, {"tolerance": 9}, {"least": 0}, {"tx_low": 22}, {"rigid": 61}):
        raises(rule.RuleError, rule.unpack, rules.pack(rules.changed(**wrong)))


def test_file_is_the_one_of_its_golden_parts():
    records = [_golden("record"), keylist.pack_record(bytes(32), 1983096, 0, 672)]
    vouched = peer.certificate(spec.LIST_KEY)
    data = peer.list_file(records, 77, ISSUED_S, RULE, 70, 84, 1, (9,), vouched=vouched)
    assert data[:8] == _golden("list_lead") and len(data) == 8192
    assert manifest.block(data) == (vouched, _golden("manifest"))
    head, issued_s, base, chunks = manifest.unpack_offer(data[:178])
    assert (tuple(head), issued_s, base, chunks) == ((1, 84, 77), ISSUED_S, 70, 1)
    assert data[manifest.record_at(1) :][:40] == records[1]


def test_manifest_out_of_range_is_refused():
    data = _golden("manifest")
    for at, byte in (
        (0, 2),  # version
        (1, 3),  # kind
        (16, 3),  # records: more than a chunk's worth is there
        (17, 200),
        (20, 0),  # scheme
        (20, 3),
        (22, 18),  # bytes of the rule
        (23, 2),  # revoked
        (24, 1),  # withdrawn
        (25, 2),  # chunks
        (26, 2),  # version of the rule
        (28, 0),  # minutes
        (29, 9),  # tolerance
        (12, 77),  # base not below the serial
    ):
        bad = bytearray(data)
        bad[at] = byte
        if at == 16:
            bad[16] = 103
        raises(keylist.ListError, manifest.unpack, bytes(bad))
    for size in (0, 7, 25, 26, 89, len(data) - 1):
        raises(keylist.ListError, manifest.unpack, data[:size])


def test_sizes_come_in_steps():
    assert [manifest.chunks_for(count) for count in (0, 1, 102, 103, 204, 205, 409, 817, 9793)] == [
        0, 1, 1, 2, 2, 4, 8, 16, 99
    ]  # fmt: skip
    assert manifest.chunks_for(10098) == 99
    raises(keylist.ListError, manifest.chunks_for, 10099)


def test_lead_of_an_impossible_size_is_refused():
    good = peer.list_file([], 1)
    assert manifest.unpack_lead(good)[1] == 152 + 26 + 19 + 64
    for bad in (b"", good[:151], b"EML1" + good[4:], good[:4] + b"\0\0" + good[6:], good[:4] + b"\xff\xff" + good[6:]):
        raises(keylist.ListError, manifest.unpack_lead, bad)
    raises(keylist.ListError, manifest.block, good[:200])
    raises(keylist.ListError, manifest.unpack_offer, good[:177])


def test_opening_of_a_visit_is_the_golden_one():
    kiosk = peer.Kiosk(_golden("certificate"), ephemeral=bytes((5,)) * 32)
    nonce = _visit("nonce")
    body = kiosk.session(nonce, ISSUED_S, 250)
    assert signed.message(spec.SESSION_PROOF, 84, 9, handshake.proof_digest(nonce, body)) == _visit("session_signed")
    assert kiosk.opening == _visit("opening")
    vouched, _, utc_s, utc_ms, uncertainty_s, signature = handshake.unpack_proof(body)
    assert (vouched, utc_s, utc_ms, uncertainty_s) == (_golden("certificate"), ISSUED_S, 250, 2)
    assert signature == body[-64:]


def test_keys_and_number_of_a_visit_are_the_golden_ones():
    from emask_crypto import x25519

    enc = x25519.public(bytes((6,)) * 32)
    assert handshake.commitment(enc) == _visit("nonce")
    whole = handshake.shown(_visit("opening"), enc)
    assert whole == _visit("whole") and bytes(handshake.number(whole)) == _visit("number")
    keys = handshake.Keys(whole, bytes((7,)) * 32)
    assert (keys.to_token, keys.to_kiosk) == (_visit("key_to_token"), _visit("key_to_kiosk"))
    flags, days, code_hash = keys.unpack_ask(_visit("ask"))
    assert (flags, days, len(code_hash)) == (spec.ASK_UPLOAD, 14, 32)
    flags, days, field = keys.unpack_ask(_visit("ask_household"))
    assert (flags, days, field) == (spec.ASK_HOUSEHOLD, 0, bytes(range(100, 116)) + bytes(16))


def test_sealed_bodies_have_one_length_whatever_they_say():
    keys = handshake.Keys(bytes(32), bytes(32))
    for count in (0, 1, 12):
        text = handshake.pack_upload(1, [bytes(40)] * count)
        assert len(text) + 48 == spec.UPLOAD_BLOB_BYTES
        assert len(keys.pack_reply(count, bytes(spec.UPLOAD_BLOB_BYTES))) == spec.SEALED_UPLOAD_BYTES
    for claim in (bytes(spec.CLAIM_BYTES), _golden("claim")):
        assert len(handshake.pack_upload(1, [bytes(40)] * 10, spec.OF_F1, claim)) + 48 == spec.UPLOAD_BLOB_BYTES
    fields = (2, 258, 6, 3900, 77, ISSUED_S, 20660, 512, 65536, 4, 2, 1)
    assert handshake.pack_status(fields, bytes(32)) == _visit("status") + bytes(32)
    assert len(handshake.pack_status((0,) * 12, bytes(32))) + 48 == spec.SEALED_STATUS_BYTES


def test_uploads_are_the_golden_bytes():
    one, two = _golden("record"), keylist.pack_record(bytes(32), 1983096, 0, 672)
    assert sha256(handshake.pack_upload(1, [one, two])).digest() == _visit("upload_sha256")
    text = handshake.pack_upload(1, [two], spec.OF_F1, _golden("claim"))
    assert sha256(text).digest() == _visit("upload_f1_sha256")


def test_ask_of_another_visit_or_length_is_none():
    ask = _visit("ask")
    keys = handshake.Keys(_visit("whole"), bytes((8,)) * 32)
    assert keys.unpack_ask(ask) is None
    keys = handshake.Keys(_visit("whole"), bytes((7,)) * 32)
    assert keys.unpack_ask(ask[:-1]) is None and keys.unpack_ask(ask + b"\0") is None and keys.unpack_ask(b"") is None
    assert keys.unpack_ask(_flipped(ask, 3)) is None


def test_counters_are_told_as_classes():
    assert [handshake.bucket(n, 8) for n in (0, 1, 2, 3, 4, 7, 8, 9, 1000)] == [0, 1, 2, 2, 4, 4, 8, 8, 8]


def test_session_of_another_form_is_refused():
    for body in (b"", bytes(248), bytes(250), bytes(180) + b"\xe8\x03" + bytes(67)):
        raises(handshake.HandshakeError, handshake.unpack_proof, body)
