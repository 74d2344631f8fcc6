"""Facts about the kiosk's service: no root, nothing but the loopback, and a command line that there is."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from click.testing import CliRunner

from tests.commands import words_of, wrong
from tests.kiosk.hall_rig import free_port
from tests.tools.world import World
from tests.units import judged, needs_systemd, setting
from tools import ROOT
from tools.cli import main

FOLDER = ROOT / "deploy" / "kiosk"
ENVIRONMENT = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
UNIT = FOLDER / "emask-kiosk.service"


def test_service_runs_as_its_own_user_without_privileges():
    assert setting(UNIT, "User") == "emask" and setting(UNIT, "NoNewPrivileges") == "yes"
    assert setting(UNIT, "CapabilityBoundingSet") == "" and setting(UNIT, "ProtectSystem") == "strict"
    assert "u emask -" in (FOLDER / "sysusers.conf").read_text()


def test_service_reaches_nothing_but_the_loopback():
    assert setting(UNIT, "IPAddressDeny") == "any" and setting(UNIT, "IPAddressAllow") == "localhost"
    families = setting(UNIT, "RestrictAddressFamilies").split()
    assert "AF_INET6" not in families and "AF_NETLINK" not in families


def test_service_starts_again_by_itself():
    assert setting(UNIT, "Restart") == "always"


def test_service_calls_a_command_that_there_is():
    words = shlex.split(
        setting(UNIT, "ExecStart").replace("${PHONE}", "115").replace("$OPTIONS", "--clinic --print lp")
    )
    assert words[0].endswith("/emask") and words[1:3] == ["kiosk", "serve"]
    said = CliRunner().invoke(main, [*words[1:3], "/nonexistent", *words[4:]])
    assert said.exit_code == 2 and "no such folder" in said.output


@needs_systemd
@pytest.mark.parametrize("unit", sorted(FOLDER.glob("*.service")), ids=lambda unit: unit.stem)
def test_systemd_finds_little_exposed(unit):
    said = judged(unit, 25)
    assert said.returncode == 0, said.stdout[-500:]


def test_exchange_by_a_network_is_a_command_that_there_is_and_has_its_settings():
    unit, settings = FOLDER / "emask-sync.service", (FOLDER / "kiosk.conf").read_text()
    assert wrong(words_of(setting(unit, "ExecStart"))) == ""
    assert all(f"\n{name}=" in settings for name in re.findall(r"\$\{(\w+)\}", setting(unit, "ExecStart")))


class Served:
    """`emask kiosk serve` as a process of its own; there is no adapter, so it says K11."""

    def __init__(self, folder):
        self._port = free_port()
        command = [
            sys.executable,
            "-m",
            "tools.cli",
            "kiosk",
            "serve",
            str(folder),
            "--phone",
            "115",
            "--port",
            str(self._port),
        ]
        self._process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for line in self._process.stderr:
            if "The page" in line:
                break

    def page(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=20) as answer:
            return answer.read().decode()

    def end(self, number):
        self._process.send_signal(number)
        self._process.stderr.close()
        return self._process.wait(20)


def test_kiosk_that_was_cut_off_says_so_at_its_next_start_and_one_that_was_stopped_does_not(tmp_path):
    folder = World(tmp_path, now_s=int(time.time()) - 100).kiosk.path
    for number, told, code in ((signal.SIGTERM, 0, 0), (signal.SIGKILL, 0, -9), (signal.SIGTERM, 1, 0)):
        served = Served(folder)
        assert 'data-name="closed"' in served.page() and "K11" in served.page()
        assert (folder / "log.jsonl").read_text().count("K61") == told
        assert served.end(number) == code
        assert (folder / "running").exists() == (number == signal.SIGKILL)


def test_port_that_is_taken_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = CliRunner().invoke(main, ["kiosk", "serve", str(tmp_path), "--phone", "115", "--port", port])
    assert said.exit_code == 2 and len(said.output.splitlines()) == 1
