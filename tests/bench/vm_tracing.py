"""Owns the facts of tracing on the token: consent and uploads under cuts, by proxy. Run by test_firmware.py."""

import asyncio
import sys

sys.path.insert(0, sys.argv[1] + "/tests/bench")

import vm_firmware as rig  # noqa: E402
from vm_firmware import board, keylist, peer, spec  # noqa: E402

UTC = rig.UTC
PROXY_CERTIFICATE = peer.certificate(spec.PROXY_KIOSK_KEY, 11, 0, UTC - 86400, UTC + 10 * 86400)
SECOND = b"\x21" * 32
SECOND_CERTIFICATE = peer.certificate(spec.KIOSK_KEY, 12, 0, UTC - 86400, UTC + 10 * 86400, SECOND)
UPLOAD = spec.ASK_UPLOAD
PROXY = spec.ASK_UPLOAD | spec.ASK_PROXY


def worn():
    """A token that was worn for an hour."""
    device, _ = rig.handed_over()
    rig.minutes(device, 60)
    return device


def proxy_visit(device, certificate=PROXY_CERTIFICATE):
    return rig.Visit(device, device.own_s(), certificate)


def keys_of(device):
    return [bytes(record) for _slot, record in device.store.read(spec.KEY)]


# -- consent by proxy


def test_representative_gives_for_who_can_not_press_after_a_minute_of_sound():
    from emask import handshake

    device = worn()
    start_ms = board.now_ms
    board.outputs.clear()
    visit = proxy_visit(device)
    _, body = visit.answer(spec.ASK, visit.kiosk.ask(PROXY, 14))
    result, blob = visit.kiosk.reply(body)
    text = peer.unseal(peer.SEAL, handshake.upload_info(visit.kiosk.whole, bytes(32)), blob)
    assert result == spec.UPLOAD_GIVEN and text[0] == spec.BLUEZONE | spec.BY_PROXY and text[1] >= 1
    assert 60000 <= board.now_ms - start_ms < 60100
    heard = [on for name, on in board.outputs if name == "buzzer"]
    assert heard.count(True) >= 6 and not heard[-1]


def test_any_press_in_the_minute_is_a_no():
    for after_ms in (0, 700, 9000, 31000, 59000):
        device = worn()
        before = keys_of(device)
        visit = proxy_visit(device)
        press = board.now_ms + after_ms
        down = board.button_pressed
        board.button_pressed = lambda press=press: press <= board.now_ms < press + 60
        try:
            assert visit.ask(PROXY, 14) == (spec.UPLOAD_NOT_AGREED, []), after_ms
        finally:
            board.button_pressed = down
        assert keys_of(device) == before and not device.asking


def test_shopkeepers_kiosk_can_not_ask_by_proxy():
    device = worn()
    before, start_ms = keys_of(device), board.now_ms
    board.outputs.clear()
    assert proxy_visit(device, rig.CERTIFICATE).ask(PROXY, 14) == (spec.UPLOAD_NOT_AGREED, [])
    assert keys_of(device) == before and board.now_ms - start_ms < 1000 and not board.outputs


def test_kiosk_for_proxies_still_needs_the_press_for_a_plain_upload():
    device = worn()
    assert proxy_visit(device).ask(UPLOAD, 14) == (spec.UPLOAD_NOT_AGREED, [])
    board.pressed_ms = 90000
    assert proxy_visit(device).ask(UPLOAD, 14)[0] == spec.UPLOAD_GIVEN


def test_representatives_kiosk_that_leaves_in_the_minute_gets_nothing():
    device = worn()
    before = keys_of(device)
    visit = proxy_visit(device)
    end_ms = board.now_ms + 40000
    visit.session.alive = lambda: board.now_ms < end_ms
    assert visit.ask(PROXY, 14) == (spec.UPLOAD_NOT_AGREED, []) and keys_of(device) == before


def test_revoked_kiosk_for_proxies_is_refused():
    device, visit = rig.handed_over()
    assert visit.hand(rig._list([], revoked=(11,))) == rig._acked(spec.LIST_OK)
    assert proxy_visit(device).opened == rig._refused(spec.REFUSED_NOT_TRUSTED)


# -- cancelled or cut at any moment


class _Cut(Exception):
    """Power fails."""


class _Flash(board.Flash):
    """Power fails after so many more programs and erases; 0: at the next, which leaves nothing of it."""

    left = 1 << 30

    def writeblocks(self, block, buf, offset):
        self._spend()
        board.Flash.writeblocks(self, block, buf, offset)

    def ioctl(self, command, argument=0):
        if command == 6:
            self._spend()
        return board.Flash.ioctl(self, command, argument)

    def _spend(self):
        if not self.left:
            raise _Cut
        self.left -= 1


