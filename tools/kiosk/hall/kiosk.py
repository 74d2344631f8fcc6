"""Owns the whole kiosk in one asyncio loop: desk, screens, voice, slip and the page's server. The composition root."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.kiosk.folder import KioskFolder
from tools.kiosk.hall import faults, slip, web, words
from tools.kiosk.hall.desk import Desk, Radio
from tools.kiosk.hall.flow import Flow
from tools.kiosk.hall.page import Page
from tools.kiosk.hall.voice import Silent, Voice


@dataclass(frozen=True)
class Options:
    """phone: whom the wearer should call; prints: "browser", "lp" or "lp:NAME"; firmware: the newest number, 0 unknown;
    framed_by: an origin that may show the page in a frame; languages: a folder of more, besides vi and en; push: bring
    lists to tokens near that nobody presses.
    """

    phone: str
    clinic: bool = False
    prints: str = slip.BROWSER
    firmware: int = 0
    framed_by: str = ""
    languages: Path | None = None
    voice: Voice | Silent = field(default_factory=Silent)
    push: bool = True


class Kiosk:
    """A kiosk over `folder` and `radio`. WordsError."""

    def __init__(
        self,
        folder: KioskFolder,
        radio: Radio,
        options: Options,
        clock: Callable[[], float] = time.time,
        free: faults.FreeBytes = faults.free_bytes,
    ) -> None:
        self._folder, self._options, self._clock = folder, options, clock
        self.languages = words.load_all(words.FOLDER, *([options.languages] if options.languages else []))
        self._first = next(iter(self.languages))
        self.tag = self._first
        self._page = Page(self.languages, options.prints)
        self._feed = web.Feed(lambda: json.dumps(vars(self.shown)))
        self.flow = Flow(clinic=options.clinic, phone=words.tied(options.phone), changed=self._changed)
        self.desk = Desk(
            self.flow, folder, radio, clock, firmware=options.firmware, free=free, tell=self.tell, push=options.push
        )
        self.shown = self._page.show(self.flow, self.tag)
        self._spoken = -1
        self._errands: set[asyncio.Task[None]] = set()

    def tell(self, code: str) -> None:
        """A line for the journal and for the folder's log, which may be what is broken."""
        print(f"{code} {faults.CODES[code]}", file=sys.stderr, flush=True)
        try:
            self._folder.log({"at": int(self._clock()), "fault": code})
        except OSError:
            pass

    # -- screens

    def _changed(self) -> None:
        if self.flow.screen.name == "start" != self.shown.name:
            self.tag = self._first  # the next person's
        self._show()
        self.desk.screen_changed()

    def _show(self) -> None:
        screen = self.flow.screen
        self.shown = self._page.show(self.flow, self.tag)
        self._feed.tell()
        if screen.number != self._spoken:
            self._spoken = screen.number
            self._options.voice.say(screen, self.languages[self.tag])

    def _tap(self, number: int, name: str) -> bool:
        prints = name == "print" and self.flow.screen.name == "slip"
        text = self._page.slip(self.flow, self.tag) if prints else []
        took = self.desk.tap(number, name)
        if took and text and self._options.prints != slip.BROWSER:
            task = asyncio.ensure_future(self._print(text))
            self._errands.add(task)
            task.add_done_callback(self._errands.discard)
        return took

    async def _print(self, text: list[str]) -> None:
        try:
            await asyncio.to_thread(slip.print_lp, text, self._options.prints.partition(":")[2])
        except slip.PrintError:
            self.tell(faults.NO_PRINT)
            self.flow.unprinted(faults.NO_PRINT)

    def _speak(self, tag: str) -> bool:
        """The wearer chose a language on the first screen."""
        if tag not in self.languages or self.flow.screen.name != "start":
            return False
        self.tag, self._spoken = tag, -1
        self._show()
        return True

    # -- running

    async def run(self, port: int, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until this is cancelled. OSError: the port is taken.

        With port 0 the system chooses; `port` says which, once ready() was called.
        """
        server = web.Server(
            web.application(self._feed, self._whole, self._tap, self._speak, self._options.framed_by), port
        )
        self.port = server.port
        with faults.Running(self._folder) as running:
            if running.cut:
                self.tell(faults.RESTARTED)
            self._changed()
            async with server:
                ready()
                await self.desk.run()

    def _whole(self) -> str:
        return self._page.whole(self.shown, list(self.languages.values()))
