# `emask bench attack`: asks and tells. Knows not how a token is attacked.
from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tools.bench.attack import flood as connecting
from tools.bench.attack import garbage as writing
from tools.bench.engine import BenchError
from tools.bench.image import ImageError, prepare
from tools.build import BuildError
from tools.cli import BadInput, Refused

_seed = click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
_json = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")
_aioble = click.option(
    "--aioble", metavar="DIR", help="Folder that holds the real package aioble (default: $AIOBLE, else a double)."
)


@click.group()
def attack() -> None:
    """Those who would harm a token, against the firmware that ships, on the bench. Each ends with 1 if they can."""


@attack.command("garbage")
@click.option("--frames", type=click.IntRange(50, 10_000_000), default=100_000, show_default=True)
@_seed
@_aioble
@_json
def garbage(frames: int, seed: int, aioble: str | None, as_json: bool) -> None:
    """Write random and mutated frames to a token: no crash, no heap growth, no state change."""
    with Plain(), _bar() as bar:
        task = bar.add_task("garbage", total=frames)
        found = writing.run(prepare(aioble), frames, seed, lambda done: bar.update(task, completed=min(done, frames)))
    _tell(found.facts(), found.text(), bool(found.faults), as_json)


@attack.command("flood")
@_seed
@_aioble
@_json
def flood(seed: int, aioble: str | None, as_json: bool) -> None:
    """What one press of the button, and a day of doors, cost at most, whoever connects and however long they stay."""
    with Plain(), _bar() as bar:
        task = bar.add_task("flood", total=len(connecting.CASES) + 1)
        found = connecting.run(prepare(aioble), seed, lambda: bar.advance(task))
    _tell(found, connecting.text(found), False, as_json)


@attack.command("eavesdrop")
@click.option("--visits", type=click.IntRange(8, 10_000), default=200, show_default=True, help="Of each kind.")
@_seed
@_aioble
@_json
def eavesdrop(visits: int, seed: int, aioble: str | None, as_json: bool) -> None:
    """Can who hears a visit's packets tell an alerted token, or an upload? By numbers, sizes, times; with a control."""
    from tools.bench.attack import eavesdrop as hearing

    with Plain(), _bar() as bar:
        task = bar.add_task("eavesdrop", total=visits * len(hearing.KINDS))
        found = hearing.run(prepare(aioble), visits, seed, lambda: bar.advance(task))
    _tell(found, hearing.text(found), hearing.leaks(found), as_json)


class Plain:
    """Turns what the bench may raise into one line and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ImageError):
            raise BadInput(str(error)) from None
        if isinstance(error, (BenchError, BuildError)):
            raise Refused(str(error)) from None


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _tell(facts: dict[str, Any], text: str, failed: bool, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else text)
    if failed:
        raise click.exceptions.Exit(1)
