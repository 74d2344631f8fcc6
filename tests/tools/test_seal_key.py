"""Facts about the change of the key that uploads are sealed to: what still opens, what does not, what is certified."""

import pytest
from click.testing import CliRunner

from emask import certificate
from tests.tools.intake_files import KEY, NOW_S, upload
from tools.authority import core, intake, keyring, retention, store
from tools.cli import main

DAY_S = 86_400


@pytest.fixture
def folder(tmp_path):
    core.init(tmp_path / "authority", NOW_S, tmp_path / "root")
    return tmp_path / "authority"


def command(*words, code=0):
    done = CliRunner().invoke(main, ["authority", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def changed(folder, at_s=NOW_S):
    """The key is changed by the two commands; what the second says."""
    stick = folder.parent / f"stick-{at_s}"
    command("new-seal-key", stick, "--offline", folder.parent / "root")
    return command("take-seal-key", folder, stick, "--at", at_s)


def made(folder, number=0):
    """An upload that is sealed to the present key."""
    (code,) = intake.issue_codes(folder, 1, NOW_S)
    return upload(folder, folder.parent / f"u{number}", code, key=bytes([number]) * 32).read_bytes()


def test_what_was_on_its_way_is_opened_for_21_days_and_then_the_old_key_is_gone(folder):
    first, late = made(folder, 1), made(folder, 2)
    assert "until 2023-12-05" in changed(folder)
    assert intake.take_in(folder, first, NOW_S) == intake.take_in(folder, made(folder, 3), NOW_S) == 1
    retention.forget(folder, NOW_S + 21 * DAY_S - 1)
    assert len(keyring.seal_keys(folder)) == 2
    retention.forget(folder, NOW_S + 21 * DAY_S)
    assert len(keyring.seal_keys(folder)) == 1
    with pytest.raises(core.UploadError, match="not sealed to this authority"):
        intake.take_in(folder, late, NOW_S)


def test_kiosks_are_certified_for_the_new_key(folder):
    named = []
    for at_s in (NOW_S, NOW_S + 1):
        _, data = core.certify_kiosk(folder, KEY, 0, NOW_S, offline=folder.parent / "root")
        named.append(certificate.unpack(data).seal_key)
        assert named[-1] == keyring.seal_key(folder).public_key().public_bytes_raw()
        changed(folder, at_s)
    assert len(set(named)) == 2


def test_change_may_be_repeated_and_a_second_one_keeps_both_before(folder):
    old = made(folder)
    changed(folder)
    changed(folder)
    assert len(keyring.seal_keys(folder)) == 2
    changed(folder, NOW_S + DAY_S)
    assert len(keyring.seal_keys(folder)) == 3 and intake.take_in(folder, old, NOW_S) == 1
    with store.reading(folder) as database:
        assert [what for _, what, _ in store.audit(database)].count("take-seal-key") == 2
    assert {path.stat().st_mode & 0o77 for path in (folder / "keys").glob("seal*.key")} == {0}


def test_folder_without_the_key_is_refused_in_words(folder, tmp_path):
    assert "no such key file" in command("take-seal-key", folder, tmp_path, code=2)
    assert "does not exist" in command("new-seal-key", tmp_path / "s", "--offline", tmp_path / "nowhere", code=2)
    assert not (tmp_path / "s").exists()
