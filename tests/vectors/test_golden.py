"""Owns one question: is golden.json what make_golden.py computes today?"""

import subprocess
import sys
from pathlib import Path


def test_golden_bytes_are_current():
    script = Path(__file__).with_name("make_golden.py")
    assert subprocess.run([sys.executable, str(script), "--check"]).returncode == 0
