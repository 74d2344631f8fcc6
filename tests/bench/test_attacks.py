# Facts about people who would harm a token or a kiosk, each against the firmware on the VM: replays, forged answers,
# a list held back, stolen keys, floods of connections. docs/SECURITY has the table of all.
import asyncio
import dataclasses
import json

import pytest
from bleak.exc import BleakError
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import advert, frames, handshake, keys, spec
from tests.bench.scenes import emask, image
from tools import signing
from tools.authority import keyring
from tools.bench.attack.between import Between
from tools.bench.attack.stage import Stage
from tools.kiosk.channel import Channel, VisitError
from tools.kiosk.session import _hand_list
from tools.kiosk.wish import Wish


@pytest.fixture
def stage(tmp_path):
    with Stage(image(), tmp_path) as made:
        yield made


def heard_of(stage):
    """Identifiers that are sent from now on, as they come: (slot, identifier)."""
    sent = []
    push = stage.bench.medium.push

    def pushed(event):
        found = advert.decode(event.params.data)
        if found:
            sent.append((int(stage.bench.utc_s()) // spec.SLOT_S, found[1]))
        push(event)

    stage.bench.medium.push = pushed
    return sent


def test_keys_that_were_uploaded_do_not_follow_their_owner(stage):
    assert stage.run(stage.visit()).complete
    sent = heard_of(stage)
    stage.wait(4 * spec.SLOT_S)
    own = [keys.unpack(record) for record in stage.held()["KEY"]]

    def show(_):
        stage.engine.at(stage.node.name, stage.engine.now_us + 8_000_000, stage.press, 2500.0)

    assert stage.run(stage.visit(wish=Wish(code="ABCDEFGHJKLM"), show=show)).upload == "taken"
    slot = int(stage.bench.utc_s()) // spec.SLOT_S
    stage.wait(4 * spec.SLOT_S)
    known = set()
    for key in own:
        chain = key.chain(key.first_slot)
        for _ in range(14 * spec.SLOTS_PER_DAY):
            known.add(chain.id())
            chain.step()
    before = {ident for at, ident in sent if at <= slot}
    after = {ident for at, ident in sent if at > slot}
    assert len(before) >= 2 and before <= known
    assert len(after) >= 3 and not after & known


class Tap(Between):
    """Notes every frame of a visit; `forge(kind, body)` may put another answer in the token's place."""

    def __init__(self, client, forge=None):
        super().__init__(client)
        self.forge = forge
        self.written, self.joined = [], {}
        self._joiner = frames.Joiner(1024)
        self._sequence = 0

    async def start_notify(self, characteristic, callback):
        def heard(sender, data):
            message = self._joiner.feed(bytes(data))
            if message is None:
                return
            self.joined[message[0]] = bytes(message[1])
            kind, body = self.forge(*message) if self.forge else message
            for frame in frames.split(kind, body, self.mtu_size - 3, self._sequence):
                callback(sender, bytearray(frame))
                self._sequence = self._sequence + 1 & 0xFF

        await super().start_notify(characteristic, heard)

    async def write_gatt_char(self, characteristic, data, response=None):
        self.written.append(bytes(data))
        await super().write_gatt_char(characteristic, data, response=response)


def tapped(stage, name="station", forge=None, wish=None):
    """(result or the reason why there is none, Tap)."""
    made = []
    try:
        result = stage.run(stage.visit(name, wish, over=lambda client: made.append(Tap(client, forge)) or made[0]))
    except VisitError as error:
        result = str(error)
    return result, made[0]


def test_recorded_visit_played_again_changes_nothing(stage):
    stage.wait(400)
    _, tap = tapped(stage, wish=Wish(to_shelf=True))
    assert tapped(stage, wish=Wish(handover=True))[0].complete
    before = stage.held()
    asked = []

    async def play():
        async with await stage.client("other") as client:
            await client.start_notify(spec.TX_UUID, lambda _, data: asked.append(bytes(data)))
            try:
                for frame in tap.written:
                    await client.write_gatt_char(spec.RX_UUID, frame, response=True)
                    await asyncio.sleep(2)
            except BleakError:
                pass

    stage.run(play())
    stage.wait(20)
    assert stage.held() == before
    assert [frame[2] for frame in asked[:3]] == [spec.NONCE, spec.REFUSED, spec.REFUSED], "and the session is refused"


@pytest.mark.parametrize("which", ["of another visit", "noise", "one bit"])
@pytest.mark.parametrize("kind", [spec.STATUS, spec.UPLOAD])
def test_answer_that_a_bystander_injects_is_not_believed(stage, kind, which):
    _, earlier = tapped(stage)

    def forge(found, body):
        if found != kind:
            return found, body
        forged = {"of another visit": earlier.joined[kind], "noise": bytes(len(body)), "one bit": bytes(body)}[which]
        return kind, forged[:-1] + bytes((forged[-1] ^ (which == "one bit"),))

    result, _ = tapped(stage, forge=forge)
    assert isinstance(result, str), "the kiosk took it"
    assert not stage.bench.kiosks["station"].folder.uploads()


def test_list_that_one_kiosk_withholds_comes_from_the_next_and_the_age_is_told(stage):
    first = stage.publish(5, 3)
    assert stage.run(stage.visit()).list == "taken"
    stage.publish(5, 4, only="other")
    withheld = stage.run(stage.visit("station"))
    assert withheld.list == "had it" and withheld.status["list_issued_s"] == first.header.issued_s
    assert stage.run(stage.visit("other")).list == "taken"
    assert stage.run(stage.visit("station")).status["list_serial"] == 4


def test_stolen_kiosk_opens_no_visit_that_was_recorded(stage):
    """With all that it holds, and with the authority's keys too; only the key of that visit opens it."""
    folder = stage.bench.kiosks["station"].folder
    drawn = []
    chance = folder.chance

    def watched(count):
        drawn.append(chance(count))
        return drawn[-1]

    folder.chance = watched
    result, tap = tapped(stage)
    assert result.complete and len(drawn) == 1
    joiner = frames.Joiner(512)
    sent = dict(filter(None, map(joiner.feed, tap.written)))
    info = handshake.STATUS_INFO + handshake.transcript(tap.joined[spec.NONCE], sent[spec.SESSION])
    sealed = tap.joined[spec.STATUS]
    seed = signing.load_signing_key(folder.path / "kiosk.key").private_bytes_raw()
    stolen = [seed, keyring.seal_key(stage.bench.provision.folder).private_bytes_raw()]
    opens = [signing.unseal(X25519PrivateKey.from_private_bytes(key), info, sealed) is not None for key in stolen]
    assert opens == [False, False]
    assert signing.unseal(X25519PrivateKey.from_private_bytes(drawn[0]), info, sealed), "the key of the visit opens it"
    everything = [path.read_bytes() for path in stage.bench.out.rglob("*") if path.is_file()]
    assert not any(drawn[0] in data or drawn[0].hex().encode() in data.lower() for data in everything)
    assert any(seed.hex().encode() in data.lower() or b"PRIVATE KEY" in data for data in everything)


def test_one_press_lets_one_peer_in_and_no_press_none(stage):
    async def tries():
        device = await stage.find()
        client_class = stage.bench.kiosks["station"].classes[1]
        async with client_class(device, timeout=5):
            pass
        with pytest.raises(TimeoutError):
            async with client_class(device, timeout=55):
                pass

    stage.run(tries())
    with pytest.raises(TimeoutError):
        stage.run(asyncio.wait_for(unpressed(stage), 400))


async def unpressed(stage):
    """Wait for a connectable advert that is no door's."""
    found = asyncio.Event()
    scanner = stage.bench.kiosks["station"].classes[0]

    def seen(device, data):
        if device.details["connectable"] and spec.DOOR_UUID not in data.service_uuids:
            found.set()

    async with scanner(detection_callback=seen, service_uuids=None):
        await found.wait()


async def through_the_door(stage, work):
    """Connect at the next door and do work(channel)."""
    async with stage.bench.kiosks["station"].classes[1](await stage.door(), timeout=2) as client:
        channel = Channel(client, 15)
        await channel.open()
        return await work(channel)


def test_who_comes_through_the_door_without_a_list_gets_numbers_and_is_dropped(stage):
    assert stage.run(stage.visit()).complete
    before = stage.held()

    async def asks(channel):
        tries = (spec.HELLO, b"\2"), (spec.BLINK, b"")
        answers = [await channel.ask(kind, body, *range(64, 71)) for kind, body in tries]
        await asyncio.sleep(6)
        return answers, channel._client.is_connected

    answers, still_there = stage.run(through_the_door(stage, asks))
    assert answers == [(spec.REFUSED, bytes((spec.REFUSED_NOT_NOW,)))] * 2 and not still_there
    assert stage.held() == before


def test_list_that_nobody_signed_does_not_come_through_the_door(stage):
    assert stage.run(stage.visit()).complete
    good = stage.publish(30, 5)
    forged = bytearray(good.data)
    forged[good.content_end(0) - 1] ^= 1

    async def offers(channel):
        return await _hand_list(channel, dataclasses.replace(good, data=bytes(forged)), None)

    assert stage.run(through_the_door(stage, offers)) == "not signed for this token"
    assert stage.held()["LIST"] != [], "and the good one still comes"
    assert stage.run(through_the_door(stage, lambda channel: _hand_list(channel, good, None))) == "taken"


def test_flood_of_connections_costs_a_bounded_charge():
    done = emask("bench", "attack", "flood", "--json")
    facts = json.loads(done.stdout)
    by_case = {row["case"]: row for row in facts["rows"]}
    assert done.exit_code == 0 and all(row["connections"] == (row["case"] != "nobody") for row in facts["rows"])
    doors = facts["doors"]
    assert doors["connections"] >= 3 and doors["held_s"] <= 90 + 45 + 2 * 4 * doors["hours"]
    assert 0 < doors["mah_a_day"] < 4
    assert 0 < by_case["visit"]["mah"] < by_case["dragging"]["mah"] < 3
    assert facts["worst_percent_of_battery"] < 1
