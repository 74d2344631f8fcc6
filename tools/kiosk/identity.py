"""Owns who a kiosk is: its key, its certificate, the root that it believes. Knows no token.

kiosk.key   signs sessions; never leaves the folder
kiosk.pub   to be certified
kiosk.cert  from the authority, for 14 days at most
root.pub    the authority's root, as tokens have it, and recovery.pub, which alone names another
root.change  another root, of the highest serial that came; then this one counts, and tokens are shown it
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emask import certificate, handshake, signed, spec
from tools import signing, wire
from tools.files import write_whole
from tools.signing import Chance

_NO_KEY = bytes(32)
_EXTRA_S = 60  # a certificate that ends in a minute is of no use


class IdentityError(Exception):
    """The kiosk can't say who it is; the text says what is missing."""


@dataclass(frozen=True)
class Identity:
    """A certified kiosk."""

    key: Ed25519PrivateKey
    vouched: bytes
    facts: certificate.Certificate

    def prove(self, nonce: bytes, ephemeral: bytes, now_s: float, uncertainty_s: int) -> bytes:
        """The body of SESSION: certificate, ephemeral key and time, signed with the token's nonce."""
        body = wire.pack_proof(self.vouched, ephemeral, int(now_s), int(now_s * 1000) % 1000, uncertainty_s)
        message = signed.message(
            spec.SESSION_PROOF, self.facts.region, self.facts.serial, handshake.proof_digest(nonce, body)
        )
        return body + self.key.sign(message)


def create(folder: Path, root: bytes, chance: Chance = secrets.token_bytes, recovery: bytes = _NO_KEY) -> Path:
    """Draw the kiosk's key; the path of kiosk.pub. IdentityError if it has one. recovery: zeros for none."""
    if (folder / "kiosk.key").exists():
        raise IdentityError(f"{folder} holds a kiosk's key already")
    key = signing.new_signing_key(folder / "kiosk.key", chance)
    write_whole(folder / "root.pub", root.hex().encode() + b"\n")
    write_whole(folder / "recovery.pub", recovery.hex().encode() + b"\n")
    signing.write_public(folder / "kiosk.pub", key)
    return folder / "kiosk.pub"


def root(folder: Path) -> bytes:
    """The root's public key."""
    change = root_change(folder)
    if change:
        return certificate.unpack(change).key
    try:
        return signing.load_public(folder / "root.pub")
    except signing.KeyFileError as error:
        raise IdentityError(f"{error} (emask kiosk init)") from None


def root_change(folder: Path) -> bytes:
    """The last change of the root that came, to be shown to tokens; empty if none did."""
    path = folder / signing.ROOT_CHANGE
    return path.read_bytes() if path.is_file() else b""


def take_root(folder: Path, data: bytes) -> bool:
    """Keep a new root if the recovery key vouches for it and its serial is higher; whether it was kept.

    A certificate of the old root goes with it.
    """
    try:
        facts = signing.check_root(data, signing.load_public(folder / "recovery.pub"))
    except signed.SignedError:
        return False
    known = root_change(folder)
    if known and certificate.unpack(known).serial >= facts.serial:
        return False
    write_whole(folder / signing.ROOT_CHANGE, data)
    return True


def take_certificate(folder: Path, data: bytes) -> bool:
    """Keep a certificate if it is this kiosk's, good, and lasts longer than the one here; whether it was kept."""
    try:
        facts = signing.check_certificate(data, root(folder), spec.KIOSK_KEY)
    except signed.SignedError:
        return False
    if facts.key != signing.load_public(folder / "kiosk.pub") or _until_s(folder) >= facts.until_s:
        return False
    write_whole(folder / "kiosk.cert", data)
    return True


def region(folder: Path) -> int:
    """The region that the kiosk is certified for; 0, every region, while it has no certificate."""
    facts = _own(folder)
    return facts.region if facts else spec.ANY_REGION


def _until_s(folder: Path) -> int:
    facts = _own(folder)
    return facts.until_s if facts else 0


def _own(folder: Path) -> certificate.Certificate | None:
    """The certificate here, if the root that counts signed it."""
    try:
        data = (folder / "kiosk.cert").read_bytes()
        return signing.check_certificate(data, root(folder), spec.KIOSK_KEY)
    except (FileNotFoundError, signed.SignedError):
        return None


def load(folder: Path, now_s: float) -> Identity:
    """The kiosk's identity; IdentityError if it has none that holds now."""
    try:
        key = signing.load_signing_key(folder / "kiosk.key")
        data = (folder / "kiosk.cert").read_bytes()
        facts = signing.check_certificate(data, root(folder), spec.KIOSK_KEY)
    except signing.KeyFileError as error:
        raise IdentityError(f"{error} (emask kiosk init)") from None
    except FileNotFoundError:
        raise IdentityError(f"{folder} holds no certificate: have kiosk.pub certified, then emask kiosk sync") from None
    except signed.SignedError as error:
        raise IdentityError(f"{folder / 'kiosk.cert'}: {error}") from None
    if facts.key != signing.public_bytes(key):
        raise IdentityError(f"{folder / 'kiosk.cert'} is another kiosk's")
    if not facts.since_s <= now_s < facts.until_s - _EXTRA_S:
        raise IdentityError("the kiosk's certificate does not hold now: emask kiosk sync brings a new one")
    return Identity(key, data, facts)