def worn_image():
    """Flash and clock of a token that was worn for an hour, to begin from again and again."""
    device = worn()
    return device, bytes(board.partitions["sightings"].data), board.now_ms


def put_back(image, now_ms):
    board.fresh()
    board.now_ms = now_ms
    flash = board.partitions["sightings"] = _Flash(16)
    flash.data[:] = image
    return flash


def test_power_cut_at_any_write_of_an_upload_leaves_a_fresh_key_or_no_upload():
    first, image, now_ms = worn_image()
    own = first.identity._own.key
    cuts = 0
    while True:
        flash = put_back(image, now_ms)
        device = rig.boot()
        rig.Visit(device, UTC + 3600)
        rig.Visit(device, UTC + 3600, SECOND_CERTIFICATE, SECOND).ask()  # two agree: the time is known again
        rig.minutes(device, 1)
        own = device.identity._own.key
        visit = rig.Visit(device, device.own_s())
        board.pressed_ms = 90000
        flash.left = cuts
        try:
            result, records = visit.ask(UPLOAD, 14)
            break
        except _Cut:
            pass
        flash.left = 1 << 30
        board.pressed_ms = 0
        again = rig.boot()
        assert not again.asking
        rig.minutes(again, 20)
        assert again.identity._own.key != own  # a lost clock takes a fresh key in any case
        cuts += 1
    assert result == spec.UPLOAD_GIVEN and records and cuts >= 2
    newest = keys_of(device)[-1]
    assert own not in newest and device.identity._next.pack() == newest  # durable before the answer left


def test_fresh_key_is_durable_before_the_upload_is_sealed():
    device = worn()
    visit = rig.Visit(device, device.own_s())
    from emask_crypto import hpke  # the one that this visit uses

    before, seen = keys_of(device), []
    plain = hpke.seal
    hpke.seal = lambda *args: seen.append(len(keys_of(device))) or plain(*args)
    board.pressed_ms = 90000
    try:
        assert visit.ask(UPLOAD, 14)[0] == spec.UPLOAD_GIVEN
    finally:
        hpke.seal = plain
    assert seen == [len(before) + 1]


def test_visit_that_is_cancelled_at_any_step_of_the_question_leaves_nothing_behind():
    device = worn()
    before = keys_of(device)
    for flags, certificate in ((UPLOAD, rig.CERTIFICATE), (PROXY, PROXY_CERTIFICATE)):
        for steps in (1, 2, 3, 5, 40, 200, 500):
            visit = rig.Visit(device, device.own_s(), certificate)
            body = visit.kiosk.ask(flags, 14)

            async def go(visit=visit, body=body, steps=steps):
                task = asyncio.create_task(visit.session.answer(spec.ASK, body, board.now_ms))
                for _ in range(steps):
                    await rig._real_sleep(0)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    return True
                return False

            board.radio_up = True
            assert asyncio.run(go()), steps
            board.radio_up = False
            assert keys_of(device) == before and not device.asking and device.identity._next is None
            assert not [name for name in ("led", "motor", "buzzer") if dict(board.outputs).get(name)]


def test_upload_that_was_lost_on_the_way_costs_no_identifier():
    device = worn()
    own = device.identity._own
    board.pressed_ms = 90000
    assert rig.Visit(device, device.own_s()).ask(UPLOAD, 14)[0] == spec.UPLOAD_GIVEN  # and the link breaks
    board.pressed_ms = 0
    slot = device.own_slot()
    rig.minutes(device, 40)
    ids = {}
    for start_ms, _, payload in device.radio.sent:
        at = device.clock.own_ms(start_ms) // 900000
        ids.setdefault(rig.advert.decode(payload)[1], set()).add(at)
    assert all(len(slots) == 1 for slots in ids.values())
    assert device.identity._own.key != own.key and device.own_slot() > slot


def test_second_upload_gives_the_slots_of_both_keys():
    device = worn()
    for _ in range(2):
        board.pressed_ms = 90000
        result, records = rig.Visit(device, device.own_s()).ask(UPLOAD, 14)
        board.pressed_ms = 0
        assert result == spec.UPLOAD_GIVEN
        rig.minutes(device, 60)
    spans = sorted([(first, count) for _, first, _, count in map(keylist.unpack_record, records)])
    assert len(spans) == 2 and sum(spans[0]) <= spans[1][0]


if __name__ == "__main__":
    rig.main(globals())
