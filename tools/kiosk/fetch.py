"""Owns the fetching of lists from a web server: what is new, resumed where it was cut, kept when its signature holds.

Knows no radio. The server is not trusted (SPEC 10): it can withhold, but neither forge nor fill the disk.

inbox/NAME.part   what has come of a list so far
fetch.json        the address and the ETag of the index that was worked off last
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import jsonschema
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from emask import spec
from tools import lists, signing
from tools.files import write_whole
from tools.kiosk import identity
from tools.kiosk.folder import KioskFolder

_LARGEST_INDEX_BYTES = 65_536
_STATE = "fetch.json"
_TIMEOUT_S = (10, 30)  # to connect, and between two pieces
_PIECE_BYTES = 1_024  # a piece that is cut off is lost
_TRIES = 5  # connections for one list, each of which brought something
_SCHEMA = {
    "type": "object",
    "required": ["format", "lists"],
    "properties": {
        "format": {"const": lists.INDEX_FORMAT},
        "lists": {
            "type": "array",
            "maxItems": 256,
            "items": {
                "type": "object",
                "required": ["name", "region", "bytes", "sha256"],
                "properties": {
                    "name": {"type": "string", "pattern": r"^[a-z0-9-]{1,80}\.eml\Z"},
                    "region": {"type": "integer", "minimum": 0, "maximum": 65535},
                    "bytes": {"type": "integer", "minimum": 1, "maximum": lists.LARGEST_BYTES},
                    "sha256": {"type": "string", "pattern": r"^[0-9a-f]{64}\Z"},
                },
            },
        },
    },
}
_VALIDATOR = jsonschema.Draft202012Validator(_SCHEMA)

Progress = Callable[[str, int, int], None]


class FetchError(Exception):
    """The server could not be reached, or answered something else; what came so far is kept."""


@dataclass
class Fetched:
    """What came: whether the index was as before, lists new and known, a new certificate, what was refused and why."""

    unchanged: bool = False
    new: int = 0
    known: int = 0
    certificate: bool = False
    refused: tuple[str, ...] = ()

    def text(self) -> str:
        came = (
            "no list since the last time" if self.unchanged else f"lists taken: {self.new}; here before: {self.known}"
        )
        lines = [f"{came}; certificate: {'new' if self.certificate else 'as before'}"]
        return "\n".join(lines + [f"refused: {line}" for line in self.refused])


def fetch(folder: KioskFolder, site: str, progress: Progress | None = None) -> Fetched:
    """Take what is new at the address `site`: a certificate for this kiosk, lists of its region.

    FetchError; IdentityError if the folder is no kiosk's; OSError if the disk is full.
    """
    if urlsplit(site).scheme not in ("http", "https"):
        raise FetchError("the address must begin with https:// or http://")
    try:
        with _connection() as web:
            return _fetched(web, folder, site.rstrip("/") + "/", progress or (lambda name, at, size: None))
    except requests.RequestException as error:
        raise FetchError(f"{urlsplit(site).hostname} can't be reached: {_reason(error)}") from None


def _fetched(web: requests.Session, folder: KioskFolder, site: str, progress: Progress) -> Fetched:
    certified = _certificate(web, folder, site)
    index, tag = _index(web, site, _last_tag(folder, site))
    if index is None:
        return Fetched(unchanged=True, certificate=certified)
    region = identity.region(folder.path)
    wanted = [entry for entry in index if not region or entry["region"] in (spec.ANY_REGION, region)]
    done = _take_all(web, folder, site, wanted, progress)
    done.certificate = certified
    _forget_parts(folder, {entry["name"] for entry in wanted})
    if not done.refused:
        write_whole(folder.path / _STATE, json.dumps({"site": site, "tag": tag}).encode())
    return done


def _connection() -> requests.Session:
    web = requests.Session()
    web.max_redirects = 5
    web.headers["Accept-Encoding"] = "identity"  # a range counts the bytes of the file, not of a packed form
    again = Retry(total=3, backoff_factor=0.5, status_forcelist=(502, 503, 504), allowed_methods=("GET",))
    for scheme in ("http://", "https://"):
        web.mount(scheme, HTTPAdapter(max_retries=again))
    return web


def _certificate(web: requests.Session, folder: KioskFolder, site: str) -> bool:
    """Take this kiosk's certificate if a newer one lies there; most often none does."""
    name = signing.certificate_name(signing.load_public(folder.path / "kiosk.pub"))
    with _asked(web, urljoin(site, name), {}) as answer:
        if answer.status_code != 200:
            return False
        return identity.take_certificate(folder.path, b"".join(_pieces(answer, spec.CERTIFICATE_BYTES)))


