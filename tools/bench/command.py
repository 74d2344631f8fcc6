# One command line of emask within a run, in its output folder. Knows no command.
from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from tools.bench.engine import BenchError
from tools.cli import main


def command(words: list[str], folder: Path) -> str:
    """What it printed. BenchError if it refuses."""
    with chdir(folder):
        result = CliRunner().invoke(main, words)
    if result.exit_code:
        raise BenchError(f"emask {' '.join(words[:2])} ended with {result.exit_code}: {result.output.strip()}")
    return result.output
