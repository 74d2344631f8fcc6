"""Owns `emask kiosk`. Knows how to ask and tell, not how a visit goes."""

import asyncio
import dataclasses
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress as Bar

from emask import spec
from tools import lists, signing
from tools.cli import BadInput, DeviceFailed, Refused
from tools.kiosk import carry, identity
from tools.kiosk.carry import Exchange
from tools.kiosk.folder import KioskFolder
from tools.kiosk.hall.cli import phrases, screens, serve
from tools.kiosk.identity import IdentityError
from tools.kiosk.session import VisitResult
from tools.kiosk.wish import Wish

_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
_json = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")


@click.group()
def kiosk() -> None:
    """A kiosk that tokens visit: it gives them time and lists and takes uploads, all kept in FOLDER."""


@kiosk.command()
@_folder
@click.option(
    "--root",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The authority's root.pub.",
)
@click.option(
    "--recovery",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The authority's recovery.pub, which alone names another root.  [default: the one beside --root]",
)
def init(folder: Path, root: Path, recovery: Path | None) -> None:
    """Draw the kiosk's key; its public half, kiosk.pub, is for the authority to certify."""
    try:
        names_roots = signing.load_public(recovery or root.with_name("recovery.pub"))
        made = identity.create(KioskFolder(folder).path, signing.load_public(root), recovery=names_roots)
    except IdentityError as error:
        raise Refused(str(error)) from None
    except signing.KeyFileError as error:
        raise BadInput(str(error)) from None
    click.echo(f"The kiosk's public key is in {made}.")


@kiosk.command()
@_folder
@click.argument("place", metavar="PLACE")
@click.option(
    "--uploads", "service", default="", metavar="URL", help="Of the authority's service; without it uploads wait."
)
@_json
def sync(folder: Path, place: str, service: str, as_json: bool) -> None:
    """Exchange with PLACE: lists and the certificate in, uploads out. It may be cut off anywhere, and repeated.

    PLACE is a folder on a stick or a share, or the web address of the authority's lists. An upload leaves the kiosk
    only when the authority has it: by a folder that takes until its receipt (NAME.taken) comes back, maybe days.

    Ends with code 1 if something was refused, 3 if a server can't be reached or answers something else.
    """
    try:
        if "://" in place:
            done = _over_net(KioskFolder(folder), place, service, as_json)
        elif service:
            raise click.BadParameter("a folder takes the uploads itself", param_hint="--uploads")
        else:
            done = _by_carrier(KioskFolder(folder), Path(place))
    except (IdentityError, signing.KeyFileError, OSError) as error:
        raise BadInput(str(error)) from None
    click.echo(json.dumps(dataclasses.asdict(done)) if as_json else done.text())
    if done.failed or done.refused:
        raise click.exceptions.Exit(3 if done.failed else 1)


def _by_carrier(folder: KioskFolder, carrier: Path) -> Exchange:
    if not carrier.is_dir():
        raise BadInput(f"{carrier}: no such folder")
    return carry.exchange(folder, carrier)


