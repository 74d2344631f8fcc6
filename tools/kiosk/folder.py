"""Owns the kiosk's folder: lists that came in, uploads that go out, the log of visits. Knows no radio.

kiosk.key, kiosk.pub, kiosk.cert, root.pub    who the kiosk is: tools.kiosk.identity
inbox/list-REGION-SERIAL-BASE.eml             signed lists for the tokens
outbox/*.json                                 uploads for the authority (emask-upload/2, readable by the owner only)
log.jsonl                                     one line per visit, fault or drop: no address, code, key or identifier
"""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from emask import spec
from tools import lists
from tools.files import write_whole
from tools.kiosk import identity
from tools.signing import UPLOAD_FORMAT, Chance

_ROOM = ".room"
_ROOM_BYTES = 8192  # an upload file has less than 2,000, and its folder may grow by a block


def _order(taken: lists.ListFile) -> tuple[int, int, int, int]:
    return taken.header.kind, -taken.serial, len(taken.data), -taken.header.base


class KioskFolder:
    """The folder at `path`; made if it is not there."""

    def __init__(self, path: Path, chance: Chance = secrets.token_bytes) -> None:
        self.path = Path(path)
        self.chance = chance
        self.inbox = self.path / "inbox"
        self.outbox = self.path / "outbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add_list(self, source: Path) -> lists.ListFile:
        """Take a list in. ListFileError if it is damaged, not signed, or another than the one of its name here."""
        new = lists.load(source, identity.root(self.path))
        target = self.inbox / new.name
        if target.exists() and target.read_bytes() != new.data:
            raise lists.ListFileError(f"another list with serial {new.serial} is here already")
        write_whole(target, new.data)
        self._drop_older(new)
        return new

    def _drop_older(self, new: lists.ListFile) -> None:
        """Forget lists that serve nobody any more, so that the disk does not fill in months."""
        for path in self.inbox.glob("*.eml"):
            old = lists.sound(path)
            if old and old.line == new.line and old.serial < new.serial and old.header.base >= new.header.base:
                path.unlink()

    def sound_lists(self) -> list[lists.ListFile]:
        """All sound lists: those of the ill first, the highest serial first, of one serial the shortest first."""
        root = identity.root(self.path)
        found = [taken for path in self.inbox.glob("*.eml") if (taken := lists.sound(path, root))]
        return sorted(found, key=_order)

    def list_for(self, serial: int, found: list[lists.ListFile] | None = None) -> lists.ListFile | None:
        """The list of the ill for a token that holds `serial`: the newest, in the shortest form that leaves no gap.

        found: what sound_lists() gave, who asks twice: it reads and checks every list.
        """
        return next((taken for taken in self._of_kind(spec.F0_LIST, found) if taken.header.base <= serial), None)

    def list_of_contacts(self, found: list[lists.ListFile] | None = None) -> lists.ListFile | None:
        """The newest list of warned contacts (F1), if this authority has one. found: as in list_for."""
        return next(self._of_kind(spec.F1_LIST, found), None)

    def _of_kind(self, kind: int, found: list[lists.ListFile] | None) -> Iterator[lists.ListFile]:
        return (taken for taken in (self.sound_lists() if found is None else found) if taken.header.kind == kind)

    def make_room(self) -> None:
        """Hold the disk's room for one upload until it is stored. OSError if there is none."""
        write_whole(self.outbox / _ROOM, bytes(_ROOM_BYTES), 0o600)

    def store_upload(self, code: str, visit: bytes, sealed: bytes, received_s: int) -> Path:
        """Keep an upload for the authority under a name that tells nothing; mode 0600."""
        plain = {
            "format": UPLOAD_FORMAT,
            "code": code,
            "visit": visit.hex(),
            "sealed": sealed.hex(),
            "received": received_s,
        }
        path = self.outbox / f"upload-{self.chance(8).hex()}.json"
        (self.outbox / _ROOM).unlink(missing_ok=True)
        write_whole(path, json.dumps(plain, indent=1).encode() + b"\n", mode=0o600)
        return path

    def uploads(self) -> list[Path]:
        return sorted(self.outbox.glob("*.json"))

    def log(self, entry: dict) -> None:
        """Append one visit or fault; the caller sees to it that nothing in it identifies anyone."""
        line = (json.dumps(entry, sort_keys=True) + "\n").encode()
        handle = os.open(self.path / "log.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def visits(self) -> list[dict]:
        """All logged visits, oldest first; other lines, and a last one that was cut off, are left out."""
        return [entry for entry in self._logged() if "complete" in entry]

    def drops(self) -> int:
        """How many tokens took a list without a visit."""
        return sum("drop" in entry for entry in self._logged())

    def _logged(self) -> list[dict]:
        path = self.path / "log.jsonl"
        found = []
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            found.append(entry)
        return found
