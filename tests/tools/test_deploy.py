"""Facts about installing the authority: its units and Compose file name what there is, and a wheel is whole."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.commands import words_of, wrong
from tests.units import judged, needs_systemd, setting
from tools import ROOT

FOLDER = ROOT / "deploy" / "authority"
UNIT = FOLDER / "emask-authority.service"
UNITS = sorted(FOLDER.glob("*.service"))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
EMASK = ("-m", "tools.cli")
PROGRAM = "/opt/emask/bin/emask"


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_little_exposed(unit):
    said = judged(unit, 15)
    assert said.returncode == 0, said.stdout[-500:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_has_its_own_user_reaches_the_loopback_only_and_calls_what_there_is(unit):
    assert setting(unit, "User") == "emask-authority" and setting(unit, "NoNewPrivileges") == "yes"
    assert (setting(unit, "IPAddressDeny"), setting(unit, "IPAddressAllow")) == ("any", "localhost")
    assert wrong(words_of(setting(unit, "ExecStart").replace("$OPTIONS", "--port 8081"))) == ""
    assert "u emask-authority -" in (FOLDER / "sysusers.conf").read_text()


def test_compose_calls_commands_that_there_are():
    services = COMPOSE["services"]
    assert wrong(["authority", *services["authority"]["command"]]) == ""
    said = re.findall(rf"{PROGRAM} (.+?);", services["forget"]["command"][0])
    assert len(said) == 1 and wrong(said[0].split()) == ""
    dockerfile = (FOLDER / "Dockerfile").read_text()
    assert f'ENTRYPOINT ["{PROGRAM}", "authority"]' in dockerfile
    sources = re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE)
    assert all((ROOT / name).exists() for line in sources for name in line.split())


def test_compose_puts_nothing_but_the_web_server_on_the_network():
    services = COMPOSE["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["web"]
    assert [name for name, service in services.items() if "outside" in service["networks"]] == ["web"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    used = {mount.split(":")[0] for service in services.values() for mount in service["volumes"] if mount[0] != "."}
    assert used == set(COMPOSE["volumes"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What pip makes of the source tree, in a folder of its own: runs Python there, with words."""
    tree, target = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("installed")
    for name in ("tools", "lib"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(tree)], check=True, capture_output=True, timeout=120)

    def run(*words):
        environment = {**os.environ, "PYTHONPATH": str(target)}
        command = [sys.executable, *map(str, words)]
        return subprocess.run(command, cwd=target, env=environment, capture_output=True, text=True, timeout=60)

    return run


def test_authority_and_kiosk_run_from_what_pip_installs(installed, tmp_path):
    made = installed(*EMASK, "authority", "init", tmp_path / "home")
    assert made.returncode == 0, made.stderr
    kiosk = installed(*EMASK, "kiosk", "init", tmp_path / "kiosk", "--root", tmp_path / "home" / "root.pub")
    assert kiosk.returncode == 0, kiosk.stderr
    for command in ("from tools.authority.web import app", "from tools.kiosk.hall import words; words.load_all()"):
        assert installed("-c", command).returncode == 0


def test_what_needs_the_source_tree_says_so(installed):
    said = installed(*EMASK, "bench", "demo")
    assert said.returncode == 2 and "needs the source tree" in said.stderr
