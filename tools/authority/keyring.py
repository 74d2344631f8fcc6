"""Owns the authority's keys on disk: which there are, where, and what the root certifies. Knows no database.

FOLDER, the authority's, or what is handed over to it:
  root.pub, recovery.pub      what tokens and kiosks are given
  root.change                 the last change of the root, for tokens and kiosks that have an older one
  keys/seal.key               opens uploads; keys/seal-until-T.key those that were on their way when it was changed
HOLDER, by default FOLDER/keys; away from FOLDER one folder for each person without whom no list is signed:
  list-SERIAL.key, .cert      the list key, or the person's share of it, and the root's certificate, for a year
OFFLINE, by default FOLDER/offline, on a medium that is put away:
  root.key                    certifies keys; root-SERIAL.key beside it is the same, after a change
  recovery.key                names another root, and nothing else; better on a medium of its own
  seal.pub                    what kiosks' certificates name: uploads are sealed to it
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import certificate, signed, spec
from tools import signing, wire
from tools.authority.draft import Wanted
from tools.files import write_whole
from tools.signing import Chance, KeyFileError

FIRST_SERIAL = 1
LIST_KEY_LIFE_S = 365 * spec.DAY_S
ROOT_LIFE_S = 10 * LIST_KEY_LIFE_S


def holders(folder: Path) -> tuple[Path, ...]:
    """Where the list key is if nobody else holds it."""
    return (folder / "keys",)


def offline(folder: Path) -> Path:
    """Where the root is if it was not put elsewhere."""
    return folder / "offline"


def create(folder: Path, away: Path, held_by: Sequence[Path], now_s: int, chance: Chance) -> None:
    """Draw all keys: what the authority needs in `folder`, root and recovery in `away`, the list key's shares."""
    away.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = signing.new_signing_key(away / "root.key", chance)
    recovery = signing.new_signing_key(away / "recovery.key", chance)
    signing.write_public(folder / "root.pub", root)
    signing.write_public(folder / "recovery.pub", recovery)
    seal = signing.new_sealing_key(folder / "keys" / "seal.key", chance)
    signing.write_public(away / "seal.pub", seal)
    vouched = new_list_key(away, held_by, wanted_list_key(FIRST_SERIAL, now_s), chance)
    write_whole(folder / "keys" / f"list-{FIRST_SERIAL}.cert", vouched)


def handed_over(folder: Path, source: Path) -> None:
    """Take over what `create` made elsewhere for an authority; KeyFileError if `source` lacks any of it."""
    publics = Path("root.pub"), Path("recovery.pub")
    parts = (*publics, Path("keys") / "seal.key", Path("keys") / f"list-{FIRST_SERIAL}.cert")
    if missing := [part for part in parts if not (source / part).is_file()]:
        raise KeyFileError(f"{source / missing[0]}: missing (emask authority keys makes it)")
    for part in parts:
        write_whole(folder / part, (source / part).read_bytes(), 0o600 if part.suffix == ".key" else 0o644)


def first_term_s(folder: Path) -> int:
    """Until when the first list key is certified."""
    return certificate.unpack((folder / "keys" / f"list-{FIRST_SERIAL}.cert").read_bytes()).until_s


def root_public(folder: Path) -> bytes:
    return signing.load_public(folder / "root.pub")


def recovery_public(folder: Path) -> bytes:
    return signing.load_public(folder / "recovery.pub")


def wanted_root(serial: int, now_s: int) -> Wanted:
    """What the recovery key is to say of a new root."""
    return Wanted(signed.Head(spec.ROOT_KEY, spec.ANY_REGION, serial), now_s, now_s + ROOT_LIFE_S)


def change_root(folder: Path, away: Path, wanted: Wanted, chance: Chance) -> None:
    """A fresh root, which the recovery key vouches for. Cut off anywhere, it can be repeated.

    The change is written before the root key is replaced: no key signs that nobody could come to believe.
    """
    take_root(folder, new_root(away, away, wanted, chance))
    use_root(away, wanted.head.serial)


def new_root(away: Path, recovery: Path, wanted: Wanted, chance: Chance) -> bytes:
    """Draw another root, not in use yet, for which the recovery key in `recovery` vouches: the change of the root.

    What was drawn for that serial before is kept: a call that was cut off may be repeated.
    """
    word = signing.load_signing_key(recovery / "recovery.key")
    root = _drawn(_root_file(away, wanted.head.serial), chance)
    return _certified(word, wanted, signing.public_bytes(root), bytes(32))


def use_root(away: Path, serial: int) -> None:
    """From now on this root certifies, in place of the one before."""
    write_whole(away / "root.key", _root_file(away, serial).read_bytes(), 0o600)


def newest_root(away: Path) -> int:
    """The highest serial of the roots that were drawn here in place of the first; 0: none was."""
    return max((int(path.stem[5:]) for path in away.glob("root-*.key") if path.stem[5:].isdigit()), default=0)


