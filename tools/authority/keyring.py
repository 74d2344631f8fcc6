"""Owns the authority's keys on disk: which there are, where, and what the root certifies. Knows no database.

keys/list-SERIAL.key, .cert  sign lists; certified by the root for a year; the database says which serial is in use
keys/seal.key                opens uploads
root.pub                     what tokens and kiosks are given
OFFLINE/root.key             certifies keys; belongs on a medium that is put away
OFFLINE/recovery.key         needed, beside the root, to change the root
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import signed, spec
from tools import signing, wire
from tools.files import write_whole
from tools.signing import Chance

OFFLINE = "offline"
FIRST_SERIAL = 1
_LIST_KEY_LIFE_S = 365 * spec.DAY_S


def create(folder: Path, offline: Path, now_s: int, chance: Chance) -> tuple[int, int]:
    """Draw all keys; the term of the list key's certificate."""
    offline.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = signing.new_signing_key(offline / "root.key", chance)
    signing.new_signing_key(offline / "recovery.key", chance)
    signing.write_public(folder / "root.pub", root)
    signing.new_sealing_key(folder / "keys" / "seal.key", chance)
    return now_s, change_list_key(folder, offline, FIRST_SERIAL, now_s, chance)


def root_public(folder: Path) -> bytes:
    return signing.load_public(folder / "root.pub")


def seal_key(folder: Path) -> X25519PrivateKey:
    return signing.load_sealing_key(folder / "keys" / "seal.key")


def list_key(folder: Path, serial: int) -> tuple[bytes, Ed25519PrivateKey]:
    """(certificate, key)."""
    path = _list_key_path(folder, serial)
    return path.with_suffix(".cert").read_bytes(), signing.load_signing_key(path)


def _list_key_path(folder: Path, serial: int) -> Path:
    return folder / "keys" / f"list-{serial}.key"


def change_list_key(folder: Path, offline: Path, serial: int, now_s: int, chance: Chance) -> int:
    """A fresh list key, certified; the end of its term."""
    root = signing.load_signing_key(offline / "root.key")
    path = _list_key_path(folder, serial)
    key = signing.new_signing_key(path, chance)
    until_s = now_s + _LIST_KEY_LIFE_S
    content = wire.pack_certificate(
        signed.Head(spec.LIST_KEY, spec.ANY_REGION, serial),
        now_s - spec.DAY_S,
        until_s,
        signing.public_bytes(key),
        bytes(32),
    )
    write_whole(path.with_suffix(".cert"), signing.sign(root, content))
    return until_s


def certify_kiosk(folder: Path, offline: Path, head: signed.Head, public: bytes, since_s: int, until_s: int) -> bytes:
    """The certificate of a kiosk's key, with the key that its uploads are sealed to."""
    root = signing.load_signing_key(offline / "root.key")
    to_authority = signing.public_bytes(seal_key(folder))
    return signing.sign(root, wire.pack_certificate(head, since_s, until_s, public, to_authority))
