"""Owns a label's picture: a QR code and the same number to read, as SVG. Knows no token."""

import io
from pathlib import Path

import segno

from tools.files import write_whole


def svg(label: str) -> bytes:
    """28 mm wide, for a label printer."""
    out = io.BytesIO()
    segno.make_micro(label.replace("-", ""), error="L").save(out, kind="svg", xmldecl=False, svgns=True, border=2)
    code = out.getvalue().decode()
    inner = code[code.index(">") + 1 : code.rindex("</svg>")]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="28mm" height="14mm" viewBox="0 0 56 28">'
        f'<g transform="translate(1 3) scale(1.1)">{inner}</g>'
        f'<text x="26" y="17" font-family="monospace" font-size="5">{label}</text></svg>\n'
    ).encode()


def write(folder: Path, label: str) -> Path:
    """One file for the printer's folder."""
    path = folder / f"{label}.svg"
    write_whole(path, svg(label))
    return path
