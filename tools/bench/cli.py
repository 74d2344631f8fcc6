# `emask bench`: asks and tells. Knows not how a run goes.
from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from emask.scheme import names as scheme_names
from tools import ROOT
from tools.bench import crypto as crypto_time
from tools.bench import demo as party_demo
from tools.bench import demo_page, summary
from tools.bench import heap as heap_use
from tools.bench import power as power_model
from tools.bench import speed as bench_speed
from tools.bench import trace as power_trace
from tools.bench.attack.cli import attack
from tools.bench.command import command
from tools.bench.demo_watch import Watcher
from tools.bench.energy import Board, BoardError
from tools.bench.engine import BenchError
from tools.bench.image import Image, ImageError, prepare
from tools.bench.recording import RecordingError
from tools.bench.run import Run
from tools.bench.scenario import Scenario, ScenarioError
from tools.build import BuildError
from tools.cli import BadInput, Refused

_seed = click.option("--seed", type=click.IntRange(min=0), help="In place of the scenario's own.")
_json = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")
_aioble = click.option(
    "--aioble", metavar="DIR", help="Folder that holds the real package aioble (default: $AIOBLE, else a double)."
)


@click.group()
def bench() -> None:
    """The firmware that ships, on the real MicroPython, with simulated hardware and air. Energy figures are a model."""


bench.add_command(attack)


class _Plain:
    """Turns what the bench may raise into one line and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (ScenarioError, RecordingError, BoardError, ImageError)):
            raise BadInput(str(error)) from None
        if isinstance(error, (BenchError, BuildError)):
            raise Refused(str(error)) from None


@bench.command("run")
@click.argument("scenario", type=click.Path(dir_okay=False, path_type=Path), metavar="SCENARIO.toml")
@_seed
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the log and what the nodes wrote.  [default: out/NAME]",
)
@click.option(
    "--detail",
    type=click.Choice(["summary", "full"]),
    default="summary",
    show_default=True,
    help="How much the log holds.",
)
@_aioble
@_json
def run(scenario: Path, seed: int | None, out: Path | None, detail: str, aioble: str | None, as_json: bool) -> None:
    """Play a scenario. The same scenario and seed give the same log, byte for byte."""
    with _Plain():
        plan = Scenario.load(scenario)
        folder = out or Path("out") / plan.name
        facts = summary.summarize(_play(plan, prepare(aioble), folder, seed, detail))
    _write(folder / "summary.json", facts)
    click.echo(json.dumps(facts) if as_json else summary.text(facts) + f"\nLog and output of the nodes: {folder}")


@bench.command()
@_seed
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/demo"), show_default=True)
@_aioble
@_json
def demo(seed: int | None, out: Path, aioble: str | None, as_json: bool) -> None:
    """A token's first day: 18 recorded people, one case, the alerts, and a report."""
    with _Plain():
        plan = Scenario.load(ROOT / "scenarios" / "party.toml")
        watcher = Watcher()
        done = _play(plan, prepare(aioble), out, seed, "summary", watcher)
        result = party_demo.evaluate(done, watcher)
    demo_page.write_report(result, out / "report.html")
    _write(out / "demo.json", result.facts())
    click.echo(
        json.dumps(result.facts()) if as_json else result.text() + f"\n\nReport with pictures: {out / 'report.html'}"
    )
    if result.failed():
        raise click.exceptions.Exit(1)


@bench.command()
@click.option("--tokens", multiple=True, type=click.IntRange(1, 500), default=(2, 8, 18), show_default=True)
@click.option("--hours", type=click.FloatRange(0.1, 240), default=24.0, show_default=True)
@click.option(
    "--sleep",
    "sleeps",
    multiple=True,
    type=click.Choice(["light", "deep"]),
    default=("light", "deep"),
    show_default=True,
)
@click.option("--day", type=click.Choice(sorted(bench_speed.DAYS)), default="crowd", show_default=True)
@click.option("--jobs", type=click.IntRange(1, 64), help="Islands played at a time (default: by the cores).")
@_aioble
@_json
def speed(
    tokens: tuple[int, ...],
    hours: float,
    sleeps: tuple[str, ...],
    day: str,
    jobs: int | None,
    aioble: str | None,
    as_json: bool,
) -> None:
    """Token-days per second of the bench itself: tokens that all hear each other all day, or a usual day."""
    with _Plain():
        rows = bench_speed.measure(
            prepare(aioble),
            tokens,
            sleeps,
            hours,
            lambda row: None if as_json else click.echo(bench_speed.line(row)),
            day,
            jobs,
        )
    if as_json:
        click.echo(json.dumps(rows))


