"""Owns the endpoints for programs, below /v1: what they take, what they answer. Decides nothing itself."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from emask import spec
from tools import codes, wire
from tools import rule as rules
from tools.authority import core, counts, intake, releases, staff, store
from tools.authority.counts import Counts
from tools.authority.releases import Release
from tools.authority.staff import ADMIN, CLINIC, RELEASE, Person
from tools.authority.upload import SCHEMA as UPLOAD_SCHEMA
from tools.authority.upload import UploadError

_LARGEST_ID = 2**31 - 1
_AUDIT_LINES = 1_000
router = APIRouter(prefix="/v1")
_bearer = HTTPBearer(auto_error=False, description="The token that POST /v1/sessions gave")


class Problem(BaseModel):
    """Why something was not done."""

    detail: str


class Login(BaseModel):
    """Who wants to begin."""

    name: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)


class Token(BaseModel):
    """Holds for eight hours."""

    token: str
    role: str


class CodesWanted(BaseModel):
    """How many codes of which kind."""

    count: int = Field(1, ge=1, le=500)
    kind: str = Field(codes.PLAIN.name, pattern=f"^({'|'.join(kind.name for kind in codes.KINDS)})$")


class Codes(BaseModel):
    """Shown once: only their hashes are kept."""

    codes: list[str]


class Taken(BaseModel):
    """A receipt. records: how many are new; 0: the same upload was here before. sha256: of the bytes that came."""

    records: int
    sha256: str


class Proposal(BaseModel):
    """A list to be published. rule: its bytes in hexadecimal digits; left out: the default rule. kind: f0 of the ill,
    f1 of contacts whom such a list warned."""

    kind: str = Field("f0", pattern="^(f0|f1)$")
    region: int = Field(0, ge=0, le=65535)
    scheme: str = Field("bluezone", pattern="^(bluezone|gaen)$")
    rule: str | None = Field(None, pattern=f"^[0-9a-f]{{{2 * spec.RULE_BYTES}}}$")


class Numbered(BaseModel):
    """The number of a proposal."""

    id: int


class Entry(BaseModel):
    """A line of the audit: UTC seconds, what, how often."""

    at: int
    what: str
    count: int


class Revocation(BaseModel):
    """The serial of a kiosk's certificate."""

    serial: int = Field(ge=1, le=_LARGEST_ID)


def _says(*statuses: int) -> dict[int | str, dict]:
    texts = {
        401: "not logged in",
        403: "not for this role",
        409: "understood, but refused",
        413: "the body is too long",
        503: "the store can't be used now; nothing was kept",
    }
    return {status: {"model": Problem, "description": texts[status]} for status in (*statuses, 413, 503)}


def person(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None) -> Person:
    settings = request.app.state.settings
    found = staff.who(settings.folder, given.credentials, settings.now_s()) if given else None
    if found is None:
        raise HTTPException(401, "not logged in", {"WWW-Authenticate": "Bearer"})
    return found


def _only(*roles: str):
    def check(someone: Annotated[Person, Depends(person)]) -> Person:
        if someone.role not in roles:
            raise HTTPException(403, "not for this role")
        return someone

    return Depends(check)


async def _body(request: Request) -> bytes:
    return await request.body()


def _settings(request: Request):
    return request.app.state.settings


@router.post(
    "/uploads",
    responses=_says(409) | {422: {"model": Problem, "description": "no upload"}},
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": UPLOAD_SCHEMA}}}},
)
def take_upload(request: Request, data: Annotated[bytes, Depends(_body)]) -> Taken:
    """Take a sealed upload in, as a kiosk keeps it (emask-upload). The same bytes again are fine, and count once."""
    settings = _settings(request)
    try:
        new = intake.take_in(settings.folder, data, settings.now_s())
        return Taken(records=new, sha256=hashlib.sha256(data).hexdigest())
    except UploadError as error:
        raise HTTPException(422, str(error)) from None


@router.post("/sessions", status_code=201, responses=_says(409))
def log_in(request: Request, wanted: Login) -> Token:
    """Give a token for name and password."""
    settings = _settings(request)
    token = staff.log_in(settings.folder, wanted.name, wanted.password, settings.now_s())
    someone = staff.who(settings.folder, token, settings.now_s())
    assert someone is not None
    return Token(token=token, role=someone.role)


@router.delete("/sessions", status_code=204, responses=_says(401))
def log_out(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> None:
    """Make the token worthless."""
    person(request, given)
    assert given is not None
    staff.log_out(_settings(request).folder, given.credentials)


@router.post("/codes", status_code=201, responses=_says(401, 403, 409))
def issue_codes(request: Request, wanted: CodesWanted, someone: Annotated[Person, _only(CLINIC)]) -> Codes:
    """Draw codes for the person's own clinic, within its quota."""
    settings = _settings(request)
    kind = codes.named(wanted.kind)
    new = intake.issue_codes(settings.folder, wanted.count, settings.now_s(), clinic=someone.clinic, kind=kind)
    return Codes(codes=new)


@router.get("/counts", responses=_says(401))
def count(request: Request, someone: Annotated[Person, Depends(person)]) -> Counts:
    """How many; a person of a clinic sees the clinic's own codes."""
    settings = _settings(request)
    return counts.counts(settings.folder, settings.now_s(), someone.clinic)


@router.get("/releases", responses=_says(401, 403))
def list_releases(request: Request, someone: Annotated[Person, _only(RELEASE, ADMIN)]) -> list[Release]:
    """The last proposals."""
    settings = _settings(request)
    return releases.newest(settings.folder, settings.now_s())


@router.post("/releases", status_code=201, responses=_says(401, 403, 409))
def propose(request: Request, wanted: Proposal, someone: Annotated[Person, _only(RELEASE)]) -> Numbered:
    """Propose a list. Another person has to agree, and the list is signed elsewhere, by `emask authority publish`."""
    settings = _settings(request)
    rule = bytes.fromhex(wanted.rule) if wanted.rule else wire.pack_rule(rules.DEFAULT)
    number = releases.propose(
        settings.folder, someone, wanted.region, wanted.scheme, rule, settings.now_s(), wanted.kind
    )
    return Numbered(id=number)


@router.post("/releases/{number}/approval", status_code=204, responses=_says(401, 403, 409))
def approve(
    request: Request, number: Annotated[int, Path(ge=1, le=_LARGEST_ID)], someone: Annotated[Person, _only(RELEASE)]
) -> None:
    """Agree to another person's proposal."""
    settings = _settings(request)
    releases.approve(settings.folder, someone, number, settings.now_s())


@router.post("/revocations", status_code=204, responses=_says(401, 403, 409))
def revoke(request: Request, wanted: Revocation, someone: Annotated[Person, _only(ADMIN)]) -> None:
    """Revoke a kiosk's certificate, from the next list on."""
    settings = _settings(request)
    core.revoke(settings.folder, wanted.serial, settings.now_s())


@router.get("/audit", responses=_says(401, 403))
def audit(request: Request, someone: Annotated[Person, _only(ADMIN)]) -> list[Entry]:
    """What was done, when and how often: never by or for whom. The last thousand lines, oldest first."""
    with store.reading(_settings(request).folder) as database:
        lines = store.audit(database, _AUDIT_LINES)
    return [Entry(at=at_s, what=what, count=times) for at_s, what, times in lines]
