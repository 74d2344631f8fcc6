"""Owns what a kiosk brings to tokens that nobody pressed: the newest list, by the door that each opens once a slot.

Knows no screen and no token: an address serves for its connection, and nothing of it is kept or logged.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from bleak.exc import BleakError

from emask import spec
from tools.kiosk.channel import VisitError
from tools.kiosk.folder import KioskFolder
from tools.kiosk.session import push
from tools.lists import ListFile

TAKEN = "taken"
_CONNECT_LIMIT_S = 2.0  # a door closes after less than half a second
_LIMIT_S = 45.0
_TRIED = 64
_HOUR_S = 3600  # of the log: not who passes when

OnDrop = Callable[[str], None]


class Drops:
    """Pushes of one kiosk, one at a time. on_drop(what became of the list), also when the token had it."""

    def __init__(
        self, client_cls: Any, folder: KioskFolder, clock: Callable[[], float], on_drop: OnDrop | None = None
    ) -> None:
        self._client_cls, self._folder, self._clock, self._on_drop = client_cls, folder, clock, on_drop
        self._tried: deque[str] = deque(maxlen=_TRIED)
        self._task: asyncio.Task[None] | None = None
        self._seen: Any = None
        self._known: list[ListFile] = []
        self._contacts: ListFile | None = None

    def heard(self, device: Any) -> None:
        """A door is open: knock, unless another token is being served, or there is nothing to bring."""
        if (self._task and not self._task.done()) or device.address in self._tried:
            return
        offers = self._offers()
        if offers:
            self._tried.append(device.address)
            self._task = asyncio.ensure_future(self._push(device, offers))

    async def stop(self) -> None:
        """Leave the token that is being served: a wearer has pressed, or the kiosk ends."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    def _offers(self) -> list[ListFile]:
        """The newest list in its shortest form, which serves most, and whole, for the others. Read when it changes."""
        try:
            seen = sorted((path.name, path.stat().st_mtime_ns) for path in self._folder.inbox.glob("*.eml"))
            if seen != self._seen:
                found = self._folder.sound_lists()
                self._seen, self._known, self._contacts = seen, _forms(found), self._folder.list_of_contacts(found)
        except OSError:
            return []
        return self._known

    async def _push(self, device: Any, offers: list[ListFile]) -> None:
        try:
            async with asyncio.timeout(_LIMIT_S), self._client_cls(device, timeout=_CONNECT_LIMIT_S) as client:
                result, serial = await push(client, offers, self._contacts)
        except (VisitError, BleakError, TimeoutError, OSError):
            return  # it walks on, or another kiosk was first: the next slot's door is another try
        if self._on_drop:
            self._on_drop(result)
        if result == TAKEN:
            self._log(serial)

    def _log(self, serial: int) -> None:
        hour_s = int(self._clock()) // _HOUR_S * _HOUR_S
        try:
            self._folder.log({"at": hour_s, "drop": TAKEN, "list_serial": serial})
        except OSError:
            pass


def _forms(found: list[ListFile]) -> list[ListFile]:
    found = [taken for taken in found if taken.header.kind == spec.F0_LIST]
    newest = [taken for taken in found if taken.serial == found[0].serial]
    whole = [taken for taken in newest if not taken.header.base]
    return newest[:1] + [taken for taken in whole[:1] if taken is not newest[0]]
