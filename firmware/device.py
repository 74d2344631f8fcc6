"""Owns the token's parts in one place, and how they are restored at each boot. Must not know any task.

Parts: state, clock, identity, rendezvous, journal, radio, power; the store and the list are opened when first needed.
"""

import struct
import time

import rtc
import settings
from identity import Identity
from journal import Journal
from micropython import const
from power import Power
from radio import Radio
from rendezvous import Rendezvous
from state import State

from emask import alert, clock, spec
from emask.store import Store

_MISC = "<iqqB"  # open slot, tick of this record, tick of the next alert signal, list waits
_PARTS = const(9)
_GRACE_MS = const(180000)  # a listener this late has hung


class Device:
    """Everything that tasks share. board: the board contract; watchdog: object with feed()."""

    def __init__(self, board, watchdog):
        self.board = board
        self.watchdog = watchdog
        self.radio = Radio(time.ticks_ms)
        self.power = Power(board, watchdog, self.freeze)
        self.state = State(settings.ON_SHELF)
        self.identity = Identity(self.state, settings.SCHEME, board.TX_POWER_DBM)
        self.rendezvous = Rendezvous(board.CLOCK_ERROR_PPM, board.ADVERT_MS)
        self.journal = Journal(self.state, settings.RETENTION_DAYS)
        self.clock = clock.SegmentClock(0)
        self.alert = None  # fields of emask.alert, or None
        self.alert_next_ms = 0
        self.list_waits = False
        self.asking = False  # the visit waits for the wearer's long press
        self.called = False  # a visit waits for the radio
        self.visits = 0  # in memory, the door's too, which gives way to a press: no room for a comparison
        self.window_ms = 0  # tick of the next radio start
        self.alive_until_ms = board.clock_ms() + _GRACE_MS
        self._store = None
        self._cold = True  # power may have failed in the middle of a write
        self._lists = None
        self._list_info = None
        self._trust = None

    # -- parts opened on demand

    @property
    def store(self):
        """The mounted store of sightings, keys and state."""
        if self._store is None:
            self._store = Store(self.board.partition("sightings"))
            self._store.mount(self._cold)
        return self._store

    @property
    def lists(self):
        """The list stage."""
        if self._lists is None:
            from lists import ListStage

            self._lists = ListStage(self.board.partition("lists"), self.list_info, self.trust, self.clock.anchored)
        return self._lists

    @property
    def list_info(self):
        """What is remembered of lists."""
        if self._list_info is None:
            from listinfo import ListInfo

            self._list_info = ListInfo(self.store, self.slot)
        return self._list_info

    @property
    def trust(self):
        """Whom the token believes."""
        if self._trust is None:
            from trust import Trust

            self._trust = Trust(self.store, self.slot)
        return self._trust

    def let_go(self):
        """Close what is opened on demand and kept in flash: its memory serves something else."""
        self._lists = self._list_info = self._trust = None

    # -- boot and sleep

    def wake(self, reason):
        """Restore after a boot; reason: the board's WAKE_*."""
        parts = None
        if reason != self.board.WAKE_POWER:
            parts = rtc.unpack(self.board.rtc_load(), _PARTS)
        if not parts or not self._thaw(parts):
            self._begin()
        elif reason in (self.board.WAKE_WATCHDOG, self.board.WAKE_RESET):
            self.state.resets += 1
            self.recover()
        else:
            self._cold = False
        if self.state.wiping:
            import wipe

            for _ in wipe.erase(self):
                self.watchdog.feed()

    def _begin(self):
        # Power was lost, and the time with it: a new segment, numbered by what the flash knows.
        store = self.store
        if self.state.load(store):
            self.state.resets += 1
        self.state.segment = self.state.segment + 1 & 0xFFFF
        last = [found[0] for found in (store.latest(kind) for kind in (spec.STATE, spec.HEARD)) if found]
        self.clock = clock.SegmentClock(self.state.segment, self.board.clock_ms(), max(last) if last else 0)
        self.recover()

    def recover(self):
        """Take up what the flash holds, and make the state durable."""
        self.journal.recover(self.store, self.slot())
        found = self.store.latest(spec.ALERT)
        self.alert = alert.unpack(found[1]) if found else None
        self.list_waits = self.list_info.waits()
        self.save_state()
        print("boot segment=%d resets=%d" % (self.state.segment, self.state.resets))

    def freeze(self):
        """Put what a boot needs into RTC memory."""
        misc = (self.state.open_slot, self.board.clock_ms(), self.alert_next_ms, self.list_waits)
        self.board.rtc_store(
            rtc.pack(
                (
                    self.state.pack(),
                    self.clock.pack_state(),
                    struct.pack(_MISC, *misc),
                    self.rendezvous.pack(),
                    self.radio.last_address,
                    alert.pack(*self.alert) if self.alert else b"",
                )
                + self.identity.pack()
            )
        )

    def _thaw(self, parts):
        own_clock = clock.unpack_state(parts[1])
        fits = len(parts[2]) == struct.calcsize(_MISC) and self.rendezvous.unpack(parts[3])
        if own_clock is None or not fits or not self.state.unpack(parts[0]):
            return False
        self.state.open_slot, then_ms, self.alert_next_ms, waits = struct.unpack(_MISC, parts[2])
        if self.board.clock_ms() < then_ms:  # the tick began anew: power was lost
            self.rendezvous.lost()
            return False
        self.clock = own_clock
        self.list_waits = bool(waits)
        self.radio.last_address = parts[4]
        self.alert = alert.unpack(parts[5])
        self.identity.unpack(parts[6], parts[7], parts[8])
        return True

    # -- time

    def slot(self):
        """The store's slot now."""
        return self.clock.slot_estimate(self.board.clock_ms())

    def own_slot(self):
        """The scheme's slot now, for own identifiers."""
        return self.clock.scheme_slot(self.board.clock_ms(), self.identity.scheme.SLOT_S)

    def anchors(self):
        """All confirmed times, for dating."""
        records = (record for _slot, record in self.store.read(spec.ANCHOR))
        return clock.Anchors(records, self.board.CLOCK_ERROR_PPM)

    def timekeeper(self):
        """Who judges a time that is told."""
        from timekeeper import Timekeeper

        return Timekeeper(self)

    def certain_slot(self):
        """A slot that it is not before."""
        return self.clock.certain_slot(self.board.clock_ms(), self.board.CLOCK_ERROR_PPM)

    def known_s(self):
        """A time that it is not before, UTC s: the last list's issue, or what the own clock is sure of."""
        return max(self.list_info.issued, self.certain_slot() * spec.SLOT_S)

    # -- facts

    def save_state(self):
        """Make state and counters durable."""
        self.state.save(self.store, self.slot())

    def count_crash(self):
        """A task crashed."""
        self.state.crashes += 1

    def set_shelf(self, on_shelf):
        """Go to the shelf, silent, or leave it."""
        if self.state.shelf != on_shelf:
            self.state.shelf = on_shelf
            self.identity.forget()
            self.save_state()
            self.power.kick()

    def set_alert(self, record):
        """Take a new ALERT record (10 bytes), durable."""
        self.store.append(spec.ALERT, self.slot(), record)
        self.alert = alert.unpack(record)
        self.alert_next_ms = 0

    def alert_open(self):
        """True while an alert stands."""
        return alert.active(self.alert, self.own_s() // spec.DAY_S)

    def alert_unsaid(self):
        """True while the wearer is to be told that the alert was taken back."""
        return alert.unsaid(self.alert, self.own_s() // spec.DAY_S)

    def own_s(self):
        """Own time in seconds since the epoch: UTC, or the best guess."""
        return self.clock.own_ms(self.board.clock_ms()) // 1000

    def expect(self, due_ms):
        """The listener will be back at this tick; much later it has hung."""
        self.window_ms = due_ms
        self.alive_until_ms = due_ms + _GRACE_MS
