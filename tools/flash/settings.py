"""Owns what a district gives every token of a batch: region, authority's keys, scheme, time zone. Knows no token."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emask import scheme as schemes

_KEYS = ("authority_root", "authority_recovery")
_ENTRIES = {"region": int, "scheme": str, "time_zone_minutes": int, "retention_days": int}
_SLEEPS = ("", "light", "deep")


class SettingsError(Exception):
    """A settings file that can't be used; the text names the entry."""


@dataclass(frozen=True)
class Settings:
    """Checked. root, recovery: 32 bytes."""

    region: int
    root: bytes
    recovery: bytes
    scheme: str = "bluezone"
    time_zone_s: int = 25200
    retention_days: int = 21
    sleep: str = ""  # as the board has it

    def files(self) -> dict[str, bytes]:
        """The token's own files in /config; ON_SHELF stays as delivered: silent until handed over."""
        lines = [
            f"REGION = {self.region}",
            f"ROOT_KEY = {self.root!r}",
            f"RECOVERY_KEY = {self.recovery!r}",
            f"SCHEME = {self.scheme!r}",
            f"TIME_ZONE_S = {self.time_zone_s}",
            f"RETENTION_DAYS = {self.retention_days}",
            "ON_SHELF = True",
        ]
        files = {"token_config.py": ("\n".join(lines) + "\n").encode()}
        return files | ({"board_config.py": f"SLEEP = {self.sleep!r}\n".encode()} if self.sleep else {})


def load(path: Path) -> dict[str, Any]:
    """The entries of a TOML file, checked; SettingsError."""
    try:
        facts = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    parse(facts, str(path))
    return facts


def parse(facts: dict[str, Any], where: str = "settings") -> Settings:
    """Check every entry; SettingsError."""
    unknown = facts.keys() - {*_KEYS, *_ENTRIES, "sleep"}
    if unknown:
        raise SettingsError(f"{where}: unknown entry {sorted(unknown)[0]}")
    for name in ("region", *_KEYS):
        if name not in facts:
            raise SettingsError(f"{where}: {name} is missing")
    for name, value in facts.items():
        if type(value) is not _ENTRIES.get(name, str):
            raise SettingsError(f"{where}: {name} has the wrong type")
    found = Settings(
        facts["region"],
        _key(facts, "authority_root", where),
        _key(facts, "authority_recovery", where),
        facts.get("scheme", "bluezone"),
        facts.get("time_zone_minutes", 420) * 60,
        facts.get("retention_days", 21),
        facts.get("sleep", ""),
    )
    _check(found, where)
    return found


def _key(facts: dict[str, Any], name: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(facts[name])
    except ValueError:
        key = b""
    if len(key) != 32 or not any(key):
        raise SettingsError(f"{where}: {name} is 64 hexadecimal digits, not all zero")
    return key


def _check(found: Settings, where: str) -> None:
    wrong = {
        "region": not 1 <= found.region <= 0xFFFF,
        "scheme": found.scheme not in schemes.names(),
        "time_zone_minutes": not -720 * 60 <= found.time_zone_s <= 840 * 60,
        "retention_days": not 1 <= found.retention_days <= 60,
        "sleep": found.sleep not in _SLEEPS,
    }
    for name, bad in wrong.items():
        if bad:
            raise SettingsError(f"{where}: {name} is out of its range")
