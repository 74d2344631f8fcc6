"""Facts about who may hand in an upload: clinics and quotas, kinds of codes, consent by proxy, what the audit keeps."""

import asyncio
import json
import sqlite3

import pytest
from click.testing import CliRunner

from emask import keylist, spec
from tests.tools.fake_token import FakeClient, FakeToken
from tests.tools.world import World
from tools import codes
from tools.authority import core, intake, store
from tools.cli import main
from tools.kiosk import session, wish
from tools.kiosk.channel import VisitError
from tools.kiosk.wish import Wish

NOW_S = 1_700_000_000
SLOT = NOW_S // 900
DAY_S = 86_400


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def new_token(world):
    own = FakeToken(world.root)
    own.upload = [keylist.pack_record(bytes(range(32)), SLOT - 200, 0, 150)]
    return own


@pytest.fixture
def token(world):
    return new_token(world)


def visit(token, kiosk, code):
    return asyncio.run(session.visit(FakeClient(token), lambda: NOW_S + 0.5, kiosk, wish=Wish(code=code)))


def audit(world):
    with store.opened(world.authority) as database:
        return [(what, count) for _, what, count in store.audit(database)]


def proxies(world, count=1, clinic=1):
    intake.set_quota(world.authority, clinic, codes.PROXY, 5, NOW_S)
    return intake.issue_codes(world.authority, count, NOW_S, clinic=clinic, kind=codes.PROXY)


def test_clinic_gets_no_more_codes_than_its_quota_in_14_days(world):
    intake.set_quota(world.authority, 7, codes.PLAIN, 3, NOW_S)
    assert len(intake.issue_codes(world.authority, 2, NOW_S, clinic=7)) == 2
    with pytest.raises(core.Refused, match="1 more"):
        intake.issue_codes(world.authority, 2, NOW_S + DAY_S, clinic=7)
    intake.issue_codes(world.authority, 1, NOW_S + DAY_S, clinic=7)
    with pytest.raises(core.Refused, match="0 more"):
        intake.issue_codes(world.authority, 1, NOW_S + 13 * DAY_S, clinic=7)
    intake.issue_codes(world.authority, 2, NOW_S + 14 * DAY_S, clinic=7)


def test_unknown_clinic_and_kind_without_a_quota_get_none(world):
    with pytest.raises(core.Refused, match="clinic 9"):
        intake.issue_codes(world.authority, 1, NOW_S, clinic=9)
    with pytest.raises(core.Refused, match="proxy"):
        intake.issue_codes(world.authority, 1, NOW_S, kind=codes.PROXY)


def test_quotas_of_kinds_and_clinics_are_apart(world):
    proxies(world, 5)
    with pytest.raises(core.Refused, match="0 more proxy"):
        proxies(world, 1)
    intake.issue_codes(world.authority, 5, NOW_S)
    proxies(world, 5, clinic=2)


def test_first_sign_says_the_kind_and_no_other_code_has_it(world):
    assert all(code.startswith("P") and codes.kind_of(code) is codes.PROXY for code in proxies(world, 5))
    plain = intake.issue_codes(world.authority, 400, NOW_S)
    assert all(codes.kind_of(code) is codes.PLAIN for code in plain) and len({code[0] for code in plain}) > 20


def test_codes_may_hold_shorter_but_not_longer_than_their_kind(world):
    proxies(world, 1)
    intake.issue_codes(world.authority, 1, NOW_S, kind=codes.PROXY, days=14)
    intake.issue_codes(world.authority, 1, NOW_S, days=2)
    with sqlite3.connect(world.authority / "authority.sqlite") as database:
        terms = [row[0] for row in database.execute("SELECT (expires_s - issued_s) / 86400 FROM codes")]
    database.close()
    assert terms == [7, 7, 2]


def test_upload_by_proxy_is_taken_and_recorded_without_anybody(world, token):
    (code,) = proxies(world)
    clinic = world.new_kiosk("clinic", proxy=True)
    assert visit(token, clinic, code).upload == "taken"
    assert token.asked == spec.ASK_UPLOAD | spec.ASK_PROXY
    assert intake.ingest(world.authority, clinic.uploads()[0], NOW_S) == 1
    assert audit(world)[-1] == ("ingest-proxy", 1)


