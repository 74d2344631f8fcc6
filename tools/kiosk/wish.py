"""Owns what a kiosk may ask of a token in a visit, as an ASK has it (SPEC 4.3). Knows no radio, no screen."""

from dataclasses import dataclass

from emask import spec
from tools import codes, wire
from tools.kiosk.swap import OLD, Swap

CONSENT_S = 75.0  # the wearer has 60 s to agree
WIPE_S = 105.0  # and then 240 blocks of flash are erased, 70 ms each and a few of them longer
_FIELD_BYTES = 32


@dataclass(frozen=True)
class Wish:
    """What the kiosk asks of a token. code: of the upload that the wearer came for; household: 16 bytes, the secret of
    the one that the token joins; pause_min: for so many minutes nothing counts, 0 ends a pause; details: of the alert;
    wipe: the token forgets its wearer; swap: its next step.
    """

    handover: bool = False
    to_shelf: bool = False
    end_alert: bool = False
    code: str | None = None
    days: int = spec.INFECTIOUS_DAYS
    household: bytes | None = None
    pause_min: int | None = None
    details: bool = False
    wipe: bool = False
    swap: Swap | None = None

    def flags(self) -> int:
        wanted = (
            (self.handover, spec.ASK_HANDOVER),
            (self.to_shelf, spec.ASK_SHELF),
            (self.end_alert, spec.ASK_ACK_ALERT),
            (self.household is not None, spec.ASK_HOUSEHOLD),
            (self.pause_min is not None, spec.ASK_PAUSE),
            (self.details, spec.ASK_DETAILS),
            (self.wipe, spec.ASK_WIPE),
        )
        upload = codes.kind_of(self.code).ask if self.code is not None else 0
        return sum(flag for wish, flag in wanted if wish) | upload | (self.swap.flags if self.swap else 0)

    @property
    def asks_wearer(self) -> bool:
        """Whether whoever holds the token has to agree by its button."""
        return self.code is not None or self.wipe or self.swap is not None and self.swap.stage == OLD

    @property
    def wait_s(self) -> float | None:
        """For the answer, if it may take longer than others."""
        return WIPE_S if self.wipe or self.swap else CONSENT_S if self.code is not None else None

    def field(self) -> bytes:
        """The 32 bytes that go with the flags."""
        if self.code is not None:
            return wire.code_hash(self.code)
        if self.swap:
            return self.swap.field()
        if self.household is not None:
            return self.household + bytes(_FIELD_BYTES - len(self.household))
        return (self.pause_min or 0).to_bytes(_FIELD_BYTES, "little")