def _root_file(away: Path, serial: int) -> Path:
    return away / f"root-{serial}.key"


def take_root(folder: Path, change: bytes) -> None:
    """Keep a change of the root where the service is; whether it is one was checked."""
    write_whole(folder / signing.ROOT_CHANGE, change)
    write_whole(folder / "root.pub", certificate.unpack(change).key.hex().encode() + b"\n")


def root_serial(folder: Path) -> int:
    """The serial of the root that counts; 0: the first."""
    path = folder / signing.ROOT_CHANGE
    return certificate.unpack(path.read_bytes()).serial if path.exists() else 0


def seal_key(folder: Path) -> X25519PrivateKey:
    return signing.load_sealing_key(folder / "keys" / "seal.key")


def seal_keys(folder: Path) -> list[X25519PrivateKey]:
    """All that open uploads, the present one first."""
    return [seal_key(folder), *(signing.load_sealing_key(path) for path in _older_seals(folder))]


def new_seal_key(handover: Path, away: Path, chance: Chance) -> None:
    """Draw another key that uploads are sealed to; what is certified from now on names it. May be repeated."""
    path = handover / "seal.key"
    key = signing.load_sealing_key(path) if path.exists() else signing.new_sealing_key(path, chance)
    signing.write_public(away / "seal.pub", key)


def take_seal_key(folder: Path, handover: Path, until_s: int) -> bool:
    """Open uploads by the key in `handover`, and until then by the one before too. False: it is here already."""
    new, keys = signing.load_sealing_key(handover / "seal.key"), folder / "keys"
    if signing.public_bytes(new) == signing.public_bytes(seal_key(folder)):
        return False
    write_whole(keys / f"seal-until-{until_s}.key", (keys / "seal.key").read_bytes(), 0o600)
    write_whole(keys / "seal.key", (handover / "seal.key").read_bytes(), 0o600)
    return True


def forget_seal_keys(folder: Path, now_s: int) -> None:
    """Delete those that nothing on its way is sealed to any more."""
    for path in _older_seals(folder):
        if int(path.stem.rpartition("-")[2]) <= now_s:
            path.unlink()


def _older_seals(folder: Path) -> list[Path]:
    return sorted((folder / "keys").glob("seal-until-*.key"), reverse=True)


def wanted_list_key(serial: int, now_s: int) -> Wanted:
    """What the root is to say of a new list key."""
    return Wanted(signed.Head(spec.LIST_KEY, spec.ANY_REGION, serial), now_s - spec.DAY_S, now_s + LIST_KEY_LIFE_S)


def new_list_key(away: Path, held_by: Sequence[Path], wanted: Wanted, chance: Chance) -> bytes:
    """Draw a list key, a share of it for each holder, and certify it; the certificate, which they get too.

    What was drawn for that serial before is kept: a call that was cut off may be repeated.
    """
    root = signing.load_signing_key(away / "root.key")
    name = f"list-{wanted.head.serial}.key"
    key = _joined([_drawn(holder / name, chance) for holder in held_by])
    vouched = _certified(root, wanted, signing.public_bytes(key), bytes(32))
    for holder in held_by:
        write_whole((holder / name).with_suffix(".cert"), vouched)
    return vouched


def _drawn(path: Path, chance: Chance) -> Ed25519PrivateKey:
    return signing.load_signing_key(path) if path.exists() else signing.new_signing_key(path, chance)


def certify_kiosk(away: Path, wanted: Wanted) -> bytes:
    """The certificate of a kiosk's key, with the key that its uploads are sealed to."""
    root = signing.load_signing_key(away / "root.key")
    return _certified(root, wanted, wanted.key, signing.load_public(away / "seal.pub"))


def _certified(root: Ed25519PrivateKey, wanted: Wanted, key: bytes, seal: bytes) -> bytes:
    return signing.sign(root, wire.pack_certificate(wanted.head, wanted.since_s, wanted.until_s, key, seal))


def list_key(held_by: Sequence[Path]) -> tuple[bytes, Ed25519PrivateKey]:
    """(certificate, key) of the newest list key; KeyFileError if there is none, or a holder's share is missing."""
    names = {int(path.stem[5:]): path.name for path in held_by[0].glob("list-*.key") if path.stem[5:].isdigit()}
    if not names:
        raise KeyFileError(f"{held_by[0]}: no list key is here")
    name = names[max(names)]
    key = _joined([signing.load_signing_key(holder / name) for holder in held_by])
    vouched = (held_by[0] / name).with_suffix(".cert").read_bytes()
    if certificate.unpack(vouched).key != signing.public_bytes(key):
        raise KeyFileError(f"{held_by[0] / name}: not the certified key, or only a share: each person's is needed")
    return vouched, key


def _joined(shares: Sequence[Ed25519PrivateKey]) -> Ed25519PrivateKey:
    """The key of its shares; all but one of them tell nothing of it."""
    seed = 0
    for share in shares:
        seed ^= int.from_bytes(share.private_bytes_raw(), "big")
    return Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
