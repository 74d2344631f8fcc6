"""Owns one board's way, in a process of its own: a job comes in as a line of JSON, events go out as such lines.

`python -m tools.flash.worker` is started by the station for each board; a crash here hurts no other board.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from mpremote.transport import TransportError
from serial import SerialException

from tools.firmware import bundle
from tools.flash import settings
from tools.flash.line import Line
from tools.flash.mistakes import Mistake
from tools.flash.repl import Token
from tools.flash.rom import Rom

NEW = ("look", "base", "settings", "product", "provision", "radio", "hands", "keep")
UPDATE = ("look", "product", "radio", "release")
_BATTERY_MV = 3500
_MARGIN_S = 10

Tell = Callable[[float], None]


class Worker:
    """The steps of one board. events: where its lines go; answers: where the station's come from."""

    def __init__(self, job: dict[str, Any], events: TextIO, answers: TextIO) -> None:
        self._job = job
        self._events = events
        self._answers = answers
        self._bundle = bundle.load(Path(job["bundle"]))
        self._settings = settings.parse(job["settings"])
        self._done: set[str] = set()
        self.lines = {"rom": Line(), "repl": Line()}
        self._rom: Rom | None = None
        self._token: Token | None = None
        self._ready: Token | None = None  # has the bring-up program

    def tell(self, event: str, **facts: Any) -> None:
        self._events.write(json.dumps({"event": event, **facts}) + "\n")
        self._events.flush()

    def run(self) -> None:
        """All steps that are not done yet; Mistake or a library's error ends it."""
        try:
            for step in UPDATE if self._job["update"] else NEW:
                if step not in self._done:
                    self._run(step)
        finally:
            for way, line in self.lines.items():
                self.tell("bytes", way=way, sent=line.sent, received=line.received)
            for link in (self._rom, self._token):
                if link:
                    link.close()

    def explain(self, error: BaseException) -> Mistake:
        """What an error means to staff, given what the chip said meanwhile."""
        return self.lines["repl" if self.lines["repl"].received else "rom"].explain(error)

    def _run(self, step: str) -> None:
        self.tell("step", step=step, share=0.0)
        started = time.monotonic()
        getattr(self, f"step_{step}")(self._progress(step))
        self.tell("done", step=step, seconds=round(time.monotonic() - started, 2))

    def _progress(self, step: str) -> Tell:
        last = [0.0]

        def tell(share: float) -> None:
            if share - last[0] >= 0.02 or share >= 1:
                last[0] = share
                self.tell("step", step=step, share=round(share, 3))

        return tell

    # -- by the ROM bootloader

    def step_look(self, tell: Tell) -> None:
        """Who is it? The station knows what was done to this board before, and answers with that."""
        self._rom = Rom(self._job["port"], self.lines["rom"], self._bundle, self._job["baud"], self._job["reset"])
        self.tell("seen", mac=self._rom.look().mac)
        self._done = set(json.loads(self._answers.readline())["done"])
        if self._job["update"] or "base" in self._done:
            self._rom.leave()

    def step_base(self, tell: Tell) -> None:
        """MicroPython; a board that the station has never seen is erased first."""
        assert self._rom
        if not self._bundle.parts:
            raise Mistake("bad_bundle", found="there is no MicroPython in it")
        self._rom.write(True, tell)
        self._rom.leave()

    # -- by MicroPython

    @property
    def token(self) -> Token:
        """The connection, made when it is first needed."""
        if self._token is None:
            self._token = Token(self._job["port"], self.lines["repl"])
        return self._token

    def bringup(self, call: str, wait_s: float) -> list[int]:
        """What a function of the bring-up program answers."""
        if self._ready is not self.token:
            self.token.do(self._bundle.bringup)
            self._ready = self.token
        return self.token.ask_numbers(call, wait_s)

    def step_settings(self, tell: Tell) -> None:
        files = self._settings.files() | {"release.pub": self._bundle.release_key}
        self.token.provision_settings(files)

    def step_product(self, tell: Tell) -> None:
        """The image, to the slot that does not run; then a start, so that it does."""
        if not self._bundle.release_key:
            raise Mistake("bad_bundle", found="its image is not signed")
        self.token.install(self._bundle.installer, self._bundle.product, lambda share: tell(0.9 * share))
        self.token.restart()
        running = self.token.running()
        if running is None or running[0] != self._bundle.version:
            raise Mistake("no_micropython")
        tell(1.0)

    def step_provision(self, tell: Tell) -> None:
        """Keys are drawn on the token and never leave it; the time is this computer's."""
        now_ms = time.time_ns() // 1_000_000
        self.bringup(f"provision({now_ms // 1000},{now_ms % 1000})", 60)

    def step_radio(self, tell: Tell) -> None:
        """Battery, then radio: a fresh address, and something to be heard."""
        millivolts = self.bringup("board.battery_mv()", 10)[0]
        if millivolts < _BATTERY_MV:
            raise Mistake("weak_battery", found=f"{millivolts:,}")
        listen_ms = self._job["radio_ms"]
        clean, heard, best = self.bringup(f"radio({listen_ms})", listen_ms / 1000 + _MARGIN_S)
        self.tell("fact", name="heard", value=heard)
        self.tell("fact", name="best_dbm", value=best)
        if not clean:
            raise Mistake("radio_address")
        if not heard and self._job["beacon"]:
            raise Mistake("radio_deaf")

    def step_hands(self, tell: Tell) -> None:
        """It blinks and shakes until somebody presses: three parts tested by one press."""
        self.tell("ask", what="press")
        wait_ms = self._job["hands_ms"]
        if self.bringup(f"hands({wait_ms})", wait_ms / 1000 + _MARGIN_S)[0] < 0:
            raise Mistake("no_hands")

    def step_keep(self, tell: Tell) -> None:
        """Everything works: the image stays, the token starts and is silent on its shelf."""
        self.token.do("import slots\nslots.keep()")
        self.token.release()

    def step_release(self, tell: Tell) -> None:
        """After an update the token itself decides, in use, whether the image stays."""
        self.token.release()


def main() -> int:
    events = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is for nobody
    worker = None
    try:
        worker = Worker(json.loads(sys.stdin.readline()), events, sys.stdin)
        worker.run()
    except (Mistake, OSError, RuntimeError, SerialException, TransportError, bundle.BundleError) as error:
        told = worker.explain(error) if worker else Mistake("bad_bundle", found=str(error))
        events.write(json.dumps({"event": "mistake", "code": told.code, "what": told.what, "do": told.do}) + "\n")
        events.flush()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
