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


def names(taken, number):
    """Whether a list names key_of(number)."""
    return met.mark(key_of(number), taken.header.serial) in taken.header.withdrawn


def keys(taken):
    return [keylist.unpack_record(record)[0] for record in taken.records()]


def test_withdrawn_upload_leaves_the_lists_and_all_of_them_name_it(folder, tmp_path):
    code, _ = uploaded(folder, tmp_path)
    published(folder, tmp_path, NOW_S)
    assert withdrawn.withdraw(folder, code, NOW_S + 1).records == 1
    found = published(folder, tmp_path, NOW_S + 2)
    assert len(found) == 2 and keys(found[0]) == [key_of(1)]
    for taken in found:
        assert names(taken, 0) and not names(taken, 1)


def seen(folder, tmp_path, withdrawals):
    """What a watcher of 18 days' lists sees of each name: (first, last) list that has it. withdrawals: {day: code}."""
    stood = {}
    for day in range(18):
        if day in withdrawals:
            withdrawn.withdraw(folder, withdrawals[day], NOW_S + day * DAY_S)
        for taken in published(folder, tmp_path, NOW_S + day * DAY_S):
            found = taken.header.withdrawn
            assert len(set(found)) == spec.WITHDRAWN_MAX and list(found) == sorted(found)
            for name in found:
                stood[name] = stood.get(name, (day, day))[0], day
    return sorted(stood.values())


def test_names_of_all_lists_side_by_side_come_and_go_alike_whether_anything_was_withdrawn(folder, tmp_path):
    core.init(tmp_path / "other", NOW_S)
    quiet = seen(tmp_path / "other", tmp_path, {})
    codes = uploaded(folder, tmp_path, 4)
    busy = seen(folder, tmp_path, dict(zip((0, 3, 4, 9), codes, strict=True)))
    assert busy == quiet == sorted((day, day) for day in range(18) for _ in range(spec.WITHDRAWN_MAX))


def test_short_lists_say_the_same_names_as_the_whole_one(folder, tmp_path):
    (code,) = uploaded(folder, tmp_path, 1)
    published(folder, tmp_path, NOW_S)
    withdrawn.withdraw(folder, code, NOW_S + 1)
    whole, short = published(folder, tmp_path, NOW_S + 2)
    assert whole.header.withdrawn == short.header.withdrawn and names(short, 0)


def test_name_stands_as_long_as_an_alert(folder, tmp_path):
    (code,) = uploaded(folder, tmp_path, 1)
    withdrawn.withdraw(folder, code, NOW_S)
    for days, stands in ((0, True), (13, True), (14, False)):
        taken = published(folder, tmp_path, NOW_S + days * DAY_S)[0]
        assert names(taken, 0) == stands


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
    again = CliRunner().invoke(main, ["authority", "withdraw", str(folder), spoken.replace("-", " ")])
    assert again.exit_code == 1 and "already" in again.output
