"""Owns HTTP as a kiosk speaks it: deadlines, retries, bounded answers, what went wrong in words. Knows no file."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT_S = (10, 30)  # to connect, and between two pieces
_PIECE_BYTES = 1_024  # a piece that is cut off is lost


class NetError(Exception):
    """The server could not be reached, or answered something else; nothing that was reached is lost."""


def connection(*methods: str) -> requests.Session:
    """A session that asks again by `methods`, which may be repeated without harm. It is a context manager."""
    web = requests.Session()
    web.max_redirects = 5
    web.headers["Accept-Encoding"] = "identity"  # a range counts the bytes of the file, not of a packed form
    again = Retry(
        total=3,
        backoff_factor=0.5,
        status_forcelist=(502, 503, 504),
        allowed_methods=methods,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("http://", "https://"):
        web.mount(scheme, HTTPAdapter(max_retries=again))
    return web


def unreachable(address: str, error: requests.RequestException) -> NetError:
    """What became of a request to `address`, without the address's path."""
    known = {
        requests.exceptions.SSLError: "its certificate does not hold (is this computer's date right?)",
        requests.exceptions.ChunkedEncodingError: "the line was cut off",
        requests.Timeout: "no answer in time",
        requests.TooManyRedirects: "it sends from one address to the next",
        requests.ConnectionError: "no connection",
    }
    why = next((text for kind, text in known.items() if isinstance(error, kind)), type(error).__name__)
    return NetError(f"{urlsplit(address).hostname} can't be reached: {why}")


def pieces(answer: requests.Response, most: int) -> Iterator[bytes]:
    """The body in pieces, never more than `most` bytes."""
    for piece in answer.iter_content(_PIECE_BYTES):
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return
