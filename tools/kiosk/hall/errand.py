"""Owns what the staff want of the next token, and whether the kiosk has what that takes. Knows no screen, no radio."""

from dataclasses import dataclass

from emask import spec
from tools.codes import PLAIN, PROXY
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder
from tools.kiosk.hall import faults, stock
from tools.kiosk.hall.flow import HANDOVER, SHELF, UPLOAD, Flow
from tools.kiosk.session import Wish


@dataclass(frozen=True)
class Errand:
    """name: empty in an ordinary visit. proxy: a representative agreed. code: for an upload, if one is left."""

    name: str
    proxy: bool
    code: str | None

    @staticmethod
    def of(flow: Flow, folder: KioskFolder) -> "Errand":
        """The errand that was chosen on the page."""
        kind = PROXY if flow.proxy else PLAIN
        return Errand(flow.errand, flow.proxy, stock.first(folder, kind) if flow.errand == UPLOAD else None)

    def missing(self, folder: KioskFolder, now_s: float) -> str:
        """The staff code of what an upload needs and the kiosk has not, or ""."""
        if self.name != UPLOAD:
            return ""
        if self.proxy and identity.load(folder.path, now_s).facts.kind != spec.PROXY_KIOSK_KEY:
            return faults.NO_PROXY
        return "" if self.code else faults.NO_CODES

    def wish(self) -> Wish:
        return Wish(handover=self.name == HANDOVER, to_shelf=self.name == SHELF, code=self.code)

    def facts(self) -> dict[str, object]:
        """For the log: nothing that identifies anyone."""
        return {"errand": self.name, "proxy": self.proxy} if self.name else {}
