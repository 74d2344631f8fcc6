"""Owns the commands on what is behind: `emask flash export`, `labels`, `close`. Touches no port."""

from pathlib import Path

import click

from tools.cli import BadInput, DeviceFailed, Refused
from tools.flash import label
from tools.flash.ask import check_printer, labels_option, open_record, printer_option, record_option
from tools.flash.mistakes import Mistake
from tools.flash.record import RecordError


@click.command("export")
@record_option
@click.option("--batch", help="Only this one.")
def export(record: Path, batch: str | None) -> None:
    """Print the record as CSV: labels and results, no keys, no chip numbers."""
    click.echo(open_record(record).csv(batch), nl=False)


@click.command("labels")
@record_option
@click.option("--batch", required=True)
@labels_option
@printer_option
@click.argument("names", nargs=-1, metavar="[LABEL]...")
def labels(record: Path, batch: str, labels: Path, printer: str, names: tuple[str, ...]) -> None:
    """Make the labels of a batch's finished boards again, all or only those named, and print them."""
    check_printer(printer)
    there = open_record(record).labels(batch)
    strangers = [name for name in names if name not in there]
    if strangers or not there:
        raise BadInput(f"{batch}: no finished board {strangers[0]}" if strangers else f"{batch}: no finished board")
    for name in names or there:
        path = label.write(labels, name)
        try:
            if printer:
                label.send(printer, path)
        except Mistake as told:
            raise DeviceFailed(f"{name}: {told}") from None
        click.echo(path)


@click.command("close")
@record_option
@click.option("--batch", required=True)
def close(record: Path, batch: str) -> None:
    """Close a batch: destroys what its boards could be recognised by."""
    try:
        open_record(record).close_batch(batch)
    except RecordError as error:
        raise Refused(str(error)) from None
    click.echo(f"{batch} is closed.")
