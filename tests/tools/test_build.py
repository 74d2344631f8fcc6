"""Facts about compiling and weighing device code, on a small tree of its own."""

import pytest

from tools.build import BuildError, build
from tools.size import measure

BUDGETS = {
    "total_bytes": 1000,
    "file_default_bytes": 200,
    "shares": {"lib": 900},
    "now": {"lib": 500, "firmware": 500},
    "files": {},
}


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "lib" / "emask").mkdir(parents=True)
    (tmp_path / "firmware").mkdir()
    (tmp_path / "lib" / "emask" / "spec.py").write_text('# The numbers.\nSLOT_S = const(900)  # s\nUUID = "7d9c"\n')
    (tmp_path / "lib" / "emask" / "slots.py").write_text("# Of slots.\nFIRST = 1\n")
    (tmp_path / "firmware" / "main.py").write_text("import board\nassert board\nprint('up')\n")
    return tmp_path


def test_tree_is_mirrored_and_names_are_kept(tree):
    units = build(root=tree)
    assert [unit.source for unit in units] == ["lib/emask/slots.py", "firmware/main.py"]
    code = (tree / "build/mpy/lib/emask/slots.mpy").read_bytes()
    assert code[:1] == b"M" and b"emask/slots.py" in code and str(tree).encode() not in code


def test_same_source_gives_the_same_bytes_without_the_cache(tree, tmp_path):
    first = [unit.path.read_bytes() for unit in build(root=tree)]
    for kept in (tree / "build" / "mpy-cache").iterdir():
        kept.unlink()
    assert [unit.path.read_bytes() for unit in build(tmp_path / "again", tree)] == first


def test_unchanged_file_is_left_alone_and_changed_one_is_not(tree):
    build(root=tree)
    target = tree / "build/mpy/firmware/main.mpy"
    stamp = target.stat().st_mtime_ns
    build(root=tree)
    assert target.stat().st_mtime_ns == stamp
    (tree / "firmware" / "main.py").write_text("print('other')\n")
    build(root=tree)
    assert b"other" in target.read_bytes()


def test_texts_of_exceptions_stay_out_and_lines_keep_their_numbers(tree):
    source = 'def check(bad):\n    if bad:\n        raise slots.BadError("what is wrong")\n    raise OSError(19)\n'
    (tree / "lib" / "emask" / "slots.py").write_text(source)
    build(root=tree)
    code = (tree / "build/mpy/lib/emask/slots.mpy").read_bytes()
    assert b"what is wrong" not in code and b"BadError" in code
    (tree / "lib" / "emask" / "slots.py").write_text(source.replace('("what is wrong")', ""))
    build(root=tree)
    assert (tree / "build/mpy/lib/emask/slots.mpy").read_bytes() == code


@pytest.mark.parametrize(
    ("imported", "beside"),
    [
        ("from emask import spec", ""),
        ("from emask import advert, spec, window", "from emask import advert, window"),
        ("from emask import spec, window", "from emask import window"),
    ],
)
def test_numbers_of_spec_are_put_in_and_their_file_is_not_shipped(tree, imported, beside):
    slots = tree / "lib" / "emask" / "slots.py"
    slots.write_text(f"{imported}\nNOW = -spec.SLOT_S * 2, spec.UUID\n")
    build(root=tree)
    code = (tree / "build/mpy/lib/emask/slots.mpy").read_bytes()
    assert b"SLOT_S" not in code and not (tree / "build/mpy/lib/emask/spec.mpy").exists()
    slots.write_text(f'{beside}\nNOW = -(900) * 2, ("7d9c")\n')
    build(root=tree)
    assert (tree / "build/mpy/lib/emask/slots.mpy").read_bytes() == code


def test_number_that_spec_does_not_have_is_an_error(tree):
    (tree / "lib" / "emask" / "slots.py").write_text("NOW = spec.SLOTS\n")
    with pytest.raises(BuildError, match=r"emask/slots.py: .* no number SLOTS"):
        build(root=tree)


def test_compiled_file_without_source_is_removed(tree):
    build(root=tree)
    (tree / "firmware" / "main.py").unlink()
    build(root=tree)
    assert not (tree / "build/mpy/firmware/main.mpy").exists()


def test_error_names_the_file(tree):
    (tree / "firmware" / "main.py").write_text("def :\n")
    with pytest.raises(BuildError, match="main.py"):
        build(root=tree)


def test_budgets_are_held_by_file_package_and_whole(tree):
    units = build(root=tree)
    assert measure(units, BUDGETS).complaints == []
    tight = dict(BUDGETS, total_bytes=10, now={"lib": 1, "firmware": 500}, files={"firmware/main.py": 3, "gone.py": 9})
    told = " ".join(measure(units, tight).complaints)
    assert all(word in told for word in ("firmware/main.py", "gone.py", "lib:", "total:", "shares"))
