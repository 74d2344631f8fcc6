"""Facts about the choice of the product's image: trial, way back, and a cut of power at every flash operation."""

import slots
from dual_support import PowerCut, raises, vectors
from install import ImageError, Install

OLD = bytes(range(256)) * 20
NEW = bytes(range(255, -1, -1)) * 37
VECTOR = vectors("image")
KEY = bytes.fromhex(VECTOR["public"])
HEADS = {1: bytes.fromhex(VECTOR["old"]), 2: bytes.fromhex(VECTOR["new"])}
BLOCK = slots.BLOCK_BYTES


class Power:
    """Fails at one flash operation: before it (share 0), after half of it (1) or just after it (2)."""

    def __init__(self, at=None, share=1):
        self.left = at
        self.share = share
        self.operations = 0

    def spend(self):
        self.operations += 1
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0


class Nor:
    """A partition with the rules of NOR flash, sparse; a cut leaves an operation undone, half done or done."""

    def __init__(self, power):
        self.power = power
        self.blocks = {}

    def _block(self, number):
        return self.blocks.setdefault(number, bytearray(b"\xff" * BLOCK))

    def readblocks(self, number, buf, offset=0):
        buf[:] = self._block(number)[offset : offset + len(buf)]

    def ioctl(self, op, number):
        assert op == 6
        self._do(number, b"\xff" * BLOCK, 0)

    def writeblocks(self, number, data, offset):
        old = self._block(number)[offset : offset + len(data)]
        assert len(old) == len(data)
        value = int.from_bytes(data, "little")
        assert int.from_bytes(old, "little") & value == value, "programming cannot set bits"
        self._do(number, bytes(data), offset)

    def _do(self, number, data, offset):
        cut = self.power[0].spend()
        count = len(data) * self.power[0].share // 2 if cut else len(data)
        self._block(number)[offset : offset + count] = data[:count]
        if cut:
            raise PowerCut()


class Trusting(slots.Slots):
    """Skips the signature, which takes its time and writes nothing."""

    def signed(self, head):
        return True


