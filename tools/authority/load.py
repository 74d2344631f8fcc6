"""Owns the load trial of the authority's service: uploads and list reads per second, beside the bare framework.

The peer (tools.authority.bare) does the same input and output and nothing else. What the service takes longer is what
it does: opening seals, checking codes, one writer at a time.
"""

import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from emask import bluezone, keylist
from tools import codes
from tools.authority import core, intake, keyring, sample, site

_START_S = 60
_ANSWER_S = 60
_RECORDS = 3
Progress = Callable[[str, int, int], None]
Ask = Callable[[requests.Session, str, bytes], requests.Response]


@dataclass(frozen=True)
class Rate:
    """Requests per second by all clients together, and the 99th percentile of one in ms."""

    per_second: float
    p99_ms: float


class LoadError(Exception):
    """The server did not come up, or answered otherwise than it should."""


def run(folder: Path, uploads: int, reads: int, clients: int, progress: Progress) -> dict[str, dict[str, Rate]]:
    """{"service" and "bare": {"uploads" and "lists": Rate}}, in the empty `folder`."""
    now_s = int(time.time())
    name = _prepare(folder, now_s)
    bodies = _uploads(folder / "authority", uploads, now_s, progress)
    places = [name.encode()] * reads
    results = {}
    for which, program in (("bare", _bare(folder)), ("service", _service(folder))):
        with _serving(program) as address:
            sent = _timed(address, bodies, _send, clients, _told(progress, f"{which}: uploads", uploads))
            read = _timed(address, places, _read, clients, _told(progress, f"{which}: lists", reads))
            results[which] = {"uploads": sent, "lists": read}
    return results


def _told(progress: Progress, what: str, size: int) -> Callable[[int], None]:
    return lambda at: progress(what, at, size)


def _prepare(folder: Path, now_s: int) -> str:
    """An authority, and a site with one list; the list's name."""
    core.init(folder / "authority", now_s)
    core.publish(folder / "authority", folder / "list.eml", now_s)
    return site.put(folder / "site", [folder / "list.eml"])[0]


def _uploads(authority: Path, count: int, now_s: int, progress: Progress) -> list[bytes]:
    intake.set_quota(authority, intake.FIRST_CLINIC, codes.PLAIN, count, now_s)
    public, a_day = keyring.seal_key(authority).public_key(), bluezone.SLOTS_PER_DAY
    first = now_s // bluezone.SLOT_S - a_day * (_RECORDS + 1)
    made = []
    for code in intake.issue_codes(authority, count, now_s):
        starts = range(first, first + a_day * _RECORDS, a_day)
        records = [keylist.pack_record(secrets.token_bytes(bluezone.KEY_BYTES), start, 0, a_day) for start in starts]
        content = sample.text(bluezone.NUMBER, records)
        made.append(sample.data(sample.upload(public, code, secrets.token_bytes(32), now_s, content)))
        progress("making uploads", len(made), count)
    return made


def _service(folder: Path) -> list[str]:
    return ["-m", "tools.cli", "authority", "serve", str(folder / "authority"), "--site", str(folder / "site")]


def _bare(folder: Path) -> list[str]:
    return ["-m", "tools.authority.bare", str(folder)]


@contextmanager
def _serving(program: list[str]) -> Iterator[str]:
    """The address of a server that runs in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, *program, "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_ANSWER_S)


def _wait(process: subprocess.Popen, port: int) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise LoadError("the server did not come up")


def _send(web: requests.Session, address: str, body: bytes) -> requests.Response:
    return web.post(f"{address}/v1/uploads", data=body, timeout=_ANSWER_S)


def _read(web: requests.Session, address: str, name: bytes) -> requests.Response:
    return web.get(f"{address}/lists/{name.decode()}", timeout=_ANSWER_S)


def _timed(address: str, items: Sequence[bytes], ask: Ask, clients: int, told: Callable[[int], None]) -> Rate:
    took: list[float] = []
    own = threading.local()

    def one(item: bytes) -> None:
        if not hasattr(own, "web"):
            own.web = requests.Session()
        start = time.perf_counter()
        answer = ask(own.web, address, item)
        took.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise LoadError(f"the server answered {answer.status_code}")
        told(len(took))

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, items))
    whole_s = time.perf_counter() - start
    return Rate(round(len(items) / whole_s, 1), round(sorted(took)[int(0.99 * (len(took) - 1))] * 1000, 1))
