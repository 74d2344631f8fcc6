"""Owns the application: its settings, its order of parts, and how what goes wrong is answered. Knows no endpoint.

`make_app` gives an ASGI application for any server. Everything that it does is done by the modules of tools.authority,
as the command line does it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.staticfiles import StaticFiles

from tools.authority import store
from tools.authority.store import Refused, StoreMissing
from tools.authority.web import api, pages
from tools.headers import OwnPages

_HERE = Path(__file__).resolve().parent
_LARGEST_BODY = 16_384
_TOO_LONG = "the body is too long"
_POLICY = "style-src 'self'; img-src 'self'; form-action 'self'"
_PUBLIC = ("/lists/", "/static/")


@dataclass(frozen=True)
class Settings:
    """folder: the authority's. site: the folder of current lists, served below /lists; None: another server does it."""

    folder: Path
    site: Path | None = None
    clock: Callable[[], float] = time.time

    def now_s(self) -> int:
        return int(self.clock())


def make_app(settings: Settings) -> FastAPI:
    """The application; StoreMissing if the folder holds no authority of this version."""
    store.check(settings.folder)
    app = FastAPI(
        title="Authority of the open electronic mask",
        version="1",
        description="Sealed uploads in; codes, counts and proposals for staff. Nothing here says who anybody is.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.add_middleware(_Bounded)
    app.add_middleware(OwnPages, policy=_POLICY, but=_PUBLIC)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=_HERE / "static"))
    if settings.site is not None:
        app.mount("/lists", StaticFiles(directory=settings.site, check_dir=False))
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(pages.LoggedOut, _log_in)
    for kind in (StoreMissing, SQLAlchemyError, OSError):
        app.add_exception_handler(kind, _unavailable)
    return app


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


async def _log_in(request: Request, error: Exception) -> RedirectResponse:
    return RedirectResponse("/", 303)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    """The database is gone, locked or full. Nothing was kept: who sends the same again loses and doubles nothing."""
    return JSONResponse(
        {"detail": "the store can't be used now; send the same again later"}, 503, {"Retry-After": "60"}
    )


class _Bounded:
    """Answers 413 to a body above the largest that is ever needed, before it is held."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            return await JSONResponse({"detail": _TOO_LONG}, 413)(scope, receive, send)
        left = _LARGEST_BODY

        async def bounded():
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, _TOO_LONG)
            return message

        await self.app(scope, bounded, send)
