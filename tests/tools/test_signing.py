"""Facts about signing away from the service: what is refused, that one holder is not enough, what is taken back."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from emask import keylist, signed, spec
from tests.tools.intake_files import NOW_S, SLOT, upload
from tools import lists, signing, wire
from tools import rule as rules
from tools.authority import core, draft, intake, keyring, listing, releases, signer, staff, store
from tools.authority.draft import Draft, DraftError, Listed, Wanted
from tools.authority.signer import Keys
from tools.authority.store import Refused
from tools.cli import main
from tools.signing import KeyFileError

PASSWORD = "correct horse battery"
KIOSK = bytes(range(32))
RULE = wire.pack_rule(rules.DEFAULT)


class Two:
    """An authority whose keys were drawn elsewhere: home is the service's, an and binh hold halves of the list key."""

    def __init__(self, path):
        self.home, self.offline, self.path = path / "home", path / "offline", path
        self.keys = Keys((path / "an", path / "binh"), self.offline)
        run = ["authority", "keys", path / "handover", "--offline", self.offline, "--at", NOW_S]
        self.command(*run, *self.holders())
        self.command("authority", "init", self.home, "--handover", path / "handover", "--at", NOW_S)
        for name in ("an", "binh"):
            staff.add(self.home, name, staff.RELEASE, PASSWORD, NOW_S)
        self.people = [
            staff.who(self.home, staff.log_in(self.home, name, PASSWORD, NOW_S), NOW_S) for name in ("an", "binh")
        ]

    def holders(self):
        return [word for holder in self.keys.holders for word in ("--holder", holder)]

    def command(self, *words, code=0, typed=""):
        done = CliRunner().invoke(main, list(map(str, words)), input=typed)
        assert done.exit_code == code, done.output
        return done.output

    def takes_upload(self, key):
        (code,) = intake.issue_codes(self.home, 1, NOW_S)
        intake.ingest(self.home, upload(self.home, self.path / "u", code, key=key), NOW_S)

    def agreed(self, now_s=NOW_S):
        number = releases.propose(self.home, self.people[0], 0, "bluezone", RULE, now_s)
        releases.approve(self.home, self.people[1], number, now_s)
        return number

    def drafted(self, now_s=NOW_S):
        return listing.draft_release(self.home, self.agreed(now_s), now_s)


@pytest.fixture
def two(tmp_path):
    own = Two(tmp_path)
    yield own
    store.close(own.home)


def test_list_goes_from_agreement_to_the_site_without_a_key_in_the_services_folder(two, tmp_path):
    two.takes_upload(b"k" * 32)
    number = two.agreed()
    (tmp_path / "k.pub").write_text(KIOSK.hex())
    at = ["--at", NOW_S + 60]
    asked = ["--release", number, "--kiosk", tmp_path / "k.pub", "--region", 7]
    two.command("authority", "draft", two.home, "--out", tmp_path / "draft.json", *asked, *at)
    sign = ["authority", "sign", tmp_path / "draft.json", "--out", tmp_path / "signed", *two.holders(), *at]
    said = two.command(*sign, "--offline", two.offline, typed="y\ny\n")
    assert "Agreed in the service: an and binh." in said and "  1 records, from 2023-11-12 on;" in said
    assert "a kiosk of region 7, until 2023-11-28" in said
    assert "published: 1." in two.command("authority", "accept", two.home, tmp_path / "signed", *at)
    signed_files = sorted((tmp_path / "signed").iterdir())
    assert "1 lists are current" in two.command("authority", "site", tmp_path / "site", *signed_files)
    root = keyring.root_public(two.home)
    (found,) = [lists.load(path, root) for path in (tmp_path / "site").glob("*.eml")]
    assert found.header.count == 1 and len(list((tmp_path / "site").glob("kiosk-*.cert"))) == 1
    assert [path.name for path in two.home.rglob("*.key")] == ["seal.key"]
    assert {path.stat().st_mode & 0o77 for holder in two.keys.holders for path in holder.glob("*.key")} == {0}


