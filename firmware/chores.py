"""Owns what is started when: visit, matching, alert signal, battery, door. Must not know how any of them works.

Their files are loaded when first needed: a boot from deep sleep seldom needs one. A visit's are put away after it.
"""

import asyncio

import memory
from micropython import const

_PRESS_MS = const(10000)
_VISIT_MS = const(1200000)  # of a swap; the visit itself ends others earlier
_STEP_MS = const(20)
_OF_SIGNALS = ("alerter", "cues", "emask.rhythm")
_OF_OTHERS = _OF_SIGNALS + (
    "matching",
    "second",
    "afterwards",
    "exempt",
    "emask.group",
    "emask.match",
    "emask.met",
    "emask.sought",
    "emask.exposure",
    "emask.encounter",
    "emask.context",
)
_OF_A_VISIT = (
    "emask.rule",
    "visit",
    "session",
    "status",
    "consent",
    "giving",
    "second",
    "wipe",
    "swap",
    "exempt",
    "emask.group",
    "timekeeper",
    "trust",
    "lists",
    "listinfo",
    "emask.handshake",
    "emask.certificate",
    "emask.messages",
    "emask.signed",
    "emask.manifest",
    "emask.parcel",
    "emask_crypto.hkdf",
    "emask_crypto.hpke",
    "emask_crypto.chacha",
    "emask_crypto.x25519",
    "emask_crypto.ed25519",
    "emask_crypto.sha512",
)


class Chores:
    """device: Device; supervisor: Supervisor."""

    def __init__(self, device, supervisor):
        self._device = device
        self._supervisor = supervisor

    def check(self):
        """After each window: start what waits."""
        device = self._device
        if device.list_waits and not device.visits:
            memory.put_away(_OF_SIGNALS)
            from matching import DEADLINE_MS, Matching

            self._supervisor.once("matching", lambda: Matching(device), DEADLINE_MS)
        if device.alert:
            import alerter

            if alerter.due(device):
                self._supervisor.once("alert", lambda: alerter.Signal(device), alerter.DEADLINE_MS)
        plan = device.rendezvous
        if (plan.new_slot or plan.met) and not device.list_waits:
            import cues

            if not plan.new_slot:
                cues.alive(device)
            elif cues.look(device):
                self._supervisor.once("battery", lambda: cues.LowBattery(device), cues.DEADLINE_MS)
            plan.new_slot = plan.met = False
        if device.board.clock_ms() >= plan.door_ms and not device.state.shelf:
            import door

            self._supervisor.once("door", lambda: door.Door(device, self._push), door.DEADLINE_MS)

    def press(self):
        """The button went down."""
        if self._device.asking:
            return  # the wearer answers a question of the visit
        import alerter

        self._supervisor.once("press", lambda: alerter.Press(self._device, self._visit), _PRESS_MS)

    def _visit(self):
        self._supervisor.once("visit", lambda: self._in_memory(lambda visit: visit.run()), _VISIT_MS)

    def _push(self, link, total_ms):
        return self._in_memory(lambda visit: visit.push(link, total_ms)).run()

    def _in_memory(self, work):
        return _Visit(self._device, work, lambda: self._supervisor.busy("matching"))


class _Visit:
    """A visit in memory that others give back, and that it gives back: matching needs it next.

    compares() -> is a list being compared; that gives way soon.
    """

    def __init__(self, device, work, compares):
        self._device = device
        self._work = work
        self._compares = compares

    async def run(self):
        """As work(visit.Visit) does."""
        device = self._device
        device.visits += 1
        try:
            while self._compares():
                await asyncio.sleep_ms(_STEP_MS)
            memory.put_away(_OF_OTHERS)
            from visit import Visit

            await self._work(Visit(device))
        finally:
            device.visits -= 1
            if device.state.wiping:
                device.board.reset()  # a swap that broke off: the boot leaves an empty token
            device.let_go()
            memory.put_away(_OF_A_VISIT)
