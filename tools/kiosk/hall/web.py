"""Owns the page's server: one screen for all who look, pushed as it changes; taps back. Knows no radio and no visit.

It is made for the loopback alone: a Host that is not its own is refused, a tap needs a header that no other site can
send, and nothing on the page comes from elsewhere.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tools.headers import OwnPages

HOST = "127.0.0.1"
HOSTS = [HOST, "localhost"]
_STATIC = Path(__file__).with_name("static")
_MOST_WATCHERS = 8
_MOST_BODY = 512
_BEAT_S = 10.0
_SOON_S = 0.02
TAP_HEADER = "x-emask"
_POLICY = "style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'"


class Feed:
    """Server-sent events to all who watch: text() now, and again after each tell(); who reads slowly misses some."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._watchers: set[asyncio.Event] = set()

    def tell(self) -> None:
        for event in self._watchers:
            event.set()

    def answer(self) -> Response:
        """To a GET; 503 if too many watch."""
        if len(self._watchers) >= _MOST_WATCHERS:
            return PlainTextResponse("too many pages are open", 503)
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        event = asyncio.Event()
        event.set()
        self._watchers.add(event)
        try:
            while True:
                try:
                    async with asyncio.timeout(_BEAT_S):
                        await event.wait()
                    event.clear()
                    yield f"data: {self._text()}\n\n"
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._watchers.discard(event)


Tap = Callable[[int, str], bool]
Speak = Callable[[str], bool]


def application(feed: Feed, whole: Callable[[], str], tap: Tap, speak: Speak, framed_by: str = "") -> Starlette:
    """feed: of screens; whole(): the document; tap(number, name), speak(tag): False if the screen has no such button.

    framed_by: the one origin that may show the page in a frame, if any.
    """

    async def page(request: Request) -> Response:
        return HTMLResponse(whole())

    async def events(request: Request) -> Response:
        return feed.answer()

    async def taps(request: Request) -> Response:
        if TAP_HEADER not in request.headers:
            return PlainTextResponse("not from the page", 403)
        body = await _body(request)
        try:
            given = json.loads(body)
            number, name, tag = given["number"], given.get("tap"), given.get("language")
            fits = speak(str(tag)) if name is None else isinstance(number, int) and tap(number, str(name))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return PlainTextResponse("not a tap", 400)
        return Response(status_code=204 if fits else 409)

    routes = [
        Route("/", page),
        Route("/events", events),
        Route("/tap", taps, methods=["POST"]),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS),
            Middleware(OwnPages, policy=_POLICY, framed_by=framed_by or "'none'"),
        ],
    )


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BODY:
            return b""
    return body


class Server:
    """An application on a port of the loopback, 0: any that is free. Use as: async with Server(app, port). OSError.

    It logs nothing of who asks for what, and leaves signals to the program.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._socket = socket.create_server((HOST, port))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
            http="h11",
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._server.capture_signals = nullcontext  # type: ignore[assignment,method-assign]

    async def __aenter__(self) -> "Server":
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await asyncio.sleep(_SOON_S)
        return self

    async def __aexit__(self, *problem: object) -> None:
        self._server.should_exit = True
        await self._serving
