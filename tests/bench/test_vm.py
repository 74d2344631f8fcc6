"""Facts about one VM process: what counts as hanging, which a busy machine must not bring about."""

import signal
import time

import pytest

from tools.bench import vm
from tools.bench.vm import Vm, VmGone

LOOP = "while True:\n    pass\n"
LATE = "import sys\nopen('/dev/fd/' + sys.argv[2], 'wb').write(bytes(9))\n" + LOOP


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Starts a VM with a program of which it can be seen that it hangs, soon."""
    monkeypatch.setattr(vm, "_HANG_S", 0.5)
    found = []

    def start(program):
        (tmp_path / "runner.py").write_text(program)
        found.append(Vm(tmp_path / "runner.py", 256, tmp_path / "out"))
        return found[-1]

    yield start
    for own in found:
        own.close()


def test_loop_that_calls_nothing_is_ended(started):
    with pytest.raises(VmGone):
        started(LOOP).request()


def test_process_that_gets_no_processor_is_not_ended(started):
    own = started(LATE)
    own.request()
    own._process.send_signal(signal.SIGSTOP)  # as on a machine where others come first
    own.running_since = time.monotonic()
    used_s = own.used_s()
    time.sleep(3.5)
    assert own._process.poll() is None and own.used_s() - used_s < 0.5
    own._process.send_signal(signal.SIGCONT)
    with pytest.raises(VmGone):
        own.request()