@bench.command()
@click.option("--hours", type=click.FloatRange(1, 48), default=24.0, show_default=True)
@_aioble
@_json
def heap(hours: float, aioble: str | None, as_json: bool) -> None:
    """Peak heap of a token's day: the smallest heap that survives it, less the bench's own shims."""
    with _Plain():
        found = heap_use.measure(prepare(aioble), hours, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(found) if as_json else heap_use.text(found))


@bench.command()
@_json
def crypto(as_json: bool) -> None:
    """Time of the token's cryptography on the VM, and what a chip may take: a verify, a key agreement, a seal."""
    with _Plain():
        found = crypto_time.measure(prepare())
    click.echo(json.dumps(found) if as_json else crypto_time.text(found))


@bench.command("match")
@click.option("--records", type=click.IntRange(10, 10_098), default=1_000, show_default=True, help="New on the list.")
@click.option("--scheme", type=click.Choice(scheme_names()), default="bluezone", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@_json
def match(records: int, scheme: str, seed: int, as_json: bool) -> None:
    """How long a token compares a list with three weeks of sightings: beside the straightforward way and the floor."""
    from tools.bench import match as match_time

    with _Plain(), _bar() as bar:
        task = bar.add_task("comparison", total=3)
        board = Board.load(ROOT / "boards" / "esp32c3")
        found = match_time.run(prepare(), board, records, scheme, seed, lambda: bar.advance(task))
    click.echo(json.dumps(found) if as_json else match_time.text(found))


@bench.command("visit")
@click.option("--records", multiple=True, type=click.IntRange(0, 10_000), default=(0, 1_000, 10_000), show_default=True)
@click.option("--mtu", type=click.IntRange(23, 517), default=247, show_default=True)
@click.option("--interval-ms", type=click.FloatRange(7.5, 4000), default=30.0, show_default=True, help="Of the link.")
@click.option("--days", type=click.IntRange(0, 21), default=21, show_default=True, help="Of sightings in its flash.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@_aioble
@_json
def visit(
    records: tuple[int, ...], mtu: int, interval_ms: float, days: int, seed: int, aioble: str | None, as_json: bool
) -> None:
    """How long a visit takes, link and cryptography apart: with nothing new, and with new lists."""
    from tools.bench import visit as visit_time

    with _Plain(), _bar() as bar:
        task = bar.add_task("visits", total=2 * (len(records) + 1))
        image = prepare(aioble)
        found = visit_time.run(image, records, mtu, interval_ms, days, seed, lambda: bar.advance(task))
    click.echo(json.dumps(found) if as_json else visit_time.text(found))


@bench.command("swap")
@click.option("--mtu", type=click.IntRange(23, 517), default=247, show_default=True)
@click.option("--interval-ms", type=click.FloatRange(7.5, 4000), default=30.0, show_default=True, help="Of the link.")
@click.option(
    "--days", type=click.IntRange(0, 21), default=21, show_default=True, help="Of sightings in the old token."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@_aioble
@_json
def swap(mtu: int, interval_ms: float, days: int, seed: int, aioble: str | None, as_json: bool) -> None:
    """How long a swap takes: the visits in which what a token knows moves to a new one. A model."""
    from tools.bench import swap as swap_time

    with _Plain(), _bar() as bar:
        task = bar.add_task("visits", total=8)
        found = swap_time.run(prepare(aioble), days, mtu, interval_ms, seed, lambda: bar.advance(task))
    click.echo(json.dumps(found) if as_json else swap_time.text(found))


@bench.command("power")
@click.option("--board", default="esp32c3", show_default=True, help="A folder of boards/ with a power table.")
@click.option("--scenario", default="usual", show_default=True, help=f"One of: {', '.join(power_model.SCENARIOS)}.")
@click.option("--ppm", type=click.IntRange(1, 20000), help="Worst error of the clock.  [default: the board's]")
@_json
def power(board: str, scenario: str, ppm: int | None, as_json: bool) -> None:
    """Charge of a day by the token's own schedule and a board's power table. A model."""
    try:
        facts = power_model.report(Board.load(ROOT / "boards" / board), scenario, ppm=ppm)
    except (BoardError, power_model.UnknownScenario) as error:
        raise BadInput(str(error)) from None
    click.echo(json.dumps(facts) if as_json else power_model.text(facts))


@bench.command("village")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--board", default="esp32c3", show_default=True, help="A folder of boards/ with a power table.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/village"), show_default=True)
@_json
def village(seed: int, board: str, out: Path, as_json: bool) -> None:
    """Whom a new list reaches in a day: by visits only, by fixed kiosks that push it, by carried ones too. A model."""
    from tools.bench.village import run as whole

    try:
        facts = whole.run(Board.load(ROOT / "boards" / board), seed)
        out.mkdir(parents=True, exist_ok=True)
        _write(out / "village.json", facts)
    except (BoardError, OSError) as error:
        raise BadInput(str(error)) from None
    click.echo(json.dumps(facts) if as_json else whole.text(facts))


@bench.command("study")
@_seed
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/study"), show_default=True)
@click.option("--board", default="esp32c3", show_default=True, help="A folder of boards/ with a power table.")
@click.option("--quick", is_flag=True, help="Few trials: to see that it works, not to quote.")
@_aioble
@_json
def study(seed: int | None, out: Path, board: str, quick: bool, aioble: str | None, as_json: bool) -> None:
    """Whom the schedule finds and what it costs, beside schedules that share no time. Two processes, some minutes."""
    from tools.bench.study import study as whole
    from tools.bench.study import tell

    with _Plain(), _bar() as bar:
        task = bar.add_task("study", total=whole.total(quick))
        power_table = Board.load(ROOT / "boards" / board)
        facts = whole.run(power_table, prepare(aioble), seed or 1, quick, lambda steps: bar.advance(task, steps))
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "study.json", facts)
    for name, drawn in tell.pictures(facts).items():
        (out / name).write_text(drawn, encoding="utf-8")
    click.echo(json.dumps(facts) if as_json else tell.text(facts) + f"\n\nFigures and pictures: {out}")


@bench.command("trace")
@click.argument("trace", type=click.Path(dir_okay=False, path_type=Path), metavar="TRACE.csv")
@click.option("--board", default="esp32c3", show_default=True, help="A folder of boards/ with a power table.")
@click.option("--sleep", type=click.Choice(["light", "deep"]), default="deep", show_default=True)
@_json
def trace(trace: Path, board: str, sleep: str, as_json: bool) -> None:
    """A current trace measured by a PPK2 or an INA226 beside the model: sleep, and each kind of window."""
    try:
        facts = power_trace.compare(trace, Board.load(ROOT / "boards" / board), sleep)
    except (BoardError, power_trace.TraceError) as error:
        raise BadInput(str(error)) from None
    click.echo(json.dumps(facts) if as_json else power_trace.text(facts))


@bench.command("rhythms")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/rhythms"), show_default=True)
def rhythms(out: Path) -> None:
    """The token's rhythms of vibration, light and buzzer: one SVG timeline, and a WAV file for each."""
    from tools.bench import rhythms as known

    try:
        made = known.write(out)
    except OSError as error:
        raise BadInput(str(error)) from None
    click.echo(f"{made[0]}, and {len(made) - 1} sounds beside it")


@bench.command("kiosk")
@click.option(
    "--port",
    type=click.IntRange(1024, 65534),
    default=8080,
    show_default=True,
    help="Of the panel; the page's is the next.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/kiosk"), show_default=True)
@_aioble
def kiosk_demo(port: int, out: Path, aioble: str | None) -> None:
    """The kiosk's page to try in a browser, with three tokens on the bench in true time; one of them is alerted."""
    from tools.bench.tray.demo import Demo

    with _Plain():
        demo = Demo(prepare(aioble), out, command)
        try:
            with _bar() as bar:
                task = bar.add_task("what went before", total=demo.length_s)
                demo.prelude(lambda at_s, of_s: bar.update(task, completed=at_s))
            click.echo(f"Open http://127.0.0.1:{port}/ in a browser. Ctrl-C ends it.")
            demo.run(port + 1, port)
        except OSError as error:
            raise BadInput(str(error)) from None
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
        finally:
            demo.close()


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _play(plan: Scenario, image: Image, folder: Path, seed: int | None, detail: str, watcher: Any = None) -> Run:
    done = Run(plan, image, folder, seed=seed, detail=detail, command=command)
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
        console=console,
    ) as bar:
        task = bar.add_task(
            f"{plan.name}: {len(plan.nodes)} nodes, {plan.duration_s / 3600:.1f} simulated hours", total=plan.duration_s
        )
        if watcher:
            done.engine.log.watch.append(watcher)
        started = time.monotonic()
        try:
            done.play(lambda at_s, of_s: bar.update(task, completed=at_s))
            bar.update(task, completed=plan.duration_s)
        finally:
            done.engine.close()
        done.wall_s = time.monotonic() - started
    return done


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
