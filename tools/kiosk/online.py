"""Owns the exchange between a kiosk's folder and the authority by a network: uploads out, lists in. Knows no radio."""

from tools.kiosk.carry import Exchange
from tools.kiosk.fetch import fetch
from tools.kiosk.folder import KioskFolder
from tools.kiosk.net import NetError
from tools.kiosk.send import Progress, send


def over_net(folder: KioskFolder, site: str, service: str, progress: Progress) -> Exchange:
    """Uploads to the address `service`, unless it is empty, then lists from `site`; each though the other fails.

    May be repeated, and cut off anywhere. IdentityError if the folder is no kiosk's; OSError if the disk is full.
    """
    done = Exchange()
    if service:
        _send(folder, service, progress, done)
    try:
        came = fetch(folder, site, progress)
    except NetError as error:
        done.failed += (f"lists: {error}",)
        return done
    done.lists, done.certificate = came.new, came.certificate
    done.refused += came.refused
    return done


def _send(folder: KioskFolder, service: str, progress: Progress, done: Exchange) -> None:
    before = len(folder.uploads())
    try:
        done.refused += send(folder, service, progress).refused
    except NetError as error:
        done.failed += (f"uploads: {error}",)
    done.sent = done.received = before - len(folder.uploads())
