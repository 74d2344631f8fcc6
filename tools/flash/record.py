"""Owns the station's record: batches, boards, steps, in one SQLite file. Holds no key and no chip's number.

A board is recognised within its batch by a hash with the batch's salt; closing the batch destroys the salt.
"""

import csv
import hashlib
import io
import secrets
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, name TEXT UNIQUE, board TEXT, version INTEGER, salt BLOB);
CREATE TABLE IF NOT EXISTS unit (id INTEGER PRIMARY KEY, batch INTEGER REFERENCES batch, tag BLOB, label TEXT UNIQUE,
  state TEXT, mistake TEXT, heard INTEGER, best_dbm INTEGER, at TEXT, UNIQUE (batch, tag));
CREATE TABLE IF NOT EXISTS step (unit INTEGER REFERENCES unit, name TEXT, seconds REAL, at TEXT, UNIQUE (unit, name));
"""
_COLUMNS = ("batch", "board", "version", "label", "state", "mistake", "heard", "best_dbm", "at")


class RecordError(Exception):
    """A record that can't be used as asked; the text says why."""


class Record:
    """One file; safe between threads. Each change is durable before the call returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA secure_delete = ON")  # a destroyed salt is not left in the file
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise RecordError(f"{path}: not a record of batches, or not to be written: {error}") from None

    def _do(self, sql: str, *values: object) -> list[tuple]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def open_batch(self, name: str, board: str, version: int) -> int:
        """The batch of this name, made if need be; RecordError if it was closed or is of other boards."""
        self._do(
            "INSERT OR IGNORE INTO batch (name, board, version, salt) VALUES (?, ?, ?, ?)",
            name, board, version, secrets.token_bytes(16),
        )  # fmt: skip
        number, found, salt = self._do("SELECT id, board, salt FROM batch WHERE name = ?", name)[0]
        if salt is None:
            raise RecordError(f"batch {name} is closed")
        if found != board:
            raise RecordError(f"batch {name} is of {found} boards")
        return number

    def close_batch(self, name: str) -> None:
        """No board can be recognised any more, and none added."""
        with self._lock, self._db:
            found = self._db.execute("SELECT id FROM batch WHERE name = ?", (name,)).fetchone()
            if not found:
                raise RecordError(f"no batch {name}")
            self._db.execute("UPDATE batch SET salt = NULL WHERE id = ?", found)
            self._db.execute("UPDATE unit SET tag = NULL WHERE batch = ?", found)

    def unit(self, batch: int, mac: str) -> tuple[int, str]:
        """(number, label) of a board that was seen in this batch, or of a new one."""
        salt = self._do("SELECT salt FROM batch WHERE id = ?", batch)[0][0]
        tag = hashlib.sha256(salt + mac.encode()).digest()
        self._do(
            "INSERT OR IGNORE INTO unit (batch, tag, label, state, at) VALUES (?, ?, ?, 'started', ?)",
            batch, tag, new_label(), _now(),
        )  # fmt: skip
        return self._do("SELECT id, label FROM unit WHERE batch = ? AND tag = ?", batch, tag)[0]

    def done(self, unit: int) -> list[str]:
        """Steps that are behind a board."""
        return [name for (name,) in self._do("SELECT name FROM step WHERE unit = ?", unit)]

    def step(self, unit: int, name: str, seconds: float) -> None:
        self._do("INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?)", unit, name, seconds, _now())

    def fact(self, unit: int, name: str, value: int) -> None:
        if name in ("heard", "best_dbm"):
            self._do(f"UPDATE unit SET {name} = ? WHERE id = ?", value, unit)

    def end(self, unit: int, mistake: str = "") -> None:
        """Done, or stopped by a mistake."""
        state = "stopped" if mistake else "done"
        self._do("UPDATE unit SET state = ?, mistake = ?, at = ? WHERE id = ?", state, mistake, _now(), unit)

    def labels(self, name: str) -> list[str]:
        """Labels of the finished boards of a batch."""
        found = self._do(
            "SELECT label FROM unit WHERE state = 'done' AND batch = (SELECT id FROM batch WHERE name = ?) ORDER BY id",
            name,
        )
        return [text for (text,) in found]

    def counts(self, batch: int) -> dict[str, int]:
        return dict(self._do("SELECT state, count(*) FROM unit WHERE batch = ? GROUP BY state", batch))

    def csv(self, name: str | None = None) -> str:
        """All boards, or those of one batch."""
        rows = self._do(
            "SELECT b.name, b.board, b.version, u.label, u.state, u.mistake, u.heard, u.best_dbm, u.at FROM unit u "
            "JOIN batch b ON b.id = u.batch WHERE ? IS NULL OR b.name = ? ORDER BY u.id",
            name, name,
        )  # fmt: skip
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
        return text.getvalue()

    def close(self) -> None:
        self._db.close()


_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # 31: none looks like another


def new_label() -> str:
    """A label from chance alone: nothing about the token follows from it. The last sign checks the others."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(7))
    return f"{signs[:4]}-{signs[4:]}{check_sign(signs)}"


def check_sign(signs: str) -> str:
    """Changes with any one sign, and with any two neighbours exchanged: 31 is prime."""
    return _SIGNS[sum((place + 1) * _SIGNS.index(sign) for place, sign in enumerate(signs)) % len(_SIGNS)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
