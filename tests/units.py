"""Owns reading systemd's units of deploy/, and how exposed systemd finds one. Asserts nothing."""

import re
import shutil
import subprocess

import pytest

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")


def setting(unit, name):
    """All values of a setting, joined."""
    return " ".join(re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE))


def judged(unit, tenths):
    """systemd-analyze's run; it ends with 0 if the exposure is at most so many tenths of 10."""
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={tenths}", str(unit)]
    return subprocess.run(command, capture_output=True, text=True)
