"""Owns what several of the station's commands ask for: record, labels, printer. Decides nothing of a board."""

from pathlib import Path

import click

from tools.cli import BadInput
from tools.flash import label
from tools.flash.record import Record, RecordError

record_option = click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), default=Path("flash.sqlite"), show_default=True,
    help="SQLite file of all batches.",
)  # fmt: skip
labels_option = click.option(
    "--labels", type=click.Path(file_okay=False, path_type=Path), default=Path("labels"), show_default=True,
    help="Folder for the labels' files (PDF).",
)  # fmt: skip
printer_option = click.option(
    "--print", "printer", default="", help='Command that prints a label, such as "lp -d QUEUE"; else only files.'
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")


def open_record(path: Path, new: bool = False) -> Record:
    if not new and not path.exists():
        raise BadInput(f"{path}: no such record")
    try:
        return Record(path)
    except RecordError as error:
        raise BadInput(str(error)) from None


def check_printer(command: str) -> None:
    missing = label.missing_program(command) if command else ""
    if missing:
        raise BadInput(
            f"--print: there is no program {missing!r} here (for lp on Debian: sudo apt install cups-client)"
        )
