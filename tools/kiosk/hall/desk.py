"""Owns the kiosk's round: check itself, find the token on the tray, serve it as the person decides, say how it went.

Knows the flow and the visit, no page. Everything runs in one asyncio loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bleak.exc import BleakError

from emask import group, spec
from tools.kiosk import service
from tools.kiosk.drop import Drops
from tools.kiosk.folder import KioskFolder
from tools.kiosk.hall import faults, nearest, report, stock
from tools.kiosk.hall.errand import Errand, certified
from tools.kiosk.hall.flow import HOUSEHOLD, SWAP, Flow
from tools.kiosk.session import VisitResult
from tools.kiosk.swap import Swap
from tools.kiosk.wish import Wish

_BLINK_EVERY_S = 4.0
_WHICH_S = 20.0  # then the token is served without its result being shown
_READ_S = 70.0  # what a visit leaves for reading: the list needs the rest of it
_REST_S = 75.0  # a token is connectable for a minute
_PAUSE_S = 1.0
_RETRY_S = 5.0
_CHECK_S = 10.0
_STEPS = ("swapnew", "swapold", "swapfill", "swapend")


@dataclass(frozen=True)
class Radio:
    """What bleak has: classes called as BleakScanner and BleakClient are."""

    scanner_cls: Any
    client_cls: Any


class Desk:
    """One kiosk. tell(code): a line for the log; free(path): bytes that its disk has left; push: bring lists too."""

    def __init__(
        self,
        flow: Flow,
        folder: KioskFolder,
        radio: Radio,
        clock: Callable[[], float],
        *,
        firmware: int = 0,
        free: faults.FreeBytes = faults.free_bytes,
        tell: Callable[[str], None] = lambda code: None,
        push: bool = True,
    ) -> None:
        self.flow, self.folder, self.clock = flow, folder, clock
        self._radio, self._firmware, self._free, self.tell = radio, firmware, free, tell
        self._drops = Drops(radio.client_cls, folder, clock) if push else None
        self._resting: dict[str, float] = {}
        self._moved = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timed = -1
        self._known = False  # whether a person said that it is their token
        self._household = b""  # the secret of the household that is being told to its tokens; it is kept nowhere else
        self._swap: Swap | None = None  # what one token gave for another; it is kept nowhere else
        self._visit: asyncio.Task[Any] | None = None

    # -- people

    def tap(self, number: int, name: str) -> bool:
        """A tap on screen `number`; False if it is not shown any more."""
        if number != self.flow.screen.number:
            return False
        cancels = self.flow.screen.name in ("number", "still") and name == "stop"
        took = self.flow.tap(name)
        if cancels and self._visit:
            self._visit.cancel()
        return took

    def screen_changed(self) -> None:
        """To be called after each change of the flow: sets the screen's limit and wakes who waits for a person."""
        self._moved.set()
        screen = self.flow.screen
        if self.flow.errand != HOUSEHOLD:
            self._household = b""
        if self.flow.errand != SWAP:
            self._swap = None
        if screen.number == self._timed:
            return
        self._timed = screen.number
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if screen.row.limit_s is not None:
            self._timer = asyncio.get_running_loop().call_later(screen.row.limit_s, self.flow.time_is_up)

    # -- the round

    async def run(self) -> None:
        """Serve until cancelled; nothing that goes wrong ends it."""
        while True:
            if self._closed():
                await asyncio.sleep(_RETRY_S)
                continue
            try:
                found = await self._find()
            except (BleakError, OSError):
                self._close(faults.NO_RADIO)
                await asyncio.sleep(_RETRY_S)
                continue
            if found and self.flow.free:
                await self._serve(*found)

    async def _find(self) -> tuple[Any, float] | None:
        """The token on the tray, if there is one; lists go to others until then."""
        found = await nearest.find(self._radio.scanner_cls, self._resting, self._two, self._look_up(), self._door)
        if found and self._drops:
            await self._drops.stop()
        return found

    def _door(self, device: Any) -> None:
        if self._drops and self.flow.free:
            self._drops.heard(device)

    def _closed(self) -> str:
        code = faults.closes(self.folder, self.clock(), self._free)
        if code:
            self._close(code)
        elif self.flow.fault != faults.NO_RADIO:
            self.flow.opened()
        return code

    def _close(self, code: str) -> None:
        if self.flow.fault != code:
            self.tell(code)
        self.flow.closed(code)

    def _look_up(self) -> Callable[[], bool]:
        """Says when to stop looking for tokens and check the kiosk again. The radio works when it is asked first."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _CHECK_S

        def stop() -> bool:
            if self.flow.fault == faults.NO_RADIO:
                self.flow.opened()
            return loop.time() >= until

        return stop

    def _two(self, both: bool) -> None:
        name = self.flow.screen.name
        if both and name in ("start", "press", "done", "lost", "retry", "blind") + _STEPS:
            self.flow.two()
        elif not both and name == "two":
            self.flow.back()

    async def _serve(self, device: Any, level_dbm: float) -> None:
        if self.flow.errand == HOUSEHOLD and not self._household:
            self._household = self.folder.chance(group.SECRET_BYTES)
        if self.flow.errand == SWAP and not self._swap:
            self._swap = Swap(self.flow.proxy)
        errand = Errand.of(self.flow, self.folder, self._household, self._swap)
        self.flow.certified = certified(self.folder, self.clock())
        self.flow.seen()
        if missing := errand.missing(self.flow.certified):
            self.tell(missing)
            self._resting[device.address] = asyncio.get_running_loop().time() + _REST_S
            self.flow.broke("retry", missing)
            return
        self._known = False
        hooks = {"greet": self._greet, "decide": self._decide(errand, level_dbm), "progress": self._progress}
        self._visit = asyncio.ensure_future(
            service.attend(
                self._radio.client_cls,
                device,
                self.folder,
                self.clock,
                wish=errand.wish(),
                show=self.flow.show_number,
                **hooks,
            )
        )
        result, ending = await self._outcome(self._visit)
        self._ended(device.address, errand, result, ending)
        if ending.why:
            await asyncio.sleep(_PAUSE_S)

    async def _outcome(self, visit: asyncio.Task[Any]) -> tuple[VisitResult, service.Ending]:
        """What became of the visit, which a tap on "stop" cancels; with the desk's own task it ends too."""
        try:
            await asyncio.wait([visit])
        finally:
            visit.cancel()
        if visit.cancelled():
            return VisitResult(upload="stopped"), service.Ending("stopped on the screen", service.OTHER)
        return visit.result()

    def _ended(self, address: str, errand: Errand, result: VisitResult, ending: service.Ending) -> None:
        now_s = asyncio.get_running_loop().time()
        if result.complete or ending.kind == service.OTHER:
            self._resting = {a: t for a, t in self._resting.items() if t > now_s} | {address: now_s + _REST_S}
        try:
            if result.upload == "taken" and errand.code:
                stock.used(self.folder, errand.code)
            service.log(self.folder, self.clock, result, ending, **errand.facts(), referred=self.flow.referred)
        except OSError:
            self.tell(faults.NOT_LOGGED)
        if result.complete and errand.swap and not result.ended:
            self.flow.stepped(errand.swap.stage, result.upload, faults.OTHER_TOKEN)
        elif result.complete:
            self.flow.finished(result.upload, result.details, over=result.ended, code=errand.code or "")
        elif ending.kind == service.OTHER:
            self.flow.back()
        elif ending.kind == service.SILENT:
            self.flow.broke("lost", faults.LOST)
        else:
            self.flow.broke("retry", faults.NO_ROOM if ending.kind == service.FOLDER else faults.BROKE)

    # -- hooks of the visit

    async def _greet(self, blink: Callable[[], Awaitable[None]]) -> bool:
        """Blink until the person says whose token it is. Who says nothing is served, but told no result."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _WHICH_S
        self.flow.ask_which()
        self._moved.clear()
        while self.flow.screen.name == "which" and loop.time() < until:
            await blink()
            await self._moves_within(_BLINK_EVERY_S)
        if self.flow.screen.name == "which":
            return True
        self._known = self.flow.screen.name == "checking"
        return self._known

    async def _moves_within(self, seconds: float) -> None:
        """Wait for the next change of the screen, those before included that nobody waited for."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            pass
        self._moved.clear()

    def _decide(self, errand: Errand, level_dbm: float) -> Callable[[dict[str, int]], Awaitable[Wish]]:
        async def decide(status: dict[str, int]) -> Wish:
            if status["state"] & spec.STATE_ENDED:
                self.flow.news()
                return Wish()
            if errand.name or not self._known:
                self.flow.news()
                return errand.wish()
            self.flow.told(report.read(status, self.clock(), self._firmware, level_dbm))
            try:
                async with asyncio.timeout(_READ_S):
                    await self._until_leave()
            except TimeoutError:
                self.flow.news()
            return Wish(end_alert=self.flow.acknowledged, details=self.flow.detailed)

        return decide

    async def _until_leave(self) -> None:
        while self.flow.screen.name != "leave":
            self._moved.clear()
            await self._moved.wait()

    def _progress(self, what: str, done: int, total: int) -> None:
        if what == "check":
            self.flow.checking(done / total)
        elif what == "move":
            self.flow.moving(done / total)
        else:
            self.flow.news(done / total)
