"""Owns the entry point `emask` and its exit codes: 0 done, 1 refused, 2 usage or bad input, 3 device. Knows no command.

Commands are loaded when they are asked for, so that `emask --help` and the light ones start at once.
"""

import importlib

import click

from tools import ROOT

# Command -> (module, attribute, the line that `emask --help` shows).
_COMMANDS = {
    "ids": ("tools.ids", "ids", "Rolling identifiers of a daily key."),
    "decode": ("tools.hci.cli", "decode", "What a token would have heard in an HCI capture."),
    "authority": ("tools.authority.cli", "authority", "Codes, uploads and lists of the health authority."),
    "kiosk": ("tools.kiosk.cli", "kiosk", "A kiosk that tokens visit."),
    "phone": ("tools.phone.cli", "phone", "A phone that does a kiosk's work: its page, as static files."),
    "exposure": ("tools.exposure.cli", "exposure", "Distance and minutes from levels: study, fit, evaluation."),
    "ring": ("tools.ring.cli", "ring", "The store of sightings in flash: images, trials, benchmarks."),
    "firmware": ("tools.firmware.cli", "firmware", "What goes onto a token: build, sign, check."),
    "flash": ("tools.flash.cli", "flash", "The station that flashes, tests and labels tokens."),
    "bench": ("tools.bench.cli", "bench", "The firmware on simulated hardware."),
}
_NEED_THE_TREE = ("firmware", "flash", "bench")


class Refused(click.ClickException):
    """The input is sound, but the answer is no."""

    exit_code = 1


class BadInput(click.ClickException):
    """A file or a value that is not what the command needs."""

    exit_code = 2


class DeviceFailed(click.ClickException):
    """The radio or the other side did not answer."""

    exit_code = 3


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name in _NEED_THE_TREE and not (ROOT / "firmware").is_dir():
            raise click.UsageError(f"emask {cmd_name} needs the source tree (make setup there)")
        module, attribute, _ = _COMMANDS[cmd_name]
        return getattr(importlib.import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in _COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="emask")
def main() -> None:
    """Wearable tokens for exposure notification: their keys, their lists, their kiosk, and the bench."""


if __name__ == "__main__":
    main()
