"""Owns `emask authority`. Knows how to ask and tell, not how it is decided."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import click

from tools import codes, signing
from tools.authority import contacts, core, intake, key_cli, keyring, kiosks, release_cli, service_cli, store, withdrawn
from tools.authority.options import Plain, at, folder_argument, offline_option
from tools.files import write_whole


@click.group()
def authority() -> None:
    """Codes, uploads and lists of the health authority, kept in the folder DIR."""


@authority.command()
@folder_argument
@offline_option
@click.option(
    "--database",
    envvar="EMASK_DATABASE",
    metavar="URL",
    help="An empty PostgreSQL database, postgresql+psycopg://USER:PASSWORD@HOST/NAME; better by the environment's "
    "EMASK_DATABASE, which other users don't see.  [default: a file in DIR]",
)
@click.option(
    "--handover",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `emask authority keys` made on a computer without a network.  [default: all keys are drawn here]",
)
@at
def init(folder: Path, offline: Path | None, database: str | None, handover: Path | None, now_s: int) -> None:
    """Make a new authority in DIR: its database, its keys, and root.pub for tokens and kiosks."""
    if handover and offline:
        raise click.UsageError("--handover comes without the root: --offline has no place beside it")
    with Plain():
        core.init(folder, now_s, offline, database=database, handover=handover)
    away = offline or keyring.offline(folder)
    click.echo(f"A new authority is in {folder}." + ("" if handover else f" Put {away} away: it holds the root."))


@authority.command()
@folder_argument
def migrate(folder: Path) -> None:
    """Bring the database of an older version to this one's form; keep a copy before."""
    with Plain():
        store.migrate(folder)
    click.echo("The database is of this version.")


@authority.command("certify-kiosk")
@folder_argument
@click.argument("public", type=click.Path(dir_okay=False, path_type=Path), metavar="KIOSK.pub")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The certificate to write.")
@click.option("--region", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: every region.")
@click.option("--days", type=click.IntRange(1, 14), default=14, show_default=True)
@click.option("--proxy", is_flag=True, help="It may also ask those who can't press: for a clinic's own kiosks only.")
@offline_option
@at
def certify_kiosk(
    folder: Path, public: Path, out: Path, region: int, days: int, proxy: bool, offline: Path | None, now_s: int
) -> None:
    """Certify a kiosk's key (emask kiosk init writes KIOSK.pub), with the root key."""
    with Plain():
        key = signing.load_public(public)
        serial, data = core.certify_kiosk(folder, key, region, now_s, days, offline, proxy=proxy)
        write_whole(out, data)
    click.echo(f"Certificate {serial}, for {days} days, is in {out}.")


@authority.command("kiosks")
@folder_argument
@click.argument(
    "publics", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[KIOSK.pub]..."
)
@at
@click.option("--json", "as_json", is_flag=True)
def list_kiosks(folder: Path, publics: tuple[Path, ...], now_s: int, as_json: bool) -> None:
    """Which certificates hold, of these kiosks or of all: the serials by which a stolen kiosk is revoked.

    While one is renewed a kiosk has two: revoke both.
    """
    with Plain():
        names = {signing.load_public(path): path.name for path in publics}
        found = kiosks.certified(folder, now_s, names)
    for kiosk in found:
        name = names.get(kiosk.key or b"") or (signing.certificate_name(kiosk.key) if kiosk.key else "not noted")
        if as_json:
            click.echo(json.dumps(dataclasses.asdict(kiosk) | {"key": kiosk.key.hex() if kiosk.key else None}))
            continue
        facts = f"region {kiosk.region}" + (", may ask who can't press" if kiosk.proxy else "")
        until = f"{datetime.fromtimestamp(kiosk.until_s, UTC):%Y-%m-%d}"
        click.echo(f"{kiosk.serial}: {name}, {facts}, until {until}{', revoked' if kiosk.revoked else ''}")
    if not found:
        click.echo("No certificate of a kiosk holds.", err=True)


@authority.command()
@folder_argument
@click.argument("serial", type=click.IntRange(1))
@at
def revoke(folder: Path, serial: int, now_s: int) -> None:
    """Revoke the kiosk certificate SERIAL; tokens learn it with the next list."""
    with Plain():
        core.revoke(folder, serial, now_s)
    click.echo(f"Certificate {serial} is revoked from the next list on.")


@authority.command("change-list-key")
@folder_argument
@offline_option
@at
def change_list_key(folder: Path, offline: Path | None, now_s: int) -> None:
    """Draw and certify a fresh list key; tokens that saw a list of it take none of the old key any more."""
    with Plain():
        serial = core.change_list_key(folder, now_s, offline)
    click.echo(f"Lists are signed by the key of certificate {serial} from now on.")


@authority.command("change-root")
@folder_argument
@offline_option
@at
def change_root(folder: Path, offline: Path | None, now_s: int) -> None:
    """Draw a fresh root that the recovery key vouches for, and a list key of it; DIR/root.change is for kiosks.

    Needs recovery.key, not the old root. Tokens and kiosks that have the change believe nothing of the old root.
    """
    with Plain():
        serial, list_serial = core.change_root(folder, now_s, offline)
    click.echo(
        f"Root {serial} is in {folder / 'root.pub'}, its change in {folder / signing.ROOT_CHANGE}: bring it to all"
        f" kiosks and certify them anew. Lists are signed by the key of certificate {list_serial} from now on."
    )


@authority.command()
@folder_argument
@click.option("--json", "as_json", is_flag=True)
def audit(folder: Path, as_json: bool) -> None:
    """What was done here, and when: never whose."""
    with Plain(), store.reading(folder) as database:
        entries = store.audit(database)
    for at_s, what, count in entries:
        line = {"at": at_s, "what": what, "count": count}
        click.echo(
            json.dumps(line) if as_json else f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} {what} {count}"
        )


