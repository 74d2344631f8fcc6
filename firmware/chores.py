"""Owns what is started when: visit, matching, alert signal. Must not know how any of them works.

Their files are loaded when first needed: a boot from deep sleep seldom needs one.
"""

from micropython import const

_PRESS_MS = const(10000)


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
        import alerter

        self._supervisor.once("press", lambda: alerter.Press(self._device, self._visit), _PRESS_MS)

    def _visit(self):
        import visit

        self._supervisor.once("visit", lambda: visit.Visit(self._device), visit.DEADLINE_MS)
