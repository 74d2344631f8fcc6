"""Owns the commands that draw an authority's keys away from its service, and bring it its own. Decides nothing."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from tools.authority import core, keyring
from tools.authority.options import Plain, at, folder_argument, holders_option
from tools.cli import Refused


@click.command()
@click.argument("handover", type=click.Path(file_okay=False, path_type=Path), metavar="HANDOVER")
@click.option(
    "--offline", required=True, type=click.Path(file_okay=False, path_type=Path), help="For root and recovery."
)
@holders_option
@at
def keys(handover: Path, offline: Path, holders: tuple[Path, ...], now_s: int) -> None:
    """Draw all keys of a new authority, on a computer without a network.

    HANDOVER is for the service's computer (emask authority init DIR --handover HANDOVER); no key that signs is in it.
    With two holders no list can be signed by one.
    """
    if any(place.exists() and any(place.iterdir()) for place in (handover, offline, *holders)):
        raise Refused("one of the folders is not empty: keys are never written over")
    with Plain():
        keyring.create(handover, offline, holders, now_s, secrets.token_bytes)
    click.echo(f"{handover} is for the service; put {offline} away; each person keeps the own folder.")


@click.command("new-seal-key")
@click.argument("handover", type=click.Path(file_okay=False, path_type=Path), metavar="HANDOVER")
@click.option(
    "--offline", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="The root's folder."
)
def new_seal_key(handover: Path, offline: Path) -> None:
    """Draw another key that uploads are sealed to, on a computer without a network: the one before may be stolen.

    HANDOVER is for the service's computer (emask authority take-seal-key). Kiosks' certificates name the new key from
    now on: certify every kiosk anew. The same HANDOVER again goes on with the same key.
    """
    with Plain():
        keyring.new_seal_key(handover, offline, secrets.token_bytes)
    click.echo(f"{handover} is for the service. Then certify every kiosk anew.")


@click.command("take-seal-key")
@folder_argument
@click.argument("handover", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="HANDOVER")
@at
def take_seal_key(folder: Path, handover: Path, now_s: int) -> None:
    """Open uploads by the key that `new-seal-key` drew; for 21 days by the one before too, then `forget` deletes it."""
    with Plain():
        until_s = core.take_seal_key(folder, handover, now_s)
    day = f"{datetime.fromtimestamp(until_s, UTC):%Y-%m-%d}"
    click.echo(f"The new key is in use. The one before opens what is on its way until {day}.")


COMMANDS = (keys, new_seal_key, take_seal_key)
