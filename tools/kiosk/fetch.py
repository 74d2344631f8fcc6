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

from emask import spec
from tools import lists, signing
from tools.files import write_whole
from tools.kiosk import identity, net
from tools.kiosk.folder import KioskFolder
from tools.kiosk.net import NetError

_LARGEST_INDEX_BYTES = 65_536
_STATE = "fetch.json"
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


@dataclass
class Fetched:
    """What came: whether the index was as before, lists new and known, a new certificate, what was refused and why."""

    unchanged: bool = False
    new: int = 0
    known: int = 0
    certificate: bool = False
    refused: tuple[str, ...] = ()


def fetch(folder: KioskFolder, site: str, progress: Progress) -> Fetched:
    """Take what is new at the address `site`: a certificate for this kiosk, lists of its region.

    NetError; IdentityError if the folder is no kiosk's; OSError if the disk is full.
    """
    if urlsplit(site).scheme not in ("http", "https"):
        raise NetError("the address must begin with https:// or http://")
    try:
        with net.connection("GET") as web:
            return _fetched(web, folder, site.rstrip("/") + "/", progress)
    except requests.RequestException as error:
        raise net.unreachable(site, error) from None


def _fetched(web: requests.Session, folder: KioskFolder, site: str, progress: Progress) -> Fetched:
    _root_change(web, folder, site)
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


def _certificate(web: requests.Session, folder: KioskFolder, site: str) -> bool:
    """Take this kiosk's certificate if a newer one lies there; most often none does."""
    name = signing.certificate_name(signing.load_public(folder.path / "kiosk.pub"))
    with _asked(web, urljoin(site, name), {}) as answer:
        if answer.status_code != 200:
            return False
        return identity.take_certificate(folder.path, b"".join(net.pieces(answer, spec.CERTIFICATE_BYTES)))


def _root_change(web: requests.Session, folder: KioskFolder, site: str) -> None:
    """Take another root if one lies there that the recovery key vouches for; before all that it may have signed."""
    with _asked(web, urljoin(site, signing.ROOT_CHANGE), {}) as answer:
        if answer.status_code == 200:
            identity.take_root(folder.path, b"".join(net.pieces(answer, spec.CERTIFICATE_BYTES)))


def _index(web: requests.Session, site: str, tag: str) -> tuple[list[dict] | None, str]:
    """(entries, ETag); None for the entries if they are as at the last time."""
    with _asked(web, urljoin(site, lists.INDEX), {"If-None-Match": tag} if tag else {}) as answer:
        if answer.status_code == 304:
            return None, tag
        if answer.status_code != 200:
            raise NetError(f"the server has no list of lists there: it answered {answer.status_code}")
        data = b"".join(net.pieces(answer, _LARGEST_INDEX_BYTES))
        tag = answer.headers.get("ETag", "")
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        raise NetError(f"{lists.INDEX} is not JSON, or was cut off") from None
    problem = next(iter(_VALIDATOR.iter_errors(plain)), None)
    if problem is not None:
        place = ".".join(map(str, problem.absolute_path)) or "the whole"
        raise NetError(
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
            raise NetError(f"{entry['name']} stopped at byte {before} of {size}; it goes on there next time")
    else:
        raise NetError(f"{entry['name']} was cut off {_TRIES} times; it goes on next time")
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
            raise NetError(f"{part.stem}: the server answered {answer.status_code}")
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if answer.status_code == 206 and not resumed:
            raise NetError(f"{part.stem}: the server sent another part than the one asked for")
        with part.open("ab" if resumed else "wb") as file:
            try:
                for piece in net.pieces(answer, size - (start if resumed else 0)):
                    file.write(piece)
                    told(file.tell())
            except requests.RequestException:
                return  # cut off: the caller sees how far it came


def _asked(web: requests.Session, address: str, headers: dict[str, str]) -> requests.Response:
    return web.get(address, headers=headers, stream=True, timeout=net.TIMEOUT_S)


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
