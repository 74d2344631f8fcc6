"""Owns the sending of uploads to the authority's service by HTTPS. Knows no radio and no list.

An upload leaves the kiosk only against a receipt with the SHA-256 of its own bytes. The same upload sent again counts
once there, so whatever is cut off is simply sent again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tools.kiosk import net
from tools.kiosk.folder import KioskFolder
from tools.kiosk.net import NetError

_LARGEST_ANSWER_BYTES = 4_096
_REFUSALS = (409, 413, 422)
_OWN_COMPUTER = ("127.0.0.1", "localhost", "::1")

Progress = Callable[[str, int, int], None]


@dataclass
class Sent:
    """How many uploads the authority has taken, and which it refused and why; these stay here."""

    taken: int = 0
    refused: tuple[str, ...] = ()


def send(folder: KioskFolder, service: str, progress: Progress) -> Sent:
    """Send all uploads to the service at `service`. NetError, after what was sent before it; OSError.

    Only https:// will do, but on the own computer: a receipt over a line that anybody may write on is worth nothing.
    """
    parts = urlsplit(service)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _OWN_COMPUTER):
        raise NetError("uploads are sent to an address that begins with https:// only")
    address, waiting, done = service.rstrip("/") + "/v1/uploads", folder.uploads(), Sent()
    try:
        with net.connection("POST") as web:
            for number, path in enumerate(waiting):
                progress("uploads", number, len(waiting))
                _send(web, address, path, done)
    except requests.RequestException as error:
        raise net.unreachable(service, error) from None
    return done


def _send(web: requests.Session, address: str, path: Path, done: Sent) -> None:
    data = path.read_bytes()
    headers = {"Content-Type": "application/json"}
    with web.post(
        address, data=data, headers=headers, timeout=net.TIMEOUT_S, allow_redirects=False, stream=True
    ) as answer:
        plain = _plain(b"".join(net.pieces(answer, _LARGEST_ANSWER_BYTES)))
    if answer.status_code in _REFUSALS and isinstance(plain.get("detail"), str):
        done.refused += (f"{path.name}: {plain['detail'][:200]}",)
    elif answer.status_code == 200 and plain.get("sha256") == hashlib.sha256(data).hexdigest():
        path.unlink()
        done.taken += 1
    else:
        raise NetError(f"no receipt of the authority's service there: it answered {answer.status_code}")


def _plain(data: bytes) -> dict:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
