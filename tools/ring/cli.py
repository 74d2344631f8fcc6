# `emask ring`: asks and tells. Knows not how a trial or a measure goes.
from __future__ import annotations

import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Manager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tools.cli import BadInput, Refused
from tools.ring import compare as against
from tools.ring import image
from tools.ring import powercut as trial
from tools.ring import year as wear

_json = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")
_seed = click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)


@click.group()
def ring() -> None:
    """The store of a token's sightings in flash: what is in an image, trials and benchmarks of it."""


@ring.command("inspect")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="IMAGE")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Where the partition begins.  [default: 0]")
@click.option("--size", type=click.IntRange(min=0), help="Bytes of the partition.  [default: to the end]")
@_json
def inspect_(file: Path, offset: int, size: int | None, as_json: bool) -> None:
    """Show a partition image: state of each block, records, days, damage; never what a record says.

    Ends with 1 if there is no ring in it.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    data = data[offset:] if size is None else data[offset : offset + size]
    found = image.look(data)
    click.echo(json.dumps(found.facts()) if as_json else image.text(found))
    if not found.is_ring:
        raise click.exceptions.Exit(1)


@ring.command()
@_seed
@click.option("--steps", type=click.IntRange(min=1), default=140, show_default=True, help="Of each short life.")
@click.option("--short", type=click.IntRange(min=0), default=2, show_default=True, help="Short lives, cut everywhere.")
@click.option("--cuts", type=click.IntRange(min=0), default=100_000, show_default=True, help="Of long lives, random.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")
@_json
def powercut(seed: int, steps: int, short: int, cuts: int, jobs: int, as_json: bool) -> None:
    """Cut the power of the ring at every byte of short lives and at random in long ones, and judge what is left.

    In a third of the long lives the blocks wear out early. Ends with 1 if anything acknowledged was lost.
    """
    with _bar() as bar, Manager() as manager, ProcessPoolExecutor(jobs) as pool:
        told = manager.dict()
        work = [pool.submit(_short, told, seed + n, steps) for n in range(short)]
        parts = _parts(cuts, 12)
        work += [pool.submit(_long, told, seed + 1000 + n, count, n % 3 == 2) for n, count in enumerate(parts)]
        _follow(bar, work, told, {"short lives, steps": short * steps, "long lives, cuts": cuts})
        short_figures, long_figures = trial.Figures(), trial.Figures()
        for n, job in enumerate(work):
            (short_figures if n < short else long_figures).add(job.result())
    facts = {"seed": seed, "short": vars(short_figures), "long": vars(long_figures)}
    click.echo(json.dumps(facts) if as_json else trial.text(short_figures, long_figures))
    if short_figures.failures or long_figures.failures:
        raise Refused("the ring broke its promise; the lines above say where")


@ring.command()
@_seed
@click.option("--days", type=click.IntRange(min=1), default=365, show_default=True)
@_json
def year(seed: int, days: int, as_json: bool) -> None:
    """A year of usual days: bytes programmed beside the two budgets, wear of the blocks, reads to mount."""
    with _bar() as bar:
        task = bar.add_task("days", total=days)
        lived = wear.live(days, seed, lambda done: bar.update(task, completed=done))
    click.echo(json.dumps(lived.facts()) if as_json else wear.text(lived))


@ring.command()
@click.option("--slots", type=click.IntRange(min=1), default=48, show_default=True, help="17 people, 6 minutes each.")
@_json
def compare(slots: int, as_json: bool) -> None:
    """The same records into the ring and into littlefs, on the same flash: bytes, erases, reads, heap, time."""
    try:
        with Console(stderr=True).status(f"{slots} slots, three times"):
            found = against.measure(slots)
    except against.CompareError as error:
        raise Refused(str(error)) from None
    click.echo(json.dumps(found) if as_json else against.text(found))


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _parts(whole: int, count: int) -> list[int]:
    return [part for n in range(count) if (part := whole * (n + 1) // count - whole * n // count)]


def _short(told: Any, seed: int, steps: int) -> trial.Figures:
    return trial.exhaustive(seed, steps, tell=lambda done, cuts: told.update({("short lives, steps", seed): done}))


def _long(told: Any, seed: int, cuts: int, worn: bool) -> trial.Figures:
    figures = trial.Figures()
    for figures in trial.lives(seed, cuts, worn):
        if figures.cuts % 50 == 0 or figures.cuts == cuts:
            told[("long lives, cuts", seed)] = figures.cuts
    return figures


def _follow(bar: Progress, work: list[Any], told: Any, totals: dict[str, int]) -> None:
    tasks = {name: bar.add_task(name, total=total) for name, total in totals.items() if total}
    while not all(job.done() for job in work):
        time.sleep(0.2)
        _advance(bar, tasks, dict(told))
    _advance(bar, tasks, dict(told))


def _advance(bar: Progress, tasks: dict[str, Any], told: dict[Any, int]) -> None:
    for name, task in tasks.items():
        bar.update(task, completed=sum(done for (kind, _), done in told.items() if kind == name))
