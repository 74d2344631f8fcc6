"""Facts about what a phone keeps and how it comes by it: certificate, lists, codes, uploads; and what it computes."""

import json
import random
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import keylist, spec
from tests.kiosk.browser import on, tap
from tests.kiosk.hall_rig import SEEN
from tests.phone.emulation import FakeAir, bluetooth_chromium
from tests.phone.phone_rig import Phone, built, opened, served
from tests.tools import web_server
from tests.tools.fake_token import FakeToken
from tests.tools.unreliable import Unreliable
from tests.tools.world import NOW_S, World
from tools import signing
from tools.authority import core, intake, keyring
from tools.kiosk.hall import report
from tools.kiosk.wish import Wish
from tools.phone import table

__all__ = ["bluetooth_chromium"]
SLOT = NOW_S // spec.SLOT_S
RECORDS = [keylist.pack_record(bytes([n % 251]) * 32, 1000 + n, 0, 96) for n in range(400)]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    own = World(tmp_path_factory.mktemp("keeping"))
    built(own.path / "page", own.root, [own.written("new.eml", own.list_file(RECORDS, issued_s=NOW_S - 3600))])
    return own


@pytest.fixture(scope="module")
def server(world):
    app = Unreliable(world.path / "page")
    with web_server.served(app) as address:
        yield app, address


@pytest.fixture
def phone(bluetooth_chromium, server):
    with opened(bluetooth_chromium, server[1] + "/index.html", NOW_S) as own:
        on(own.page, "start")
        yield own


@pytest.fixture(scope="module")
def computer(bluetooth_chromium, server):
    """A phone for facts that leave nothing in it."""
    with opened(bluetooth_chromium, server[1] + "/index.html", NOW_S) as own:
        on(own.page, "start")
        yield own


def names(phone, store="lists"):
    return phone.module("keep.js", f"await m.names('{store}')")


def refresh(phone):
    """What lists.refresh() says, or the text of its FetchError."""
    return phone.module(
        "lists.js",
        "await m.refresh(new URL('lists/', location.href).href, 0, unhex(site.ROOT)).catch((error) => error.message)",
    )


# -- who the phone is


def keeper(phone):
    phone.page.goto(phone.url.replace("index.html", "keeper.html"))
    phone.page.wait_for_selector("body[data-ready]")


def file_of(phone, field, name, data):
    phone.page.set_input_files(f"#{field}", {"name": name, "mimeType": "text/plain", "buffer": data})


def said(phone, text):
    phone.page.wait_for_function("text => document.body.innerText.includes(text)", arg=text)


def saved_key(phone):
    with phone.page.expect_download() as saved:
        phone.page.click("[data-action=key]")
    return bytes.fromhex(saved.value.path().read_text().strip())


def test_keeper_saves_the_key_and_gives_the_authority_s_certificate_back(phone, world, tmp_path):
    keeper(phone)
    said(phone, "Chưa được chứng nhận")
    public = saved_key(phone)
    other = core.certify_kiosk(World(tmp_path).authority, public, 0, NOW_S)[1]
    file_of(phone, "certificate", "a.cert", other)
    said(phone, "Không nhận")
    file_of(phone, "certificate", "b.cert", (world.kiosk.path / "kiosk.cert").read_bytes())
    said(phone, "Không nhận")
    file_of(phone, "certificate", "c.cert", core.certify_kiosk(world.authority, public, 0, NOW_S)[1])
    said(phone, "Được chứng nhận")
    assert saved_key(phone) == public


def test_certificate_comes_from_the_site_of_lists(phone, world):
    public = bytes.fromhex(phone.module("identity.js", "hex(await m.publicKey())"))
    name = signing.certificate_name(public)
    assert phone.module("identity.js", "await m.certificateName()") == name
    (world.path / "page/lists" / name).write_bytes(core.certify_kiosk(world.authority, public, 0, NOW_S)[1])
    refresh(phone)
    assert phone.module("identity.js", f"(await m.load(unhex(site.ROOT), {NOW_S})).holds") is True
    assert phone.module("identity.js", f"(await m.load(unhex(site.ROOT), {NOW_S} + 15 * 86400)).holds") is False


