"""Owns the exchange between a kiosk's folder and a carrier: store and forward, by stick or share. Knows no radio.

CARRIER/*.eml, *.cert       from the authority; *.change: another root
CARRIER/uploads/*.json      from kiosks; the authority leaves NAME.taken beside what it took
"""

from dataclasses import dataclass
from pathlib import Path

from tools import lists
from tools.files import write_whole
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder

_UPLOADS = "uploads"


@dataclass
class Exchange:
    """What came and went: counts, what was refused and why, and which way did not work and why."""

    lists: int = 0
    root: bool = False
    certificate: bool = False
    sent: int = 0
    received: int = 0
    refused: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [
            f"lists taken: {self.lists}; certificate: {'new' if self.certificate else 'as before'}",
            *(["the root was changed: what the old one signed does not count any more"] if self.root else []),
            f"uploads handed over: {self.sent}; taken by the authority: {self.received}",
            *(f"refused: {line}" for line in self.refused),
            *(f"not done: {line}" for line in self.failed),
        ]
        return "\n".join(lines)


def exchange(folder: KioskFolder, carrier: Path) -> Exchange:
    """Carry both ways; may be repeated, and cut off anywhere. OSError, IdentityError."""
    done = Exchange()
    for path in sorted(carrier.glob("*.change")):  # first: the others may be of the new root
        done.root |= identity.take_root(folder.path, path.read_bytes())
    for path in sorted(carrier.glob("*.eml")):
        _take_list(folder, path, done)
    for path in sorted(carrier.glob("*.cert")):
        done.certificate |= identity.take_certificate(folder.path, path.read_bytes())
    uploads = carrier / _UPLOADS
    for path in folder.uploads():
        if (uploads / path.name).with_suffix(".taken").exists():
            _forget(path, uploads / path.name)
            done.received += 1
        elif not (uploads / path.name).exists():
            write_whole(uploads / path.name, path.read_bytes(), 0o600)
            done.sent += 1
    return done


def _take_list(folder: KioskFolder, path: Path, done: Exchange) -> None:
    try:
        folder.add_list(path)
        done.lists += 1
    except lists.ListFileError as error:
        done.refused += (f"{path.name}: {error}",)


def _forget(own: Path, carried: Path) -> None:
    """The authority has it: the kiosk's copy goes first, so that a cut leaves the receipt to be found again."""
    own.unlink()
    carried.unlink(missing_ok=True)
    carried.with_suffix(".taken").unlink()