def test_holder_alone_signs_nothing(two):
    asked = two.drafted()
    for holder in two.keys.holders:
        with pytest.raises(KeyFileError, match="each person's is needed"):
            signer.sign(asked, Keys((holder,)), NOW_S)
    with pytest.raises(KeyFileError, match="each person's is needed"):
        signer.sign(asked, Keys((two.keys.holders[0],) * 2), NOW_S)
    assert len(signer.sign(asked, two.keys, NOW_S)) == 1


def test_holder_who_says_no_ends_it(two, tmp_path):
    (tmp_path / "draft.json").write_bytes(draft.pack(two.drafted()))
    sign = ["authority", "sign", tmp_path / "draft.json", "--out", tmp_path / "signed", *two.holders(), "--at", NOW_S]
    assert "nothing was signed" in two.command(*sign, typed="y\nn\n", code=1)
    assert not (tmp_path / "signed").exists() and not list(tmp_path.rglob("signed.json"))


def test_same_draft_may_be_signed_again_and_an_older_serial_never(two):
    first = two.drafted()
    second = two.drafted(NOW_S + 60)
    made = signer.sign(second, two.keys, NOW_S + 60)
    assert signer.sign(second, two.keys, NOW_S + 90) == made
    with pytest.raises(Refused, match="list 2 was signed here already"):
        signer.sign(first, two.keys, NOW_S + 90)


def changed(asked, number=0, records=None, **terms):
    """The draft with another list in place of list `number`."""
    old = asked.lists[number]
    new = Listed(replace(old.terms, **terms), old.records if records is None else records)
    return replace(asked, lists=(*asked.lists[:number], new, *asked.lists[number + 1 :]))


def record(first, count):
    return keylist.pack_record(bytes(32), first, 0, count)


WRONG = [
    (lambda asked: Draft(), "asks for nothing"),
    (lambda asked: changed(asked, issued_s=NOW_S - 90_000), "not of today"),
    (lambda asked: changed(asked, issued_s=NOW_S + 7_200), "not of today"),
    (lambda asked: changed(asked, records=(record(SLOT - 10, 11),)), "of another time"),
    (lambda asked: changed(asked, records=(record(SLOT - 16 * 96, 96),)), "of another time"),
    (lambda asked: changed(asked, records=(record(SLOT - 10, 0),)), "of another time"),
    (lambda asked: changed(asked, rule=bytes(19)), "rule"),
    (lambda asked: changed(asked, records=(record(SLOT - 10, 5),) * 10_099), "too big"),
    (lambda asked: changed(asked, base=1), "no whole list"),
    (lambda asked: replace(asked, lists=asked.lists * 2), "one short list twice"),
    (lambda asked: with_short(asked, region=9), "of another kind"),
    (lambda asked: with_short(asked, base=9), "of another kind"),
    (lambda asked: with_short(asked, (record(SLOT - 9, 3),)), "that the whole one lacks"),
    (lambda asked: with_short(asked, withdrawn=()), "names other withdrawn"),
    (
        lambda asked: with_short(asked, withdrawn=(*asked.lists[0].terms.withdrawn[1:], b"\xff" * 16)),
        "names other with",
    ),
    (lambda asked: certificate(until_s=NOW_S + 15 * 86_400), "longer than is allowed"),
    (lambda asked: certificate(until_s=NOW_S), "longer than is allowed"),
    (lambda asked: certificate(since_s=NOW_S - 86_400, until_s=NOW_S - 1), "does not hold now"),
    (lambda asked: certificate(key=b""), "a kiosk's is not"),
    (lambda asked: certificate(kind=spec.LIST_KEY), "a kiosk's is not"),
]


