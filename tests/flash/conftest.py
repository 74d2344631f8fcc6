"""Owns what the flash station's tests share: a bundle with a stand-in for MicroPython, and boards on a desk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flash import espimage, rig
from tools import ROOT, build
from tools.firmware import bundle

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return espimage.build(tmp_path_factory.mktemp("idf"))


@pytest.fixture(scope="module")
def made(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "bundle"
    bundle.make("esp32c3", folder, rig.KEY, base)
    return folder


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Boards on a desk: desk.put(number, *options, **environment) -> the port; desk.folder has all files."""
    build.build()
    mpy = ROOT / "build" / "mpy"
    place = _Desk(
        tmp_path_factory.mktemp("desk"), ":".join(str(path) for path in (HERE / "vm", mpy / "base", mpy / "lib"))
    )
    yield place
    place.clear()


class _Desk:
    def __init__(self, folder: Path, folders: str) -> None:
        self.folder = folder
        self._folders = folders
        self._boards: list[subprocess.Popen] = []

    def put(self, number: int, *options: str, **environment: str) -> str:
        link, flash = self.folder / f"port-{number}", self.folder / f"flash-{number}.bin"
        command = [sys.executable, str(HERE / "desk.py"), str(link), str(flash), "--folders", self._folders]
        self._boards.append(
            subprocess.Popen(
                [*command, "--mac", str(number), *options],
                env={**os.environ, "HANDS": "1", **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        rig.wait(link.exists)
        return str(link)

    def partition(self, number: int, name: str) -> bytes:
        return rig.partition(self.folder / f"flash-{number}.bin", name)

    def clear(self) -> None:
        for board in self._boards:
            board.kill()
            board.wait()
