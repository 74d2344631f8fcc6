"""Facts about a visit whose frames are notified, as on a real phone: in Chromium, with a double of the characteristic.

The emulated Bluetooth can't push a notification; all above the characteristic is the page's own.
"""

import pytest

from emask import keylist, spec
from tests.kiosk.browser import chromium, on
from tests.phone.phone_rig import built, opened, served
from tests.tools.fake_token import FakeToken
from tests.tools.world import NOW_S, World

__all__ = ["chromium"]
RECORDS = [keylist.pack_record(bytes([n]) * 32, 1000 + n, 0, 96) for n in range(40)]
_VISIT = """async () => {
    const { Channel } = await import("./channel.js"), { visit } = await import("./visit.js");
    const { NOTHING } = await import("./errand.js");
    const identity = await import("./identity.js"), lists = await import("./lists.js");
    const { unhex } = await import("./bytes.js"), { ROOT } = await import("./site.js");
    const tx = new EventTarget();
    tx.startNotifications = async () => {};
    tx.readValue = () => { throw new Error("read"); };
    const rx = { writeValueWithResponse: async (frame) => {
        for (const shown of await toToken([...frame])) {
            tx.value = new DataView(Uint8Array.from(shown).buffer);
            tx.dispatchEvent(new Event("characteristicvaluechanged"));
        }
    } };
    const own = await identity.load(unhex(ROOT), Date.now() / 1000), held = await lists.sound(unhex(ROOT));
    const hooks = { greet: async (blink) => { await blink(); return true; },
        decide: async () => NOTHING, progress: () => {}, show: () => {} };
    try {
        const fitting = (serial) => lists.fitting(held, serial, 0);
        return (await visit(new Channel(rx, tx, 1000), own, () => Date.now(), fitting, hooks)).status.battery_mv;
    } catch (error) {
        return `${error.constructor.name}: ${error.message}`;
    }
}"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    own = World(tmp_path_factory.mktemp("notified"))
    built(own.path / "page", own.root, [own.written("new.eml", own.list_file(RECORDS, issued_s=NOW_S - 3600))])
    return own


@pytest.fixture(scope="module")
def phone(chromium, world):
    with served(world.path / "page") as url, opened(chromium, url, NOW_S) as own:
        on(own.page, "closed")
        own.certify(world.authority)
        own.page.expose_function("toToken", lambda frame: own.to_token(frame))
        yield own


def visited(phone, token):
    """What a visit of `token` gives; its answers come as notifications."""
    came = []
    token.notify = lambda _, frame: came.append(list(frame))

    def to_token(frame):
        came.clear()
        token.write(bytes(frame))
        return list(came)

    phone.to_token = to_token
    return phone.page.evaluate(_VISIT)


def token(world, **how):
    own = FakeToken(world.root, serial=2, **how)
    own.shelf = False
    return own


def test_visit_is_whole(phone, world):
    own = token(world)
    assert visited(phone, own) == 3900
    assert own.serial == 3 and own.heard[-1] == spec.BYE


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("mute", "TokenSilent: the token did not answer"),
        ("bad_frame", "VisitError: a frame of the token does not fit"),
        ("flood", "VisitError: the token sends more"),
        ("other_key", "VisitError: the token shows another key"),
        ("junk_status", "VisitError: the token's status is not sealed"),
        ("junk_upload", "VisitError: the token's answer is not of this visit"),
        ("unasked", "VisitError: the token answers what it was not asked"),
        ("far_offset", "VisitError: the token asks for what lies behind"),
    ],
)
def test_rubbish_ends_the_visit_and_is_named(phone, world, fault, why):
    assert visited(phone, token(world, faults=[fault])).startswith(why)