def with_short(asked, records=(), **terms):
    short = Listed(replace(asked.lists[0].terms, **({"base": 1, "serial": 5} | terms)), records)
    whole = Listed(replace(asked.lists[0].terms, serial=5), asked.lists[0].records)
    return replace(asked, lists=(whole, short))


def certificate(kind=spec.KIOSK_KEY, since_s=NOW_S, until_s=NOW_S + 86_400, key=KIOSK):
    return Draft((Wanted(signed.Head(kind, 0, 4), since_s, until_s, key),))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    own = Two(tmp_path_factory.mktemp("two"))
    yield own.drafted(), own.keys
    store.close(own.home)


@pytest.mark.parametrize(("change", "why"), WRONG, ids=[why for _, why in WRONG])
def test_draft_that_no_authority_would_make_is_refused(asked, change, why):
    sound, keys = asked
    with pytest.raises(Refused, match=why):
        signer.sign(change(sound), keys, NOW_S)
    assert signer.last(keys.holders[0]) == signer.Last()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"[" * 90_000, "not JSON"),
        (b"{}", "the whole breaks the rule 'required'"),
        (b" " * 16_000_001, "too long"),
    ],
)
def test_file_that_is_no_draft_names_what_is_wrong(data, why):
    with pytest.raises(DraftError, match=why):
        draft.unpack(data)


@pytest.mark.parametrize(
    ("place", "value"),
    [("records", ["00"]), ("rule", "00"), ("serial", -1), ("issued", 2**32), ("scheme", 3), ("more", 1)],
)
def test_draft_with_a_value_out_of_range_is_none(asked, place, value):
    plain = json.loads(draft.pack(asked[0]))
    plain["lists"][0][place] = value
    with pytest.raises(DraftError, match="lists.0"):
        draft.unpack(json.dumps(plain).encode())


def test_draft_is_the_same_after_its_way_on_a_stick(asked):
    whole = replace(asked[0], certificates=certificate().certificates)
    assert draft.unpack(draft.pack(whole)) == whole


def test_only_what_was_drafted_here_and_all_of_it_is_taken_back(two):
    two.takes_upload(b"k" * 32)
    first = two.drafted()
    listing.accept(two.home, signer.sign(first, two.keys, NOW_S).values(), NOW_S)
    made = signer.sign(two.drafted(NOW_S + 60), two.keys, NOW_S + 60)
    assert len(made) == 2
    with pytest.raises(Refused, match="not all of it"):
        listing.accept(two.home, list(made.values())[:1], NOW_S + 90)
    other = signer.sign(changed(two.drafted(NOW_S + 70), records=()), two.keys, NOW_S + 70)
    with pytest.raises(Refused, match="not what was drafted"):
        listing.accept(two.home, other.values(), NOW_S + 90)
    assert [listing.accept(two.home, made.values(), NOW_S + 90) for _ in range(2)] == [[2], [2]]
    with store.reading(two.home) as database:
        assert [what for _, what, _ in store.audit(database)].count("publish") == 2


def test_what_another_authority_signed_is_not_taken_back(two, tmp_path):
    core.init(tmp_path / "other", NOW_S)
    done = core.publish(tmp_path / "other", tmp_path / "list.eml", NOW_S)
    with pytest.raises(Refused, match="not signed by this authority"):
        listing.accept(two.home, [done.path.read_bytes()], NOW_S)
    _, data = core.certify_kiosk(tmp_path / "other", KIOSK, 0, NOW_S)
    with pytest.raises(Refused, match="not signed by this authority's root"):
        listing.accept(two.home, [data], NOW_S)
    with pytest.raises(Refused, match="was not asked for here"):
        listing.accept(two.home, signer.sign(certificate(), two.keys, NOW_S).values(), NOW_S)


