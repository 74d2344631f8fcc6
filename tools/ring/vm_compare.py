# The same records into the ring and into littlefs, on the same model of flash, on the MicroPython VM; prints JSON.
# Arguments: folders for sys.path, slots. Run by compare.py.
# mypy: ignore-errors
import gc
import json
import sys
import time

sys.path[:0] = sys.argv[1].split(":")

import vfs  # type: ignore[import-not-found]  # noqa: E402
from flashmodel import Chance, Flash  # noqa: E402

from emask import spec  # noqa: E402
from emask.store import Store  # noqa: E402

BLOCKS = 240
PEOPLE = 17  # in a slot
MINUTES = 6  # of each
FIRST_SLOT = 20000 * 96


def records():
    """Yield (kind, slot, bytes) of one slot after the other, minutes before sightings; None ends a slot."""
    chance = Chance(7)
    for slot in range(FIRST_SLOT, FIRST_SLOT + int(sys.argv[2])):
        for _ in range(PEOPLE * MINUTES):
            yield spec.HEARD, slot, chance.draw(spec.HEARD_BYTES)
        for _ in range(PEOPLE):
            yield spec.SIGHTING, slot, chance.draw(spec.SIGHTING_BYTES)
        yield None


class Ring:
    """Every record durable at once, and the merged slot marked."""

    def start(self, flash):
        self.store = Store(flash)
        self.store.mount(False)
        self.slot = 0

    def take(self, kind, slot, payload):
        self.slot = slot
        self.store.append(kind, slot, payload)

    def settle(self):
        self.store.room()  # reads the index

    def end_slot(self):
        self.store.append(spec.COMPACTED, self.slot, b"")


class Littlefs:
    """Two files of a day, minutes and sightings, appended to."""

    def __init__(self, sync_each):
        self._sync_each = sync_each

    def start(self, flash):
        try:
            self.fs = vfs.VfsLfs2(flash)
        except OSError:
            vfs.VfsLfs2.mkfs(flash)
            self.fs = vfs.VfsLfs2(flash)
        vfs.mount(self.fs, "/ring")
        names = {spec.HEARD: "/ring/minutes", spec.SIGHTING: "/ring/sightings"}
        self.files = {kind: open(name, "ab") for kind, name in names.items()}  # noqa: SIM115

    def take(self, kind, slot, payload):
        file = self.files[kind]
        file.write(payload)
        if self._sync_each:
            file.flush()

    def end_slot(self):
        for file in self.files.values():
            file.flush()

    def stop(self):
        for file in self.files.values():
            file.close()
        vfs.umount("/ring")


def measure(make):
    """What one of them needs for all records."""
    flash = Flash(BLOCKS)
    keeper = make()
    keeper.start(flash)
    gc.collect()
    flash.programmed = flash.reads = 0
    before = sum(flash.erases)
    count = 0
    spent_us = 0
    for record in records():
        start_us = time.ticks_us()
        if record:
            count += 1
            keeper.take(*record)
        else:
            keeper.end_slot()
        spent_us += time.ticks_diff(time.ticks_us(), start_us)
    found = {
        "records": count,
        "bytes_programmed": flash.programmed,
        "erases": sum(flash.erases) - before,
        "reads": flash.reads,
        "wall_us": spent_us,
    }
    if hasattr(keeper, "stop"):
        keeper.stop()
    keeper = None
    gc.collect()
    held = gc.mem_alloc()
    flash.reads = 0
    keeper = make()
    keeper.start(flash)
    found["mount_reads"] = flash.reads
    if hasattr(keeper, "settle"):
        keeper.settle()
    gc.collect()
    found["heap_bytes"] = gc.mem_alloc() - held
    if hasattr(keeper, "stop"):
        keeper.stop()
    return found


print(
    json.dumps(
        {
            "ring": measure(Ring),
            "littlefs, sync per record": measure(lambda: Littlefs(True)),
            "littlefs, sync per slot": measure(lambda: Littlefs(False)),
        }
    )
)
