# The event log of a run: JSON lines, byte for byte the same for the same scenario and seed. Knows no event's meaning.
from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

DETAIL = {"summary": 0, "full": 1}


class EventLog:
    """Writes to a file, or keeps nothing (path None). Lengths and kinds only: never keys, identifiers or sealed
    bytes. held: a list that keeps records back until write().
    """

    def __init__(self, path: Path | None, detail: str = "summary") -> None:
        self._file: IO[str] | None = path.open("w", encoding="utf-8") if path else None
        self.full = DETAIL[detail] > 0
        self.watch: list[Any] = []
        self.clock = lambda: 0
        self.held: list[dict[str, Any]] | None = None

    def event(self, kind: str, node: str, **fields: Any) -> None:
        """One line: t_us, ev, node and the fields."""
        record = {"t_us": self.clock(), "ev": kind, "node": node, **fields}
        if self.held is None:
            self.write((record,))
        else:
            self.held.append(record)

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            for watcher in self.watch:
                watcher(record)
            if self._file:
                self._file.write(json.dumps(record, separators=(",", ":")) + "\n")

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
