# What a run's people got before it began: an authority, its root in the tokens, a certificate for each kiosk.
# Chance is the run's own, so that the same seed gives the same run.
from __future__ import annotations

from pathlib import Path

from tools.authority import core, keyring
from tools.bench.engine import Engine
from tools.files import write_whole
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder
from tools.signing import load_public

FOLDER = "authority"


class Provision:
    """The authority in `out`/authority at `now_s`."""

    def __init__(self, engine: Engine, out: Path, now_s: int) -> None:
        self._engine, self._now_s = engine, now_s
        self.folder = out / FOLDER
        core.init(self.folder, now_s, chance=engine.rng("authority").randbytes)
        self.root = keyring.root_public(self.folder)
        self.recovery = keyring.recovery_public(self.folder)

    def kiosk(self, path: Path, region: int = 0) -> KioskFolder:
        """A kiosk's folder with key and certificate, for the first 14 days."""
        folder = KioskFolder(path, self._engine.rng("kiosk", path.name).randbytes)
        public = identity.create(path, self.root, folder.chance, self.recovery)
        _, data = core.certify_kiosk(self.folder, load_public(public), region, self._now_s)
        write_whole(path / "kiosk.cert", data)
        return folder
