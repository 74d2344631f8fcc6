"""Owns a swap of one token for another as a kiosk sees it (SPEC 4.5): what goes from visit to visit, of the new token
and the old one in turn. It is in memory alone, and the kiosk can't read the pages. Knows no screen, no radio.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from emask import handshake, spec
from tools.kiosk.channel import Channel, VisitError

# The step that the next visit takes, and of which token; at last the old one is wiped.
NEW, OLD, FILL, END, OVER = "new", "old", "fill", "end", "over"
_STEPS = {
    NEW: spec.ASK_SWAP_KEY,
    OLD: spec.ASK_SWAP_GIVE,
    FILL: spec.ASK_SWAP_TAKE,
    END: spec.ASK_SWAP_DONE,
}
_KEY_BYTES = 32
_MOST_PAGES = 2_400  # a full ring of sightings is some 1,950
_A_PAGE = spec.SWAP_TEXT_BYTES // (spec.SIGHTING_BYTES + 6)  # sightings, about
_LAST_S = 60.0  # the new token merges minutes and starts anew

Progress = Callable[[str, int, int], None]


@dataclass
class Swap:
    """One swap. proxy: a representative agreed in the wearer's place."""

    proxy: bool = False
    stage: str = NEW
    public: bytes = bytes(_KEY_BYTES)  # the new token's, for this swap
    enc: bytes = bytes(_KEY_BYTES)  # the old one's
    receipt: bytes = bytes(_KEY_BYTES)
    pages: list[bytes] = field(default_factory=list)

    @property
    def flags(self) -> int:
        return _STEPS[self.stage] | (spec.ASK_PROXY if self.proxy and self.stage == OLD else 0)

    def field(self) -> bytes:
        """The 32 bytes that go with the flags."""
        return {NEW: bytes(_KEY_BYTES), OLD: self.public, FILL: self.enc, END: self.receipt}[self.stage]

    def number(self, whole: bytes) -> tuple[int, int]:
        """The short number of the old token's visit: of the key too that its wearer agrees to."""
        return handshake.number(sha256(whole + self.public).digest())

    async def go_on(
        self, channel: Channel, outcome: int, told: bytes, sightings: int, progress: Progress | None
    ) -> bool:
        """What follows the token's answer to the step; False if it was not done. VisitError: the stage is as before."""
        if outcome == spec.SWAP_TAKEN and self.stage in (NEW, FILL):
            self.receipt, self.stage = told[:_KEY_BYTES], END
        elif outcome == spec.UPLOAD_WIPED and self.stage == END:
            self.stage = OVER
        elif outcome != spec.SWAP_READY:
            return False
        elif self.stage == NEW:
            self.public, self.stage = told[:_KEY_BYTES], OLD
        elif self.stage == OLD:
            self.pages = await _fetch(channel, sightings, progress)
            self.enc, self.stage = told[:_KEY_BYTES], FILL
        elif self.stage == FILL:
            self.receipt = await _bring(channel, self.pages, progress)
            self.pages, self.stage = [], END
        else:
            return False
        return True


async def _fetch(channel: Channel, sightings: int, progress: Progress | None) -> list[bytes]:
    """All pages of the old token, which tells only about how many sightings it has."""
    pages: list[bytes] = []
    about = 2 * sightings // _A_PAGE + 8
    await channel.send(spec.MOVE)
    while len(pages) < _MOST_PAGES:
        kind, body = await channel.receive(spec.PAGE, spec.OK)
        if kind == spec.OK:
            return pages
        if kind != spec.PAGE or len(body) != spec.SWAP_PAGE_BYTES:
            raise VisitError("the old token gives no more")
        pages.append(body)
        if len(pages) % spec.SWAP_AT_ONCE == 0:
            await channel.send(spec.MOVE)
        if progress:
            progress("move", min(len(pages), about), about)
    raise VisitError("the old token gives more than there can be")


async def _bring(channel: Channel, pages: list[bytes], progress: Progress | None) -> bytes:
    """The new token's receipt for all pages."""
    for number, page in enumerate(pages, 1):
        await channel.push(spec.MOVE, page)
        if progress:
            progress("move", number, len(pages))
        answer = channel.pending()
        if answer is not None:
            return _receipt(*answer)
    return _receipt(*await channel.receive(spec.RECEIPT, wait_s=_LAST_S))


def _receipt(kind: int, body: bytes) -> bytes:
    if kind != spec.RECEIPT or len(body) != _KEY_BYTES:
        raise VisitError("the new token does not take what the old one gave")
    return body
