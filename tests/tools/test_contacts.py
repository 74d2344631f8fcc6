"""Facts about uploads of warned contacts (F1): what they show, how many are taken, the list that comes of them."""

import struct

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from emask import bluezone, gaen, keylist, spec
from tests.tools.intake_files import KEY, NOW_S, VISIT, upload
from tools import codes, lists, wire
from tools import rule as rules
from tools.authority import contacts, core, intake, keyring, retention, sample, signer, store, tables
from tools.authority.draft import Draft, Listed
from tools.cli import main

DAY = NOW_S // 86400  # 22:13 UTC, late in it
MET_DAY = DAY - 4
FIRST = MET_DAY * 96 + 20  # of the ill person's record, in slots of bluezone
OWN = bytes([9]) * 32
ALLOWS = rules.DEFAULT._replace(flags=rules.F1_TOO)


def record(key=KEY, first=FIRST, index=7, count=200):
    return keylist.pack_record(key, first, index, count)


def met(*slots, key=KEY, first=FIRST, index=7):
    found = []
    for slot in slots:
        chain = bluezone.Chain(key, first, index)
        chain.skip(slot - first)
        found.append((slot, chain.id().ljust(16, b"\0")))
    return tuple(found)


CLAIM = wire.pack_claim(record(), met(FIRST + 3, FIRST + 4))
GIVEN = record(OWN, (MET_DAY + 1) * 96, 0, 300)


def contact(folder, code, claim=CLAIM, given=(GIVEN,), scheme=1, how=spec.OF_F1):
    """The bytes of a contact's upload."""
    text = sample.text(scheme, given, how, claim)
    return sample.data(sample.upload(keyring.seal_key(folder).public_key(), code, VISIT, NOW_S, text))


@pytest.fixture
def folder(tmp_path):
    """An authority that takes contacts: of the ill person of KEY, who stands on a published list."""
    folder = tmp_path / "authority"
    core.init(folder, NOW_S)
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "ill", code, first_slot=FIRST, count=200), NOW_S)
    core.publish(folder, tmp_path / "1.eml", NOW_S, ALLOWS)
    contacts.set_cap(folder, 3, NOW_S)
    return folder


def new_code(folder, clinic=1, now_s=NOW_S):
    intake.set_quota(folder, clinic, codes.F1, 5, NOW_S)
    return intake.issue_codes(folder, 1, now_s, clinic=clinic, kind=codes.F1)[0]


def test_contact_that_shows_the_record_and_ids_is_taken_and_stands_on_the_list_of_contacts_only(folder, tmp_path):
    assert intake.take_in(folder, contact(folder, new_code(folder)), NOW_S) == 1
    ill = lists.load(core.publish(folder, tmp_path / "2.eml", NOW_S, ALLOWS).path)
    others = lists.load(core.publish(folder, tmp_path / "3.eml", NOW_S, kind=spec.F1_LIST).path)
    assert (ill.header.kind, others.header.kind) == (spec.F0_LIST, spec.F1_LIST)
    assert [keylist.unpack_record(one)[0] for one in ill.records()] == [KEY]
    assert [keylist.unpack_record(one)[0] for one in others.records()] == [OWN]
    assert (others.header.base, others.serial) == (0, 3)


def test_new_authority_gives_no_codes_for_contacts_and_takes_none(tmp_path):
    core.init(tmp_path / "a", NOW_S)
    with pytest.raises(core.Refused, match="0 more f1"):
        intake.issue_codes(tmp_path / "a", 1, NOW_S, kind=codes.F1)


def test_no_cap_takes_no_contact(folder):
    contacts.set_cap(folder, 0, NOW_S)
    with pytest.raises(core.Refused, match="no more"):
        intake.take_in(folder, contact(folder, new_code(folder)), NOW_S)


