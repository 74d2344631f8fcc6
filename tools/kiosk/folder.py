"""Owns the kiosk's folder: lists that came in, uploads that go out, the log of visits. Knows no radio.

inbox/list-SERIAL.eml    lists for the tokens; the highest serial counts
outbox/*.json            uploads for the authority (format emask-upload/1, readable by the owner only)
log.jsonl                one line per visit, without address, code, key or identifier
"""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import lists
from tools.files import write_whole

UPLOAD_FORMAT = "emask-upload/1"


@dataclass(frozen=True)
class KeyRecord:
    """One published stretch of a token's key chain; slots and indices count in the scheme's slots."""

    key: bytes
    first_slot: int
    first_index: int
    count: int


class KioskFolder:
    """The folder at `path`; made if it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.inbox = self.path / "inbox"
        self.outbox = self.path / "outbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add_list(self, source: Path) -> lists.ListFile:
        """Take a list in. ListFileError if it is damaged, or if its serial is used by another list."""
        new = lists.load(source)
        target = self.inbox / f"list-{new.serial:010d}.eml"
        if target.exists() and target.read_bytes() != new.data:
            raise lists.ListFileError(f"another list with serial {new.serial} is here already")
        write_whole(target, new.data)
        return new

    def newest_list(self) -> lists.ListFile | None:
        """The sound list of the highest serial, or None; a damaged file is passed over."""
        for path in sorted(self.inbox.glob("*.eml"), reverse=True):
            try:
                return lists.load(path)
            except (lists.ListFileError, OSError):
                continue
        return None

    def store_upload(self, code: str, scheme: str, records: Sequence[KeyRecord], received_s: int) -> Path:
        """Keep an upload for the authority under a name that tells nothing; mode 0600."""
        text = json.dumps(
            {
                "format": UPLOAD_FORMAT,
                "code": code,
                "scheme": scheme,
                "received": received_s,
                "records": [
                    {
                        "key": record.key.hex(),
                        "first_slot": record.first_slot,
                        "first_index": record.first_index,
                        "count": record.count,
                    }
                    for record in records
                ],
            },
            indent=1,
        )
        path = self.outbox / f"upload-{secrets.token_hex(8)}.json"
        write_whole(path, text.encode() + b"\n", mode=0o600)
        return path

    def uploads(self) -> list[Path]:
        return sorted(self.outbox.glob("*.json"))

    def log(self, entry: dict) -> None:
        """Append one visit; the caller sees to it that nothing in it identifies anyone."""
        line = (json.dumps(entry, sort_keys=True) + "\n").encode()
        handle = os.open(self.path / "log.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def visits(self) -> list[dict]:
        """All logged visits, oldest first; a last line that was cut off is left out."""
        path = self.path / "log.jsonl"
        found = []
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found
