"""Owns the commands of `emask authority` between a decision and what is signed: keys, draft, sign, accept, publish.

`keys` and `sign` run on a computer without a network; `draft` and `accept` where the service is. Decides nothing.
"""

import json
import time
from pathlib import Path

import click

from tools import lists, signing
from tools import rule as rules
from tools.authority import core, draft, listing, signer, store
from tools.authority import site as publishing
from tools.authority.options import Instant, Plain, at, folder_argument, holders_option
from tools.authority.signer import Keys
from tools.cli import BadInput, Refused
from tools.exposure import rule_files
from tools.files import write_whole


@click.command("draft")
@folder_argument
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The draft to write.")
@click.option("--release", type=click.IntRange(1), help="The proposal on which two persons agreed.")
@click.option(
    "--kiosk",
    "kiosks",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="KIOSK.pub",
    help="A kiosk to be certified; may be repeated.",
)
@click.option(
    "--region", type=click.IntRange(0, 65535), default=0, show_default=True, help="Of the kiosks, 0: every; of the end."
)
@click.option("--days", type=click.IntRange(1, 14), default=14, show_default=True, help="Of the kiosks' certificates.")
@click.option("--proxy", is_flag=True, help="The kiosks may also ask those who can't press: clinics only.")
@click.option("--new-list-key", is_flag=True, help="A new list key, drawn where the draft is signed.")
@click.option("--new-root", is_flag=True, help="Another root and a list key of it, by the word of the recovery key.")
@click.option(
    "--end",
    is_flag=True,
    help="The programme is over in that region: each token that takes this list forgets all and is silent for good.",
)
@at
def make_draft(
    folder: Path,
    out: Path,
    release: int | None,
    kiosks: tuple[Path, ...],
    region: int,
    days: int,
    proxy: bool,
    new_list_key: bool,
    new_root: bool,
    end: bool,
    now_s: int,
) -> None:
    """Write down what is to be signed: a release, kiosks' certificates, new keys; or the programme's end.

    Needs no key that signs.
    """
    if end:
        if release or kiosks or new_list_key or new_root:
            raise click.UsageError("--end stands alone: it is a draft of its own")
        _draft_end(folder, out, region, now_s)
        return
    with Plain():
        public = [signing.load_public(path) for path in kiosks]
        made = listing.draft_release(folder, release, now_s) if release else draft.Draft()
        with store.opened(folder) as database:
            wanted = list(core.want_root(database, now_s)) if new_root else []
            wanted += [core.want_list_key(database, now_s)] if new_list_key and not new_root else []
            wanted += [core.want_kiosk(database, key, region, now_s, days, proxy=proxy) for key in public]
        whole = draft.Draft(tuple(wanted), made.lists, made.agreed)
        if not whole.lists and not whole.certificates:
            raise click.UsageError("what is to be signed? --release, --kiosk, --new-list-key, --new-root or --end")
        write_whole(out, draft.pack(whole))
    click.echo(f"The draft is in {out}. Its SHA-256: {signer.drafted_as(whole)}")


def _draft_end(folder: Path, out: Path, region: int, now_s: int) -> None:
    _typed("", signer.end_phrase(region), "nothing was drafted")
    with Plain():
        made = listing.draft_end(folder, region, now_s)
        write_whole(out, draft.pack(made))
    click.echo(f"The draft of the end is in {out}. Its SHA-256: {signer.drafted_as(made)}")


def _typed(who: str, phrase: str, otherwise: str, err: bool = False) -> None:
    """Refused unless the person types the phrase: an end is never a slip of the finger."""
    question = f'{who}To end the programme, type "{phrase}"'
    if click.prompt(question, default="", show_default=False, err=err).strip() != phrase:
        raise Refused(otherwise)


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="DRAFT")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of what is signed."
)
@holders_option
@click.option(
    "--offline", type=click.Path(file_okay=False, path_type=Path), help="The root's, if certificates are asked."
)
@click.option(
    "--recovery",
    type=click.Path(file_okay=False, path_type=Path),
    help="The recovery key's, if another root is asked.  [default: the root's]",
)
@click.option("--yes", is_flag=True, help="Don't ask the holders; not for an end.")
@click.option("--json", "as_json", is_flag=True)
@at
def sign(
    source: Path,
    out: Path,
    holders: tuple[Path, ...],
    offline: Path | None,
    recovery: Path | None,
    yes: bool,
    as_json: bool,
    now_s: int,
) -> None:
    """Sign DRAFT, on a computer without a network: say in words what it is, ask each holder, write what is signed.

    What no authority in its right mind would ask for is refused: other days than today's, serials that go down, short
    lists that are no part of the whole one, certificates for longer than is allowed.
    """
    with Plain():
        try:
            with source.open("rb") as file:
                asked = draft.unpack(file.read(draft.LARGEST_BYTES + 1))
        except draft.DraftError as error:
            raise BadInput(f"{source}: {error}") from None
        before = signer.last(holders[0])
        signer.check(asked, now_s, before)
        for line in signer.words(asked, before):
            click.echo(line, err=as_json)
        _ask_holders(len(holders), signer.phrase(asked), yes, as_json)
        made = signer.sign(asked, Keys(holders, offline, recovery), now_s)
        for name, data in made.items():
            write_whole(out / name, data)
    click.echo(json.dumps({"files": sorted(made)}) if as_json else f"{len(made)} files are in {out}.")


