"""Owns keys and signatures on the host: key files, statements, certificates, sealed uploads, all by `cryptography`.

The forms of what is signed are emask.signed's; who signs what is decided elsewhere. Chance is passed in.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import certificate, signed, spec
from tools.files import write_whole

Chance = Callable[[int], bytes]
PrivateKey = Ed25519PrivateKey | X25519PrivateKey
SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_SECRET_MODE = 0o600
ROOT_CHANGE = "root.change"  # file name of a new root, signed by the recovery key
UPLOAD_FORMAT = "emask-upload/2"


class KeyFileError(Exception):
    """A key file that is missing, or holds something else; the text names the file."""


def new_signing_key(path: Path, chance: Chance) -> Ed25519PrivateKey:
    """Draw a key and keep it at `path`, for its owner only."""
    return _keep(path, Ed25519PrivateKey.from_private_bytes(chance(32)))


def new_sealing_key(path: Path, chance: Chance) -> X25519PrivateKey:
    """The same for a key that uploads are sealed to."""
    return _keep(path, X25519PrivateKey.from_private_bytes(chance(32)))


def _keep(path: Path, key):
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_whole(path, pem, _SECRET_MODE)
    return key


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    return _load(path, Ed25519PrivateKey)


def load_sealing_key(path: Path) -> X25519PrivateKey:
    return _load(path, X25519PrivateKey)


def _load(path: Path, kind):
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such key file") from None
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: not a key file: {error}") from None
    if not isinstance(key, kind):
        raise KeyFileError(f"{path}: holds a key of another kind")
    return key


def public_bytes(key: PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes_raw()


def load_public(path: Path) -> bytes:
    """32 bytes from a file of 64 hexadecimal digits."""
    try:
        data = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such key file") from None
    except (OSError, ValueError):
        raise KeyFileError(f"{path}: not 64 hexadecimal digits") from None
    if len(data) != 32:
        raise KeyFileError(f"{path}: not 64 hexadecimal digits")
    return data


def write_public(path: Path, key: PrivateKey) -> None:
    write_whole(path, public_bytes(key).hex().encode() + b"\n")


def certificate_name(public: bytes) -> str:
    """The file name under which a site offers the certificate of a kiosk's key."""
    return f"kiosk-{hashlib.sha256(public).hexdigest()[:32]}.cert"


def sign(key: Ed25519PrivateKey, content: bytes) -> bytes:
    """A statement (emask.signed) and its signature."""
    head = signed.unpack_head(content)
    return content + key.sign(signed.message(head.kind, head.region, head.serial, hashlib.sha256(content).digest()))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def check(data: bytes, public: bytes) -> signed.Head:
    """The head of a statement that ends with a good signature by `public`; SignedError if it does not."""
    head = signed.unpack_head(data)
    content, signature = data[: -spec.SIGNATURE_BYTES], data[-spec.SIGNATURE_BYTES :]
    if not verify(
        public, signed.message(head.kind, head.region, head.serial, hashlib.sha256(content).digest()), signature
    ):
        raise signed.SignedError("statement is not signed by that key")
    return head


def check_certificate(data: bytes, root: bytes, kind: int) -> certificate.Certificate:
    """The certificate, if `root` vouches for it and it is a list key's, or a kiosk's of either kind; SignedError."""
    found = certificate.unpack(data)
    if (found.kind == spec.LIST_KEY) != (kind == spec.LIST_KEY) or found.kind == spec.ROOT_KEY:
        raise signed.SignedError("certificate of another kind")
    check(data, root)
    return found


def check_root(data: bytes, recovery: bytes) -> certificate.Certificate:
    """A new root, if the recovery key vouches for it; SignedError."""
    found = certificate.unpack(data)
    if found.kind != spec.ROOT_KEY:
        raise signed.SignedError("not a new root")
    check(data, recovery)
    return found


def unseal(key: X25519PrivateKey, info: bytes, sealed: bytes) -> bytes | None:
    """What a token sealed by HPKE to `key`, or None."""
    try:
        return SUITE.decrypt(sealed, key, info)
    except (InvalidTag, ValueError):
        return None
