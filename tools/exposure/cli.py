"""Owns `emask exposure`. Knows how to ask and tell, not how distance is judged."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from tools.cli import BadInput
from tools.exposure import data, record_study

_recordings = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATA...")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")


@click.group()
def exposure() -> None:
    """Distance and minutes from levels: the study, the fit, and how well it decides on recorded people.

    DATA are DP-3T recordings (sqlite with a table `results`) or MIT Matrix csv files.
    """


def _load(paths: tuple[Path, ...]) -> list[data.Recording]:
    try:
        return [data.load(path) for path in paths]
    except data.DataError as error:
        raise BadInput(str(error)) from None


@contextmanager
def _bar(what: str, steps: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error that goes on by one at each call."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=steps)
        yield lambda: progress.advance(task)


@exposure.command("record-study")
@_recordings
@_json
def study_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Which few bytes per identifier and slot keep what decides: AUC for "within 2 m" of 5-minute windows.

    Needs at least two recordings: each is judged by a fit on the others.
    """
    recordings = _load(paths)
    if len(recordings) < 2:
        raise BadInput("each recording is judged by a fit on the others: give at least two")
    with _bar("layouts", record_study.STEPS) as tick:
        rows = record_study.study(recordings, tick)
    if as_json:
        click.echo(json.dumps({"recordings": [r.name for r in recordings], "layouts": rows}))
        return
    click.echo(f"{'':<24}{'':>6}  {'by event':^8} {'person':^7} {'gain by event':^16} {'min':^5} |", nl=False)
    click.echo(f" {'by event':^8} {'person':^7} {'gain by event':^16} {'min':^5}  thinned on the right")
    for row in rows:
        size = "-" if row["bytes"] is None else row["bytes"]
        click.echo(f"{row['layout']:<24}{size:>6}  {_half(row, 'full')} | {_half(row, 'thinned')}  {row['what']}")


def _half(row: dict, label: str) -> str:
    gain = row[f"{label}_gain"]
    interval = f"{gain[0]:+.3f} to {gain[1]:+.3f}" if gain else "-"
    figures = [row[f"{label}_{name}"] for name in ("by_event", "by_person", "minutes_mae")]
    event, person, minutes = ["-" if f is None else f"{f:.3f}" for f in figures]
    return f"{event:^8} {person:^7} {interval:^16} {minutes:>5}"