def test_cap_counts_all_clinics_and_costs_no_code(folder):
    contacts.set_cap(folder, 1, NOW_S)
    assert intake.take_in(folder, contact(folder, new_code(folder)), NOW_S) == 1
    late = contact(folder, new_code(folder, 7))
    with pytest.raises(core.Refused, match="no more"):
        intake.take_in(folder, late, NOW_S)
    contacts.set_cap(folder, 2, NOW_S)
    assert intake.take_in(folder, late, NOW_S) == 1


def test_list_that_did_not_allow_it_makes_no_contact(tmp_path):
    folder = tmp_path / "authority"
    core.init(folder, NOW_S)
    contacts.set_cap(folder, 3, NOW_S)
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    intake.ingest(folder, upload(folder, tmp_path / "ill", code, first_slot=FIRST, count=200), NOW_S)
    data = contact(folder, new_code(folder))
    with pytest.raises(core.UploadError, match="no list"):
        intake.take_in(folder, data, NOW_S)
    core.publish(folder, tmp_path / "1.eml", NOW_S)
    with pytest.raises(core.UploadError, match="no list"):
        intake.take_in(folder, data, NOW_S)
    core.publish(folder, tmp_path / "2.eml", NOW_S, ALLOWS)
    assert intake.take_in(folder, data, NOW_S) == 1


_OTHER = record(bytes(32))
FORGED = {
    "a record that no list held": wire.pack_claim(_OTHER, met(FIRST + 3, FIRST + 4, key=bytes(32))),
    "a longer record": wire.pack_claim(record(count=201), met(FIRST + 3, FIRST + 4)),
    "a shifted record": wire.pack_claim(record(index=8), met(FIRST + 3, FIRST + 4, index=8)),
    "an earlier record": wire.pack_claim(record(first=FIRST - 1, index=6), met(FIRST + 3)),
    "ids of another slot": wire.pack_claim(record(), ((FIRST + 3, met(FIRST + 4)[0][1]), *met(FIRST + 5))),
    "ids of another key": wire.pack_claim(record(), met(FIRST + 3, FIRST + 4, key=bytes(32))),
    "a slot before the record": wire.pack_claim(record(), met(FIRST) + ((FIRST - 1, bytes(16)),)),
    "a slot behind the record": wire.pack_claim(record(), met(FIRST + 200)),
    "one meeting twice": wire.pack_claim(record(), met(FIRST + 3, FIRST + 3)),
    "meetings on two days": wire.pack_claim(record(), met(FIRST + 3, FIRST + 103)),
    "nobody met": wire.pack_claim(record(), ()),
    "nothing": bytes(spec.CLAIM_BYTES),
    "junk": bytes(range(80)),
}


@pytest.mark.parametrize("what", FORGED)
def test_forged_claim_is_refused_and_costs_no_code(folder, what):
    code = new_code(folder)
    with pytest.raises(core.UploadError) as caught:
        intake.take_in(folder, contact(folder, code, FORGED[what]), NOW_S)
    assert KEY.hex() not in str(caught.value)
    assert intake.take_in(folder, contact(folder, code), NOW_S) == 1


@pytest.mark.parametrize(
    "given",
    [
        [record(OWN, (MET_DAY + 1) * 96 - 1, 0, 300)],
        [GIVEN, record(OWN, MET_DAY * 96, 0, 9)],
        [record(KEY, (MET_DAY + 1) * 96, 0, 9)],
        [],
    ],
)
def test_keys_of_before_the_day_after_the_contact_or_of_the_ill_person_are_refused(folder, given):
    with pytest.raises(core.UploadError):
        intake.take_in(folder, contact(folder, new_code(folder), given=given), NOW_S)


def test_more_records_than_have_a_place_beside_the_claim_are_refused(folder):
    given = [record(bytes([n]) * 32, (MET_DAY + 1) * 96, 0, 9) for n in range(20, 31)]
    text = bytearray(sample.text(1, given[:10], spec.OF_F1, CLAIM))
    text[1] = 11
    plain = sample.upload(keyring.seal_key(folder).public_key(), new_code(folder), VISIT, NOW_S, bytes(text))
    with pytest.raises(core.UploadError, match="no upload"):
        intake.take_in(folder, sample.data(plain), NOW_S)


