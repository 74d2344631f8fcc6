"""Owns `emask kiosk serve`, `screens` and `phrases`. Knows how to ask and tell."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress as Bar

from tools.cli import BadInput, Refused
from tools.kiosk.folder import KioskFolder

Draw = Callable[[Any, Path, list[str], list[str], Callable[[], None]], list[Path]]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.option("--phone", required=True, metavar="NUMBER", help="Whom a wearer with a warning should call; on the page.")
@click.option("--port", type=click.IntRange(1024, 65535), default=8080, show_default=True, help="Of 127.0.0.1.")
@click.option("--clinic", is_flag=True, help="A staff button on the page: uploads (codes.txt), hand-over, taking back.")
@click.option(
    "--print",
    "prints",
    default="browser",
    show_default=True,
    metavar="WAY",
    help="How slips get to paper: browser (its own printing), lp, or lp:PRINTER (CUPS).",
)
@click.option("--speaker", metavar="DEVICE", help="ALSA device of the loudspeaker.  [default: no voice]")
@click.option("--handset", metavar="DEVICE", help="ALSA device of the handset; results are spoken there only.")
@click.option(
    "--languages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="More languages, TAG.toml, and recorded phrases, TAG/*.wav.",
)
@click.option("--newest-firmware", type=click.IntRange(1), help="Older tokens get the staff code T51.")
@click.option("--no-push", is_flag=True, help="Don't bring lists to tokens near that nobody presses.")
def serve(
    folder: Path,
    phone: str,
    port: int,
    clinic: bool,
    prints: str,
    speaker: str | None,
    handset: str | None,
    languages: Path | None,
    newest_firmware: int | None,
    no_push: bool,
) -> None:
    """The whole kiosk: tokens over Bluetooth, and its page at http://127.0.0.1:PORT/ for a browser in full screen.

    FOLDER is made by `emask kiosk init` and fed by `emask kiosk sync`. What goes wrong is said on the page with a staff
    code (docs/KIOSK) and as one line on stderr; the kiosk goes on by itself as soon as it can. It ends at SIGINT and
    SIGTERM.
    """
    from bleak import BleakClient, BleakScanner

    from tools.kiosk.hall.desk import Radio
    from tools.kiosk.hall.kiosk import Kiosk, Options
    from tools.kiosk.hall.voice import Silent, Voice
    from tools.kiosk.hall.words import WordsError

    if prints not in ("browser", "lp") and not prints.startswith("lp:"):
        raise click.BadParameter("one of browser, lp, lp:PRINTER", param_hint="--print")
    if handset and not speaker:
        raise click.BadParameter("needs --speaker too: it says where to listen", param_hint="--handset")
    voice = Voice(speaker, handset or "", languages) if speaker else Silent()
    options = Options(
        phone,
        clinic=clinic,
        prints=prints,
        firmware=newest_firmware or 0,
        voice=voice,
        languages=languages,
        push=not no_push,
    )
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder (emask kiosk init)")
    try:
        whole = Kiosk(KioskFolder(folder), Radio(BleakScanner, BleakClient), options)
        asyncio.run(_until_told(whole.run(port, lambda: click.echo(f"The page: http://127.0.0.1:{port}/", err=True))))
    except (WordsError, OSError) as error:
        raise BadInput(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


async def _until_told(running: Coroutine[Any, Any, None]) -> None:
    """Until SIGTERM, which a service's manager sends, or whatever ends it."""
    task = asyncio.ensure_future(running)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT")
@click.option("--screen", "names", multiple=True, metavar="NAME", help="May be repeated.  [default: all]")
@click.option("--language", "tags", multiple=True, metavar="TAG", help="May be repeated.  [default: all]")
def screens(out: Path, names: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Draw the page's screens into OUT as PNG files of 800x480 and 1024x600, with Chromium and playwright."""
    from tools.kiosk.hall import flow, gallery, words

    draw_screens(gallery.draw, out, names, tags, list(flow.TABLE), list(words.load_all()), len(gallery.SIZES))


def draw_screens(
    draw: Draw,
    out: Path,
    names: tuple[str, ...],
    tags: tuple[str, ...],
    known: list[str],
    spoken: list[str],
    each: int = 1,
) -> None:
    """Draw screens (all `known` ones if none is named) with the system's Chromium, `each` pictures of every one."""
    from tools.browser import NoBrowser, opened

    for given, all_of, option in ((names, known, "--screen"), (tags, spoken, "--language")):
        if strange := set(given) - set(all_of):
            raise click.BadParameter(f"{sorted(strange)[0]}: one of {', '.join(all_of)}", param_hint=option)
    chosen, wanted = list(names) or known, list(tags) or spoken
    try:
        with opened() as browser, Bar(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("screens", total=len(chosen) * len(wanted) * each)
            made = draw(browser, out, chosen, wanted, lambda: bar.advance(task))
    except NoBrowser as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise BadInput(str(error)) from None
    click.echo(f"{len(made)} pictures are in {out}.")


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT")
@click.option("--language", "tag", required=True, metavar="TAG", help="One of the kiosk's, or of --languages.")
@click.option("--languages", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--placeholders", is_flag=True, help="Tones for phrases that are not recorded yet, and a list of them.")
def phrases(out: Path, tag: str, languages: Path | None, placeholders: bool) -> None:
    """Write what a person has to record for a language: OUT/phrases.csv, a WAV file to be made for each line."""
    from tools.kiosk.hall import phrases as script
    from tools.kiosk.hall import words

    try:
        known = words.load_all(words.FOLDER, *([languages] if languages else []))
        if tag not in known:
            raise click.BadParameter(f"{tag}: one of {', '.join(known)}", param_hint="--language")
        tones = script.write(known[tag], out, placeholders)
    except (words.WordsError, OSError) as error:
        raise BadInput(str(error)) from None
    click.echo(f"{len(script.script(known[tag]))} phrases are listed in {out / 'phrases.csv'}.")
    if tones:
        click.echo(f"{tones} of them are tones for now: see {out / 'PLACEHOLDER.txt'}.")