def _over_net(folder: KioskFolder, site: str, service: str, as_json: bool) -> Exchange:
    from tools.kiosk.online import over_net

    with Bar(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("asking", total=None)
        return over_net(
            folder,
            site,
            service,
            lambda name, at, size: bar.update(task, description=name, completed=at, total=size),
        )


@kiosk.command("add-list")
@_folder
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
def add_list(folder: Path, source: Path) -> None:
    """Check a signed list of the authority and keep it for the tokens."""
    try:
        taken = KioskFolder(folder).add_list(source)
    except (lists.ListFileError, IdentityError, OSError) as error:
        raise BadInput(f"{source}: {error}") from None
    click.echo(f"List {taken.serial} of {_utc(taken.header.issued_s)} with {taken.header.count} records is in.")


@kiosk.command()
@_folder
@_json
def status(folder: Path, as_json: bool) -> None:
    """Say what is in FOLDER."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder")
    try:
        facts = _facts(KioskFolder(folder))
    except IdentityError as error:
        raise BadInput(str(error)) from None
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(
        f"list: {facts['list_serial']}, issued {_utc(facts['list_issued_s'])}, {facts['list_records']} records"
        if facts["list_serial"]
        else "list: none"
    )
    click.echo(f"uploads that wait for the authority: {facts['uploads']}")
    click.echo(f"visits: {facts['visits']}, of them complete: {facts['complete']}")
    click.echo(f"lists that tokens took without a visit: {facts['drops']}")


@kiosk.command()
@_folder
@click.option("--handover", is_flag=True, help="Hand out tokens: take them out of shelf mode.")
@click.option("--upload-code", metavar="CODE", help="Ask the next token for its upload, with this code.")
@click.option("--end-alert", is_flag=True, help="End the alerts of the tokens that come.")
@click.option("--once", is_flag=True, help="End after one complete visit.")
@click.option("--no-push", is_flag=True, help="Don't bring lists to tokens near that nobody presses.")
@_json
def tend(
    folder: Path, handover: bool, upload_code: str | None, end_alert: bool, once: bool, no_push: bool, as_json: bool
) -> None:
    """Serve tokens without a page, for staff at a terminal, with this computer's Bluetooth radio, until interrupted.

    Tokens near that nobody presses get the newest list too: carried from house to house it serves those who never come.
    """
    from bleak.exc import BleakError

    if upload_code is not None and len(upload_code.encode()) != spec.CODE_BYTES:
        raise click.BadParameter(f"a code has {spec.CODE_BYTES} signs", param_hint="--upload-code")
    try:
        wish = Wish(handover=handover, end_alert=end_alert, code=upload_code)
        own = KioskFolder(folder)
        identity.load(own.path, time.time())
        asyncio.run(_tend(own, wish, once, not no_push, as_json))
    except IdentityError as error:
        raise BadInput(str(error)) from None
    except (BleakError, OSError) as error:
        raise DeviceFailed(f"Bluetooth: {error}") from None
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


async def _tend(folder: KioskFolder, wish: Wish, once: bool, push: bool, as_json: bool) -> None:
    from bleak import BleakClient, BleakScanner

    from tools.kiosk import service
    from tools.kiosk.drop import TAKEN, Drops

    with Bar(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("waiting for a token", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        def on_visit(result: VisitResult, why: str) -> None:
            bar.update(task, description="waiting for a token", completed=0, total=None)
            click.echo(json.dumps(_visit_facts(result, why)) if as_json else _sentence(result, why))

        def show(number: tuple[int, int]) -> None:
            click.echo(f"The token shows {number[0]} and {number[1]}? Then hold its button for two seconds.", err=True)

        def on_drop(result: str) -> None:
            if result == TAKEN and not as_json:
                click.echo("A token that nobody pressed took the list.")

        await service.serve(
            BleakScanner,
            BleakClient,
            folder,
            drops=Drops(BleakClient, folder, time.time, on_drop) if push else None,
            wish=wish,
            once=once,
            on_visit=on_visit,
            progress=progress,
            show=show,
        )


def _facts(folder: KioskFolder) -> dict:
    found, visits = folder.sound_lists(), folder.visits()
    newest = found[0] if found else None
    return {
        "list_serial": newest.serial if newest else 0,
        "list_issued_s": newest.header.issued_s if newest else 0,
        "list_records": newest.header.count if newest else 0,
        "uploads": len(folder.uploads()),
        "visits": len(visits),
        "complete": sum(bool(entry.get("complete")) for entry in visits),
        "drops": folder.drops(),
    }


def _visit_facts(result: VisitResult, why: str) -> dict:
    return {
        "complete": result.complete,
        "why": why,
        "list": result.list,
        "list_serial": result.list_serial,
        "upload": result.upload,
        "alert": bool(result.status.get("state", 0) & spec.STATE_ALERT),
    }


def _sentence(result: VisitResult, why: str) -> str:
    if why:
        return f"The visit broke off: {why}."
    alert = " The token holds a warning." if result.status["state"] & spec.STATE_ALERT else ""
    return f"Visit complete. List: {result.list}. Upload: {result.upload}.{alert}"


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


for command in (serve, screens, phrases):
    kiosk.add_command(command)