def test_one_meeting_alone_is_enough_for_a_rule_of_minutes(folder):
    assert intake.take_in(folder, contact(folder, new_code(folder), wire.pack_claim(record(), met(FIRST))), NOW_S)


def test_contact_of_a_contact_is_not_taken(folder, tmp_path):
    intake.take_in(folder, contact(folder, new_code(folder)), NOW_S)
    core.publish(folder, tmp_path / "2.eml", NOW_S, ALLOWS)
    core.publish(folder, tmp_path / "3.eml", NOW_S, ALLOWS, kind=spec.F1_LIST)
    first = (MET_DAY + 1) * 96
    claim = wire.pack_claim(GIVEN, met(first + 3, first + 4, key=OWN, first=first, index=0))
    given = [record(bytes([8]) * 32, (MET_DAY + 2) * 96, 0, 100)]
    with pytest.raises(core.UploadError, match="no list"):
        intake.take_in(folder, contact(folder, new_code(folder), claim, given), NOW_S)


def test_codes_are_for_the_kind_of_upload_that_they_say(folder):
    (plain,) = intake.issue_codes(folder, 1, NOW_S)
    with pytest.raises(core.Refused, match="not for the way"):
        intake.take_in(folder, contact(folder, plain), NOW_S)
    code = new_code(folder)
    assert code[0] == "1" and plain[0] != "1"
    for how in (0, spec.BY_PROXY, spec.OF_F1 | spec.BY_PROXY, 64):
        with pytest.raises(core.Refused, match="not for the way"):
            intake.take_in(folder, contact(folder, code, how=how), NOW_S)


def test_contact_expires_14_days_after_the_day_of_it_as_its_alert_does(folder, tmp_path):
    intake.take_in(folder, contact(folder, new_code(folder)), NOW_S)
    end_s = (MET_DAY + 15) * 86400
    late = contact(folder, new_code(folder, now_s=end_s - 86400))
    for at_s, left in ((end_s - 1, 1), (end_s, 0)):
        path = core.publish(folder, tmp_path / f"{at_s}.eml", at_s, kind=spec.F1_LIST).path
        assert lists.load(path).header.count == left
    with pytest.raises(core.UploadError, match="too long ago"):
        intake.take_in(folder, late, end_s)
    assert retention.forget(folder, end_s).records == 1  # the ill person's stays for its 21 days


def test_claim_of_gaen_is_held_against_its_identifiers(tmp_path):
    folder, first = tmp_path / "authority", MET_DAY * 144 + 6
    core.init(folder, NOW_S)
    contacts.set_cap(folder, 3, NOW_S)
    key, index = bytes(range(16)), first & 0xFFFF
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    path = upload(folder, tmp_path / "ill", code, 2, key.ljust(32, b"\0"), first, index, 100)
    intake.ingest(folder, path, NOW_S)
    core.publish(folder, tmp_path / "1.eml", NOW_S, ALLOWS, "gaen")
    ill = keylist.pack_record(key, first, index, 100)
    chain = gaen.Chain(key, first, index)
    chain.skip(5)
    given = [keylist.pack_record(bytes([7]) * 16, (MET_DAY + 1) * 144, (MET_DAY + 1) * 144 & 0xFFFF, 144)]
    good = wire.pack_claim(ill, [(first + 5, chain.id())])
    bad = wire.pack_claim(ill, [(first + 6, chain.id())])
    code = new_code(folder)
    with pytest.raises(core.UploadError, match="ID"):
        intake.take_in(folder, contact(folder, code, bad, given, 2), NOW_S)
    assert intake.take_in(folder, contact(folder, code, good, given, 2), NOW_S) == 1