def _index(web: requests.Session, site: str, tag: str) -> tuple[list[dict] | None, str]:
    """(entries, ETag); None for the entries if they are as at the last time."""
    with _asked(web, urljoin(site, lists.INDEX), {"If-None-Match": tag} if tag else {}) as answer:
        if answer.status_code == 304:
            return None, tag
        if answer.status_code != 200:
            raise FetchError(f"the server has no list of lists there: it answered {answer.status_code}")
        data = b"".join(_pieces(answer, _LARGEST_INDEX_BYTES))
        tag = answer.headers.get("ETag", "")
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        raise FetchError(f"{lists.INDEX} is not JSON, or was cut off") from None
    problem = next(iter(_VALIDATOR.iter_errors(plain)), None)
    if problem is not None:
        place = ".".join(map(str, problem.absolute_path)) or "the whole"
        raise FetchError(
            f"{lists.INDEX} is not of format {lists.INDEX_FORMAT}: {place} breaks the rule '{problem.validator}'"
        )
    return plain["lists"], tag


def _take_all(web: requests.Session, folder: KioskFolder, site: str, wanted: list[dict], progress: Progress) -> Fetched:
    done = Fetched()
    for entry in wanted:
        if _digest(folder.inbox / entry["name"]) == entry["sha256"]:
            done.known += 1
            continue
        try:
            _take(web, folder, site, entry, progress)
            done.new += 1
        except lists.ListFileError as error:
            done.refused += (f"{entry['name']}: {error}",)
    return done


def _take(web: requests.Session, folder: KioskFolder, site: str, entry: dict, progress: Progress) -> None:
    """One list, from where it was cut off; ListFileError if what came is not what it should be."""
    part, size = folder.inbox / f"{entry['name']}.part", entry["bytes"]
    for _ in range(_TRIES):
        before = _size(part)
        if before < size:
            _more(web, urljoin(site, entry["name"]), part, size, lambda at: progress(entry["name"], at, size))
        if _size(part) >= size:
            break
        if _size(part) <= before:
            raise FetchError(f"{entry['name']} stopped at byte {before} of {size}; it goes on there next time")
    else:
        raise FetchError(f"{entry['name']} was cut off {_TRIES} times; it goes on next time")
    try:
        if _digest(part) != entry["sha256"]:
            raise lists.ListFileError("not as the index says")
        folder.add_list(part)
    finally:
        part.unlink()


def _more(web: requests.Session, address: str, part: Path, size: int, told: Callable[[int], None]) -> None:
    """Append what comes of the rest; a server that knows no ranges begins again."""
    start = _size(part)
    with _asked(web, address, {"Range": f"bytes={start}-"} if start else {}) as answer:
        if answer.status_code == 416:  # the file is not what the index said: begin anew next time
            part.unlink()
        if answer.status_code not in (200, 206):
            raise FetchError(f"{part.stem}: the server answered {answer.status_code}")
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if answer.status_code == 206 and not resumed:
            raise FetchError(f"{part.stem}: the server sent another part than the one asked for")
        with part.open("ab" if resumed else "wb") as file:
            try:
                for piece in _pieces(answer, size - (start if resumed else 0)):
                    file.write(piece)
                    told(file.tell())
            except requests.RequestException:
                return  # cut off: the caller sees how far it came


def _asked(web: requests.Session, address: str, headers: dict[str, str]) -> requests.Response:
    return web.get(address, headers=headers, stream=True, timeout=_TIMEOUT_S)


def _reason(error: requests.RequestException) -> str:
    known = {
        requests.exceptions.SSLError: "its certificate does not hold (is this computer's date right?)",
        requests.Timeout: "no answer in time",
        requests.TooManyRedirects: "it sends from one address to the next",
        requests.ConnectionError: "no connection",
    }
    return next((text for kind, text in known.items() if isinstance(error, kind)), type(error).__name__)


def _pieces(answer: requests.Response, most: int):
    """The body in pieces, never more than `most` bytes."""
    for piece in answer.iter_content(_PIECE_BYTES):
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return


def _last_tag(folder: KioskFolder, site: str) -> str:
    try:
        state = json.loads((folder.path / _STATE).read_bytes())
        return state["tag"] if state["site"] == site and isinstance(state["tag"], str) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _forget_parts(folder: KioskFolder, wanted: set[str]) -> None:
    for part in folder.inbox.glob("*.part"):
        if part.stem not in wanted:
            part.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