def test_list_key_is_changed_without_touching_the_service(two, tmp_path):
    at = ["--at", NOW_S]
    two.command("authority", "draft", two.home, "--out", tmp_path / "draft.json", "--new-list-key", *at)
    sign = ["authority", "sign", tmp_path / "draft.json", "--out", tmp_path / "signed", *two.holders(), "--yes", *at]
    assert "needs the root's folder" in two.command(*sign, code=1)
    said = two.command(*sign, "--offline", two.offline, "--json")
    assert json.loads(said.splitlines()[-1]) == {"files": ["list-2.cert"]}
    two.command("authority", "accept", two.home, tmp_path / "signed", *at)
    vouched, _ = keyring.list_key(two.keys.holders)
    assert signing.check_certificate(vouched, keyring.root_public(two.home), spec.LIST_KEY).serial == 2
    before = [path.read_bytes() for holder in two.keys.holders for path in sorted(holder.glob("list-2.*"))]
    two.command(*sign, "--offline", two.offline)
    assert before == [path.read_bytes() for holder in two.keys.holders for path in sorted(holder.glob("list-2.*"))]


def test_keys_are_never_written_over(two, tmp_path):
    again = ["authority", "keys", tmp_path / "handover", "--offline", tmp_path / "new", *two.holders()]
    assert "never written over" in two.command(*again, code=1)
    assert "missing" in two.command("authority", "init", tmp_path / "b", "--handover", two.home / "keys", code=2)


def test_publishing_at_once_needs_the_list_key_here_and_burns_no_serial_without_it(tmp_path):
    core.init(tmp_path / "a", NOW_S)
    for path in (tmp_path / "a" / "keys").glob("list-*.key"):
        path.rename(tmp_path / path.name)
    with pytest.raises(KeyFileError, match="no list key is here"):
        core.publish(tmp_path / "a", tmp_path / "list.eml", NOW_S)
    (tmp_path / "list-1.key").rename(tmp_path / "a" / "keys" / "list-1.key")
    assert core.publish(tmp_path / "a", tmp_path / "list.eml", NOW_S).serial == 1


# -- another root


def asked_for_root(two, *more, now_s=NOW_S):
    words = ["authority", "draft", two.home, "--new-root", "--out", two.path / "root.json", "--at", now_s, *more]
    two.command(*words)
    return ["authority", "sign", two.path / "root.json", "--out", two.path / "signed", *two.holders(), "--at", now_s]


def taken_back(two, code=0):
    return two.command("authority", "accept", two.home, two.path / "signed", "--at", NOW_S, code=code)


def test_root_goes_from_draft_to_the_site_with_list_key_and_kiosks_by_the_recovery_keys_word(two, tmp_path):
    recovery, old = tmp_path / "apart", keyring.root_public(two.home)
    recovery.mkdir()
    (two.offline / "recovery.key").rename(recovery / "recovery.key")
    (tmp_path / "k.pub").write_text(KIOSK.hex())
    sign = [*asked_for_root(two, "--kiosk", tmp_path / "k.pub"), "--offline", two.offline]
    assert "no such key file" in two.command(*sign, "--yes", code=2)
    said = two.command(*sign, "--recovery", recovery, typed="y\ny\n")
    assert "ANOTHER ROOT, 2, drawn here" in said and "every kiosk needs a new certificate" in said
    names = {path.name for path in (tmp_path / "signed").iterdir()}
    assert names == {"root.change", "list-3.cert", signing.certificate_name(KIOSK)}
    assert keyring.root_public(two.home) == old
    taken_back(two)
    change = (two.home / "root.change").read_bytes()
    facts = signing.check_root(change, keyring.recovery_public(two.home))
    assert facts.key == keyring.root_public(two.home) != old
    for name in names - {"root.change"}:
        signing.check((tmp_path / "signed" / name).read_bytes(), facts.key)
    made = signer.sign(two.drafted(), two.keys, NOW_S)
    assert listing.accept(two.home, made.values(), NOW_S) == [1]
    lists.parse(*made.values(), facts.key)
    two.command("authority", "site", tmp_path / "site", *(tmp_path / "signed").iterdir())
    assert (tmp_path / "site" / "root.change").read_bytes() == change
    assert [path.name for path in two.home.rglob("*.key")] == ["seal.key"]


