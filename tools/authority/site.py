"""Owns the folder of static files from which any web server hands lists and certificates to kiosks. Knows no key.

SITE/index.json   emask-lists/1: name, region, length and SHA-256 of each list that is current
SITE/*.eml        the lists, each under a name that never stands for other bytes
SITE/*.cert       the certificates of kiosks, each under a name made from the kiosk's public key
SITE/root.change  the last change of the root

Nothing here is trusted: a kiosk checks the signatures of what it takes (SPEC 15).
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from emask import certificate, signed, spec
from tools import lists, signing
from tools.files import write_whole


def put(site: Path, sources: Iterable[Path]) -> list[str]:
    """Add lists and certificates, say in the index which lists are current, take away those that are not.

    The names of the current lists. lists.ListFileError if one is damaged, before anything is
    changed; OSError.
    """
    vouched, found = [], []
    for path in sources:
        item = path.read_bytes()
        try:
            if len(item) < lists.SMALLEST_BYTES:
                vouched.append((certificate.unpack(item), item))
            else:
                found.append(lists.parse(item))
        except (lists.ListFileError, signed.SignedError) as error:
            raise lists.ListFileError(f"{path}: {error}") from None
    new = {taken.name: taken for taken in found}
    for facts, item in vouched:
        root = facts.kind == spec.ROOT_KEY
        write_whole(site / (signing.ROOT_CHANGE if root else signing.certificate_name(facts.key)), item)
    current = _current([*(_here(site) | new).values()])
    for taken in current:
        if taken.name in new:
            write_whole(site / taken.name, taken.data)
    write_whole(site / lists.INDEX, index(current))
    for path in site.glob("*.eml"):  # only now: whoever read the old index may ask for them until here
        if path.name not in {taken.name for taken in current}:
            path.unlink()
    return [taken.name for taken in current]


def index(current: Iterable[lists.ListFile]) -> bytes:
    """The bytes of index.json; the same lists give the same bytes, and so the same ETag."""
    entries = [
        {
            "name": taken.name,
            "region": taken.header.region,
            "bytes": len(taken.data),
            "sha256": hashlib.sha256(taken.data).hexdigest(),
        }
        for taken in current
    ]
    return json.dumps({"format": lists.INDEX_FORMAT, "lists": entries}, indent=1).encode() + b"\n"


def _here(site: Path) -> dict[str, lists.ListFile]:
    return {taken.name: taken for path in site.glob("*.eml") if (taken := lists.sound(path))}


def _current(found: list[lists.ListFile]) -> list[lists.ListFile]:
    """Of each line of lists those of the highest serial, in the order of their names."""
    newest: dict[tuple[int, int, int], int] = {}
    for taken in found:
        newest[taken.line] = max(taken.serial, newest.get(taken.line, 0))
    current = (taken for taken in found if taken.serial == newest[taken.line])
    return sorted(current, key=lambda taken: taken.name)
