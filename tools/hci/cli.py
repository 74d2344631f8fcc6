"""Owns `emask decode`. Knows how to print a count, not how it is made."""

import json
from pathlib import Path

import click

from tools.cli import BadInput
from tools.hci.btsnoop import CaptureError, events
from tools.hci.heard import Heard, listen


@click.command()
@click.argument("capture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def decode(capture: Path, as_json: bool) -> None:
    """Say what a token would have heard in CAPTURE, a btsnoop file of Bluetooth HCI traffic.

    Uses the decoder that the firmware uses. A file that is truncated or of another kind ends with code 2.
    """
    try:
        heard = listen(events(capture.read_bytes()))
    except (CaptureError, OSError) as error:
        raise BadInput(f"{capture}: {error}") from None
    if as_json:
        click.echo(json.dumps(heard.summary()))
    else:
        _show(heard)


def _show(heard: Heard) -> None:
    click.echo(f"{heard.reports} reports from {len(heard.addresses)} addresses, {heard.malformed} malformed")
    for name, count in heard.schemes.items():
        line = f"{name:9s} {count.reports} reports, {len(count.ids)} identifiers, {len(count.addresses)} addresses"
        if count.rssi_min is not None:
            line += f", {count.rssi_min} to {count.rssi_max} dBm"
        click.echo(line)
