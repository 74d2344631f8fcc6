"""Owns the making of the phone's page: static files in a folder, for any HTTPS host. Knows no token and no network.

OUT/index.html, *.js, *.css, vendor/   as they stand in static/
OUT/spec.js                            the numbers of emask.spec
OUT/site.js                            root, address of the lists, telephone, screens, pictures and words
OUT/sw.js                              the service worker, with the SHA-256 of each of the other files
OUT/voice/TAG/*.wav                    recorded phrases, where there are some
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from emask import spec
from tools import codes
from tools.files import write_whole
from tools.kiosk.hall import flow, words
from tools.phone import table

STATIC = Path(__file__).with_name("static")
_HALL = Path(words.__file__).with_name("static")
_SHARED = ("page.css", "icon.svg")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; connect-src 'self'{lists}; base-uri 'none'; form-action 'none'"
)
_MANIFEST = {
    "name": "emask",
    "short_name": "emask",
    "start_url": "./",
    "scope": "./",
    "display": "standalone",
    "background_color": "#fffdf5",
    "theme_color": "#0a3d8f",
    "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
}


@dataclass(frozen=True)
class Options:
    """root: the authority's public key; lists: the address of the site of lists, relative to the page or whole; region:
    of which lists are carried, 0 for all; phone: whom to call; languages: a folder of more languages and of phrases.
    """

    root: bytes
    phone: str
    lists: str = "lists/"
    region: int = 0
    languages: Path | None = None


def build(out: Path, options: Options) -> int:
    """Write the page into `out`, whatever was there of an earlier one; how many files. WordsError; OSError."""
    made = _files(options)
    for name, data in made.items():
        write_whole(out / name, data)
    hashes = {name: _integrity(data) for name, data in sorted(made.items())}
    text = (STATIC / "sw.js").read_text("utf-8")
    version = hashlib.sha256(json.dumps(hashes).encode() + text.encode()).hexdigest()[:16]
    text = text.replace("BUILD", version).replace("FILES = {}", f"FILES = {json.dumps(hashes, indent=2)}")
    write_whole(out / "sw.js", text.encode())  # last: a browser that sees it finds all that it names
    return len(made) + 1


def _files(options: Options) -> dict[str, bytes]:
    """Each file but the service worker, by its path."""
    found = {path.relative_to(STATIC).as_posix(): path.read_bytes() for path in STATIC.rglob("*") if path.is_file()}
    del found["sw.js"]
    policy = _POLICY.format(lists=_origin(options.lists))
    for name in ("index.html", "keeper.html"):
        found[name] = found[name].replace(b'content="CSP"', f'content="{policy}"'.encode())
    phrases = _phrases(options.languages)
    return {
        **found,
        **{name: (_HALL / name).read_bytes() for name in _SHARED},
        **{f"voice/{tag}/{path.name}": path.read_bytes() for tag, paths in phrases.items() for path in paths},
        "manifest.webmanifest": json.dumps(_MANIFEST, indent=1).encode(),
        "spec.js": _module(_numbers()),
        "site.js": _module(_site(options, {tag: [path.stem for path in paths] for tag, paths in phrases.items()})),
    }


def _origin(lists: str) -> str:
    """What the page's policy adds for lists that lie elsewhere."""
    parts = urlsplit(lists)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _numbers() -> dict[str, object]:
    return {name: value for name, value in vars(spec).items() if name.isupper() and isinstance(value, int | str)}


def _site(options: Options, phrases: dict[str, list[str]]) -> dict[str, object]:
    folders = (options.languages,) if options.languages else ()
    found = table.languages(*folders).values()
    return {
        "ROOT": options.root.hex(),
        "SITE": options.lists.rstrip("/") + "/",
        "REGION": options.region,
        "PHONE": words.tied(options.phone),
        "TABLE": table.table(),
        "AWAY": table.away(),
        "PAUSES_MIN": flow.PAUSES_MIN,
        "CODES": {kind.name: kind.first for kind in codes.KINDS},
        "PICTURES": table.pictures(),
        "LANGUAGES": [{**asdict(one), "keeper": table.keeper(one, *folders)} for one in found],
        "VOICES": phrases,
    }


def _phrases(folder: Path | None) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*/*.wav")) if folder else []:
        found.setdefault(path.parent.name, []).append(path)
    return found


def _module(values: dict[str, object]) -> bytes:
    lines = [
        f"export const {name} = {json.dumps(value, ensure_ascii=False, indent=1)};\n" for name, value in values.items()
    ]
    return ("// Made by `emask phone build`; do not edit.\n" + "".join(lines)).encode()


def _integrity(data: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()