def test_holder_who_says_no_leaves_the_old_root(two, tmp_path):
    before = {path: path.read_bytes() for path in two.offline.iterdir()}
    two.command(*asked_for_root(two), "--offline", two.offline, typed="y\nn\n", code=1)
    assert before == {path: path.read_bytes() for path in two.offline.iterdir()}


def test_change_of_the_root_that_was_cut_off_is_signed_again_to_the_same_bytes(two, tmp_path, monkeypatch):
    sign = [*asked_for_root(two), "--offline", two.offline, "--yes"]

    def cut(*_):
        raise OSError("power")

    for name in ("use_root", "new_list_key"):
        with monkeypatch.context() as patch:
            patch.setattr(keyring, name, cut)
            assert "power" in two.command(*sign, code=2)
    two.command(*sign)
    first = {path.name: path.read_bytes() for path in (tmp_path / "signed").iterdir()}
    taken_back(two)
    two.command(*sign)
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "signed").iterdir()}
    assert "as drafted" in taken_back(two)


def test_older_root_is_neither_drawn_again_nor_taken_back(two):
    made = []
    for now_s in (NOW_S, NOW_S + 60):
        with store.opened(two.home) as database:
            made.append(Draft(core.want_root(database, now_s)))
    first = signer.sign(made[0], two.keys, NOW_S)
    second = signer.sign(made[1], two.keys, NOW_S + 60)
    with pytest.raises(Refused, match="root 4 was drawn here already"):
        signer.sign(made[0], two.keys, NOW_S + 90)
    listing.accept(two.home, second.values(), NOW_S + 90)
    with pytest.raises(Refused, match="root 4 counts here already"):
        listing.accept(two.home, first.values(), NOW_S + 90)


def root_wanted(serial):
    root = keyring.wanted_root(serial, NOW_S)
    return root, keyring.wanted_list_key(serial + 1, NOW_S)


@pytest.mark.parametrize(
    ("certificates", "why"),
    [
        (root_wanted(4)[:1], "needs a new list key"),
        (root_wanted(4)[::-1], "comes first and once"),
        (root_wanted(4) + root_wanted(6), "comes first and once"),
        ((replace(root_wanted(4)[0], head=signed.Head(spec.ROOT_KEY, 5, 4)), root_wanted(4)[1]), "no region's"),
        ((replace(root_wanted(4)[0], key=KIOSK), root_wanted(4)[1]), "are drawn here"),
        ((replace(root_wanted(4)[0], until_s=NOW_S * 2 + 1), root_wanted(4)[1]), "longer than is allowed"),
    ],
)
def test_draft_of_a_root_that_no_authority_would_make_is_refused(asked, certificates, why):
    with pytest.raises(Refused, match=why):
        signer.sign(Draft(certificates), asked[1], NOW_S)


def test_change_of_the_root_is_taken_back_only_if_it_was_asked_for_and_by_the_recovery_key(two, tmp_path):
    with pytest.raises(Refused, match="was not asked for here"):
        listing.accept(two.home, signer.sign(Draft(root_wanted(40)), two.keys, NOW_S).values(), NOW_S)
    other = Two(tmp_path / "other")
    made = signer.sign(Draft(root_wanted(2)), other.keys, NOW_S)
    before = {path: path.read_bytes() for path in two.home.iterdir() if path.is_file()}
    for files in (made.values(), [*made.values()] * 2):
        with pytest.raises(Refused, match="recovery key, or not alone"):
            listing.accept(two.home, files, NOW_S)
    assert before == {path: path.read_bytes() for path in two.home.iterdir() if path.is_file()}
    store.close(other.home)


# -- the end of the programme

