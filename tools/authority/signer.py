"""Owns the signing of a draft where the keys are: what is refused, what it says in words, what comes of it.

Knows no database and no network, and believes neither the draft nor who brought it. It remembers what it signed last
in the first holder's folder, signed.json, so that serials only go up there too. Times are UTC seconds and passed in.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emask import certificate, keylist, spec
from emask import scheme as schemes
from emask.rule import RuleError, unpack
from tools import lists, signing
from tools import rule as rules
from tools.authority import draft as drafts
from tools.authority import keyring
from tools.authority.draft import Draft, Listed, Wanted
from tools.authority.store import Refused
from tools.files import write_whole
from tools.signing import Chance

_LOG = "signed.json"
_LIVES_S = {spec.LIST_KEY: keyring.LIST_KEY_LIFE_S + spec.DAY_S, spec.ROOT_KEY: keyring.ROOT_LIFE_S}
_GOOD_S = 24 * 3_600  # as a release that two persons agreed on
_CLOCK_SLACK_S = 3_600
_RECORDS_S = spec.INFECTIOUS_DAYS * spec.DAY_S  # nothing that is older is on a list


@dataclass(frozen=True)
class Keys:
    """Where they are. holders: of the list key; offline: of the root, needed for certificates only; recovery: of the
    recovery key, if it is not beside the root.
    """

    holders: tuple[Path, ...]
    offline: Path | None = None
    recovery: Path | None = None


@dataclass(frozen=True)
class Last:
    """What was signed last here: serial, records of the whole list, the draft's SHA-256."""

    serial: int = 0
    records: int = 0
    draft: str = ""


def last(holder: Path) -> Last:
    """Refused if the file is damaged: then nobody knows what was signed last."""
    try:
        plain = json.loads((holder / _LOG).read_bytes())
        return Last(int(plain["serial"]), int(plain["records"]), str(plain["draft"]))
    except FileNotFoundError:
        return Last()
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{holder / _LOG} is damaged, and says no more what was signed last") from None


def check(draft: Draft, now_s: int, before: Last) -> None:
    """Refused, with the reason, if no authority in its right mind would ask for this."""
    if not draft.lists and not draft.certificates:
        raise Refused("the draft asks for nothing")
    for wanted in draft.certificates:
        _check_certificate(wanted, now_s)
    _check_root(draft.certificates)
    if not draft.lists:
        return
    if drafted_as(draft) != before.draft and draft.lists[0].terms.serial <= before.serial:
        raise Refused(f"list {before.serial} was signed here already, and serials only go up")
    _check_family(draft.lists)
    if draft.lists[0].terms.ends and (draft.lists[1:] or draft.lists[0].records or draft.certificates):
        raise Refused("an end of the programme stands alone: without records, short lists and certificates")
    for entry in draft.lists:
        _check_list(entry, now_s)


def _check_root(certificates: Sequence[Wanted]) -> None:
    """Another root comes first and once, for every region, and with a list key that it certifies."""
    kinds = [wanted.head.kind for wanted in certificates]
    if spec.ROOT_KEY not in kinds:
        return
    if kinds.index(spec.ROOT_KEY) or kinds.count(spec.ROOT_KEY) > 1 or certificates[0].head.region:
        raise Refused("a new root comes first and once, and is no region's")
    if spec.LIST_KEY not in kinds:
        raise Refused("a new root needs a new list key: the old one's certificate ends with the old root")


def _check_certificate(wanted: Wanted, now_s: int) -> None:
    drawn_here = wanted.head.kind in _LIVES_S
    most_s = _LIVES_S.get(wanted.head.kind, certificate.LONGEST_KIOSK_S)
    if not 0 < wanted.until_s - wanted.since_s <= most_s:
        raise Refused(f"certificate {wanted.head.serial} would hold for longer than is allowed")
    if wanted.since_s > now_s + _CLOCK_SLACK_S or wanted.until_s <= now_s:
        raise Refused(f"certificate {wanted.head.serial} does not hold now: is this computer's date right?")
    if drawn_here == bool(wanted.key):
        raise Refused(f"certificate {wanted.head.serial}: a list key and a root are drawn here, and a kiosk's is not")


