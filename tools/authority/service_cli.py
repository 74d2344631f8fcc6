"""Owns the commands of `emask authority` around its web service: accounts, deletion, serving. Decides nothing."""

import dataclasses
import json
from pathlib import Path

import click

from tools.authority import retention, staff
from tools.authority.options import Plain, at, folder_argument

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


COMMANDS = (add_staff, set_password, disable_staff, forget, serve)