def _ask_holders(count: int, phrase: str, yes: bool, err: bool) -> None:
    """Each holder agrees, or, to a programme's end, types what it is; Refused if one does not."""
    if yes and phrase:
        raise Refused("--yes does not answer for the programme's end: each holder types it")
    for number in range(1, 1 + (0 if yes else count)):
        who = f"Holder {number} of {count}: "
        if phrase:
            _typed(who, phrase, "nothing was signed", err)
        elif not click.confirm(f"{who}is this what you want to sign?", err=err):
            raise Refused("nothing was signed")


@click.command()
@folder_argument
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="SIGNED")
@at
def accept(folder: Path, source: Path, now_s: int) -> None:
    """Check what came back signed against the drafts, all of it, and note the lists as published.

    A change of the root counts here from then on. Then: emask authority site SITE SIGNED/*.eml SIGNED/kiosk-*.cert
    SIGNED/*.change
    """
    files = [path.read_bytes() for path in sorted(source.iterdir()) if path.suffix in (".eml", ".cert", ".change")]
    if not files:
        raise BadInput(f"{source}: nothing that was signed is in it")
    with Plain():
        serials = listing.accept(folder, files, now_s)
    click.echo(f"Signed and as drafted: {len(files)} files; published: {', '.join(map(str, serials)) or 'no list'}.")


@click.command()
@folder_argument
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The list file to write.")
@click.option("--issued", "issued_s", type=Instant(), default=lambda: int(time.time()), show_default="now")
@click.option("--scheme", type=click.Choice(["bluezone", "gaen"]), default="bluezone", show_default=True)
@click.option("--region", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option(
    "--rule",
    "rule_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The rule for distance and minutes, as `emask exposure fit --out` writes it.  [default: the one built in]",
)
@click.option(
    "--minutes",
    type=click.IntRange(1, 240),
    help="Minutes in 24 hours that make a contact, in place of the rule's.",
)
@click.option(
    "--kind", type=click.Choice(sorted(lists.KINDS)), default="f0", show_default=True, help="f1: of warned contacts."
)
@click.option("--f1-uploads", is_flag=True, help="Whom this list warns may, by consent, give the own keys to list f1.")
def publish(
    folder: Path,
    out: Path,
    issued_s: int,
    scheme: str,
    region: int,
    rule_file: Path | None,
    minutes: int | None,
    kind: str,
    f1_uploads: bool,
) -> None:
    """Write a new signed list of the keys of the last 14 days, and short ones for who has a list of before.

    For a trial, where one person has all keys in DIR. Staff agree on releases: draft, sign, accept.
    """
    if f1_uploads and kind != "f0":
        raise click.UsageError("--f1-uploads is for a list of the ill: no contact of a contact gives keys")
    with Plain():
        rule = rule_files.load(rule_file)[0] if rule_file else rules.DEFAULT
        rule = rule._replace(minutes=minutes or rule.minutes, flags=rule.flags | (rules.F1_TOO if f1_uploads else 0))
        done = core.publish(folder, out, issued_s, rule, scheme, region, lists.KINDS[kind])
    click.echo(
        f"List {done.serial} with {done.records} records is in {done.path}, {len(done.deltas)} short ones beside it."
    )


@click.command()
@click.argument("site", type=click.Path(file_okay=False, path_type=Path), metavar="SITE")
@click.argument(
    "sources", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE..."
)
def site(site: Path, sources: tuple[Path, ...]) -> None:
    """Put published lists and kiosks' certificates into the folder SITE, for any web server. Needs no key.

    Kiosks fetch from there (emask kiosk sync). What SITE held of older lists goes.
    """
    try:
        current = publishing.put(site, sources)
    except (lists.ListFileError, OSError) as error:
        raise BadInput(str(error)) from None
    click.echo(f"{len(current)} lists are current in {site}.")


COMMANDS = (make_draft, site, sign, accept, publish)
