"""Owns `emask authority serve` in a process of its own that can be killed and started again. Asserts nothing."""

import contextlib
import resource
import signal
import socket
import subprocess
import sys
import time

LIMIT_S = 60


class Service:
    """The service of an authority's folder, always at the same place. Use as: with Service(folder) as service."""

    def __init__(self, folder, *options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._command = [sys.executable, "-m", "tools.cli", "authority", "serve", str(folder), *map(str, options)]
        self.address = f"http://127.0.0.1:{self._port}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *problem):
        self.end()

    def start(self):
        self._process = subprocess.Popen([*self._command, "--port", str(self._port)], stderr=subprocess.DEVNULL)
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._port), 1).close()
            time.sleep(0.05)
        raise TimeoutError("the service did not come up")

    def end(self, how=signal.SIGTERM):
        self._process.send_signal(how)
        self._process.wait(LIMIT_S)

    def restart(self):
        self.end(signal.SIGKILL)
        self.start()

    def files_may_have(self, most):
        """No file of the service may grow beyond so many bytes."""
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
