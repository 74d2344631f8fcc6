"""Owns `emask exposure`. Knows how to ask and tell, not how distance is judged."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from tools.cli import BadInput, Refused
from tools.exposure import data, evaluate, fit, methods, plots, record_study, rule_files, scenes
from tools.files import write_whole

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


@exposure.command("fit")
@_recordings
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write rule, baselines and provenance here."
)
@_json
def fit_command(paths: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Fit the rule's weights to recordings, and cross-validate the fit by event and by person.

    The same recordings give the same rule. The rule built in is the fit of tests/data's party and lunch.
    """
    recordings = _load(paths)
    with _bar("fits", len(recordings) + fit.BY_PERSON_STEPS + 2) as tick:
        try:
            seen = fit.tables(recordings)
            tick()
            found = fit.fitted(seen)
            tick()
            events = fit.by_event(recordings, tick)
            persons = fit.by_person(seen, tick)
        except fit.FitError as error:
            raise Refused(str(error)) from None
    figures = {"windows": found.windows, "log_loss": round(found.loss, 4), "by_event": events, "by_person": persons}
    text = rule_files.text(found.rule, found.baselines, figures, paths)
    if out:
        try:
            write_whole(out, text.encode())
        except OSError as error:
            raise BadInput(str(error)) from None
    if as_json:
        click.echo(text, nl=False)
        return
    click.echo("  ".join(f"{name} {value}" for name, value in found.rule._asdict().items()))
    click.echo(f"AUC of 5-minute windows, full rate and thinned together; log loss {found.loss:.4f}")
    for row in events:
        click.echo(f"  unseen {row['unseen']:<22}" + _scores(row["auc"]))
    click.echo(f"  unseen {'people':<22}" + _scores(persons))


def _scores(scores: dict) -> str:
    return "  ".join(f"{name} {'-' if value is None else format(value, '.3f')}" for name, value in scores.items())


@exposure.command("evaluate")
@_recordings
@click.option(
    "--rule",
    "rule_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=rule_files.DEFAULT,
    show_default="the one built in",
    help="A rule as `emask exposure fit --out` writes it, with its baselines.",
)
@click.option(
    "--rounds", type=click.IntRange(20, 10_000), default=300, show_default=True, help="Draws of the bootstrap."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of bootstrap and thinning.")
@click.option(
    "--plots",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write roc.svg, calibration.svg and minutes.svg here, and for the token's rate into its folder `thinned`.",
)
@_json
def evaluate_command(
    paths: tuple[Path, ...], rule_file: Path, rounds: int, seed: int, folder: Path | None, as_json: bool
) -> None:
    """How well the token's engine and the baselines tell who was within 2 m, on recorded people.

    At the full sampling rate, and thinned to what a token's schedule would have heard.
    """
    recordings = _load(paths)
    try:
        rule, baselines = rule_files.load(rule_file)
        with _bar("methods on recordings", 2 * (len(recordings) + 1)) as tick:
            result = evaluate.evaluate(recordings, rule, baselines, rounds, seed, tick)
        if folder:
            _draw(folder, recordings, [methods.Engine(rule), *baselines], seed)
    except (rule_files.RuleFileError, evaluate.EvaluationError, OSError) as error:
        raise BadInput(str(error)) from None
    if as_json:
        click.echo(json.dumps(result))
        return
    for part, name in ((result, "every advert"), (result["thinned"], "a token's schedule")):
        _tell(part, name)


def _draw(folder: Path, recordings: list[data.Recording], ways: list[methods.Method], seed: int) -> None:
    engine = ways[0]
    if not isinstance(engine, methods.Engine):
        raise TypeError("the first method is the engine")
    for place, sets in ((folder, recordings), (folder / "thinned", [data.thinned(r, seed) for r in recordings])):
        windows = evaluate.known(sets, engine.rule)
        tables = [evaluate.table(windows, way) for way in ways]
        plots.write(place, tables, evaluate.calibration(windows, engine))


def _tell(part: dict, name: str) -> None:
    click.echo(
        f"{name}: {part['pairs']} directed pairs, {part['windows']} windows of 5 minutes, {part['windows_near']} near"
    )
    click.echo(f"  {'':<16}{'AUC':<24}{'precision':<11}{'recall':<8}{'minutes off':<13}{'pairs: precision, recall'}")
    for label, row in (("engine", part), *part["baselines"].items()):
        interval = row["intervals"]["auc"]
        auc = f"{_figure(row['auc'])}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")
        figures = [
            _figure(row[key], 2) for key in ("precision", "recall", "minutes_mae", "pair_precision", "pair_recall")
        ]
        click.echo(f"  {label:<16}{auc:<24}{figures[0]:<11}{figures[1]:<8}{figures[2]:<13}{figures[3]}, {figures[4]}")
    click.echo(
        f"  {'oracle':<16}{_figure(part['oracle_auc']):<24}(the strongest, less everyone's true offsets: a bound)"
    )
    gain = part["gain"]
    click.echo(
        f"  beyond {gain['best_baseline']}: AUC {_change(gain['auc'], gain['auc_interval'])}; "
        f"recall at its precision {_change(gain['recall_at_its_precision'], gain['recall_interval'])}"
    )


def _figure(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _change(value: float | None, interval: list[float] | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.3f}" + (f" ({interval[0]:+.3f} to {interval[1]:+.3f})" if interval else "")


@exposure.command("scenes")
@click.option("--draws", type=click.IntRange(1, 1000), default=20, show_default=True, help="How often each is played.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@_json
def scenes_command(draws: int, seed: int, as_json: bool) -> None:
    """Contacts, and what only looks like one: how often the token alerts, and what each rule does about it.

    Levels are drawn from a model. A wall, a hook, a drawer, a box; a household, a home, a pause.
    """
    with _bar("scenes", len(scenes.SCENES) * len(scenes.VARIANTS)) as tick:
        rows = scenes.play(draws, seed, tick=tick)
    if as_json:
        click.echo(json.dumps({"draws": draws, "seed": seed, "scenes": rows}))
        return
    click.echo(
        f"{'alerts in % of ' + str(draws) + ' draws':<46}{'contact':>8}" + "".join(f"{v:>15}" for v in scenes.VARIANTS)
    )
    for row in rows:
        shares = "".join(f"{row[v]:>15.0%}" if v in row else f"{'':>15}" for v in scenes.VARIANTS)
        click.echo(f"{row['scene']:<46}{'yes' if row['contact'] else 'no':>8}{shares}")
