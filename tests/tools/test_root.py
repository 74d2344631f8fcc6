"""Facts about the change of the root on the host: authority, carriers, sites and kiosks, in both orders of arrival."""

import shutil

import pytest
from click.testing import CliRunner

from emask import certificate, signed, spec
from tests.tools.world import NOW_S, World
from tools import lists, signing
from tools.authority import core, keyring, site
from tools.cli import main
from tools.kiosk import carry, identity

LATER_S = NOW_S + 3600


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def changed(world, now_s=LATER_S):
    """The bytes of a change of the root, done by the authority."""
    core.change_root(world.authority, now_s)
    return (world.authority / signing.ROOT_CHANGE).read_bytes()


def published(world, name, now_s):
    return core.publish(world.authority, world.path / name, now_s).path


def carrier(world, *files):
    """A folder on a stick with these files; (name, bytes) or a path."""
    where = world.path / "stick"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    for file in files:
        name, data = file if isinstance(file, tuple) else (file.name, file.read_bytes())
        (where / name).write_bytes(data)
    return where


def test_new_root_is_signed_by_the_recovery_key_and_certifies_a_new_list_key(world):
    old = keyring.root_public(world.authority)
    data = changed(world)
    facts = signing.check_root(data, world.recovery)
    assert facts.key == keyring.root_public(world.authority) != old
    assert facts.serial == 3 and len(data) == spec.CERTIFICATE_BYTES
    lists.load(published(world, "new.eml", LATER_S + 60), facts.key)
    with pytest.raises(signed.SignedError):
        signing.check(data, old)


def test_old_root_is_not_needed_but_the_recovery_key_is(world):
    (world.authority / "offline" / "root.key").unlink()
    changed(world)
    (world.authority / "offline" / "recovery.key").unlink()
    before = {path: path.read_bytes() for path in world.authority.rglob("*") if path.is_file()}
    with pytest.raises(signing.KeyFileError):
        core.change_root(world.authority, LATER_S)
    assert before == {path: path.read_bytes() for path in world.authority.rglob("*") if path.is_file()}


def test_change_that_was_cut_off_is_repeated_with_a_higher_serial(world, monkeypatch):
    def cut(*_):
        raise OSError("power")

    with monkeypatch.context() as patch:
        patch.setattr(keyring, "use_root", cut)
        with pytest.raises(OSError, match="power"):
            core.change_root(world.authority, LATER_S)
    first = (world.authority / signing.ROOT_CHANGE).read_bytes()
    assert identity.take_root(world.kiosk.path, first)
    again = changed(world)
    assert certificate.unpack(again).serial >= certificate.unpack(first).serial
    assert keyring.root_public(world.authority) == certificate.unpack(again).key


def test_kiosk_takes_root_certificate_and_list_of_one_carrier(world):
    data = changed(world)
    new = ("kiosk.cert", world.certified(world.kiosk, LATER_S))
    done = carry.exchange(world.kiosk, carrier(world, ("root.change", data), new, published(world, "n.eml", LATER_S)))
    assert done.root and done.certificate and done.lists == 1
    assert identity.load(world.kiosk.path, LATER_S).facts.serial == 5


def test_certificate_and_list_that_come_before_the_root_wait_for_it(world):
    data = changed(world)
    new = ("kiosk.cert", world.certified(world.kiosk, LATER_S))
    stick = carrier(world, new, published(world, "n.eml", LATER_S))
    done = carry.exchange(world.kiosk, stick)
    assert not done.certificate and done.lists == 0 and done.refused
    assert identity.load(world.kiosk.path, LATER_S).facts.serial == 2  # as before
    (stick / "root.change").write_bytes(data)
    done = carry.exchange(world.kiosk, stick)
    assert done.root and done.certificate and done.lists == 1


def test_root_that_comes_first_stops_the_kiosk_until_it_is_certified_anew(world):
    world.kiosk.add_list(published(world, "old.eml", NOW_S))
    assert carry.exchange(world.kiosk, carrier(world, ("root.change", changed(world)))).root
    with pytest.raises(identity.IdentityError):
        identity.load(world.kiosk.path, LATER_S)
    assert world.kiosk.sound_lists() == []
    assert identity.take_certificate(world.kiosk.path, world.certified(world.kiosk, LATER_S))
    assert identity.load(world.kiosk.path, LATER_S)


def test_older_forged_and_damaged_changes_are_not_taken(world):
    first, second = changed(world), changed(world, LATER_S + 60)
    other = World(world.path / "other")
    for data in (
        changed(other),
        second[:-1],
        second[:60] + bytes((second[60] ^ 1,)) + second[61:],
        world.certified(world.kiosk, LATER_S),
    ):
        assert not identity.take_root(world.kiosk.path, data)
    assert identity.root(world.kiosk.path) == world.root
    assert identity.take_root(world.kiosk.path, second)
    assert not identity.take_root(world.kiosk.path, first)  # a replay
    assert not identity.take_root(world.kiosk.path, second)
    assert identity.root(world.kiosk.path) == certificate.unpack(second).key


def test_site_offers_the_change_under_a_name_of_its_own(world):
    changed(world)
    site.put(world.path / "site", [world.authority / signing.ROOT_CHANGE])
    assert (world.path / "site" / "root.change").read_bytes() == (world.authority / "root.change").read_bytes()


def test_command_changes_the_root_and_says_what_is_to_be_done(world):
    done = CliRunner().invoke(main, ["authority", "change-root", str(world.authority), "--at", str(LATER_S)])
    assert done.exit_code == 0 and "certify them anew" in done.output
    audit = CliRunner().invoke(main, ["authority", "audit", str(world.authority)])
    assert "change-root" in audit.output
    lost = ["authority", "change-root", str(world.authority), "--offline", str(world.path)]
    assert CliRunner().invoke(main, lost).exit_code == 2
    init = ["kiosk", "init", str(world.path / "k"), "--root", str(world.authority / "root.pub")]
    assert CliRunner().invoke(main, init).exit_code == 0
    assert identity.take_root(world.path / "k", (world.authority / "root.change").read_bytes())
