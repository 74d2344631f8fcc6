"""Owns the authority's decisions: whom it certifies, when it publishes; lists are listing's, uploads intake's.

Two forms of one path, draft, sign, accept: step by step, the keys on another machine, or at once where all keys are at
hand. Prints nothing. Times are UTC seconds and passed in, and so is chance.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, update

from emask import certificate, signed, spec
from emask import scheme as schemes
from tools import codes, lists
from tools import rule as rules
from tools.authority import intake, keyring, listing, signer, staff, store, tables
from tools.authority.draft import Wanted
from tools.authority.signer import Keys
from tools.authority.store import Refused
from tools.authority.upload import Upload, UploadError
from tools.files import write_whole
from tools.signing import Chance, KeyFileError

# A kiosk may seal to the old key as long as its certificate holds, and an upload may be long on its way.
SEAL_OVERLAP_S = certificate.LONGEST_KIOSK_S + intake.CARRIED_S


@dataclass(frozen=True)
class Published:
    """A list that was written: where, its serial, how many records it holds, and where the short ones are."""

    path: Path
    serial: int
    records: int
    deltas: tuple[Path, ...] = ()


def init(
    folder: Path,
    now_s: int,
    offline: Path | None = None,
    chance: Chance = secrets.token_bytes,
    database: str | None = None,
    handover: Path | None = None,
) -> None:
    """Make a new authority in `folder`; Refused if there is one.

    Its keys are drawn here, root and recovery into `offline`, or taken from `handover`, where keyring.create put them.
    database: the address of an empty PostgreSQL database; None: a file in `folder`.
    """
    try:
        store.create(folder, database)
    except FileExistsError:
        raise Refused(f"{folder} holds an authority already") from None
    with store.opened(folder) as kept:
        if handover is None:
            keyring.create(folder, offline or keyring.offline(folder), keyring.holders(folder), now_s, chance)
        else:
            keyring.handed_over(folder, handover)
        head = signed.Head(spec.LIST_KEY, spec.ANY_REGION, keyring.FIRST_SERIAL)
        _note_certificate(kept, head, keyring.first_term_s(folder))
        first = {"clinic": intake.FIRST_CLINIC, "kind": codes.PLAIN.name, "most": intake.FIRST_QUOTA}
        kept.execute(insert(tables.quotas).values(first))
        store.note(kept, now_s, "init")


def want_kiosk(database: Connection, public: bytes, region: int, now_s: int, days: int, *, proxy: bool) -> Wanted:
    """A certificate for a kiosk's key, to be signed by the root; its serial is taken.

    proxy: it may take uploads of those who can't press, with codes for that.
    """
    kind = spec.PROXY_KIOSK_KEY if proxy else spec.KIOSK_KEY
    wanted = Wanted(signed.Head(kind, region, _next_certificate(database)), now_s, now_s + days * spec.DAY_S, public)
    _note_certificate(database, wanted.head, wanted.until_s, public)
    store.note(database, now_s, "certify-kiosk" + ("-proxy" if proxy else ""))
    return wanted


def want_list_key(database: Connection, now_s: int) -> Wanted:
    """The certificate of a fresh list key; tokens that saw a list of it take none of an older key any more."""
    wanted = keyring.wanted_list_key(_next_certificate(database), now_s)
    _note_certificate(database, wanted.head, wanted.until_s)
    store.note(database, now_s, "change-list-key")
    return wanted


def want_root(database: Connection, now_s: int) -> tuple[Wanted, Wanted]:
    """A fresh root, to be vouched for by the recovery key, and a list key of it."""
    wanted = keyring.wanted_root(_next_certificate(database), now_s)
    _note_certificate(database, wanted.head, wanted.until_s)
    store.note(database, now_s, "change-root")
    return wanted, want_list_key(database, now_s)


def certify_kiosk(
    folder: Path,
    public: bytes,
    region: int,
    now_s: int,
    days: int = 14,
    offline: Path | None = None,
    *,
    proxy: bool = False,
) -> tuple[int, bytes]:
    """(serial, certificate) for a kiosk's key, at most 14 days; needs the offline root key."""
    with store.opened(folder) as database:
        wanted = want_kiosk(database, public, region, now_s, days, proxy=proxy)
        return wanted.head.serial, keyring.certify_kiosk(offline or keyring.offline(folder), wanted)


