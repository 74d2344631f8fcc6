"""Facts about uploads that are withdrawn: what the next lists say and leave out, and what is refused."""

import pytest
from click.testing import CliRunner

from emask import keylist, met, spec
from tests.tools.intake_files import NOW_S, upload
from tools import lists
from tools.authority import core, intake, keyring, store, withdrawn
from tools.cli import main

DAY_S = 86_400


@pytest.fixture
def folder(tmp_path):
    core.init(tmp_path / "authority", NOW_S)
    return tmp_path / "authority"


def key_of(number):
    return bytes([number]) * 32


def uploaded(folder, tmp_path, count=2):
    """Codes of so many uploads, of key_of(0) and so on."""
    codes = intake.issue_codes(folder, count, NOW_S)
    for number, code in enumerate(codes):
        intake.ingest(folder, upload(folder, tmp_path / f"{number}.json", code, key=key_of(number)), NOW_S)
    return codes


def published(folder, tmp_path, at_s):
    """The whole list and the short ones of a moment."""
    done = core.publish(folder, tmp_path / f"{at_s}.eml", at_s)
    return [lists.load(path, keyring.root_public(folder)) for path in (done.path, *done.deltas)]


def keys(taken):
    return [keylist.unpack_record(record)[0] for record in taken.records()]


def test_withdrawn_upload_leaves_the_lists_and_all_of_them_name_it(folder, tmp_path):
    code, _ = uploaded(folder, tmp_path)
    published(folder, tmp_path, NOW_S)
    assert withdrawn.withdraw(folder, code, NOW_S + 1) == 1
    found = published(folder, tmp_path, NOW_S + 2)
    assert len(found) == 2 and keys(found[0]) == [key_of(1)]
    for taken in found:
        assert met.mark(key_of(0)) in taken.header.withdrawn and met.mark(key_of(1)) not in taken.header.withdrawn


def test_names_tell_nothing_to_who_has_the_list_alone(folder, tmp_path):
    (code,) = uploaded(folder, tmp_path, 1)
    before = published(folder, tmp_path, NOW_S)[0]
    withdrawn.withdraw(folder, code, NOW_S + 1)
    after = published(folder, tmp_path, NOW_S + 2)[0]
    for taken in (before, after):
        names = taken.header.withdrawn
        assert len(set(names)) == spec.WITHDRAWN_MAX and list(names) == sorted(names)
    assert not set(before.header.withdrawn) & set(after.header.withdrawn), "those of nobody are drawn anew"


def test_name_stands_as_long_as_an_alert(folder, tmp_path):
    (code,) = uploaded(folder, tmp_path, 1)
    withdrawn.withdraw(folder, code, NOW_S)
    for days, stands in ((0, True), (13, True), (14, False)):
        taken = published(folder, tmp_path, NOW_S + days * DAY_S)[0]
        assert (met.mark(key_of(0)) in taken.header.withdrawn) == stands


def test_what_can_not_be_withdrawn_is_refused_and_changes_nothing(folder, tmp_path):
    (used,) = uploaded(folder, tmp_path, 1)
    (unused,) = intake.issue_codes(folder, 1, NOW_S)
    withdrawn.withdraw(folder, used, NOW_S)
    for code, why in (("A" * 12, "never issued"), (unused, "nothing was uploaded"), (used, "already")):
        with pytest.raises(core.Refused, match=why):
            withdrawn.withdraw(folder, code, NOW_S)
    with store.reading(folder) as database:
        assert [what for _, what, _ in store.audit(database)].count("withdraw") == 1


def test_more_than_a_list_can_name_is_refused(folder, tmp_path):
    codes = uploaded(folder, tmp_path, spec.WITHDRAWN_MAX + 1)
    for code in codes[:-1]:
        withdrawn.withdraw(folder, code, NOW_S)
    with pytest.raises(core.Refused, match="at most 24"):
        withdrawn.withdraw(folder, codes[-1], NOW_S)
    assert keys(published(folder, tmp_path, NOW_S)[0]) == [key_of(spec.WITHDRAWN_MAX)]
    withdrawn.withdraw(folder, codes[-1], NOW_S + 15 * DAY_S)


def test_command_takes_a_code_as_it_is_read_out(folder, tmp_path):
    (code,) = uploaded(folder, tmp_path, 1)
    spoken = f"{code[:4]}-{code[4:8]}-{code[8:]}".lower()
    done = CliRunner().invoke(main, ["authority", "withdraw", str(folder), spoken])
    assert done.exit_code == 0 and done.output == "1 records are withdrawn from the next list on.\n"
    again = CliRunner().invoke(main, ["authority", "withdraw", str(folder), code])
    assert again.exit_code == 1 and "already" in again.output