def _check_family(entries: Sequence[Listed]) -> None:
    """One list that is whole, the short ones parts of it, and all of the same terms."""
    whole = entries[0]
    if whole.terms.base or len({entry.terms.base for entry in entries}) != len(entries):
        raise Refused("the draft has no whole list, or one short list twice")
    if whole.terms.kind == spec.F1_LIST and entries[1:]:
        raise Refused("of contacts there are no short lists")
    for entry in entries[1:]:
        if _shared(entry) != _shared(whole) or entry.terms.base >= whole.terms.serial:
            raise Refused(f"the short list since {entry.terms.base} is of another kind than the whole one")
        if tuple(entry.terms.withdrawn) != tuple(whole.terms.withdrawn):
            raise Refused(f"the short list since {entry.terms.base} names other withdrawn records than the whole one")
        if not set(entry.records) <= set(whole.records):
            raise Refused(f"the short list since {entry.terms.base} has records that the whole one lacks")


def _shared(entry: Listed) -> tuple:
    terms = entry.terms
    same = terms.kind, terms.region, terms.serial, terms.issued_s, terms.scheme, terms.rule, tuple(terms.revoked)
    return (*same, terms.ends)


def _check_list(entry: Listed, now_s: int) -> None:
    terms = entry.terms
    if not now_s - _GOOD_S <= terms.issued_s <= now_s + _CLOCK_SLACK_S:
        raise Refused("the draft is not of today: is this computer's date right?")
    slot_s = schemes.get(terms.scheme).SLOT_S
    first, end = (terms.issued_s - _RECORDS_S) // slot_s, terms.issued_s // slot_s
    for record in entry.records:
        _, slot, _, count = keylist.unpack_record(record)
        if not count or slot + count <= first or slot + count > end:
            raise Refused("the draft has a record that no list may have: of another time")
    try:
        unpack(terms.rule)
        lists.manifest_of(terms, entry.records)
    except (RuleError, keylist.ListError) as error:
        raise Refused(str(error)) from None


def drafted_as(draft: Draft) -> str:
    """What two people can compare, in 64 hexadecimal digits."""
    return hashlib.sha256(drafts.pack(draft)).hexdigest()


def words(draft: Draft, before: Last) -> list[str]:
    """What would be signed, in lines for people."""
    lines = [f"Agreed in the service: {' and '.join(draft.agreed) or 'nobody'}."]
    lines += [_certificate_words(wanted) for wanted in draft.certificates]
    for entry in draft.lists[:1]:
        lines += _end_words(entry) if entry.terms.ends else _list_words(entry, before)
    if draft.lists[1:]:
        shorts = ", ".join(f"{entry.terms.base} ({len(entry.records)} records)" for entry in draft.lists[1:])
        lines.append(f"  Short lists for who has list {shorts}.")
    return [*lines, f"SHA-256 of the draft: {drafted_as(draft)}"]


def _certificate_words(wanted: Wanted) -> str:
    until = f"until {_day(wanted.until_s)}"
    if wanted.head.kind == spec.ROOT_KEY:
        return (
            f"ANOTHER ROOT, {wanted.head.serial}, drawn here, by the word of the recovery key. What the old root signed"
            " ends wherever the change comes: every kiosk needs a new certificate."
        )
    if wanted.head.kind == spec.LIST_KEY:
        return f"Certificate {wanted.head.serial}: a new list key, drawn here, {until}. Older list keys end with it."
    proxy = ", which may ask those who can't press" if wanted.head.kind == spec.PROXY_KIOSK_KEY else ""
    key = wanted.key.hex()
    return f"Certificate {wanted.head.serial}: a kiosk of {_where(wanted.head.region)}{proxy}, {until}; key {key}."


