"""Owns the commands of `emask authority` around its web service: accounts, deletion, serving. Decides nothing."""

import dataclasses
import json
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress as Bar

from tools.authority import moving, retention, staff
from tools.authority.options import Plain, at, folder_argument
from tools.cli import DeviceFailed

_password = click.password_option("--password", envvar="EMASK_PASSWORD", help="Better typed, when it is asked for.")


@click.command("add-staff")
@folder_argument
@click.argument("name")
@click.option("--role", type=click.Choice(staff.ROLES), required=True)
@click.option("--clinic", type=click.IntRange(1, 65535), help="For the role clinic: its number.")
@_password
@at
def add_staff(folder: Path, name: str, role: str, clinic: int | None, password: str, now_s: int) -> None:
    """Give a person an account for the web service; asks for the password.

    clinic asks for codes, release proposes lists or agrees to them, admin revokes kiosks and reads the audit.
    """
    with Plain():
        staff.add(folder, name, role, password, now_s, clinic or 0)
    click.echo(f"{name} may log in.")


@click.command("set-password")
@folder_argument
@click.argument("name")
@_password
@at
def set_password(folder: Path, name: str, password: str, now_s: int) -> None:
    """A new password for a person, who is logged out everywhere; ends a waiting time."""
    with Plain():
        staff.set_password(folder, name, password, now_s)
    click.echo(f"{name} has a new password.")


@click.command("disable-staff")
@folder_argument
@click.argument("name")
@at
def disable_staff(folder: Path, name: str, now_s: int) -> None:
    """Let a person log in no more."""
    with Plain():
        staff.disable(folder, name, now_s)
    click.echo(f"{name} can't log in any more.")


@click.command()
@folder_argument
@at
@click.option("--json", "as_json", is_flag=True)
def forget(folder: Path, now_s: int, as_json: bool) -> None:
    """Delete what is older than its days: records 21, codes 60, the audit two years. To be run daily."""
    with Plain():
        done = retention.forget(folder, now_s)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(done)))
        return
    click.echo(", ".join(f"{what}: {count}" for what, count in dataclasses.asdict(done).items()))


@click.command()
@folder_argument
@click.option(
    "--database",
    envvar="EMASK_DATABASE",
    metavar="URL",
    required=True,
    help="An empty PostgreSQL database, postgresql+psycopg://USER:PASSWORD@HOST/NAME; better by the environment's "
    "EMASK_DATABASE, which other users don't see.",
)
@at
@click.option("--json", "as_json", is_flag=True)
def move(folder: Path, database: str, now_s: int, as_json: bool) -> None:
    """Move an authority from its file to an empty PostgreSQL database: every row, once, or nothing.

    The service may run on: meanwhile it refuses what comes, and kiosks send it again. Cut off, the same command goes
    on. The file stays in DIR, unused, until `forget` deletes it after 7 days.
    """
    with Plain(), Bar(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("", total=None)
        rows = moving.move(folder, database, now_s, lambda table, done: bar.update(task, description=f"{table} {done}"))
    if as_json:
        click.echo(json.dumps({"rows": rows}))
        return
    click.echo(f"{rows} rows are in the new database, which counts from now on; the file is not used any more.")


@click.command()
@folder_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Behind a web server that speaks TLS: leave it.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option(
    "--site", "lists_folder", type=click.Path(file_okay=False, path_type=Path), help="Serve this site at /lists."
)
def serve(folder: Path, host: str, port: int, lists_folder: Path | None) -> None:
    """Take uploads and serve the staff's pages until interrupted. Needs no key that signs lists.

    Put it behind a web server that speaks TLS and says so by X-Forwarded-Proto.
    """
    import uvicorn

    from tools.authority.web.app import Settings, make_app

    with Plain():
        app = make_app(Settings(folder, lists_folder))
    click.echo(f"http://{host}:{port}", err=True)
    uvicorn.run(app, host=host, port=port, access_log=False, server_header=False, log_level="warning")


@click.command("load")
@click.option("--uploads", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@click.option("--reads", type=click.IntRange(1, 100_000), default=2_000, show_default=True)
@click.option("--clients", type=click.IntRange(1, 64), default=8, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def load_trial(uploads: int, reads: int, clients: int, as_json: bool) -> None:
    """Measure uploads and list reads per second, beside the bare framework doing the same input and output.

    On a new authority in a temporary folder. For two processors: taskset -c 0,1 emask authority load.
    """
    from tools.authority import load

    with (
        tempfile.TemporaryDirectory() as folder,
        Bar(console=Console(stderr=True), transient=True, disable=as_json) as bar,
    ):
        task = bar.add_task("")
        try:
            found = load.run(
                Path(folder),
                uploads,
                reads,
                clients,
                lambda what, at, size: bar.update(task, description=what, completed=at, total=size),
            )
        except load.LoadError as error:
            raise DeviceFailed(str(error)) from None
    if as_json:
        click.echo(
            json.dumps({who: {what: vars(rate) for what, rate in rates.items()} for who, rates in found.items()})
        )
        return
    for what in ("uploads", "lists"):
        own, peer = found["service"][what], found["bare"][what]
        click.echo(
            f"{what}: {own.per_second} a second, 99 % within {own.p99_ms} ms; the bare framework {peer.per_second}, "
            f"{peer.p99_ms} ms: {own.per_second / peer.per_second:.2f} of it"
        )


COMMANDS = (add_staff, set_password, disable_staff, forget, move, serve, load_trial)
