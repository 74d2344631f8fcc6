"""Owns what is started when: visit, matching, alert signal. Must not know how any of them works.

Their files are loaded when first needed: a boot from deep sleep seldom needs one. A visit's are put away after it.
"""

import gc

import memory
from micropython import const

_PRESS_MS = const(10000)
_OF_A_VISIT = (
    "visit",
    "session",
    "status",
    "consent",
    "trust",
    "lists",
    "listinfo",
    "emask.handshake",
    "emask.certificate",
    "emask.messages",
    "emask.signed",
    "emask.manifest",
    "emask_crypto",
)


class Chores:
    """device: Device; supervisor: Supervisor."""

    def __init__(self, device, supervisor):
        self._device = device
        self._supervisor = supervisor

    def check(self):
        """After each window: start what waits."""
        device = self._device
        if device.list_waits:
            from matching import DEADLINE_MS, Matching

            self._supervisor.once("matching", lambda: Matching(device), DEADLINE_MS)
        if device.alert:
            import alerter

            if alerter.due(device):
                self._supervisor.once("alert", lambda: alerter.Signal(device), alerter.DEADLINE_MS)

    def press(self):
        """The button went down."""
        if self._device.asking:
            return  # the wearer answers a question of the visit
        import alerter

        self._supervisor.once("press", lambda: alerter.Press(self._device, self._visit), _PRESS_MS)

    def _visit(self):
        gc.collect()  # so that what is loaded for the visit lies together, and leaves one large piece behind
        import visit

        self._supervisor.once("visit", lambda: _Visit(self._device), visit.DEADLINE_MS)


class _Visit:
    """A visit, and then its files' memory given back: matching needs it next."""

    def __init__(self, device):
        self._device = device

    async def run(self):
        """As visit.Visit does."""
        from visit import Visit

        try:
            await Visit(self._device).run()
        finally:
            self._device.let_go()
            memory.put_away(_OF_A_VISIT)
