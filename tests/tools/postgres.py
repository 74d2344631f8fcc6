"""Owns a real PostgreSQL for tests: one cluster a session in a folder of its own, one database a test. Asserts nothing.

Debian's package is enough (apt-get install postgresql); without it the tests that need it say so and are skipped.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None if there is no PostgreSQL here."""
    found = shutil.which("initdb")
    return (
        Path(found).resolve().parent
        if found
        else next((place for place in _PLACES if (place / "initdb").exists()), None)
    )


class Cluster:
    """A server that listens on a socket in its own folder only."""

    def __init__(self, programs: Path):
        self.programs = programs
        self.home = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 bytes
        self._owner = None
        if os.geteuid() == 0:  # the server refuses to run as root
            self._owner = next(name for name in ("postgres", "nobody") if _exists(name))
            shutil.chown(self.home, self._owner)
        self._run("initdb", "-D", self.home / "data", "-U", "emask", "--auth=trust", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-k {self.home} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-D", self.home / "data", "-w", "-l", self.home / "log", "-o", options, "start")

    def _run(self, program: str, *arguments) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, user=self._owner, cwd=self.home, timeout=60)

    def new(self) -> str:
        """The address of a new, empty database."""
        name = "t" + uuid.uuid4().hex
        self._run("createdb", "-h", self.home, "-U", "emask", name)
        return f"postgresql+psycopg://emask@/{name}?host={self.home}"

    def kill(self) -> None:
        """As a cut of power would."""
        self._run("pg_ctl", "-D", self.home / "data", "-m", "immediate", "stop")

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.home)


def _exists(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def new_cluster() -> Cluster:
    """A cluster; the test is skipped if there is no PostgreSQL here."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here (apt-get install postgresql)")
    return Cluster(found)


@pytest.fixture(scope="module")
def cluster():
    """One for a file's tests."""
    own = new_cluster()
    yield own
    own.close()