class Token:
    """The partitions of one token; power: a list of one Power, so that it can be exchanged."""

    def __init__(self, kind=Trusting):
        self.power = [Power()]
        self.devices = (Nor(self.power), Nor(self.power))
        self.mapped = Nor(self.power)
        self.slots = kind(Nor(self.power), self.devices, self.mapped, KEY)

    def boot(self):
        """Starts until one start does not copy; returns the payload that runs, or None."""
        for _ in range(8):
            choice, copied = self.slots.boot()
            if not copied:
                break
        assert not copied
        return None if choice is None else self.running()

    def running(self):
        for payload in (OLD, NEW):
            found = bytearray(len(payload))
            for at in range(0, len(payload), BLOCK):
                part = bytearray(min(BLOCK, len(payload) - at))
                self.mapped.readblocks(at // BLOCK, part, 0)
                found[at : at + len(part)] = part
            if found == payload:
                return payload
        raise AssertionError("neither image is mapped whole")

    def install(self, version):
        work = Install(self.slots, "esp32c3")
        payload = {1: OLD, 2: NEW, 3: NEW}[version]
        work.begin(HEADS[version])
        for at in range(0, len(payload), BLOCK):
            part = payload[at : at + BLOCK]
            work.write(at // BLOCK, part + b"\xff" * (BLOCK - len(part)))
        work.finish()


def settled():
    token = Token()
    token.install(1)
    assert token.boot() == OLD
    token.slots.keep()
    return token


def test_signed_image_is_taken_and_started():
    token = Token(slots.Slots)
    assert token.boot() is None
    token.install(1)
    assert token.boot() == OLD
    assert not token.slots.current().kept
    token.slots.keep()
    token.install(2)
    assert token.boot() == NEW


def test_image_that_never_says_that_it_works_is_left_after_three_starts():
    token = settled()
    token.install(2)
    assert [token.boot() == NEW for _ in range(4)] == [True, True, True, False]
    assert token.boot() == OLD


def test_image_that_works_stays():
    token = settled()
    token.install(2)
    assert token.boot() == NEW
    token.slots.keep()
    assert [token.boot() == NEW for _ in range(6)] == [True] * 6


def test_kept_image_costs_no_flash_at_a_start():
    token = settled()
    before = token.power[0].operations
    token.boot()
    token.slots.keep()
    assert token.power[0].operations == before


def test_keeping_reads_the_record_alone():
    token = settled()
    token.install(2)
    token.boot()
    alone = slots.Slots(token.slots.record, None, None, None)
    alone.keep()
    alone.keep()
    assert [token.boot() == NEW for _ in range(6)] == [True] * 6


def test_damage_of_the_mapped_copy_is_mended_from_the_slot():
    token = settled()
    token.mapped.blocks[0][100] ^= 1
    assert token.boot() == OLD


def test_damaged_slot_is_not_started():
    token = settled()
    token.install(2)
    token.devices[token.slots.current().slot].blocks[1][5] ^= 1
    assert token.boot() == OLD


def test_wrong_images_are_refused():
    token = Token(slots.Slots)
    cut = HEADS[2][:127]
    stranger = b"EMFX" + HEADS[2][4:]
    forged = HEADS[2][:-1] + bytes([HEADS[2][-1] ^ 1])
    work = Install(token.slots, "esp32c3")
    for head, why in ((cut, "length"), (stranger, "not an image"), (forged, "signature")):
        assert why in str(raises(ImageError, work.begin, head))
    other = Install(token.slots, "esp32s3")
    assert "another board" in str(raises(ImageError, other.begin, HEADS[2]))
    token.slots.key = b""
    assert "signature" in str(raises(ImageError, work.begin, HEADS[2]))


def test_image_that_came_past_the_installer_is_not_started_without_a_signature():
    token = Token(slots.Slots)
    token.install(1)
    assert token.boot() == OLD
    token.slots.keep()
    genuine = token.slots.signed
    token.slots.signed = lambda head: True  # whoever has the cable may leave out the installer's check
    HEADS[3] = HEADS[2][:64] + bytes(64)
    token.install(3)
    token.slots.signed = genuine
    assert token.slots.current().slot == 1
    assert token.boot() == OLD


def test_older_image_is_refused():
    token = settled()
    token.install(2)
    token.boot()
    token.slots.keep()
    work = Install(token.slots, "esp32c3")
    assert "older" in str(raises(ImageError, work.begin, HEADS[1]))


def test_changed_payload_is_refused_and_the_old_image_runs():
    token = settled()
    work = Install(token.slots, "esp32c3")
    work.begin(HEADS[2])
    for block in range(3):
        work.write(block, b"\x55" * BLOCK)
    assert "damaged" in str(raises(ImageError, work.finish))
    assert "out of place" in str(raises(ImageError, work.write, 3, b"\x55" * BLOCK))
    assert token.boot() == OLD


def test_blocks_that_arrived_are_known_after_a_cut():
    from binascii import crc32

    token = settled()
    work = Install(token.slots, "esp32c3")
    work.begin(HEADS[2])
    work.write(0, NEW[:BLOCK])
    again = Install(token.slots, "esp32c3")
    found = again.begin(HEADS[2])
    assert found[0] == crc32(NEW[:BLOCK])
    assert found[1] != crc32(NEW[BLOCK : 2 * BLOCK])


def update(token):
    """A whole update, first starts included."""
    token.install(2)
    token.boot()
    token.slots.keep()
    token.boot()


def test_cut_at_every_flash_operation_leaves_a_token_that_works():
    token = settled()
    token.power[0] = Power()
    update(token)
    operations = token.power[0].operations
    assert operations >= 18
    seen = set()
    for at in range(operations):
        for share in range(3):
            token = settled()
            token.power[0] = Power(at, share)
            raises(PowerCut, update, token)
            token.power[0] = Power()
            seen.add(token.boot() == NEW)
            update(token)  # and the next try succeeds
            assert token.boot() == NEW
    assert seen == {True, False}


def test_cut_in_the_way_back_leaves_a_token_that_works():
    token = settled()
    token.install(2)
    for _ in range(3):
        token.boot()
    token.power[0] = Power()
    assert token.boot() == OLD
    operations = token.power[0].operations
    for at in range(operations):
        for share in range(3):
            token = settled()
            token.install(2)
            for _ in range(3):
                token.boot()
            token.power[0] = Power(at, share)
            raises(PowerCut, token.boot)
            token.power[0] = Power()
            assert token.boot() in (OLD, NEW)
            for _ in range(3):
                last = token.boot()
            assert last == OLD