def _list_words(entry: Listed, before: Last) -> list[str]:
    terms, rule = entry.terms, rules.Rule(*unpack(entry.terms.rule))
    slot_s = schemes.get(terms.scheme).SLOT_S
    slots = [keylist.unpack_record(record)[1] for record in entry.records]
    days = f", from {_day(min(slots) * slot_s)} on" if slots else ""
    revoked = ", ".join(map(str, terms.revoked)) or "none"
    earlier = f"list {before.serial} had {before.records}" if before.serial else "the first that is signed here"
    of_contacts = terms.kind == spec.F1_LIST
    kind = "List of warned contacts (F1)" if of_contacts else "List"
    f1 = ["  Whom it warns may, by consent, give the own keys to the list of contacts (F1)."] if _f1_too(entry) else []
    return [
        f"{kind} {terms.serial} of {_where(terms.region)}, {schemes.get(terms.scheme).NAME}, "
        f"issued {datetime.fromtimestamp(terms.issued_s, UTC):%Y-%m-%d %H:%M} UTC.",
        f"  {len(entry.records)} records{days}; {earlier}.",
        f"  Who was within {rule.distance_dm / 10:g} m of one of them for {rule.minutes} minutes in a day is "
        f"{'told so at a kiosk' if of_contacts else 'warned'}.",
        *f1,
        f"  Revoked kiosks: {revoked}.",
    ]


def _f1_too(entry: Listed) -> bool:
    return entry.terms.kind == spec.F0_LIST and bool(rules.Rule(*unpack(entry.terms.rule)).flags & rules.F1_TOO)


def _end_words(entry: Listed) -> list[str]:
    return [
        f"THE END OF THE PROGRAMME IN REGION {entry.terms.region}, by list {entry.terms.serial}.",
        "  Each token of it that takes this list forgets everything and is silent for good. THERE IS NO WAY BACK:",
        "  only a flash station makes it serve again. Announce it first.",
    ]


def phrase(draft: Draft) -> str:
    """What each holder has to type, not to end a programme by mistake; empty: a yes is enough."""
    return end_phrase(draft.lists[0].terms.region) if draft.lists and draft.lists[0].terms.ends else ""


def end_phrase(region: int) -> str:
    return f"end region {region}"


def _where(region: int) -> str:
    return f"region {region}" if region else "all regions"


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def sign(draft: Draft, keys: Keys, now_s: int, chance: Chance = secrets.token_bytes) -> dict[str, bytes]:
    """{file name: bytes} of what the draft asks for. Refused; KeyFileError if a key is missing, before anything."""
    holder = keys.holders[0]
    before = last(holder)
    check(draft, now_s, before)
    made = dict(_certified(wanted, keys, chance) for wanted in draft.certificates)
    if not draft.lists:
        return made
    vouched, key = keyring.list_key(keys.holders)
    whole = draft.lists[0]
    _remember(holder, Last(whole.terms.serial, len(whole.records), drafted_as(draft)))
    for entry in draft.lists:
        data = lists.build(entry.terms, entry.records, vouched, key)
        made[lists.parse(data).name] = data
    return made


def _certified(wanted: Wanted, keys: Keys, chance: Chance) -> tuple[str, bytes]:
    if keys.offline is None:
        raise Refused("a certificate is asked for: that needs the root's folder")
    if wanted.head.kind == spec.ROOT_KEY:
        return signing.ROOT_CHANGE, _another_root(wanted, keys.offline, keys.recovery or keys.offline, chance)
    if wanted.head.kind == spec.LIST_KEY:
        data = keyring.new_list_key(keys.offline, keys.holders, wanted, chance)
        return f"list-{wanted.head.serial}.cert", data
    return signing.certificate_name(wanted.key), keyring.certify_kiosk(keys.offline, wanted)


def _another_root(wanted: Wanted, offline: Path, recovery: Path, chance: Chance) -> bytes:
    if wanted.head.serial < keyring.newest_root(offline):
        raise Refused(f"root {keyring.newest_root(offline)} was drawn here already, and serials only go up")
    change = keyring.new_root(offline, recovery, wanted, chance)
    keyring.use_root(offline, wanted.head.serial)
    return change


def _remember(holder: Path, signed: Last) -> None:
    write_whole(holder / _LOG, json.dumps(signed.__dict__).encode())