def test_key_never_leaves_the_browser(phone):
    phone.module("identity.js", "await m.publicKey()")
    tried = "await (async () => { const { privateKey } = await m.get('facts', 'key'); return [privateKey.extractable,"
    tried += " await crypto.subtle.exportKey('pkcs8', privateKey).catch((error) => error.name)]; })()"
    assert phone.module("keep.js", tried) == [False, "InvalidAccessError"]


def test_phone_whose_certificate_ended_says_so_and_serves_nobody(bluetooth_chromium, server, world):
    own = Phone(bluetooth_chromium, server[1] + "/index.html", NOW_S)
    on(own.page, "start")
    own.certify(world.authority)
    on(own.page, "start")
    own.set_clock(NOW_S + 15 * spec.DAY_S)
    own.page.reload()
    on(own.page, "closed")
    assert "P21" in own.text() and own.page.locator("[data-tap=find]").count() == 0
    own.close()


# -- lists


def test_list_whose_line_broke_comes_at_the_next_time(phone, server):
    app, _ = server
    assert refresh(phone) == {"taken": 0, "refused": 0} and len(names(phone)) == 1
    phone.module("keep.js", "await m.clear('lists')")
    app.cut, app.cuts = 9000, 1
    assert "line broke" in refresh(phone)
    assert names(phone) == []
    assert refresh(phone) == {"taken": 1, "refused": 0} and names(phone, "parts") == []


def test_list_that_is_half_here_is_asked_for_from_there_on(phone, server, world):
    app, _ = server
    (path,) = (world.path / "page/lists").glob("*.eml")
    phone.module("keep.js", "await m.clear('lists')")
    half = list(path.read_bytes()[:9000])
    phone.module("keep.js", f"await m.put('parts', '{path.name}', Uint8Array.from(given))", half)
    app.asked.clear()
    assert refresh(phone) == {"taken": 1, "refused": 0} and names(phone, "parts") == []
    assert [asked for asked_path, asked in app.asked if asked_path.endswith(".eml")] == ["bytes=9000-"]


def test_newer_list_takes_the_place_of_the_older_and_damaged_ones_are_not_kept(phone, world):
    folder = world.path / "page/lists"
    built(world.path / "page", world.root, [world.written("9.eml", world.list_file(RECORDS, serial=9))])
    assert refresh(phone) == {"taken": 1, "refused": 0}
    (name,) = names(phone)
    phone.module("keep.js", "await m.clear('lists')")
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1] + b"\xff")
    assert refresh(phone) == {"taken": 0, "refused": 1} and names(phone) == []
    (folder / name).write_bytes(whole)
    assert refresh(phone) == {"taken": 1, "refused": 0}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": "emask-lists/1", "lists": [{"name": "../x.eml"}]}', " " * 70_000]
)
def test_index_that_is_none_takes_nothing_away(phone, world, text):
    path, here = world.path / "page/lists/index.json", names(phone)
    before = path.read_bytes()
    path.write_text(text)
    assert "index" in refresh(phone) and names(phone) == here
    path.write_bytes(before)


def test_list_of_another_authority_is_not_kept(computer, world, tmp_path):
    stranger = World(tmp_path)
    data = list(stranger.list_file(RECORDS[:9], serial=11))
    said = computer.module(
        "wire.js", "await m.list(Uint8Array.from(given), unhex(site.ROOT)).catch((error) => error.message)", data
    )
    assert "not signed by that root" in said


def found(phone, call):
    """Kind and serial of each list that `call` over lists.js gives, the sound ones being `held`."""
    what = f"await (async () => {{ const held = await m.sound(unhex(site.ROOT)); return {call}; }})()"
    return [(facts["kind"], facts["serial"]) for facts in phone.module("lists.js", what)]


