"""Owns `emask flash`. Knows how to ask and tell, not how a board is flashed."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from serial.tools import list_ports

from tools.cli import BadInput, DeviceFailed, Refused
from tools.firmware import bundle
from tools.flash import plan as plans
from tools.flash import settings
from tools.flash.page import Page
from tools.flash.record import Record, RecordError
from tools.flash.station import Options, Place, Station, no_port_words, share_of_all

# Makers of the USB chips on such boards: Espressif, Silicon Labs, WCH, FTDI.
_VENDORS = {0x303A, 0x10C4, 0x1A86, 0x0403}
_PATIENCE = 40  # looks without any board until the cable is suspected

_bundle = click.option(
    "--bundle", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
    help="Folder made by `emask firmware build`.",
)  # fmt: skip
_record = click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), default=Path("flash.sqlite"), show_default=True,
    help="SQLite file of all batches.",
)  # fmt: skip
_json = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")


@click.group()
def flash() -> None:
    """A station that flashes, provisions, tests and labels tokens, many at once from a hub."""


@flash.command("ports")
@_json
def ports(as_json: bool) -> None:
    """List the ports where a board may be."""
    found = usb_ports()
    click.echo(json.dumps(found) if as_json else "\n".join(found) or no_port_words())


def usb_ports() -> list[str]:
    return sorted(port.device for port in list_ports.comports() if port.vid in _VENDORS)


@flash.command("run")
@_bundle
@click.option(
    "--settings", "settings_path", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
    help="TOML file of the district (docs/FLASH).",
)  # fmt: skip
@click.option("--batch", required=True, help="Name of this box of boards; the same name goes on with it.")
@_record
@click.option("--labels", type=click.Path(file_okay=False, path_type=Path), default=Path("labels"), show_default=True)
@click.option("--port", "fixed", multiple=True, help="Only this port (may be repeated); else all that show up.")
@click.option("--count", type=int, help="Stop after so many boards; else Ctrl-C.")
@click.option("--update", is_flag=True, help="Tokens in use: bring the new product, keep keys and sightings.")
@click.option("--no-beacon", is_flag=True, help="There is no working token nearby: don't ask the radio to hear one.")
@click.option("--baud", type=int, default=460800, show_default=True)
@click.option("--page-port", type=int, default=8480, show_default=True, help="Of the local page; -1: none.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be done, touch no board.")
@_json
def run(**given: Any) -> None:
    """Flash boards as they are plugged in. A board whose cable came out goes on where it stopped."""
    options, found = _checked(given)
    lister = usb_ports if not given["fixed"] else lambda: [port for port in given["fixed"] if Path(port).exists()]
    if given["dry_run"]:
        _tell_plan(options, found, lister(), given["as_json"])
        return
    try:
        record = Record(given["record"])
        batch = record.open_batch(given["batch"], found.board, found.version)
    except RecordError as error:
        raise Refused(str(error)) from None
    station = Station(options, record, batch, lister)
    _serve(station, given)
    if not given["as_json"]:
        click.echo(f"{station.done} finished; {record.counts(batch)}")
    record.close()


def _checked(given: dict[str, Any]) -> tuple[Options, bundle.Bundle]:
    try:
        found = bundle.load(given["folder"])
        settings.load(given["settings_path"])
    except (bundle.BundleError, settings.SettingsError) as error:
        raise BadInput(str(error)) from None
    if not found.release_key:
        raise BadInput(f"{given['folder']}: its image is not signed, no token would take it")
    if not found.parts and not given["update"]:
        raise BadInput(f"{given['folder']}: there is no MicroPython in it (docs/FLASH), only --update could use it")
    facts = tomllib.loads(given["settings_path"].read_text())
    options = Options(
        given["folder"].resolve(), facts, given["labels"], given["update"], not given["no_beacon"], given["baud"]
    )
    return options, found


def _tell_plan(options: Options, found: bundle.Bundle, there: list[str], as_json: bool) -> None:
    writes = [{"file": part.name, "offset": part.offset, "bytes": part.size} for part in found.parts]
    facts: dict[str, Any] = {
        "board": found.board,
        "chip": found.chip,
        "version": found.version,
        "update": options.update,
        "ports": there,
        "writes": [] if options.update else writes,
        "product_bytes": len(found.product.data),
        "config": [] if options.update else sorted([*settings.parse(options.settings).files(), "release.pub"]),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{facts['board']} ({facts['chip']}), firmware {facts['version']}; ports: {', '.join(there) or 'none'}")
    for part in facts["writes"]:
        click.echo(f"would write {part['bytes']:9,d} bytes at 0x{part['offset']:06x}: {part['file']}")
    click.echo(f"would install {facts['product_bytes']:,} bytes of product; settings: {', '.join(facts['config'])}")


def _serve(station: Station, given: dict[str, Any]) -> None:
    def state() -> dict[str, Any]:
        facts = station.state()
        places = {place.port: share_of_all(place, given["update"]) for place in list(station.places.values())}
        for place in facts["places"]:
            place["all"] = places.get(place["port"], 0.0)
        return facts

    page = _page(state, given["page_port"])
    show = _Lines(given["as_json"]) if given["as_json"] else _Bars(page.url if page else "")
    try:
        with show:
            station.run(
                lambda: given["count"] is not None and station.done >= given["count"],
                lambda: show.draw(station, given["update"]),
            )
            show.draw(station, given["update"])
    except KeyboardInterrupt:
        pass
    finally:
        if page:
            page.close()


def _page(state: Any, port: int) -> Page | None:
    if port < 0:
        return None
    try:
        return Page(state, port)
    except OSError:
        raise DeviceFailed(f"The page's port {port} is taken: close the other station, or give --page-port.") from None


class _Bars:
    """A bar for each place, and its words below it."""

    def __init__(self, url: str) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %  {task.fields[words]}"),
            console=Console(stderr=True),
        )  # fmt: skip
        self._tasks: dict[str, Any] = {}
        self._empty = 0
        self._url = url

    def __enter__(self) -> "_Bars":
        if self._url:
            self._bars.console.print(f"The same on a page: {self._url}")
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def draw(self, station: Station, update: bool) -> None:
        self._empty = 0 if station.places else self._empty + 1
        if self._empty == _PATIENCE:
            self._bars.console.print(no_port_words())
        for place in list(station.places.values()):
            if place.port not in self._tasks:
                self._tasks[place.port] = self._bars.add_task(place.port, total=1.0, words="")
            words = place.words if place.phase in ("press", "done", "stopped") else place.step
            self._bars.update(self._tasks[place.port], completed=share_of_all(place, update), words=words)


class _Lines:
    """A line of JSON whenever a place changes its phase."""

    def __init__(self, _: bool) -> None:
        self._last: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None: ...

    def draw(self, station: Station, update: bool) -> None:
        for place in list(station.places.values()):
            now = (place.phase, place.label)
            if self._last.get(place.port) != now:
                self._last[place.port] = now
                click.echo(json.dumps(_public(place)))


def _public(place: Place) -> dict[str, Any]:
    return {
        "port": place.port,
        "phase": place.phase,
        "label": place.label,
        "code": place.code,
        "words": place.words,
        "bytes": place.bytes,
    }


@flash.command("export")
@_record
@click.option("--batch", help="Only this one.")
def export(record: Path, batch: str | None) -> None:
    """Print the record as CSV: labels and results, no keys, no chip numbers."""
    if not record.exists():
        raise BadInput(f"{record}: no such record")
    click.echo(Record(record).csv(batch), nl=False)


@flash.command("close")
@_record
@click.option("--batch", required=True)
def close(record: Path, batch: str) -> None:
    """Close a batch: destroys what its boards could be recognised by."""
    if not record.exists():
        raise BadInput(f"{record}: no such record")
    try:
        Record(record).close_batch(batch)
    except RecordError as error:
        raise Refused(str(error)) from None
    click.echo(f"{batch} is closed.")


@flash.command("plan")
@_bundle
@click.option("--boards", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--places", type=click.IntRange(1, 64), default=7, show_default=True, help="Sockets of the hub.")
@_json
def plan(folder: Path, boards: int, places: int, as_json: bool) -> None:
    """How long a box takes one person. Sizes are the bundle's; rates and hands are assumptions (docs/FLASH)."""
    try:
        found = bundle.load(folder)
    except bundle.BundleError as error:
        raise BadInput(str(error)) from None
    rates = plans.Rates()
    own = plans.machine_s(found, rates)
    seconds = plans.simulate(boards, places, sum(own.values()), rates)
    facts = {"boards": boards, "places": places, "own_s": {name: round(value, 1) for name, value in own.items()}}
    facts |= {"minutes": round(seconds / 60, 1), "boards_an_hour": round(boards * 3600 / seconds)}
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{boards} boards, {places} at a time: {facts['minutes']} minutes, {facts['boards_an_hour']} an hour")
    click.echo(f"a board's own time, in s: {facts['own_s']}")
