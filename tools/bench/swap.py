# How long the two visits of a swap take in which what a token knows moves: from a token of some days to a new one.
# Plays visits on the bench; mends nothing.
from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emask import spec
from tools import signing
from tools.authority import core
from tools.bench import crypto, visit
from tools.bench.attack.stage import Stage
from tools.bench.image import Image
from tools.bench.run import TOKEN_HEAP_KIB
from tools.files import write_whole
from tools.kiosk import swap
from tools.kiosk.session import VisitResult
from tools.kiosk.wish import Wish

_DEVICE = ("x25519", "ed25519_verify", "seal", "seal_block", "record", "record_read", "sha256_block", "aes_block")
_ROUND_S = 22.0  # of a short number, the longest: then the button is held
_HOLD_MS = 4000.0
_SIGHTINGS = 840  # of a usual day


class Pair:
    """An old token and a new one on stages of their own, a clinic's kiosk beside each; `carried` goes between."""

    def __init__(
        self, image: Image, folder: Path, days: int, seed: int, heap_kib: int = TOKEN_HEAP_KIB, **how: Any
    ) -> None:
        """how: `free` as Stage has it."""
        fill = visit.filler(days) if days else None
        self.old = Stage(image, folder / "old", seed=seed, fill=fill, heap_kib=heap_kib, **how)
        self.new = Stage(image, folder / "new", seed=seed + 1, on_shelf=True, heap_kib=heap_kib, **how)
        for stage in (self.old, self.new):
            _certify(stage)
        self.carried = swap.Swap()
        self.moved_s = 0.0

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *problem: object) -> None:
        for stage in (self.old, self.new):
            stage.__exit__(*problem)

    def radio(self, **how: int) -> None:
        for stage in (self.old, self.new):
            stage.radio("station", **how)

    def wear(self, seconds: float) -> None:
        """The old token is worn: it gets the time in a visit first."""
        self.old.run(self.old.visit())
        self.old.wait(seconds)

    def step(self, stage: Stage) -> VisitResult:
        """The next visit, of this token; its wearer presses at the number. moved_s: from the first page on."""
        agreed = stage.loop.create_task(_agree(stage)) if self.carried.stage == swap.OLD else None
        since: list[float] = []

        def told(what: str, done: int, total: int) -> None:
            if what == "move":
                since.append(stage.now_s)

        try:
            return stage.run(stage.visit(wish=Wish(swap=self.carried), progress=told))
        finally:
            self.moved_s = stage.now_s - since[0] if since else 0.0
            if agreed:
                agreed.cancel()


async def _agree(stage: Stage) -> None:
    await asyncio.sleep(_ROUND_S)
    stage.press(_HOLD_MS)


def _certify(stage: Stage) -> None:
    """The station becomes a clinic's."""
    path = stage.bench.kiosks["station"].folder.path
    public = signing.load_public(path / "kiosk.pub")
    _, vouched = core.certify_kiosk(stage.bench.provision.folder, public, 0, int(stage.bench.utc_s()), proxy=True)
    write_whole(path / "kiosk.cert", vouched)


def run(image: Image, days: int, mtu: int, interval_ms: float, seed: int, tell: Callable[[], None]) -> dict[str, Any]:
    """Seconds from the first page to the visit's end: what the token's work takes of them, and the link."""
    whole, pages = _moved(image, days, mtu, interval_ms, seed, (), tell)
    link, _ = _moved(image, days, mtu, interval_ms, seed, _DEVICE, tell)
    rows = [
        {"visit": name, "all_s": round(both, 1), "link_s": round(alone, 1)}
        for name, both, alone in zip(("old token gives", "new token takes"), whole, link, strict=True)
    ]
    vm = crypto.measure(image)
    each_s = {name: vm["vm_us"][name] * vm["slower"][1] / 1e6 for name in (crypto.PAGE, crypto.SEAL)}
    return {
        "sightings": days * _SIGHTINGS,
        "pages": pages,
        "mtu": mtu,
        "interval_ms": interval_ms,
        "rows": rows,
        "code_s": round(pages * each_s[crypto.PAGE], 1),
        "chacha_s": round(pages * each_s[crypto.SEAL], 1),
    }


def _moved(
    image: Image, days: int, mtu: int, interval_ms: float, seed: int, free: tuple[str, ...], tell: Callable[[], None]
) -> tuple[list[float], int]:
    lasted: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Pair(image, Path(folder), days, seed, free=free) as pair:
        pair.radio(mtu=mtu, interval_us=int(interval_ms * 1000))
        pair.wear(700.0)
        pages = 0
        for stage in (pair.new, pair.old, pair.new, pair.old):
            result = pair.step(stage)
            if result.upload != "moved":
                raise AssertionError(f"no such swap came about: {result.upload}")
            pages = max(pages, len(pair.carried.pages))
            lasted.append(pair.moved_s)
            tell()
    return lasted[1:3], pages


def text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['sightings']} sightings, {found['pages']} pages of {spec.SWAP_PAGE_BYTES} bytes, MTU {found['mtu']}, "
        f"connection interval {found['interval_ms']:g} ms; seconds from the first page to the visit's end (model):"
    ]
    for row in found["rows"]:
        device_s = row["all_s"] - row["link_s"]
        seconds = f"link {row['link_s']:6.1f}  token {device_s:6.1f}  together {row['all_s']:6.1f}"
        lines.append(f"{row['visit']:<18} {seconds}")
    lines.append(
        f"Beside it what seals or opens all pages, by the factor of {crypto.SLOWER[1]}: {found['code_s']:g} s; "
        f"ChaCha20-Poly1305 in bytecode would take {found['chacha_s']:g} s."
    )
    return "\n".join(lines)