def test_list_of_contacts_is_for_who_has_the_list_of_the_ill(phone, world):
    sources = [
        world.written("20.eml", world.list_file(RECORDS[:40], serial=20)),
        world.written("4.eml", world.list_file(RECORDS[:9], serial=4, kind=spec.F1_LIST)),
    ]
    built(world.path / "page", world.root, sources)
    refresh(phone)
    ill, contacts = (spec.F0_LIST, 20), (spec.F1_LIST, 4)
    assert found(phone, "held.map(({ facts }) => facts)") == [ill, contacts]
    assert found(phone, "[3, 20].map((serial) => m.fitting(held, serial, 0).facts)") == [ill, contacts]


def test_stranger_s_phone_offers_the_list_of_contacts_to_who_had_the_other(computer):
    answers = """await (async () => {
        const { bring } = await import("./visit.js"), spec = await import("./spec.js");
        const kinds = [spec.F0_LIST, spec.F0_LIST, spec.F1_LIST], data = new Uint8Array(178);
        const lists = kinds.map((kind) => ({ data, facts: { kind } }));
        return Promise.all(given.map(async (results) => {
            const asked = [];
            const ask = async (kind) => (asked.push(kind), { kind: spec.LIST_ACK, body: [results[asked.length - 1]] });
            await bring({ open: async () => {}, ask }, lists, () => {});
            return asked.length - 1;
        }));
    })()"""
    had, taken, gap = spec.LIST_OLD_SERIAL, spec.LIST_OK, spec.LIST_GAP
    asked = computer.module("bytes.js", answers, [[taken], [had, taken], [gap, taken], [gap, had, had]])
    assert asked == [1, 2, 2, 3]


def test_change_of_the_root_is_shown_to_tokens(bluetooth_chromium, tmp_path):
    own, page, air = World(tmp_path), tmp_path / "page", FakeAir()
    core.change_root(own.authority, NOW_S)
    root = keyring.root_public(own.authority)
    built(page, root, [own.authority / signing.ROOT_CHANGE])
    with served(page) as url:
        phone = Phone(bluetooth_chromium, url, NOW_S)
        on(phone.page, "start")
        phone.certify(own.authority)
        token = FakeToken(root, serial=2)
        token.shelf, token.status = False, SEEN
        with phone.bluetooth(air):
            air.press(token)
            phone.find("which")
            tap(phone.page, "yes", "closer")
        phone.close()
    assert phone.problems == []
    asked = token.heard[token.heard.index(spec.HELLO) :]
    assert asked[:3] == [spec.HELLO, spec.ROOT, spec.SESSION]


def test_change_to_another_root_than_the_page_s_is_not_kept(computer, tmp_path):
    other = World(tmp_path)
    core.change_root(other.authority, NOW_S)
    change, cert = (other.authority / signing.ROOT_CHANGE).read_bytes(), (other.kiosk.path / "kiosk.cert").read_bytes()
    taken = "await m.takeChange(Uint8Array.from(given), unhex(site.ROOT)).catch((error) => error.message)"
    assert computer.module("identity.js", taken, list(change)) is False
    assert computer.module("identity.js", taken, list(cert)) == "not a change of the root"


def test_certificate_of_another_root_makes_nobody_a_kiosk_and_gives_way(phone, world, tmp_path):
    other, public = World(tmp_path), bytes.fromhex(phone.module("identity.js", "hex(await m.publicKey())"))
    phone.module(
        "keep.js",
        "await m.put('facts', 'certificate', Uint8Array.from(given))",
        list(core.certify_kiosk(other.authority, public, 0, NOW_S)[1]),
    )
    assert phone.module("identity.js", f"await m.load(unhex(site.ROOT), {NOW_S})") is None
    phone.certify(world.authority)
    on(phone.page, "start")
    assert phone.page.locator("[data-tap=staff]").count() == 1


# -- codes and uploads


