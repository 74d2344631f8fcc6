"""Owns what the commands of `emask authority` share: the folder, the time, how errors end them. Knows no command."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from tools.authority.store import Refused, StoreMissing
from tools.cli import BadInput
from tools.cli import Refused as RefusedExit
from tools.exposure import rule_files
from tools.signing import KeyFileError


class Instant(click.ParamType):
    """A UTC time: seconds since 1970, or ISO 8601 such as 2026-03-01T12:00:00Z."""

    name = "UTC"

    def convert(self, value, param, ctx) -> int:
        if isinstance(value, int):
            return value
        try:
            return int(value) if value.isdigit() else int(_utc(value).timestamp())
        except (ValueError, OverflowError):
            self.fail(f"{value} is neither seconds since 1970 nor an ISO 8601 time", param, ctx)


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


at = click.option(
    "--at",
    "now_s",
    type=Instant(),
    default=lambda: int(time.time()),
    show_default="now",
    help="The time that counts as now.",
)
folder_argument = click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")

offline_option = click.option(
    "--offline",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the root and recovery keys, on a medium that is put away.  [default: DIR/offline]",
)

holders_option = click.option(
    "--holder",
    "holders",
    multiple=True,
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where a person's share of the list key is, on a stick of the person's own; once for each person.",
)


class Plain:
    """Turns what core may raise into one line and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, Refused):
            raise RefusedExit(str(error)) from None
        if isinstance(error, DBAPIError):
            raise BadInput(f"the database can't be used now: {str(error.orig).splitlines()[0]}") from None
        if isinstance(error, (StoreMissing, KeyFileError, OSError, rule_files.RuleFileError)):
            raise BadInput(str(error)) from None
