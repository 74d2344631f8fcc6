"""Owns what the authority says of the kiosks that it certified: serials, regions, terms. Knows no place and no keeper.

Times are UTC seconds and passed in.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from emask import spec
from tools.authority import store
from tools.authority.tables import certificates

KINDS = (spec.KIOSK_KEY, spec.PROXY_KIOSK_KEY)


@dataclass(frozen=True)
class Kiosk:
    """One certificate that holds, or would if it were not revoked. key: None if it is of before they were noted."""

    serial: int
    region: int
    until_s: int
    proxy: bool
    revoked: bool
    key: bytes | None


def certified(folder: Path, now_s: int, keys: Collection[bytes] = ()) -> list[Kiosk]:
    """Those of these kiosks' keys, or all, by their serials. A kiosk has two while one is renewed."""
    known = certificates.c
    wanted = select(certificates).where(known.kind.in_(KINDS), known.until_s >= now_s).order_by(known.serial)
    if keys:
        wanted = wanted.where(known.key.in_(keys))
    with store.reading(folder) as database:
        return [
            Kiosk(
                row.serial,
                row.region,
                row.until_s,
                row.kind == spec.PROXY_KIOSK_KEY,
                row.revoked_s is not None,
                row.key,
            )
            for row in database.execute(wanted)
        ]
