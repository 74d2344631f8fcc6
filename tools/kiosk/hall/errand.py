"""Owns what the staff want of the next token, and whether the kiosk has what that takes. Knows no screen, no radio."""

from dataclasses import dataclass

from emask import spec
from tools.codes import F1, PLAIN, PROXY
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder
from tools.kiosk.hall import faults, stock
from tools.kiosk.hall.flow import CONTACT, HANDOVER, HOUSEHOLD, PAUSE, SWAP, UPLOAD, WIPE, Flow
from tools.kiosk.swap import Swap
from tools.kiosk.wish import Wish


@dataclass(frozen=True)
class Errand:
    """name: empty in an ordinary visit. proxy: a representative agreed. code: for an upload, if one is left. household:
    the secret of the one that tokens join just now. swap: as far as it has come."""

    name: str
    proxy: bool
    code: str | None
    household: bytes | None
    pause_min: int | None
    swap: Swap | None

    @staticmethod
    def of(flow: Flow, folder: KioskFolder, household: bytes, swap: Swap | None) -> "Errand":
        """The errand that was chosen on the page."""
        kind = F1 if flow.errand == CONTACT else PROXY if flow.proxy else PLAIN
        return Errand(
            flow.errand,
            flow.proxy,
            stock.first(folder, kind) if flow.errand in (UPLOAD, CONTACT) else None,
            household if flow.errand == HOUSEHOLD else None,
            flow.pause_min if flow.errand == PAUSE else None,
            swap if flow.errand == SWAP else None,
        )

    def missing(self, certified: bool) -> str:
        """The staff code of what it needs and the kiosk has not, or "". certified: as a clinic's."""
        if (self.proxy or self.name in (HOUSEHOLD, PAUSE, SWAP)) and not certified:
            return faults.NO_CLINIC
        return faults.NO_CODES if self.name in (UPLOAD, CONTACT) and not self.code else ""

    def wish(self) -> Wish:
        return Wish(
            handover=self.name == HANDOVER,
            code=self.code,
            household=self.household,
            pause_min=self.pause_min,
            wipe=self.name == WIPE,
            swap=self.swap,
        )

    def facts(self) -> dict[str, object]:
        """For the log: nothing that identifies anyone."""
        step = {"step": self.swap.stage} if self.swap else {}
        return {"errand": self.name, "proxy": self.proxy, **step} if self.name else {}


def certified(folder: KioskFolder, now_s: float) -> bool:
    """Whether the kiosk's certificate is a clinic's."""
    return identity.load(folder.path, now_s).facts.kind == spec.PROXY_KIOSK_KEY
