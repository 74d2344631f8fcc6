# Facts about what leaves a token in a run: in the air, in the log, in what it prints. Knows air and flash images.
# Each check is also shown something that it must find.
from __future__ import annotations

from pathlib import Path

import pytest

from emask import advert, spec
from tests.bench.scenes import COMPANY, Sent, listen_in, mounted, play, sightings, write
from tools.bench.medium import ADV_IND, ADV_SCAN_IND

NON_RESOLVABLE, STATIC = 0, 3  # top two bits of a random address

CARELESS = """
import bluetooth, time
ble = bluetooth.BLE()
ble.active(True)
head = bytes.fromhex("02010603 03564e0fffb522".replace(" ", ""))
def send(number):
    ble.gap_advertise(50000, adv_data=head + bytes([number] * 12), connectable=False)
    time.sleep(1)
if PUBLIC:
    send(1)
    ble.gap_advertise(None)
ble.config(addr_mode=3)
send(2)
send(3)
print("heard", (head + bytes([2] * 12)).hex())
time.sleep(9)
"""
CARELESS_SCENE = """
version = 1
name = "careless"
duration_s = 6
[[node]]
name = "n"
script = "careless.py"
"""


def complaints(sent: list[Sent]) -> list[str]:
    """What the adverts of a run betray: factory addresses, an address with two identifiers, an identifier that comes
    back."""
    found = [f"{s.radio} sent from its factory address" for s in sent if s.addr_type == 0]
    by_address: dict[bytes, set[bytes]] = {}
    by_identifier: dict[bytes, set[int]] = {}
    for s in sent:
        decoded = advert.decode(s.data)
        by_address.setdefault(s.addr, set()).add(decoded[1] if decoded else s.data)
        if decoded:
            by_identifier.setdefault(decoded[1], set()).add(s.t_us // 1_000_000)
    found += ["an address carries two identifiers" for told in by_address.values() if len(told) > 1]
    found += ["an identifier outlives its slot" for at in by_identifier.values() if max(at) - min(at) > 900]
    return sorted(set(found))


def secrets(run, sent: list[Sent]) -> set[bytes]:
    """Every key, identifier and address that the run knew: from the flash images and from the air."""
    known = {s.addr for s in sent} | {decoded[1] for s in sent if (decoded := advert.decode(s.data))}
    for node in run.nodes.values():
        kept = mounted(node)
        for _, payload in kept.read(spec.KEY, 0, 0xFFFFFFFF):
            known.add(bytes(payload[-32:]))
        known |= {ident for _, ident in sightings(node)[0]}
        found = kept.latest(spec.STATE)
        if found:
            known.add(bytes(found[1][-32:]))  # entropy pool
    return {secret for secret in known if any(secret)}


def told(folder: Path, known: set[bytes], names: str) -> list[str]:
    """Files that hold a secret as text (hex, either case, with colons, reversed) or as bytes."""
    guilty = []
    for path in sorted(folder.glob(names)):
        data = path.read_bytes()
        text = data.lower()
        for secret in known:
            shapes = {secret, repr(secret).encode()[2:-1]}
            for order in (secret, secret[::-1]):
                shapes |= {order.hex().encode(), order.hex(":").encode(), order.hex("-").encode()}
            if any(shape in (data if shape is secret else text) for shape in shapes):
                guilty.append(path.name)
                break
    return guilty


@pytest.fixture(scope="module", params=["light", "deep"])
def company(request, tmp_path_factory):
    """A run over several slots with visits, a battery pulled and a reset; all that was sent."""
    folder = tmp_path_factory.mktemp("leaks")
    text = COMPANY.replace("SLEEP", request.param).replace("duration_s = 1500", "duration_s = 3700")
    text += '[[event]]\nat_s = 2500\ndo = "reset"\nnode = "token-02"\n'
    sent: list[Sent] = []
    run = play(write(folder, text), folder / "out", before=lambda run: listen_in(run, sent))
    return run, sent


def test_tokens_betray_nothing_by_their_addresses(company):
    _, sent = company
    beacons = [s for s in sent if advert.decode(s.data)]
    assert len(beacons) > 500 and len({s.addr for s in beacons}) > 60
    assert complaints(sent) == []


def test_beacons_are_not_connectable_and_visits_say_no_identifier(company):
    """MicroPython's adverts that are not connectable are scannable: so the answer must be empty."""
    _, sent = company
    kinds = {(s.adv_type, advert.decode(s.data) is not None, s.addr[0] >> 6) for s in sent}
    assert kinds == {(ADV_SCAN_IND, True, NON_RESOLVABLE), (ADV_IND, False, STATIC)}
    assert {s.scan_rsp for s in sent if s.adv_type == ADV_SCAN_IND} == {b""}
    visits = {(s.data, s.scan_rsp) for s in sent if s.adv_type == ADV_IND}
    assert len(visits) == 2, "the advert of a visit is the same for all tokens, and that of a door"


def test_each_door_has_an_address_of_its_own_that_no_beacon_and_no_visit_has(company):
    _, sent = company
    door = bytes.fromhex(spec.DOOR_UUID.replace("-", ""))[::-1]
    opened = {}
    for s in sent:
        if s.adv_type == ADV_IND and door in s.data:
            opened.setdefault(s.addr, []).append(s.t_us)
    assert len(opened) >= 4 and all(max(at) - min(at) <= 400_000 for at in opened.values())
    assert not set(opened) & {s.addr for s in sent if door not in s.data}


def test_identifiers_change_with_the_slot_and_none_serves_two_tokens(company):
    run, sent = company
    by_token = {name: set() for name in run.nodes}
    for s in sent:
        decoded = advert.decode(s.data)
        if decoded:
            by_token[s.radio].add(decoded[1])
    assert all(len(found) >= 4 for found in by_token.values())
    assert not set.intersection(*by_token.values())


def test_no_line_of_the_log_or_of_what_is_printed_holds_a_secret(company):
    run, sent = company
    known = secrets(run, sent)
    assert len([s for s in known if len(s) == 32]) >= 4 and len([s for s in known if len(s) == 12]) >= 8
    assert [told(run.out, known, names) for names in ("*.jsonl", "*.txt", "station/log.jsonl")] == [[], [], []]
    assert (run.out / "station" / "log.jsonl").stat().st_size > 0
    assert told(run.out, known, "*.flash") == ["token-01.flash", "token-02.flash"], "the search finds what is there"


@pytest.mark.parametrize("public", [True, False])
def test_check_of_addresses_finds_a_careless_program(tmp_path, public):
    (tmp_path / "careless.py").write_text(CARELESS.replace("PUBLIC", str(public)))
    sent: list[Sent] = []
    run = play(write(tmp_path, CARELESS_SCENE), tmp_path / "out", before=lambda run: listen_in(run, sent))
    assert "an address carries two identifiers" in complaints(sent)
    assert ("n sent from its factory address" in complaints(sent)) is public
    assert told(run.out, {bytes([2] * 12)}, "*.txt") == ["n.txt"] and told(run.out, {bytes([9] * 12)}, "*.txt") == []


def test_check_of_identifiers_finds_one_that_lives_too_long():
    data = bytes.fromhex("0201060303564e0fffb522") + bytes(range(12))
    sent = [Sent("n", t * 1_000_000, 3, 1, bytes([t // 10, 0, 0, 0, 0, 0]), data, b"") for t in (10, 905, 911)]
    assert complaints(sent[:2]) == [] and complaints(sent) == ["an identifier outlives its slot"]