def test_audit_says_that_a_contact_was_taken_and_nothing_of_whom(folder):
    intake.take_in(folder, contact(folder, new_code(folder)), NOW_S)
    with store.reading(folder) as database:
        lines = store.audit(database)
    assert [(what, count) for _, what, count in lines[-3:]] == [
        ("set-quota", 5),
        ("issue-codes-f1", 1),
        ("ingest-f1", 1),
    ]
    assert ("set-cap-f1", 3) in [(what, count) for _, what, count in lines]


def test_claim_is_checked_and_not_kept(folder):
    intake.take_in(folder, contact(folder, new_code(folder)), NOW_S)
    raw = b"".join(path.read_bytes() for path in folder.glob("authority.sqlite*"))
    assert OWN in raw and not any(ident[:12] in raw for _, ident in met(FIRST + 3, FIRST + 4))
    with store.reading(folder) as database:
        (row,) = database.execute(select(tables.uploads).where(tables.uploads.c.kind == spec.F1_LIST)).all()
    assert row.until_s == (MET_DAY + 15) * 86400 and row.rests_on and len(row) == 9


def test_holders_read_that_a_list_is_of_contacts_or_allows_them(folder):
    def said(kind, rule, *bases):
        entries = [Listed(lists.Terms(0, 9, NOW_S, 1, wire.pack_rule(rule), b, kind=kind), ()) for b in (0, *bases)]
        signer.check(Draft(lists=tuple(entries)), NOW_S, signer.Last())
        return "\n".join(signer.words(Draft(lists=tuple(entries)), signer.Last()))

    assert "give the own keys" in said(spec.F0_LIST, ALLOWS, 3)
    assert "give the own keys" not in said(spec.F0_LIST, rules.DEFAULT, 3) + said(spec.F1_LIST, ALLOWS)
    assert "warned contacts (F1) 9" in said(spec.F1_LIST, rules.DEFAULT)
    with pytest.raises(core.Refused, match="no short lists"):
        said(spec.F1_LIST, rules.DEFAULT, 3)


def test_command_line_turns_it_on_list_by_list(tmp_path):
    run, home, at = CliRunner().invoke, str(tmp_path / "home"), ["--at", str(NOW_S)]
    assert run(main, ["authority", "init", home, *at]).exit_code == 0
    assert run(main, ["authority", "set-cap", home, "20", *at]).exit_code == 0
    assert run(main, ["authority", "set-quota", home, "2", "--kind", "f1", *at]).exit_code == 0
    given = run(main, ["authority", "issue-codes", home, "--kind", "f1", *at])
    assert given.exit_code == 0 and given.output.startswith("1") and len(given.output.strip()) == 12
    publish = ["authority", "publish", home, "--issued", str(NOW_S), "--out"]
    for more, kind, flags in (([], 1, 0), (["--f1-uploads"], 1, 2), (["--kind", "f1"], 2, 0)):
        out = tmp_path / f"{kind}-{flags}.eml"
        assert run(main, [*publish, str(out), *more]).exit_code == 0
        header = lists.load(out).header
        assert (header.kind, header.rule[-1]) == (kind, flags)
    refused = run(main, [*publish, str(out), "--kind", "f1", "--f1-uploads"])
    assert refused.exit_code == 2 and "contact of a contact" in refused.output


def test_codec_of_a_claim_goes_both_ways():
    for slots in ((FIRST,), (FIRST + 3, FIRST + 9)):
        text = sample.text(1, [GIVEN], spec.OF_F1, wire.pack_claim(record(), met(*slots)))
        assert wire.unpack_claim(text) == (record(), list(met(*slots)))
        assert wire.unpack_upload(text) == (1, spec.OF_F1, [GIVEN])
    assert len(text) == 482 and struct.unpack_from("<I", text, 482 - 40)[0] == FIRST + 3
