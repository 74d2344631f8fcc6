"""Owns the small pages for staff: log in, codes, counts, proposals, revocation. Decides nothing itself.

Plain forms, no script. A form is taken from this site's own pages only: the session's cookie is SameSite=Strict, and a
browser that says where a request comes from must say that it comes from here.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tools import codes, wire
from tools import rule as rules
from tools.authority import core, counts, intake, releases, staff
from tools.authority.staff import ADMIN, CLINIC, RELEASE, Person
from tools.authority.store import Refused

_HERE = Path(__file__).resolve().parent
_COOKIE, _LANGUAGE = "session", "language"
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WORDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((_HERE / "words").glob("*.json"))}
_FIRST = "vi"
_PAGES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

router = APIRouter(include_in_schema=False)
_Name = Annotated[str, Form(max_length=64)]
_Password = Annotated[str, Form(max_length=256)]
_Number = Annotated[int, Form(ge=1, le=2**31 - 1)]


class LoggedOut(Exception):
    """The session is over: to the first page."""


def _own_form(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "a form of another site")


def _person(request: Request) -> Person:
    settings = request.app.state.settings
    found = staff.who(settings.folder, request.cookies.get(_COOKIE, ""), settings.now_s())
    if found is None:
        raise LoggedOut
    return found


def _only(request: Request, role: str) -> Person:
    _own_form(request)
    someone = _person(request)
    if someone.role != role:
        raise HTTPException(403, "not for this role")
    return someone


def _language(request: Request) -> str:
    wanted = request.cookies.get(_LANGUAGE, _FIRST)
    return wanted if wanted in WORDS else _FIRST


def _page(request: Request, name: str, status: int = 200, **facts) -> HTMLResponse:
    language = _language(request)
    words = WORDS[language]
    text = _PAGES.get_template(f"{name}.html.j2").render(
        words=words, language=language, languages={key: other["language"] for key, other in WORDS.items()}, **facts
    )
    return HTMLResponse(text, status)


def _home(request: Request, someone: Person, status: int = 200, said: str = "", new: tuple[str, ...] = ()) -> Response:
    settings = request.app.state.settings
    now_s = settings.now_s()
    return _page(
        request,
        "home",
        status,
        person=someone,
        counts=counts.counts(settings.folder, now_s, someone.clinic),
        releases=releases.newest(settings.folder, now_s) if someone.role in (RELEASE, ADMIN) else [],
        said=said,
        codes=new,
        kinds=[kind.name for kind in codes.KINDS],
        when=_when,
    )


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, _ZONE).strftime("%d/%m/%Y %H:%M") if seconds else "–"


@router.get("/")
def first(request: Request) -> Response:
    """Who is logged in sees the whole of it, others the form."""
    try:
        return _home(request, _person(request))
    except LoggedOut:
        return _page(request, "login", said="")


@router.post("/login", dependencies=[Depends(_own_form)])
def log_in(
    request: Request, name: Annotated[str, Form(max_length=64)], password: Annotated[str, Form(max_length=256)]
) -> Response:
    settings = request.app.state.settings
    try:
        token = staff.log_in(settings.folder, name, password, settings.now_s())
    except Refused:
        return _page(request, "login", 401, said="wrong")
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(_COOKIE, token, staff.SESSION_S, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout", dependencies=[Depends(_own_form)])
def log_out(request: Request) -> Response:
    staff.log_out(request.app.state.settings.folder, request.cookies.get(_COOKIE, ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(_COOKIE)
    return answer


@router.post("/language", dependencies=[Depends(_own_form)])
def choose_language(request: Request, language: Annotated[str, Form(max_length=8)]) -> Response:
    answer = RedirectResponse("/", 303)
    if language in WORDS:
        answer.set_cookie(_LANGUAGE, language, 365 * 86_400, httponly=True, samesite="lax")
    return answer


@router.post("/codes")
def issue(
    request: Request, count: Annotated[int, Form(ge=1, le=50)], kind: Annotated[str, Form(max_length=16)]
) -> Response:
    """The codes stand on this answer only."""
    someone, settings = _only(request, CLINIC), request.app.state.settings
    if kind not in [known.name for known in codes.KINDS]:
        raise HTTPException(422, "no such kind of code")
    try:
        new = intake.issue_codes(
            settings.folder, count, settings.now_s(), clinic=someone.clinic, kind=codes.named(kind)
        )
    except Refused:
        return _home(request, someone, 409, "quota")
    return _home(request, someone, 201, "codes", tuple(new))


@router.post("/releases")
def propose(
    request: Request,
    region: Annotated[int, Form(ge=0, le=65535)] = 0,
    of: Annotated[str, Form(pattern="^(f0|f0_f1|f1)$")] = "f0",
) -> Response:
    someone, settings = _only(request, RELEASE), request.app.state.settings
    kind, _, too = of.partition("_")
    rule = wire.pack_rule(rules.DEFAULT._replace(flags=rules.F1_TOO if too else 0))
    releases.propose(settings.folder, someone, region, "bluezone", rule, settings.now_s(), kind)
    return _home(request, someone, 201, "proposed")


@router.post("/releases/approve")
def approve(request: Request, number: _Number) -> Response:
    someone, settings = _only(request, RELEASE), request.app.state.settings
    try:
        releases.approve(settings.folder, someone, number, settings.now_s())
    except Refused:
        return _home(request, someone, 409, "not_approved")
    return _home(request, someone, 200, "approved")


@router.post("/revocations")
def revoke(request: Request, serial: _Number) -> Response:
    someone, settings = _only(request, ADMIN), request.app.state.settings
    try:
        core.revoke(settings.folder, serial, settings.now_s())
    except Refused:
        return _home(request, someone, 409, "not_revoked")
    return _home(request, someone, 200, "revoked")