_clinic = click.option(
    "--clinic", type=click.IntRange(1, 65535), default=intake.FIRST_CLINIC, show_default=True, help="Its number."
)
_kind = click.option(
    "--kind",
    type=click.Choice([kind.name for kind in codes.KINDS]),
    default=codes.PLAIN.name,
    show_default=True,
    help="proxy: for who can't press; a representative decides. f1: for contacts that a list warned.",
)


@authority.command("set-quota")
@folder_argument
@click.argument("most", type=click.IntRange(0, 100_000), metavar="MOST")
@_clinic
@_kind
@at
def set_quota(folder: Path, most: int, clinic: int, kind: str, now_s: int) -> None:
    """Allow a clinic MOST codes of a kind in any 14 days. A new authority allows clinic 1 plain codes only."""
    with Plain():
        intake.set_quota(folder, clinic, codes.named(kind), most, now_s)
    click.echo(f"Clinic {clinic} may be given {most} {kind} codes in 14 days.")


@authority.command("set-cap")
@folder_argument
@click.argument("most", type=click.IntRange(0, 100_000), metavar="MOST")
@at
def set_cap(folder: Path, most: int, now_s: int) -> None:
    """Take MOST uploads of warned contacts (F1) in any 14 days, of all clinics together. A new authority takes none.

    They also need codes of the kind f1, and published lists that allow it: publish --f1-uploads.
    """
    with Plain():
        contacts.set_cap(folder, most, now_s)
    click.echo(f"{most} uploads of contacts are taken in 14 days.")


@authority.command("issue-codes")
@folder_argument
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True)
@_clinic
@_kind
@click.option(
    "--days", type=click.IntRange(1, 14), help="How long they hold.  [default: 14; proxy and f1: 7, the most]"
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write them to this file, for its owner only."
)
@at
def issue_codes(
    folder: Path, count: int, clinic: int, kind: str, days: int | None, out: Path | None, now_s: int
) -> None:
    """Print new single-use upload codes, one per line, within the clinic's quota."""
    with Plain():
        new = intake.issue_codes(folder, count, now_s, clinic=clinic, kind=codes.named(kind), days=days)
        text = "\n".join(new)
        if out is None:
            click.echo(text)
            return
        write_whole(out, (text + "\n").encode(), 0o600)
        click.echo(f"{count} codes are in {out}.")


@authority.command()
@folder_argument
@click.argument("uploads", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="UPLOAD...")
@at
@click.option("--json", "as_json", is_flag=True)
def ingest(folder: Path, uploads: tuple[Path, ...], now_s: int, as_json: bool) -> None:
    """Take in uploads: files, or a folder that a kiosk filled, where NAME.taken is left beside each one taken.

    Ends with code 1 if any was refused.
    """
    results = [_one(folder, path, now_s) for path in _files(uploads)]
    for result in results:
        line = f"{result['file']}: " + (f"{result['records']} records taken" if result["taken"] else result["why"])
        click.echo(json.dumps(result) if as_json else line, err=not (as_json or result["taken"]))
    if not all(result["taken"] for result in results):
        raise click.exceptions.Exit(1)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]


def _one(folder: Path, path: Path, now_s: int) -> dict:
    with Plain():
        try:
            count = intake.ingest(folder, path, now_s)
        except (core.Refused, core.UploadError) as error:
            return {"file": path.name, "taken": False, "records": 0, "why": str(error)}
        write_whole(path.with_suffix(".taken"), b"")
    return {"file": path.name, "taken": True, "records": count, "why": ""}


@authority.command()
@folder_argument
@click.argument("code")
@at
@click.option("--json", "as_json", is_flag=True)
def withdraw(folder: Path, code: str, now_s: int, as_json: bool) -> None:
    """Withdraw what was uploaded with CODE: a mistake of the laboratory. Tokens learn it with the next list.

    Its records stand on no list any more; whom they alone warned is told that the warning was a mistake. What contacts
    (F1) uploaded because of them alone goes too, from the next list of contacts on.
    """
    with Plain():
        done = withdrawn.withdraw(folder, "".join(code.upper().replace("-", " ").split()), now_s)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(done)))
        return
    click.echo(f"{done.records} records are withdrawn from the next list on.")
    if done.contacts:
        click.echo(f"{done.contacts} records of contacts (F1) rested on them and are withdrawn too: release that list.")


for _command in (*key_cli.COMMANDS, *release_cli.COMMANDS, *service_cli.COMMANDS):
    authority.add_command(_command)