def test_upload_waits_sealed_and_the_authority_takes_it(bluetooth_chromium, server, world):
    own = Phone(bluetooth_chromium, server[1] + "/index.html", NOW_S)
    on(own.page, "start")
    own.certify(world.authority)
    keeper(own)
    code = intake.issue_codes(world.authority, 1, NOW_S)[0]
    file_of(own, "codes", "codes.txt", f"{code}\nrubbish\n".encode())
    said(own, "Mã: 1.")
    own.page.goto(own.url)
    token, air = FakeToken(world.root, serial=99), FakeAir()
    token.shelf, token.upload = False, [keylist.pack_record(bytes(range(32)), SLOT - 200, 0, 150)]
    with own.bluetooth(air):
        air.press(token)
        on(own.page, "start")
        for name, then in (("staff", "staff"), ("upload", "consent"), ("agree", "press")):
            own.page.click(f"[data-tap={name}]")
            on(own.page, then)
        own.page.click("[data-tap=find]")
        on(own.page, "which")
        own.page.click("[data-tap=yes]")
        on(own.page, "given")
    keeper(own)
    said(own, "Mã: 0. Bản gửi đang chờ: 1.")
    with own.page.expect_download() as saved:
        own.page.click("[data-action=export]")
    path = world.path / "upload.json"
    path.write_bytes(saved.value.path().read_bytes())
    assert json.loads(path.read_text())["code"] == code
    assert intake.ingest(world.authority, path, NOW_S + 60)
    own.page.click("[data-action=forget]")
    own.page.click("[data-action=forget]")
    said(own, "Mã: 0. Bản gửi đang chờ: 0.")
    own.close()


# -- what both ends compute alike


