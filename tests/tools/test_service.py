"""Facts about the authority's web service: what staff may do, what an intake keeps, what two persons release."""

import hashlib
import json
import re

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from emask import spec
from tests.tools.intake_files import NOW_S, upload
from tools import codes, wire
from tools import rule as rules
from tools.authority import core, intake, keyring, listing, retention, signer, staff, store
from tools.authority.signer import Keys
from tools.authority.store import Refused
from tools.authority.web.app import Settings, make_app
from tools.cli import main

PASSWORD = "correct horse battery"


class Clock:
    """A clock that is set."""

    now_s = float(NOW_S)

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "authority"
    core.init(folder, NOW_S)
    for name, role, clinic in (("mai", "clinic", 1), ("an", "release", 0), ("binh", "release", 0), ("chi", "admin", 0)):
        staff.add(folder, name, role, PASSWORD, NOW_S, clinic)
    yield folder
    store.close(folder)


@pytest.fixture
def web(folder, clock, tmp_path):
    return TestClient(make_app(Settings(folder, tmp_path / "site", clock)), raise_server_exceptions=False)


def as_person(web, name):
    answer = web.post("/v1/sessions", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 201
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_upload_is_taken_once_however_often_it_is_sent(web, folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    data = upload(folder, tmp_path / "a", code).read_bytes()
    receipts = [web.post("/v1/uploads", content=data).json() for _ in range(2)]
    assert receipts == [{"records": new, "sha256": hashlib.sha256(data).hexdigest()} for new in (1, 0)]
    other = upload(folder, tmp_path / "b", code, count=9).read_bytes()
    refused = web.post("/v1/uploads", content=other)
    assert (refused.status_code, refused.json()) == (409, {"detail": "the code is used already"})


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", 422), (b"\xff", 422), (b"{}", 422), (b"[" * 9000, 422), (b"x" * 20_000, 413), (b'{"format": 1}', 422)],
)
def test_what_is_no_upload_is_told_so(web, data, status):
    assert web.post("/v1/uploads", content=data).status_code == status


def test_body_without_a_length_is_cut_at_the_bound(web):
    def endless():
        for _ in range(100):
            yield b"x" * 4096

    assert web.post("/v1/uploads", content=endless()).status_code == 413


def test_clinic_gets_codes_for_itself_within_its_quota(web, folder):
    intake.set_quota(folder, 1, codes.PLAIN, 3, NOW_S)
    mai = as_person(web, "mai")
    given = web.post("/v1/codes", json={"count": 2}, headers=mai)
    assert given.status_code == 201 and len(set(given.json()["codes"])) == 2
    refused = web.post("/v1/codes", json={"count": 2}, headers=mai)
    assert (refused.status_code, refused.json()["detail"]) == (409, "clinic 1 may be given 1 more plain codes now")
    assert web.get("/v1/counts", headers=mai).json()["codes_issued"] == 2


def test_nobody_does_what_is_another_roles(web):
    doors = {
        ("post", "/v1/codes"): "mai",
        ("post", "/v1/releases"): "an",
        ("post", "/v1/releases/1/approval"): "an",
        ("post", "/v1/revocations"): "chi",
        ("get", "/v1/audit"): "chi",
    }
    for (method, path), owner in doors.items():
        assert web.request(method, path, json={"serial": 2}).status_code == 401
        for name in ("mai", "an", "chi"):
            answer = web.request(method, path, json={"serial": 2}, headers=as_person(web, name))
            assert (answer.status_code == 403) == (name != owner), (path, name)


def test_token_ends_with_its_time_with_logging_out_and_with_the_account(web, folder, clock):
    late, left, gone = (as_person(web, "mai") for _ in range(3))
    assert web.delete("/v1/sessions", headers=left).status_code == 204
    assert web.get("/v1/counts", headers=left).status_code == 401
    clock.now_s += staff.SESSION_S
    assert web.get("/v1/counts", headers=late).status_code == 401
    gone = as_person(web, "mai")
    staff.disable(folder, "mai", NOW_S)
    assert web.get("/v1/counts", headers=gone).status_code == 401
    assert web.post("/v1/sessions", json={"name": "mai", "password": PASSWORD}).status_code == 409


def test_guessing_a_password_becomes_slow_and_the_answer_tells_nothing(web, clock):
    def tried(name, password):
        return web.post("/v1/sessions", json={"name": name, "password": password})

    assert tried("mai", "wrong").json() == tried("nobody", "wrong").json()
    for _ in range(4):
        tried("mai", "wrong")
    assert "too many" in tried("mai", PASSWORD).json()["detail"]
    clock.now_s += 16
    assert tried("mai", PASSWORD).status_code == 201


def test_passwords_are_long_and_kept_as_hashes(folder):
    with pytest.raises(Refused, match="at least 12"):
        staff.add(folder, "dung", "admin", "short", NOW_S)
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in folder.glob("authority.sqlite*"))


def test_release_needs_two_persons(web, folder, clock):
    an, binh = as_person(web, "an"), as_person(web, "binh")
    number = web.post("/v1/releases", json={"region": 7}, headers=an).json()["id"]
    with pytest.raises(Refused, match="two persons"):
        listing.draft_release(folder, number, NOW_S)
    own = web.post(f"/v1/releases/{number}/approval", headers=an)
    assert (own.status_code, own.json()["detail"]) == (409, "a second person has to agree")
    assert web.post(f"/v1/releases/{number}/approval", headers=binh).status_code == 204
    drafted = listing.draft_release(folder, number, NOW_S + 60)
    assert (drafted.lists[0].terms.serial, drafted.agreed) == (1, ("an", "binh"))
    with pytest.raises(Refused, match="has become list 1"):
        listing.draft_release(folder, number, NOW_S + 120)
    (shown,) = web.get("/v1/releases", headers=an).json()
    assert (shown["state"], shown["proposed_by"], shown["approved_by"], shown["serial"]) == ("drafted", "an", "binh", 1)
    made = signer.sign(drafted, Keys(keyring.holders(folder)), NOW_S + 60)
    assert web.get("/v1/counts", headers=an).json()["last_serial"] == 0
    listing.accept(folder, made.values(), NOW_S + 90)
    assert web.get("/v1/releases", headers=an).json()[0]["state"] == "published"
    assert web.get("/v1/counts", headers=an).json()["last_serial"] == 1


def test_rule_of_a_proposal_is_taken_by_its_bytes(web, folder):
    an, binh = as_person(web, "an"), as_person(web, "binh")
    rule = wire.pack_rule(rules.DEFAULT._replace(minutes=7))
    number = web.post("/v1/releases", json={"rule": rule.hex()}, headers=an).json()["id"]
    web.post(f"/v1/releases/{number}/approval", headers=binh)
    assert listing.draft_release(folder, number, NOW_S).lists[0].terms.rule == rule
    assert web.post("/v1/releases", json={"rule": rule.hex()[2:]}, headers=an).status_code == 422


def test_proposal_is_void_after_a_day(web, folder, clock):
    an, binh = as_person(web, "an"), as_person(web, "binh")
    numbers = [web.post("/v1/releases", json={}, headers=an).json()["id"] for _ in range(2)]
    web.post(f"/v1/releases/{numbers[0]}/approval", headers=binh)
    clock.now_s += 86_401
    binh = as_person(web, "binh")
    assert web.post(f"/v1/releases/{numbers[1]}/approval", headers=binh).status_code == 409
    with pytest.raises(Refused, match="more than a day ago"):
        listing.draft_release(folder, numbers[0], int(clock.now_s))


def test_authority_with_staff_publishes_by_releases_only(folder, tmp_path):
    with pytest.raises(Refused, match="two persons"):
        core.publish(folder, tmp_path / "x.eml", NOW_S)


def test_revocation_goes_into_the_next_list(web, folder):
    serial, _ = core.certify_kiosk(folder, bytes(range(32)), 0, NOW_S)
    chi = as_person(web, "chi")
    assert web.post("/v1/revocations", json={"serial": serial}, headers=chi).status_code == 204
    assert web.post("/v1/revocations", json={"serial": serial}, headers=chi).status_code == 409
    assert web.get("/v1/counts", headers=chi).json()["kiosks_revoked"] == 1


def test_retention_forgets_records_with_their_days_and_keeps_codes_spent(folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    path = upload(folder, tmp_path / "a", code)
    intake.ingest(folder, path, NOW_S)
    assert retention.forget(folder, NOW_S + 10 * spec.DAY_S).records == 0
    done = retention.forget(folder, NOW_S + 22 * spec.DAY_S)
    assert (done.records, done.uploads) == (1, 0)
    with pytest.raises(Refused, match="used already"):
        intake.ingest(folder, upload(folder, tmp_path / "b", code, count=9), NOW_S + spec.DAY_S)
    done = retention.forget(folder, NOW_S + 75 * spec.DAY_S)
    assert (done.uploads, done.codes) == (1, 0) and retention.forget(folder, NOW_S + 75 * spec.DAY_S).uploads == 0


def test_database_that_is_gone_is_told_and_nothing_is_kept(web, folder, tmp_path):
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    data = upload(folder, tmp_path / "a", code).read_bytes()
    (folder / "authority.sqlite").rename(folder / "away")
    answer = web.post("/v1/uploads", content=data)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "60"
    (folder / "away").rename(folder / "authority.sqlite")
    assert web.post("/v1/uploads", content=data).json()["records"] == 1


def test_key_that_signs_lists_is_not_read_by_the_service(web, folder, tmp_path):
    for path in (folder / "keys").glob("list-*"):
        path.unlink()
    (folder / "offline").rename(tmp_path / "put-away")
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    assert web.post("/v1/uploads", content=upload(folder, tmp_path / "a", code).read_bytes()).status_code == 200
    an, binh = as_person(web, "an"), as_person(web, "binh")
    number = web.post("/v1/releases", json={}, headers=an).json()["id"]
    assert web.post(f"/v1/releases/{number}/approval", headers=binh).status_code == 204


def page_of(web, name):
    answer = web.post("/login", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 200
    return answer.text


def test_pages_give_codes_once_in_the_language_that_was_chosen(web):
    assert "Cấp mã" in page_of(web, "mai")
    web.post("/language", data={"language": "en"})
    shown = web.post("/codes", data={"count": 2, "kind": "plain"})
    assert shown.status_code == 201 and len(re.findall(r"<li>\w{4} \w{4} \w{4}</li>", shown.text)) == 2
    again = web.get("/")
    assert "<li>" not in again.text and "Codes given out" in again.text and again.headers["cache-control"] == "no-store"


def test_pages_lead_a_release_through_two_persons(web):
    assert "Đề nghị" in page_of(web, "an")
    assert "chờ người thứ hai" in web.post("/releases", data={"region": 3}).text
    assert 'action="/releases/approve"' not in web.get("/").text
    web.post("/logout")
    assert 'action="/releases/approve"' in page_of(web, "binh")
    assert "có thể ký" in web.post("/releases/approve", data={"number": 1}).text


def test_form_of_another_site_is_refused(web):
    page_of(web, "mai")
    answer = web.post("/codes", data={"count": 1, "kind": "plain"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert web.post("/login", data={"name": "mai", "password": "wrong"}).status_code == 401


def test_load_trial_asks_service_and_peer_the_same():
    done = CliRunner().invoke(main, ["authority", "load", "--uploads", "6", "--reads", "6", "--clients", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert set(found) == {"service", "bare"}
    assert all(found[who][what]["per_second"] > 0 for who in found for what in ("uploads", "lists"))
