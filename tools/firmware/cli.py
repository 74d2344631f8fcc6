"""Owns `emask firmware`. Knows how to ask and tell, not how an image is made."""

import json
from pathlib import Path
from typing import Any

import click

from tools.build import BuildError
from tools.cli import BadInput, Refused
from tools.files import write_whole
from tools.firmware import bundle, image, layout

_json = click.option("--json", "as_json", is_flag=True, help="JSON, for other programs.")


@click.group()
def firmware() -> None:
    """Build, sign and check what goes onto a token."""


@firmware.command("build")
@click.option("--board", type=click.Choice(list(bundle.CHIPS)), default="esp32c3", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the bundle.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Release key, to sign with.")
@click.option(
    "--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of ESP-IDF's build."
)
@_json
def build(board: str, out: Path, key: Path | None, base: Path | None, as_json: bool) -> None:
    """Compile the product for a board and put its image, with all checks, into a bundle for `emask flash`."""
    try:
        facts = bundle.make(board, out, key.read_bytes() if key else None, base)
    except (BuildError, layout.LayoutError, bundle.BundleError, image.ImageError) as error:
        raise BadInput(str(error)) from None
    click.echo(json.dumps(facts) if as_json else _told(facts, out))


def _told(facts: dict[str, Any], out: Path) -> str:
    lines = [f"{out}: {facts['board']}, firmware {facts['version']}, aioble {facts['aioble']}"]
    lines += [f"{entry['bytes']:8d}  {entry['sha256']}  {name}" for name, entry in facts["files"].items()]
    if not facts["signed"]:
        lines.append("Not signed: no token takes it (--key).")
    if not facts["base"]:
        lines.append("Without MicroPython: build that with ESP-IDF and name its folder with --base (docs/FLASH).")
    return "\n".join(lines)


@firmware.command("key")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def key(path: Path) -> None:
    """Make a release key in FILE, readable by its owner only, and FILE.pub. Keep FILE off every connected machine."""
    if path.exists():
        raise Refused(f"{path} is there already")
    secret = image.new_key()
    write_whole(path, secret, 0o600)
    write_whole(path.with_name(path.name + ".pub"), image.public_key(secret))
    click.echo(f"{path} (secret), {path}.pub")


@firmware.command("check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="BUNDLE")
@_json
def check(folder: Path, as_json: bool) -> None:
    """Check a bundle: sizes, hashes, signature."""
    try:
        found = bundle.load(folder)
    except bundle.BundleError as error:
        raise BadInput(str(error)) from None
    facts = {"board": found.board, "version": found.version, "signed": found.product.signed, "base": bool(found.parts)}
    click.echo(json.dumps(facts) if as_json else f"{folder}: sound; {facts}")