def test_report_says_what_the_kiosk_s_says(computer):
    rng = random.Random(8)
    fields = [
        {
            "protocol": 2,
            "firmware": 1,
            "state": rng.choice([0, 2, rng.getrandbits(7)]),
            "battery_mv": rng.choice([3400, 3449, 3450, 3599, 3600, 4000]),
            "list_serial": 3,
            "list_issued_s": rng.choice([0, NOW_S - rng.randrange(20 * spec.DAY_S)]),
            "alert_day": rng.choice([0, spec.ALERT_TAKEN_BACK, NOW_S // spec.DAY_S - 3]),
            "sightings": 1,
            "adverts_heard": rng.choice([0, 32]),
            "adverts_dropped": 0,
            "resets": rng.choice([0, 15, 16]),
            "damaged": rng.choice([0, 0, 1]),
        }
        for _ in range(500)
    ]
    found = computer.module("report.js", f"given.map((status) => m.read(status, {NOW_S}))", fields)
    for status, shown in zip(fields, found, strict=True):
        own = report.read(status, NOW_S)
        days = [None if day is None else {"day": day.day, "month": day.month} for day in (own.day, own.alert_day)]
        assert [shown[key] for key in ("result", "day", "alert_day")] == [own.result, *days], status
        assert (shown["codes"], shown["care"]) == (own.codes, own.care), status


def test_hpke_opens_what_the_library_seals_and_nothing_that_was_changed(computer):
    secret = bytes([5]) * 32
    key = X25519PrivateKey.from_private_bytes(secret)
    for size in (0, 62, 300):
        sealed = signing.SUITE.encrypt(bytes(size), key.public_key(), b"info")
        call = "(async (sealed) => { const got = await m.unseal(await m.newAgreementKey(Uint8Array.from(given[0])), "
        call += "Uint8Array.from(given[2]), Uint8Array.from(sealed)); return got && [...got]; })"
        given = [list(secret), list(sealed), list(b"info")]
        assert computer.module("crypto.js", f"await {call}(given[1])", given) == [0] * size
        given[1][-1] ^= 1
        assert computer.module("crypto.js", f"await {call}(given[1])", given) is None
    low = [list(secret), [0] * 80, list(b"info")]
    assert computer.module("crypto.js", f"await {call}(given[1])", low) is None


SECRET = bytes(range(16))
NONE = {"name": "", "proxy": False, "code": None, "household": None, "pause_min": 0}


ERRANDS = [
    ({}, Wish()),
    ({"name": "handover"}, Wish(handover=True)),
    ({"name": "wipe"}, Wish(wipe=True)),
    ({"name": "upload", "code": "ABCDEFGHJKLM"}, Wish(code="ABCDEFGHJKLM")),
    ({"name": "upload", "proxy": True, "code": "PBCDEFGHJKLM"}, Wish(code="PBCDEFGHJKLM")),
    ({"name": "contact", "code": "1BCDEFGHJKLM"}, Wish(code="1BCDEFGHJKLM")),
    ({"name": "household", "household": list(SECRET)}, Wish(household=SECRET)),
    ({"name": "pause", "pause_min": 480}, Wish(pause_min=480)),
    ({"name": "pause", "pause_min": 0}, Wish(pause_min=0)),
]


def test_token_is_asked_the_same_as_by_a_kiosk(computer):
    packed = """await (async () => {
        const { wish } = await import("./errand.js");
        return Promise.all(given.map(async (errand) => hex(await m.packAsk(wish(errand)))));
    })()"""
    asked = computer.module("wire.js", packed, [NONE | errand for errand, _ in ERRANDS])
    for (errand, wish), found in zip(ERRANDS, asked, strict=True):
        flags = wish.flags()
        head = bytes((flags & 255, wish.days if wish.code else 0, flags >> 8, 0))
        assert bytes.fromhex(found) == head + wish.field(), errand


def test_code_of_each_kind_is_for_its_own_errand_and_none_serves_twice(phone):
    codes = ["ABCDEFGHJKLM", "1BCDEFGHJKLM", "PBCDEFGHJKLM", "BBCDEFGHJKLM"]
    assert phone.module("stock.js", "await m.add(given)", " ".join([*codes, "1BC", "O" * 12])) == 4
    first = "await Promise.all(['plain', 'f1', 'proxy'].map(m.first))"
    assert phone.module("stock.js", first) == codes[:3]
    used = json.dumps({"code": codes[0]})  # its upload is stored, and the page was closed before it was struck out
    phone.module("keep.js", "await m.put('uploads', 'upload-0.json', given)", used)
    assert phone.module("stock.js", first) == [codes[3], *codes[1:3]]


def heard(phone, mode, name, private, fields=None, tag="vi"):
    """What a phone would have spoken of one screen."""
    said = """await (async () => {
        const said = [], { language } = await import("./words.js");
        Object.defineProperty(window, "speechSynthesis", { configurable: true,
            value: { cancel: () => {}, speak: (text) => said.push([text.lang, text.text]) } });
        const [name, secret, fields, tag, mode, number] = given;
        m.say({ name, number, fields }, secret, language(tag), mode);
        return said;
    })()"""
    phone.screens = getattr(phone, "screens", 100) + 1
    return phone.module("voice.js", said, [name, private, fields or {}, tag, mode, phone.screens])


def test_result_is_spoken_to_earphones_only(computer):
    day = {"day": {"day": 24, "month": 11}}
    assert heard(computer, "off", "start", False) == []
    assert heard(computer, "open", "none", True, day) == []
    assert heard(computer, "open", "closer", True, day) == [["vi", "Xin nhìn điện thoại."]]
    ((tag, text),) = heard(computer, "earphones", "none", True, day)
    assert tag == "vi" and "ngày hai mươi bốn tháng mười một" in text


def test_phone_speaks_the_words_that_the_kiosk_speaks(computer):
    fields = {"day": date(2026, 11, 24), "phone": "1900 9095", "code": "P52", "a": 3, "b": 5}
    fields |= {"length": 2, "near": 3, "sure": 1}
    plain = fields | {"day": {"day": 24, "month": 11}}
    for tag, language in table.languages().items():
        for name in table.ROWS:
            assert heard(computer, "earphones", name, True, plain, tag) == [[tag, language.speak(name, **fields)]]
