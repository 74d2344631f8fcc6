"""Owns the facts of matching beside everything else that the token does, on the VM. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_exempt import beside_a_case  # noqa: E402
from vm_firmware import board, keylist, sighting, spec  # noqa: E402

_READ_MS = 25  # what the work between two reads of a record may take
_LONG_MS = 1_000  # the same, of a list that takes long
_MOST_MS = 150  # that the work may reach into the time before a window
_EVERY_MS = 1_500
_UP_MS = 400


class Lists:
    """The partition of lists; each read takes a while, and may be cut by a reset."""

    def __init__(self, device, flash):
        self._device = device
        self._flash = flash
        self.cut_after = None
        self.on_read = None
        self.ms = _READ_MS
        self.reads = 0
        self.too_late = 0

    def readblocks(self, block, buf, offset=0):
        device = self._device
        self.reads += 1
        if self.reads == self.cut_after:
            raise board.Reset
        if self.on_read:
            self.on_read()
        board.move(self.ms)
        self.too_late += device.radio.up or 0 <= device.window_ms - board.now_ms < 500 - _MOST_MS
        self._flash.readblocks(block, buf, offset)

    def ioctl(self, command, argument=0):
        return self._flash.ioctl(command, argument)


def handed(device, records):
    """A list of these records in the token; the partition that it reads them from."""
    data = rig._list(records, issued_s=device.own_s() + 7200)
    assert rig.Visit(device, device.own_s()).hand(data) == rig._acked(spec.LIST_OK)
    device.let_go()
    slow = board.partitions["lists"] = Lists(device, board.partitions["lists"])
    return slow


def listed(count=80):
    """A token with a list of `count` records, the case's among them, and the partition that it reads them from."""
    device, _ = rig.handed_over()
    case = beside_a_case(device)
    others = [keylist.pack_record(bytes([n + 100]) * 32, device.own_slot() - 300, 0, 600) for n in range(count - 1)]
    return device, handed(device, others + [case])


def match(device):
    from matching import Matching

    asyncio.run(Matching(device).run())


def cut_off(device):
    """The comparison ends in a reset; the token after it."""
    try:
        match(device)
        raise AssertionError("no reset")
    except board.Reset:
        return rig.boot()


def test_matching_leaves_the_windows_alone():
    device, slow = listed()
    device.window_ms = board.now_ms + 700
    windows = []

    async def sleep(ms):
        if ms:
            board.move(ms)
            left_ms = device.window_ms - board.now_ms
            if left_ms <= 0:
                device.radio.up = left_ms > -_UP_MS
                if not device.radio.up:
                    windows.append(1)
                    device.window_ms += _EVERY_MS
        await rig._real_sleep(0)

    before = asyncio.sleep_ms
    asyncio.sleep_ms = sleep
    try:
        match(device)
    finally:
        asyncio.sleep_ms = before
    assert device.alert and not device.list_waits
    assert slow.reads > 80 and len(windows) > 1 and not slow.too_late, (slow.reads, len(windows), slow.too_late)


def test_matching_goes_on_by_itself_after_a_reset_at_any_point():
    device, slow = listed(12)
    match(device)
    whole, alert = slow.reads, device.alert
    assert alert
    for cut_after in range(1, whole):
        device, slow = listed(12)
        slow.cut_after = cut_after
        again = cut_off(device)
        assert again.list_waits and not again.alert
        match(again)
        assert again.alert == alert and not again.list_waits


def worn_for_days(records=80, days=3):
    """A token that strangers were near on the days before, and was near a case today; its long list."""
    device, _ = rig.handed_over()
    today = device.own_s() // 86400
    for day in range(today - days, today):
        for number in range(8):
            heard = sighting.pack(1, bytes([day & 0xFF, number]) * 6, 77, 0, 9, -60, 0, sighting.flat(15, -60))
            device.store.append(spec.SIGHTING, day * 96 + 48, heard)
    case = beside_a_case(device)
    others = [
        keylist.pack_record(bytes([n + 100]) * 32, (today - days - 1) * 96, 0, 96 * (days + 2)) for n in range(records)
    ]
    slow = handed(device, others + [case])
    slow.ms = _LONG_MS
    return device, slow


def test_long_comparison_goes_on_after_a_reset():
    device, slow = worn_for_days()
    match(device)
    whole, alert = slow.reads, device.alert
    assert alert and whole > 3 * 80
    saved = 0
    for cut_after in range(20, whole, 41):
        device, slow = worn_for_days()
        slow.cut_after = cut_after
        again = cut_off(device)
        match(again)
        assert again.alert == alert and not again.list_waits
        assert slow.reads <= whole + cut_after
        if cut_after > 200:
            saved += 1
            assert slow.reads - cut_after < whole - 80, (cut_after, slow.reads - cut_after, whole)
    assert saved > 2


def test_comparison_begins_anew_when_times_are_dated_otherwise_and_for_another_list():
    device, slow = worn_for_days()
    match(device)
    whole = slow.reads
    for change in range(2):
        device, slow = worn_for_days()
        slow.cut_after = whole - 20
        again = cut_off(device)
        assert again.list_info.done
        if change:
            again.list_info.state = 0
            again.list_info.save()
            again.let_go()
            board.partitions["lists"] = slow._flash
            data = rig._list([], serial=6, issued_s=again.own_s() + 7200)
            assert rig.Visit(again, again.own_s()).hand(data) == rig._acked(spec.LIST_OK)
            assert not again.list_info.done
        else:
            slow.reads, slow.cut_after = 0, None
            again.store.append(spec.ANCHOR, again.slot(), again.store.latest(spec.ANCHOR)[1])
            match(again)
            assert slow.reads == whole and again.alert


def test_comparison_does_with_a_smaller_index_when_memory_is_short():
    import matching

    device, _ = listed(12)
    whole, tried = matching.Matcher, []

    def short(header, store, anchors, capacity, *more):
        tried.append(capacity)
        if capacity > 256:
            raise MemoryError
        return whole(header, store, anchors, capacity, *more)

    matching.Matcher = short
    try:
        match(device)
    finally:
        matching.Matcher = whole
    assert device.alert and not device.list_waits and tried == [1024, 512, 256]


def test_visit_stops_a_comparison_and_it_goes_on_after_it():
    import visit
    from chores import Chores
    from supervisor import Supervisor

    device, slow = worn_for_days()
    match(device)
    whole = slow.reads
    device, slow = worn_for_days()
    supervisor = Supervisor(device.power, board.clock_ms, device.count_crash, board.reset)
    chores = Chores(device, supervisor)
    beside = []

    class Probe:
        def __init__(self, device):
            pass

        async def run(self):
            beside.append((supervisor.busy("matching"), "emask.match" in sys.modules, device.visits))

    def press():
        if slow.reads == 200:
            chores._visit()

    async def until_compared():
        for _ in range(4000):
            chores.check()
            await rig._real_sleep(0)
            if not device.list_waits:
                return

    slow.on_read = press
    before, visit.Visit = visit.Visit, Probe
    try:
        asyncio.run(until_compared())
    finally:
        visit.Visit = before
    assert beside == [(False, False, 1)]
    assert device.alert and not device.list_waits and not device.state.crashes
    assert whole < slow.reads < whole + 150


if __name__ == "__main__":
    rig.main(globals())
