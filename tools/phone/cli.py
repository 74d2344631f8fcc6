"""Owns `emask phone`. Knows how to ask and tell, not what the page does."""

import json
from pathlib import Path

import click

from tools import signing
from tools.cli import BadInput
from tools.kiosk.hall.cli import draw_screens
from tools.kiosk.hall.words import WordsError
from tools.phone import site


@click.group()
def phone() -> None:
    """A phone that does a kiosk's work: an installable page for Chrome on Android."""


@phone.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder of the page.")
@click.option(
    "--root",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The authority's root.pub.",
)
@click.option("--phone", "number", required=True, help="Whom the wearer should call.")
@click.option("--lists", default="lists/", show_default=True, help="Address of the site of lists, from the page's own.")
@click.option("--region", type=click.IntRange(0, 65535), default=0, help="Carry this region's lists only; 0: all.")
@click.option(
    "--languages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of more languages and of recorded phrases, TAG/*.wav.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")
def build(out: Path, root: Path, number: str, lists: str, region: int, languages: Path | None, as_json: bool) -> None:
    """Write the page into the folder OUT: static files, for any HTTPS host; the lists lie beside it.

    Put `emask authority site` into OUT/lists. Nothing is fetched while it is built.
    """
    try:
        options = site.Options(signing.load_public(root), number, lists, region, languages)
        count = site.build(out, options)
    except (signing.KeyFileError, WordsError, OSError) as error:
        raise BadInput(str(error)) from None
    click.echo(json.dumps({"out": str(out), "files": count}) if as_json else f"{count} files in {out}")


@phone.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT")
@click.option("--screen", "names", multiple=True, metavar="NAME", help="Only this one; may be given again.")
@click.option("--language", "tags", multiple=True, metavar="TAG", help="Only this one; may be given again.")
def screens(out: Path, names: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Draw the phone's screens into OUT as PNG files, with Chromium and playwright."""
    from tools.phone import gallery, table

    draw_screens(gallery.draw, out, names, tags, list(table.ROWS), list(table.languages()))
