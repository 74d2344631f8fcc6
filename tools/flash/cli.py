"""Owns `emask flash`. Knows how to ask and tell, not how a board is flashed."""

import json
import os
from pathlib import Path
from typing import Any

import click
from serial.tools import list_ports

from tools.cli import BadInput, DeviceFailed, Refused
from tools.firmware import bundle
from tools.flash import batches, settings, show
from tools.flash import plan as plans
from tools.flash.ask import check_printer, json_option, labels_option, open_record, printer_option, record_option
from tools.flash.page import Page
from tools.flash.record import RecordError
from tools.flash.station import Options, Station, no_port_words, share_of_all

# Makers of the USB chips on such boards: Espressif, Silicon Labs, WCH, FTDI.
_VENDORS = {0x303A, 0x10C4, 0x1A86, 0x0403}

_bundle = click.option(
    "--bundle", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
    help="Folder made by `emask firmware build`.",
)  # fmt: skip


@click.group()
def flash() -> None:
    """A station that flashes, provisions, tests and labels tokens, many at once from a hub."""


@flash.command("ports")
@json_option
def ports(as_json: bool) -> None:
    """List the ports where a board may be."""
    found = usb_ports()
    if not found and not as_json:
        raise DeviceFailed(no_port_words())
    click.echo(json.dumps(found) if as_json else "\n".join(found))


def usb_ports() -> list[str]:
    return sorted(port.device for port in list_ports.comports() if port.vid in _VENDORS)


@flash.command("run")
@_bundle
@click.option(
    "--settings", "settings_path", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
    help="TOML file of the district (docs/FLASH).",
)  # fmt: skip
@click.option("--batch", required=True, help="Name of this box of boards; the same name goes on with it.")
@record_option
@labels_option
@printer_option
@click.option("--port", "fixed", multiple=True, help="Only this port (may be repeated); else all that show up.")
@click.option("--count", type=click.IntRange(0), help="Stop after so many boards; else Ctrl-C.")
@click.option("--update", is_flag=True, help="Tokens in use: bring the new product, keep keys and sightings.")
@click.option("--no-beacon", is_flag=True, help="There is no working token nearby: don't ask the radio to hear one.")
@click.option("--baud", type=int, default=460800, show_default=True)
@click.option(
    "--page-port", type=click.IntRange(-1, 65535), default=8480, show_default=True, help="Of the local page; -1: none."
)
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be done, touch no board.")
@json_option
def run(**given: Any) -> None:
    """Flash boards as they are plugged in. A board whose cable came out goes on where it stopped."""
    options, found = _checked(given)
    fixed = [os.path.abspath(port) for port in given["fixed"]]  # a worker stands in another folder
    lister = usb_ports if not fixed else lambda: [port for port in fixed if Path(port).exists()]
    if given["dry_run"]:
        _tell_plan(options, found, lister(), given["as_json"])
        return
    record = open_record(given["record"], new=True)
    try:
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
        facts = settings.load(given["settings_path"])
    except (bundle.BundleError, settings.SettingsError) as error:
        raise BadInput(str(error)) from None
    if not found.release_key:
        raise BadInput(f"{given['folder']}: its image is not signed, no token would take it")
    if not given["batch"].strip():
        raise BadInput("--batch: a name for this box of boards is needed")
    if not found.parts and not given["update"]:
        raise BadInput(f"{given['folder']}: there is no MicroPython in it (docs/FLASH), only --update could use it")
    check_printer(given["printer"])
    options = Options(
        given["folder"].resolve(), facts, given["labels"], given["printer"],
        given["update"], not given["no_beacon"], given["baud"],
    )  # fmt: skip
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
        "print": options.printer,
        "config": [] if options.update else sorted([*settings.parse(options.settings).files(), "release.pub"]),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{facts['board']} ({facts['chip']}), firmware {facts['version']}; ports: {', '.join(there) or 'none'}")
    for part in facts["writes"]:
        click.echo(f"would write {part['bytes']:9,d} bytes at 0x{part['offset']:06x}: {part['file']}")
    kept = "keeps keys, sightings and settings" if options.update else f"settings: {', '.join(facts['config'])}"
    click.echo(f"would install {facts['product_bytes']:,} bytes of product; {kept}")


def _serve(station: Station, given: dict[str, Any]) -> None:
    def state() -> dict[str, Any]:
        facts = station.state()
        places = {place.port: share_of_all(place, given["update"]) for place in list(station.places.values())}
        for place in facts["places"]:
            place["all"] = places.get(place["port"], 0.0)
        return facts

    page = _page(state, given["page_port"])
    shown = show.Lines() if given["as_json"] else show.Bars(page.url if page else "")
    try:
        with shown:
            station.run(
                lambda: given["count"] is not None and station.done >= given["count"],
                lambda: shown.draw(station, given["update"]),
            )
            shown.draw(station, given["update"])
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


@flash.command("plan")
@_bundle
@click.option("--boards", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--places", type=click.IntRange(1, 64), default=7, show_default=True, help="Sockets of the hub.")
@json_option
def plan(folder: Path, boards: int, places: int, as_json: bool) -> None:
    """How long a box takes one person. Sizes are the bundle's; rates and hands are assumptions (docs/FLASH)."""
    try:
        found = bundle.load(folder)
    except bundle.BundleError as error:
        raise BadInput(str(error)) from None
    if not found.parts:
        raise BadInput(
            f"{folder}: there is no MicroPython in it (docs/FLASH), so that its way over the cable is unknown"
        )
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


for _command in (batches.export, batches.labels, batches.close):
    flash.add_command(_command)