def change_list_key(folder: Path, now_s: int, offline: Path | None = None, chance: Chance = secrets.token_bytes) -> int:
    """A fresh list key with a higher serial, in the authority's folder."""
    with store.opened(folder) as database:
        wanted = want_list_key(database, now_s)
        keyring.new_list_key(offline or keyring.offline(folder), keyring.holders(folder), wanted, chance)
    return wanted.head.serial


def change_root(
    folder: Path, now_s: int, offline: Path | None = None, chance: Chance = secrets.token_bytes
) -> tuple[int, int]:
    """(serial of the new root, serial of the list key that it certified); kiosks are to be certified anew.

    Needs the offline recovery key, not the old root.
    """
    away = offline or keyring.offline(folder)
    with store.opened(folder) as database:
        root, list_key = want_root(database, now_s)
        keyring.change_root(folder, away, root, chance)
        keyring.new_list_key(away, keyring.holders(folder), list_key, chance)
    return root.head.serial, list_key.head.serial


def revoke(folder: Path, serial: int, now_s: int) -> None:
    """Revoke a kiosk's certificate; the next list says so. Refused if there is none, or too many are revoked."""
    known = tables.certificates
    with store.opened(folder) as database:
        row = database.execute(select(known).where(known.c.serial == serial)).first()
        if row is None or row.kind in (spec.LIST_KEY, spec.ROOT_KEY):
            raise Refused("no kiosk has a certificate of that serial")
        if row.revoked_s is not None:
            raise Refused("that certificate is revoked already")
        if len(listing.revoked_serials(database, now_s)) >= spec.REVOKED_MAX:
            raise Refused(f"a list names at most {spec.REVOKED_MAX} revoked certificates: change the root instead")
        database.execute(update(known).where(known.c.serial == serial).values(revoked_s=now_s))
        store.note(database, now_s, "revoke")


def publish(
    folder: Path,
    out: Path,
    issued_s: int,
    rule: rules.Rule = rules.DEFAULT,
    scheme: str = "bluezone",
    region: int = 0,
    kind: int = spec.F0_LIST,
) -> Published:
    """Write a new list of all records of the last 14 days to `out`, and beside it a short one for the holders of each
    of the seven lists before it. Serials and issue times only go up. Refused where staff release lists."""
    keys = Keys(keyring.holders(folder))
    with store.opened(folder) as database:
        if staff.releases_lists(database):
            raise Refused("two persons of the staff have to agree on each release first, and it is signed elsewhere")
        keyring.list_key(keys.holders)  # without it nothing may be drafted
        draft = listing.draft(database, issued_s, rule, schemes.get(scheme).NUMBER, region, kind)
    made = [lists.parse(data) for data in signer.sign(draft, keys, issued_s).values()]
    deltas = {taken.header.base: out.with_name(f"{out.stem}-since-{taken.header.base}{out.suffix}") for taken in made}
    for taken in made:
        write_whole(deltas[taken.header.base] if taken.header.base else out, taken.data)
    listing.accept(folder, [taken.data for taken in made], issued_s)
    shorts = tuple(path for base, path in deltas.items() if base)
    return Published(out, made[0].serial, made[0].header.count, shorts)


def take_seal_key(folder: Path, handover: Path, now_s: int) -> int:
    """Take over another key that uploads are sealed to (keyring.new_seal_key); until when the one before opens too."""
    until_s = now_s + SEAL_OVERLAP_S
    with store.opened(folder) as database:
        if keyring.take_seal_key(folder, handover, until_s):
            store.note(database, now_s, "take-seal-key")
    return until_s


def _next_certificate(database: Connection) -> int:
    return (database.scalar(select(func.max(tables.certificates.c.serial))) or 0) + 1


def _note_certificate(database: Connection, head: signed.Head, until_s: int, key: bytes | None = None) -> None:
    values = {"serial": head.serial, "kind": head.kind, "region": head.region, "until_s": until_s, "key": key}
    database.execute(insert(tables.certificates).values(values))


__all__ = [
    "KeyFileError",
    "Published",
    "Refused",
    "Upload",
    "UploadError",
    "certify_kiosk",
    "change_list_key",
    "change_root",
    "init",
    "publish",
    "revoke",
    "take_seal_key",
    "want_kiosk",
    "want_list_key",
    "want_root",
]
