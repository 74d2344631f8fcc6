# Facts about a visit frame by frame, against the firmware on the VM: any MTU, clients that only read, cuts anywhere,
# peers that say nothing. Knows the stage; the messages are the kiosk's own.
import asyncio
import json

import pytest
from bleak.exc import BleakError

from emask import frames, messages, spec
from tests.bench.other_clients import LossyClient, ReadingClient
from tests.bench.scenes import emask, image
from tools.bench.attack.between import Between
from tools.bench.attack.stage import Stage
from tools.kiosk.channel import VisitError

MTUS = (23, 50, 185, 247, 517)


@pytest.fixture
def stage(tmp_path):
    with Stage(image(), tmp_path) as made:
        yield made


class Cut(Between):
    """Counts frames in both directions; after so many the link is gone."""

    def __init__(self, client, after=1 << 30):
        super().__init__(client)
        self.after, self.frames = after, 0

    async def _count(self):
        self.frames += 1
        if self.frames > self.after:
            await self.client.disconnect()
            raise BleakError("the connection was lost")

    async def start_notify(self, characteristic, callback):
        def heard(sender, data):
            self.frames += 1
            if self.frames <= self.after:
                callback(sender, data)

        await super().start_notify(characteristic, heard)

    async def write_gatt_char(self, characteristic, data, response=None):
        await self._count()
        await super().write_gatt_char(characteristic, data, response=response)


async def cut_after(stage, count, name="station"):
    """A visit whose link goes after so many frames, or that ends: its Cut."""
    made = []

    def over(client):
        made.append(Cut(client, count))
        return made[0]

    try:
        async with asyncio.timeout(60):
            await stage.visit(name, over=over)
    except (VisitError, BleakError, TimeoutError):
        pass
    return made[0]


@pytest.mark.parametrize("mtu", MTUS)
def test_visit_with_a_list_is_whole_at_any_mtu(stage, mtu):
    stage.publish(60, 7)
    stage.radio("station", mtu=mtu)
    result = stage.run(stage.visit())
    assert result.complete and result.list == "taken"
    assert "visit done" in stage.said()


@pytest.mark.parametrize("mtu", MTUS)
def test_client_that_never_subscribes_is_served_by_reading(stage, mtu):
    stage.publish(60, 7)
    stage.radio("station", mtu=mtu)
    made = []
    result = stage.run(stage.visit(over=lambda client: made.append(ReadingClient(client)) or made[0]))
    assert result.complete and result.list == "taken" and result.status["protocol"] == 2
    assert made[0].asked_again, "no answer had two frames"


@pytest.mark.parametrize("mtu", MTUS)
def test_client_that_loses_notifications_asks_again(stage, mtu):
    stage.radio("station", mtu=mtu)
    made = []
    result = stage.run(stage.visit(over=lambda client: made.append(LossyClient(client, 0.4, mtu)) or made[0]))
    assert result.complete
    assert made[0].lost and made[0].asked_again


@pytest.mark.parametrize("erase_us", [70_000, 500_000])
def test_list_streams_without_filling_the_stack_of_a_slow_token(stage, erase_us):
    """500 ms is what the flash may take at most: meanwhile nothing is read."""
    stage.node.config.board.time_us["flash_erase"] = erase_us
    stage.radio("station", mtu=247)
    stage.publish(400, 7)
    result = stage.run(stage.visit())
    assert result.list == "taken" and stage.said()[-1] in ("visit done", "match records=400 alert=0")


def test_visit_takes_the_time_that_is_aimed_at():
    done = emask("bench", "visit", "--records", 0, "--records", 300, "--days", 1, "--json")
    rows = json.loads(done.stdout)["rows"]
    assert [row["visit"] for row in rows] == ["new kiosk", "nothing new", "300 new records"]
    assert rows[1]["link_s"] < 2 and rows[2]["link_s"] < 5
    assert rows[1]["crypto_s"] < rows[0]["crypto_s"] < 3


def test_visit_may_be_cut_at_any_frame_and_the_next_one_is_whole(stage):
    stage.radio("station", mtu=185)
    whole = stage.run(cut_after(stage, 1 << 30)).frames
    assert whole >= 12
    for count in range(whole):
        stage.run(cut_after(stage, count))
        assert count % 3 or stage.run(stage.visit()).complete, f"after {count} frames"
    said = stage.said()
    assert said.count("visit broken") == whole - 1, "only the cut behind BYE leaves a visit that is done"
    assert not any("crash" in line for line in said)


def test_second_kiosk_finishes_the_list_that_the_first_began(stage):
    stage.publish(150, 7)
    whole = stage.run(cut_after(stage, 1 << 30)).frames
    stage.publish(150, 8)
    blocks = []
    for count in (whole - 1, whole // 2):  # in the last block, then in the one before
        stage.run(cut_after(stage, count))
        blocks.append(stage.held()["LISTINFO"][0][41])
    done = stage.run(cut_after(stage, 1 << 30, "other"))
    assert blocks[0] >= 1 and blocks[1] >= blocks[0]
    assert done.frames < whole - 10, "it sent again what the token had"
    assert stage.run(stage.visit()).status["list_serial"] == 8


def test_peer_that_says_nothing_is_dropped_and_the_token_goes_on(stage):
    async def connected_s():
        async with await stage.client() as client:
            since_s = stage.now_s
            while client.is_connected:
                await asyncio.sleep(0.1)
            return stage.now_s - since_s

    assert 14 < stage.run(connected_s()) < 17
    assert stage.run(stage.visit()).complete


@pytest.mark.parametrize("what", ["frames", "asks again", "blinks"])
def test_peer_that_drags_on_is_dropped_after_three_minutes(stage, what):
    body = messages.pack(spec.HELLO, 9)
    frame = next(iter(frames.split(spec.HELLO, body, 20, 0)))

    async def drag():
        async with await stage.client() as client:
            since_s, number = stage.now_s, 0
            while client.is_connected:
                frame_now = {
                    "frames": bytes((number & 0xFF,)) + frame[1:],
                    "asks again": bytes((number & 0xFF, 4)),
                    "blinks": bytes((number & 0xFF, 3, spec.BLINK, 0, 0)),
                }[what]
                try:
                    await client.write_gatt_char(spec.RX_UUID, frame_now, response=True)
                except BleakError:
                    break
                number += 1
                await asyncio.sleep(13)
            return stage.now_s - since_s

    assert 170 < stage.run(drag()) < 200
    stage.wait(330)
    assert stage.said()[-1].startswith("minute"), "no window after the visit"
    assert stage.run(stage.visit()).complete
