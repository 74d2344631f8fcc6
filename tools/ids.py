"""Owns `emask ids`: the rolling identifiers of a daily key. Knows no scheme's inside; emask.scheme does."""

import json
from collections.abc import Iterator

import click

from emask import scheme as schemes
from emask import spec

_LAST_INTERVAL = 0xFFFFFFFF


def rolling_ids(name: str, key: bytes, count: int, interval: int = 0) -> Iterator[bytes]:
    """`count` identifiers of scheme `name`, from the first of `key`; gaen starts at interval number `interval`."""
    scheme = schemes.get(name)
    chain = scheme.Chain(key, interval, interval & 0xFFFF if scheme.NUMBER == spec.GAEN else 0)
    for _ in range(count):
        yield bytes(chain.id())
        chain.step()


@click.command()
@click.option("--scheme", "name", type=click.Choice(["bluezone", "gaen"]), default="bluezone", show_default=True)
@click.option("--key", "key_hex", required=True, metavar="HEX", help="Daily key: 32 bytes for bluezone, 16 for gaen.")
@click.option("--count", type=click.IntRange(1, 100_000), required=True, help="How many, one per slot.")
@click.option(
    "--interval",
    type=click.IntRange(0, _LAST_INTERVAL),
    metavar="N",
    help="gaen: interval number (10 minutes since 1970) of the first.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def ids(name: str, key_hex: str, count: int, interval: int | None, as_json: bool) -> None:
    """Print the rolling identifiers of a daily key, one in hex per line.

    A bluezone key starts at its first slot and goes on over the days; a gaen key needs --interval.
    """
    key = _key(name, key_hex)
    first = _interval(name, interval)
    listed = [value.hex() for value in rolling_ids(name, key, count, first)]
    if as_json:
        click.echo(json.dumps({"scheme": name, "first_interval": interval, "ids": listed}))
    else:
        click.echo("\n".join(listed))


def _key(name: str, text: str) -> bytes:
    want = schemes.get(name).KEY_BYTES
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter("not hexadecimal", param_hint="--key") from None
    if len(key) != want:
        raise click.BadParameter(f"{name} takes {want} bytes, this is {len(key)}", param_hint="--key")
    return key


def _interval(name: str, interval: int | None) -> int:
    if name == "gaen" and interval is None:
        raise click.UsageError("gaen needs --interval: its identifiers depend on the interval number")
    if name != "gaen" and interval is not None:
        raise click.UsageError(f"--interval is for gaen only; {name} starts at the key's first slot")
    return interval or 0
