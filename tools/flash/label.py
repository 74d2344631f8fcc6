"""Owns a label: a QR code and the same number to read, as a PDF of the label's size; its way to the printer.

Knows no token: the number is chance alone.
"""

import shlex
import shutil
import subprocess
from pathlib import Path

import segno

from tools.files import write_whole
from tools.flash.mistakes import Mistake

_WIDTH_MM, _HEIGHT_MM = 28, 14
_POINTS_PER_MM = 72 / 25.4
_QUIET = 4  # modules of white around the code, as its standard wants
_TEXT_SIZE = 12
_PRINT_S = 20


def pdf(label: str) -> bytes:
    """One page: the code fills the height, the number stands beside it in two lines."""
    code = segno.make(
        label.replace("-", ""), error="m", micro=False
    )  # every phone reads these, not every one the small
    modules = [list(row) for row in code.matrix]
    size = len(modules) + 2 * _QUIET
    squares = " ".join(
        f"{x + _QUIET} {size - 1 - y - _QUIET} 1 1 re"
        for y, row in enumerate(modules)
        for x, dark in enumerate(row)
        if dark
    )
    scale = _HEIGHT_MM * _POINTS_PER_MM / size
    left = _HEIGHT_MM * _POINTS_PER_MM
    words = [
        f"BT /F {_TEXT_SIZE} Tf {left:.2f} {y} Td ({part}) Tj ET"
        for part, y in zip(label.split("-"), (23, 9), strict=True)
    ]
    return _document(f"q {scale:.4f} 0 0 {scale:.4f} 0 0 cm {squares} f Q {' '.join(words)}".encode())


def _document(content: bytes) -> bytes:
    box = f"[0 0 {_WIDTH_MM * _POINTS_PER_MM:.2f} {_HEIGHT_MM * _POINTS_PER_MM:.2f}]".encode()
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox " + box + b" /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold >>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(data))
    return data + head + table + end


def write(folder: Path, label: str) -> Path:
    """The label's file."""
    path = folder / f"{label}.pdf"
    write_whole(path, pdf(label))
    return path


def missing_program(command: str) -> str:
    """The program of a printer's command, if this computer has none of that name; "" if all is well."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    return "" if words and shutil.which(words[0]) else (words[0] if words else command)


def send(command: str, path: Path) -> None:
    """Run a printer's command with the label's file as its last word; Mistake no_printer if it fails."""
    try:
        done = subprocess.run(
            [*shlex.split(command), str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PRINT_S,
        )
    except OSError as error:
        raise Mistake("no_printer", found=error.strerror) from None
    except subprocess.TimeoutExpired:
        raise Mistake("no_printer", found=f"no answer for {_PRINT_S} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"it ended with {done.returncode}"]
        raise Mistake("no_printer", found=said[-1][:100])
