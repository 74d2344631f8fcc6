"""Owns the facts of a swap in which power fails, on the VM. Run by test_firmware.py."""

import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
import vm_swap as base  # noqa: E402
import vm_swap_attacks as attacks  # noqa: E402
import vm_tracing as tracing  # noqa: E402
from vm_firmware import spec  # noqa: E402

_NEVER = 1 << 30


class Cuttable:
    """A token whose power fails, from one image of its flash again and again."""

    def __init__(self, token):
        self.token = token
        self.flash = tracing._Flash(16)
        self.flash.data[:] = token.partitions["sightings"].data
        token.partitions["sightings"] = self.flash
        self._boot()
        self.keep()

    def keep(self):
        """From here on."""
        self._image = bytes(self.flash.data)

    def put_back(self):
        self.flash.data[:] = self._image
        return self._boot()

    def _boot(self):
        self.token.rtc = b""
        return self.token.use().boot()

    def writes(self, work):
        """How many programs and erases it is."""
        self.flash.left = _NEVER
        work()
        return _NEVER - self.flash.left

    def cut(self, left, work):
        """Whether power failed after so many writes of `work`; then the token started anew."""
        self.flash.left = left
        try:
            work()
            return False
        except tracing._Cut:
            return True
        finally:
            self.flash.left = _NEVER
            self._boot()


def sampled(count):
    """The first, the last, and some between."""
    return sorted(set(range(3)) | set(range(0, count, count // 7)) | set(range(count - 9, count + 1)))


def test_power_cut_at_any_write_of_the_taking_leaves_an_empty_token_or_a_whole_one():
    old, new = base.worn(), base.Token()
    rigged = Cuttable(new)
    public = base.key_of(new)
    rigged.keep()
    enc, pages = base.given(old, public)

    def take():
        assert base.taken(new, enc, pages)[0][0] == spec.RECEIPT

    seen = []
    new.use()
    for left in sampled(rigged.writes(take)):
        rigged.put_back()
        failed = rigged.cut(left, take)
        whole = not new.device.state.shelf
        seen.append((failed, whole))
        if whole:
            assert attacks.is_whole(new, attacks.what(old)), left
        else:
            assert attacks.is_new(new) and failed, left
    assert seen[0] == (True, False) and seen[-1] == (False, True)
    assert [whole for _, whole in seen] == sorted([whole for _, whole in seen])


def test_power_cut_while_the_old_token_gives_takes_nothing_from_it():
    old, new = base.worn(), base.Token()
    rigged = Cuttable(old)
    before = attacks.what(old)
    public = base.key_of(new)

    def give():
        base.given(old, public)

    old.use()
    for left in range(rigged.writes(give)):
        assert rigged.put_back() and rigged.cut(left, give)
        assert attacks.is_whole(old, before), left


def test_power_cut_at_any_write_after_the_receipt_leaves_the_old_token_whole_or_wiped():
    old, new = base.worn(), base.Token()
    enc, pages = base.given(old, base.key_of(new))
    ((_, receipt),) = base.taken(new, enc, pages)
    rigged = Cuttable(old)
    before = attacks.what(old)

    def done():
        assert base.step(old.visit(), spec.ASK_SWAP_DONE, receipt)[0] == spec.UPLOAD_WIPED

    wiped = []
    for left in sampled(rigged.writes(done)):
        rigged.put_back()
        rigged.cut(left, done)
        wiped.append(old.device.state.shelf)
        assert attacks.is_new(old) if wiped[-1] else attacks.is_whole(old, before), left
    assert wiped == sorted(wiped) and not wiped[0] and wiped[-1]


if __name__ == "__main__":
    rig.main(globals())
