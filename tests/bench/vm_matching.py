"""Owns the facts of matching beside everything else that the token does, on the VM. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_exempt import beside_a_case  # noqa: E402
from vm_firmware import board, keylist, spec  # noqa: E402

_READ_MS = 25  # what the work between two reads of a record may take
_MOST_MS = 150  # that the work may reach into the time before a window
_EVERY_MS = 1_500
_UP_MS = 400


class Lists:
    """The partition of lists; each read takes a while, and may be cut by a reset."""

    def __init__(self, device, flash):
        self._device = device
        self._flash = flash
        self.cut_after = None
        self.reads = 0
        self.too_late = 0

    def readblocks(self, block, buf, offset=0):
        device = self._device
        self.reads += 1
        if self.reads == self.cut_after:
            raise board.Reset
        board.move(_READ_MS)
        self.too_late += device.radio.up or 0 <= device.window_ms - board.now_ms < 500 - _MOST_MS
        self._flash.readblocks(block, buf, offset)

    def ioctl(self, command, argument=0):
        return self._flash.ioctl(command, argument)


def listed(count=80):
    """A token with a list of `count` records, the case's among them, and the partition that it reads them from."""
    device, _ = rig.handed_over()
    case = beside_a_case(device)
    others = [keylist.pack_record(bytes([n + 100]) * 32, device.own_slot() - 300, 0, 600) for n in range(count - 1)]
    data = rig._list(others + [case], issued_s=device.own_s() + 7200)
    assert rig.Visit(device, device.own_s()).hand(data) == rig._acked(spec.LIST_OK)
    device.let_go()
    slow = board.partitions["lists"] = Lists(device, board.partitions["lists"])
    return device, slow


def match(device):
    from matching import Matching

    asyncio.run(Matching(device).run())


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
        try:
            match(device)
            raise AssertionError("no reset")
        except board.Reset:
            pass
        again = rig.boot()
        assert again.list_waits and not again.alert
        match(again)
        assert again.alert == alert and not again.list_waits


if __name__ == "__main__":
    rig.main(globals())