def test_kiosk_that_is_not_certified_for_it_does_not_ask_by_proxy(world, token):
    (code,) = proxies(world)
    with pytest.raises(VisitError, match="for a clinic"):
        visit(token, world.kiosk, code)
    assert spec.ASK not in token.heard and not world.kiosk.uploads()


def test_code_serves_only_the_way_of_agreeing_that_it_was_issued_for(world, monkeypatch):
    """Neither does a pressed upload pass with a proxy's code, nor one that nobody pressed for with a plain code."""
    clinic = world.new_kiosk("clinic", proxy=True)
    for code, ask in ((proxies(world)[0], spec.ASK_UPLOAD), (intake.issue_codes(world.authority, 1, NOW_S)[0], 24)):
        with monkeypatch.context() as patch:
            patch.setattr(Wish, "flags", lambda self, ask=ask: ask)
            assert visit(new_token(world), clinic, code).upload == "taken"
        path = clinic.uploads()[0]
        with pytest.raises(core.Refused, match="way in which the wearer agreed"):
            intake.ingest(world.authority, path, NOW_S)
        path.unlink()
        assert audit(world)[-1] == ("refuse-code", 1)


def test_what_is_refused_is_counted_and_names_nobody(world, token, tmp_path):
    (code,) = intake.issue_codes(world.authority, 1, NOW_S)
    visit(token, world.kiosk, code)
    path = world.kiosk.uploads()[0]
    plain = json.loads(path.read_text())
    (tmp_path / "junk").write_text(json.dumps({**plain, "visit": "11" * 32}))
    with pytest.raises(core.UploadError):
        intake.ingest(world.authority, tmp_path / "junk", NOW_S)
    intake.ingest(world.authority, path, NOW_S)
    (tmp_path / "again").write_text(json.dumps(plain))
    with pytest.raises(core.Refused):
        intake.ingest(world.authority, tmp_path / "again", NOW_S)
    assert audit(world)[-3:] == [("refuse-upload", 1), ("ingest", 1), ("refuse-code", 1)]
    with sqlite3.connect(world.authority / "authority.sqlite") as database:
        rows = str(database.execute("SELECT * FROM audit").fetchall())
    database.close()
    assert code not in rows and plain["visit"] not in rows


def test_visit_that_breaks_before_the_upload_leaves_nothing_and_after_it_the_upload(world):
    """The link is cut at each of the token's frames in turn."""
    kept = []
    for last in range(60):
        own = FakeToken(world.root)
        own.notify_left = last
        send = own._send

        def counted(kind, body, own=own, send=send):
            if own.notify_left:
                own.notify_left -= 1
                send(kind, body)

        own._send = counted
        kiosk = world.new_kiosk(f"kiosk-{last}")
        try:
            complete = _brief_visit(own, kiosk)
        except VisitError:
            complete = False
        kept.append(len(kiosk.uploads()))
        if complete:
            break
    assert kept == [0, 0, 0, 1, 1]  # NONCE, STATUS, UPLOAD, OK


def _brief_visit(token, kiosk):
    wait_s, session.WAIT_S, wish.CONSENT_S = session.WAIT_S, 0.05, 0.05
    try:
        return visit(token, kiosk, "ABCDEFGHJKLM").complete
    finally:
        session.WAIT_S, wish.CONSENT_S = wait_s, 75.0


def test_command_line_sets_quotas_and_certifies_for_proxies(world, tmp_path):
    run = CliRunner().invoke
    home, at = str(world.authority), ["--at", str(NOW_S)]
    issue = ["authority", "issue-codes", home, "--clinic", "3", "--kind", "proxy", "--count", "2", *at]
    refused = run(main, issue)
    assert refused.exit_code == 1 and len(refused.output.splitlines()) == 1
    assert run(main, ["authority", "set-quota", home, "2", "--clinic", "3", "--kind", "proxy", *at]).exit_code == 0
    assert [code[0] for code in run(main, issue).output.split()] == ["P", "P"]
    public = str(world.kiosk.path / "kiosk.pub")
    certify = ["authority", "certify-kiosk", home, public, "--proxy", "--out", str(tmp_path / "k.cert"), *at]
    assert run(main, certify).exit_code == 0
    assert (tmp_path / "k.cert").read_bytes()[1] == spec.PROXY_KIOSK_KEY
    assert audit(world)[-1] == ("certify-kiosk-proxy", 1)