END = "end region 5\n"


def asked_to_end(two, typed=END, code=0):
    draft_end = ["authority", "draft", two.home, "--end", "--region", 5, "--out", two.path / "end.json", "--at", NOW_S]
    return two.command(*draft_end, typed=typed, code=code)


def signed_end(two, typed, code=0, *more):
    sign = ["authority", "sign", two.path / "end.json", "--out", two.path / "signed", *two.holders(), "--at", NOW_S]
    return two.command(*sign, *more, typed=typed, code=code)


def test_end_is_typed_by_who_drafts_it_and_by_both_holders_and_comes_back_like_a_list(two, tmp_path):
    asked_to_end(two)
    said = signed_end(two, END * 2)
    assert "THE END OF THE PROGRAMME IN REGION 5, by list 1." in said and "THERE IS NO WAY BACK" in said
    assert said.count('type "end region 5"') == 2
    assert "published: 1." in two.command("authority", "accept", two.home, tmp_path / "signed", "--at", NOW_S)
    (path,) = (tmp_path / "signed").iterdir()
    found = lists.load(path, keyring.root_public(two.home))
    assert found.ends and found.header.region == 5 and (found.header.count, found.header.base) == (0, 0)
    with store.reading(two.home) as database:
        assert [what for _, what, _ in store.audit(database)][-2:] == ["draft-end", "end"]


@pytest.mark.parametrize("typed", ["\n", "y\n", "end region 6\n", "END REGION 5\n"])
def test_end_is_not_drafted_or_signed_by_anything_but_its_own_words(two, tmp_path, typed):
    assert "nothing was drafted" in asked_to_end(two, typed, 1)
    assert not (tmp_path / "end.json").exists()
    asked_to_end(two)
    assert "nothing was signed" in signed_end(two, END + typed, 1)
    assert not (tmp_path / "signed").exists()


def test_end_is_not_signed_by_one_who_says_yes_for_all(two, tmp_path):
    asked_to_end(two)
    assert "each holder types it" in signed_end(two, END * 2, 1, "--yes")
    assert not (tmp_path / "signed").exists()


def test_end_stands_alone(two, tmp_path):
    (tmp_path / "k.pub").write_text(KIOSK.hex())
    for more in (["--new-list-key"], ["--kiosk", tmp_path / "k.pub"], ["--release", 1]):
        words = ["authority", "draft", two.home, "--end", "--out", tmp_path / "end.json", *more]
        assert "stands alone" in two.command(*words, code=2)
    end = listing.draft_end(two.home, 5, NOW_S)
    for wrong in (
        changed(end, records=(record(SLOT - 10, 5),)),
        with_short(end),
        replace(end, certificates=certificate().certificates),
    ):
        with pytest.raises(Refused, match="stands alone"):
            signer.sign(wrong, two.keys, NOW_S)


def test_after_the_end_its_region_gets_no_list_and_others_do(two):
    end = listing.draft_end(two.home, 0, NOW_S)
    assert two.drafted(NOW_S + 60).lists  # drafted only: nothing has ended
    other = listing.draft_end(two.home, 5, NOW_S + 60)
    listing.accept(two.home, signer.sign(end, two.keys, NOW_S).values(), NOW_S)
    with pytest.raises(Refused, match="was ended in that region"):
        two.drafted(NOW_S + 90)
    listing.accept(two.home, signer.sign(other, two.keys, NOW_S + 60).values(), NOW_S + 60)
    with store.opened(two.home) as database:
        assert listing.draft(database, NOW_S + 90, rules.DEFAULT, 1, 7).lists[0].terms.serial == 4


def test_plain_list_does_not_come_back_as_an_end(two):
    plain = two.drafted()
    made = signer.sign(changed(plain, ends=True), two.keys, NOW_S)
    with pytest.raises(Refused, match="not what was drafted"):
        listing.accept(two.home, made.values(), NOW_S)
