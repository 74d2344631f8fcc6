"""Facts about an update of a token in use: the real base, the real firmware from a mapped image, the real ring."""

import pytest
from install import Install
from slots import BLOCK_BYTES, Slots

from emask import spec
from emask.store import Store
from tests.bench.ble_rig import Rig
from tools import ROOT
from tools.bench import image as bench_image
from tools.bench.node import CAUSE_SOFT
from tools.firmware import bundle, image

KEY = bytes(range(32))
PUBLIC = image.public_key(KEY)
MORE = {"choice": 8192, "slot_a": 131072, "slot_b": 131072, "romfs": 131072, "config": 65536}
HUNG_S = 300  # as long the base lets an image hang
BROKEN = {
    "that does not start": b"raise MemoryError",
    "that starts anew for ever": b"import machine; machine.reset()",
    "that hangs": b"import time; time.sleep(100000)",
}


class Partition:
    """A partition of a node's flash, as a program on the token sees it."""

    def __init__(self, flash, name):
        self._flash = flash
        self._number = [part.name for part in flash.partitions].index(name)
        self._part = flash.partitions[self._number]

    def readblocks(self, block, buf, offset=0):
        with self._flash.path.open("rb") as file:
            file.seek(self._part.offset + block * BLOCK_BYTES + offset)
            file.readinto(buf)

    def writeblocks(self, block, data, offset):
        self._flash.program(self._number, block * BLOCK_BYTES + offset, bytes(data))

    def ioctl(self, op, argument=0):
        if op == 6:
            return self._flash.erase(self._number, argument * BLOCK_BYTES)
        return self._part.size // BLOCK_BYTES if op == 4 else BLOCK_BYTES


class Desk:
    """A token with the base, `node`, beside another one."""

    def __init__(self, folder, rig):
        built = bench_image.prepare()
        self.rig = rig
        self.files = bundle.product_files("esp32c3")
        for name in ("near", "token"):
            given = folder / f"{name}.given"
            given.mkdir()
            (given / "token_config.py").write_text("ON_SHELF = False\n")
            (given / "board_config.py").write_text('SLEEP = "deep"\n')
            (given / "release.pub").write_bytes(PUBLIC)
        product = [str(path) for path in (built.firmware, built.lib, built.boards["esp32c3"], built.aioble_path)]
        rig.node("near", "import boot\nimport main\n", paths=(str(folder / "near.given"), *product))
        base = [str(path) for path in (ROOT / "build" / "mpy" / "base", built.lib, built.aioble_path)]
        start = (ROOT / "tests" / "bench" / "base_start.py").read_text()
        self.node = rig.node("token", start, paths=(str(folder / "token.given"), *base))

    @property
    def slots(self):
        return Slots(*(self.partition(*names) for names in (("choice",), ("slot_a", "slot_b"), ("romfs",))), PUBLIC)

    def partition(self, *names):
        found = tuple(Partition(self.node.flash, name) for name in names)
        return found if len(found) > 1 else found[0]

    def install(self, version, more):
        """What the station's program does on the token."""
        new = image.build("esp32c3", version, image.romfs(self.files | more), image.load_key(KEY))
        work = Install(self.slots, "esp32c3")
        work.begin(new.head)
        for at in range(0, len(new.payload), BLOCK_BYTES):
            work.write(at // BLOCK_BYTES, new.payload[at : at + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\xff"))
        work.finish()

    def runs(self):
        """(version, it stays) of what runs."""
        now = self.slots.current()
        assert self.slots.mapped_is(now.digest)
        return self.slots.header(now.slot)[0], now.kept

    def store(self):
        found = Store(self.partition("sightings"))
        found.mount(True)
        return found

    def lasting(self):
        return {kind: [record for _, record in self.store().read(kind)] for kind in (spec.KEY, spec.SIGHTING)}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("update")
    with Rig(folder, heap_kib=4096, more_partitions=MORE) as rig:
        desk = Desk(folder, rig)
        rig.s(5)  # the base alone takes its settings
        update(desk)
        rig.s(1900)
        assert desk.runs() == (1, True), "\n".join(rig.out("token"))
        yield desk


def update(desk, more=None):
    """An update by cable, then the station's reset; returns the new version."""
    now = desk.slots.current()
    version = desk.slots.header(now.slot)[0] + 1 if now else 1
    desk.install(version, {"more.mpy": bytes([version])} | (more or {}))
    desk.node.reset(CAUSE_SOFT)
    return version


def assert_kept(desk, before):
    """All keys and sightings are there still, and new ones come."""
    desk.rig.s(1900)
    after = desk.lasting()
    assert before[spec.KEY] and before[spec.SIGHTING]
    assert all(record in after[kind] for kind in before for record in before[kind])
    assert len(after[spec.SIGHTING]) > len(before[spec.SIGHTING])


def test_update_keeps_keys_and_sightings_and_the_new_image_goes_on(desk):
    before = desk.lasting()
    version = update(desk)
    desk.rig.s(120)
    assert desk.runs() == (version, True)
    assert_kept(desk, before)


@pytest.mark.parametrize("how", BROKEN)
def test_token_goes_back_from_an_image(desk, how):
    before, old = desk.lasting(), desk.runs()
    update(desk, {"token_main.py": BROKEN[how]})
    desk.rig.s(4 * HUNG_S)
    assert desk.runs() == old
    assert_kept(desk, before)


def test_cut_in_the_first_starts_of_a_new_image_leaves_a_token_that_works(desk):
    before, flash = desk.lasting(), desk.node.flash
    for operations in (1, 2, 3, 20, 40, 60):  # of the copy, of the trial, of the firmware's first records
        version = update(desk)
        flash.cut_at = flash.operations + operations
        desk.rig.s(30)
        assert not desk.node.powered
        flash.cut_at = None
        desk.node.power_on()
        desk.rig.s(400)  # a window took place, whenever the next one is
        assert desk.runs() == (version, True)
    assert_kept(desk, before)
