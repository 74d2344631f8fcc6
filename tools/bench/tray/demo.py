# The demonstration: plays what went before at once, then runs kiosk and panel in true time in one loop.
from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tools import ROOT
from tools.bench.image import Image
from tools.bench.loop import PacedLoop
from tools.bench.run import Command, Progress, Run
from tools.bench.scenario import Scenario
from tools.bench.tray.tokens import KIOSK, Tokens
from tools.kiosk.hall import web
from tools.kiosk.hall.desk import Radio
from tools.kiosk.hall.kiosk import Kiosk, Options

SCENARIO = ROOT / "scenarios" / "kiosk-demo.toml"
_HERE = Path(__file__).parent
_PHONE = "1900 9095"


class Demo:
    """Use as: demo = Demo(...); demo.prelude(); demo.run(ports); demo.close()."""

    def __init__(self, image: Image, out: Path, command: Command, *, pace: float = 1.0, clinic: bool = True) -> None:
        self.run_of = Run(Scenario.load(SCENARIO), image, out, command=command)
        self.tokens = Tokens(self.run_of)
        self._pace, self._clinic = pace, clinic
        self._feed = web.Feed(lambda: json.dumps(self.tokens.facts()))
        self.tokens.changed = self._feed.tell

    @property
    def length_s(self) -> float:
        """Of what went before."""
        return self.run_of.scenario.duration_s

    def prelude(self, progress: Progress | None = None) -> None:
        """An hour and a half of simulated time: hand-over, a case, a list, an alert."""
        self.run_of.prelude(progress)
        self.tokens.link.opened = True

    def run(self, kiosk_port: int, panel_port: int, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until interrupted. OSError: a port is taken."""
        loop = PacedLoop(self.run_of.engine, self._pace)
        asyncio.set_event_loop(loop)
        self._task = loop.create_task(self._serve(kiosk_port, panel_port, ready))
        try:
            loop.run_until_complete(self._task)
        except KeyboardInterrupt:
            self._task.cancel()
            loop.run_until_complete(asyncio.wait([self._task]))
            raise
        except asyncio.CancelledError:
            pass
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def _serve(self, kiosk_port: int, panel_port: int, ready: Callable[[], None]) -> None:
        own = self.run_of.kiosks[KIOSK]
        options = Options(_PHONE, clinic=self._clinic, framed_by=f"http://{web.HOST}:{panel_port}")
        self.kiosk = Kiosk(own.folder, Radio(*own.classes), options, self.run_of.utc_s)
        async with web.Server(self._panel(kiosk_port), panel_port):
            await self.kiosk.run(kiosk_port, ready)

    def skip(self, seconds: float) -> None:
        """Wait for so much of the bench's time, which passes as fast as the bench goes. From another thread."""
        loop = cast(PacedLoop, self._task.get_loop())
        asyncio.run_coroutine_threadsafe(loop.skip(seconds), loop).result()

    def stop(self) -> None:
        """End run(), from another thread."""
        self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def close(self) -> None:
        for node in self.run_of.nodes.values():
            node.power_off()
        self.run_of.engine.close()

    # -- the panel

    def _panel(self, kiosk_port: int) -> Starlette:
        page = (_HERE / "panel.html").read_text("utf-8").replace("KIOSK", f"http://{web.HOST}:{kiosk_port}/")

        async def index(request: Request) -> Response:
            return HTMLResponse(page)

        async def events(request: Request) -> Response:
            return self._feed.answer()

        async def do(request: Request) -> Response:
            if web.TAP_HEADER not in request.headers:
                return PlainTextResponse("not from the panel", 403)
            asked = await request.json()
            return Response(status_code=204 if self.tokens.do(asked["token"], asked["do"]) else 400)

        routes = [
            Route("/", index),
            Route("/events", events),
            Route("/do", do, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]
        return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=web.HOSTS)])
