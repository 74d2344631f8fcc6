"""Owns the kiosk's loop: look for a token, connect, serve it, write the log; one visit at a time. Knows no bytes.

`scanner_cls` and `client_cls` are called as bleak.BleakScanner and bleak.BleakClient are; `over(...)` makes them for
another backend (bleak 3.1 `backend=`), such as the bench's.
"""

import asyncio
import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from emask import spec
from tools.kiosk.channel import TokenSilent, VisitError
from tools.kiosk.drop import Drops
from tools.kiosk.folder import KioskFolder
from tools.kiosk.identity import IdentityError
from tools.kiosk.session import NotMine, Progress, Show, VisitResult, visit
from tools.kiosk.wish import Wish

VISIT_LIMIT_S = 150.0
_SWAP_LIMIT_S = 1_000.0  # a full ring of sightings takes minutes
_CONNECT_LIMIT_S = 20.0
_REST_S = 75.0  # a served token is connectable for at most this long under the same address
_PAUSE_S = 1.0  # after a failure: do not hammer

SILENT, OTHER, FOLDER, BROKE = "silent", "other", "folder", "broke"
OnVisit = Callable[[VisitResult, str], None]


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a visit ended. why: empty if it is complete, else words; kind: one of the constants above, or empty."""

    why: str = ""
    kind: str = ""


def over(scanner_backend: Any, client_backend: Any) -> tuple[Any, Any]:
    """(scanner_cls, client_cls) for `serve` over other bleak backends than the platform's."""
    return (
        functools.partial(BleakScanner, backend=scanner_backend),
        functools.partial(BleakClient, backend=client_backend),
    )


async def serve(
    scanner_cls: Any,
    client_cls: Any,
    folder: KioskFolder,
    *,
    clock: Callable[[], float] = time.time,
    wish: Wish | None = None,
    once: bool = False,
    stop: asyncio.Event | None = None,
    on_visit: OnVisit | None = None,
    progress: Progress | None = None,
    show: Show | None = None,
    drops: Drops | None = None,
) -> int:
    """Serve visitors until `stop` is set, or one visit is complete if `once`; return how many were complete.

    A token that is served rests for 75 s. The code in `wish` goes to the first token that gives an upload, and then
    no more. `on_visit(result, why)` is told of each visit; `why` is empty unless it broke. `drops`: for tokens that
    nobody presses. BleakError: no radio here.
    """
    stop = stop or asyncio.Event()
    wish = wish or Wish()
    resting: dict[str, float] = {}
    complete = 0
    while not stop.is_set():
        device = await _next_visitor(scanner_cls, resting, stop, drops)
        if drops:
            await drops.stop()
        if device is None:
            break
        result, ending = await attend(client_cls, device, folder, clock, wish=wish, progress=progress, show=show)
        why = ending.why
        log(folder, clock, result, ending)
        if on_visit:
            on_visit(result, why)
        if result.complete:
            resting[device.address] = asyncio.get_running_loop().time() + _REST_S
            complete += 1
        if result.upload == "taken":
            wish = dataclasses.replace(wish, code=None)
        if once and result.complete:
            break
        if why:
            await asyncio.sleep(_PAUSE_S)
    return complete


async def _next_visitor(
    scanner_cls: Any, resting: dict[str, float], stop: asyncio.Event, drops: Drops | None
) -> BLEDevice | None:
    """The next connectable token that is not resting, or None when `stop` is set."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[BLEDevice] = loop.create_future()

    def seen(device: BLEDevice, advertisement: Any) -> None:
        uuids = [uuid.lower() for uuid in advertisement.service_uuids]
        if spec.SERVICE_UUID in uuids:
            if loop.time() >= resting.get(device.address, 0.0) and not found.done():
                found.set_result(device)
        elif drops and spec.DOOR_UUID in uuids and not found.done():
            drops.heard(device)

    for address in [address for address, until in resting.items() if until <= loop.time()]:
        del resting[address]
    stopped = loop.create_task(stop.wait())
    try:
        async with scanner_cls(detection_callback=seen, service_uuids=[spec.SERVICE_UUID, spec.DOOR_UUID]):
            await asyncio.wait([found, stopped], return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]
    finally:
        stopped.cancel()
    return found.result() if found.done() else None


async def attend(
    client_cls: Any, device: BLEDevice, folder: KioskFolder, clock: Callable[[], float], **hooks: Any
) -> tuple[VisitResult, Ending]:
    """One visit of `device`; `hooks` are those of session.visit."""
    wish = hooks.get("wish")
    limit_s = _SWAP_LIMIT_S if wish and wish.swap else VISIT_LIMIT_S
    try:
        async with asyncio.timeout(limit_s), client_cls(device, timeout=_CONNECT_LIMIT_S) as client:
            return await visit(client, clock, folder, **hooks), Ending()
    except NotMine as error:
        ending = Ending(str(error), OTHER)
    except TokenSilent as error:
        ending = Ending(str(error), SILENT)
    except (VisitError, IdentityError) as error:
        ending = Ending(str(error), BROKE)
    except BleakError:
        ending = Ending("the connection broke", SILENT)  # bleak's text may hold the address
    except TimeoutError:
        ending = Ending("the visit took too long", SILENT)
    except OSError:
        ending = Ending("the folder can't be written", FOLDER)
    return VisitResult(), ending


def log(folder: KioskFolder, clock: Callable[[], float], result: VisitResult, ending: Ending, **more: object) -> None:
    """One line of the visit's log; `more` must identify no one. OSError."""
    folder.log(
        {
            "at": int(clock()),
            "complete": result.complete,
            "list": result.list,
            "list_serial": result.list_serial,
            "upload": result.upload,
            "why": ending.why,
            **more,
        }
    )
