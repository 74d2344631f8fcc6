"""Owns what can go wrong with a kiosk: staff codes, and the checks before each visit. Knows no screen and no radio.

The codes stand in docs/KIOSK with what to do. A log line has the code and nothing that identifies anyone.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from emask import signed, spec
from tools import lists, signing
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder

NO_RADIO, NO_IDENTITY, NO_ROOM, NO_FOLDER, WRONG_CLOCK = "K11", "K21", "K31", "K32", "K41"
LISTS_DAMAGED, LOST, BROKE, RESTARTED, NOT_LOGGED, NO_PRINT, NO_CODES = "K33", "K51", "K52", "K61", "K34", "K71", "K81"
NO_CLINIC, OTHER_TOKEN, HALF_SWAPPED = "K82", "K83", "K84"
CODES = {
    NO_RADIO: "no Bluetooth adapter, or it does not answer",
    NO_IDENTITY: "no key or no certificate that holds now",
    NO_ROOM: "the disk is full",
    NO_FOLDER: "the folder can't be written",
    LISTS_DAMAGED: "no list of the folder is sound",
    NOT_LOGGED: "a visit could not be logged",
    WRONG_CLOCK: "the clock is wrong",
    LOST: "the token went away during the visit",
    BROKE: "the visit broke off",
    RESTARTED: "started after a power cut or a crash",
    NO_PRINT: "the slip was not printed",
    NO_CODES: "no upload code is left",
    NO_CLINIC: "the kiosk is not certified for a clinic",
    OTHER_TOKEN: "a step of a swap met another token, or an empty one that is not empty",
    HALF_SWAPPED: "the old token of a swap is not erased",
}
_LEAST_FREE_BYTES = 1 << 20
_RUNNING = "running"
FreeBytes = Callable[[Path], int]


def free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


def closes(folder: KioskFolder, now_s: float, free: FreeBytes = free_bytes) -> str:
    """The code of what keeps the kiosk from serving now, or "": in doubt it does not, as a token keeps all."""
    try:
        if free(folder.path) < _LEAST_FREE_BYTES:
            return NO_ROOM
    except OSError:
        return NO_FOLDER
    if not os.access(folder.outbox, os.W_OK) or not os.access(folder.inbox, os.R_OK):
        return NO_FOLDER
    found = _sound(folder)
    if now_s < _known_s(folder, found):
        return WRONG_CLOCK
    try:
        identity.load(folder.path, now_s)
        there = any(folder.inbox.glob("*.eml"))
    except (identity.IdentityError, signing.KeyFileError, OSError):
        return NO_IDENTITY
    return LISTS_DAMAGED if there and not found else ""


def _sound(folder: KioskFolder) -> list[lists.ListFile]:
    """The sound lists; none while the kiosk has no root to check them by."""
    try:
        return folder.sound_lists()
    except (identity.IdentityError, OSError):
        return []


def _known_s(folder: KioskFolder, found: list[lists.ListFile]) -> int:
    """A time that it is not before: the newest list's issue, the certificate's first second. 0 without a certificate
    that holds."""
    try:
        since_s = signing.check_certificate(
            (folder.path / "kiosk.cert").read_bytes(), identity.root(folder.path), spec.KIOSK_KEY
        ).since_s
    except (identity.IdentityError, signed.SignedError, OSError):
        return 0
    return max(found[0].header.issued_s if found else 0, since_s)


class Running:
    """A mark in the folder while the kiosk runs; `cut` says that the last run did not end by itself."""

    def __init__(self, folder: KioskFolder) -> None:
        self._path = folder.path / _RUNNING
        self.cut = self._path.exists()

    def __enter__(self) -> "Running":
        self._path.touch()
        return self

    def __exit__(self, *problem: object) -> None:
        self._path.unlink(missing_ok=True)
