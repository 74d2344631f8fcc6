"""Rules of the written word: first lines, what the device's Python lacks, no floats, few and narrow handlers."""

import ast

import pytest

from tests.rules import code
from tools import ROOT

NAMES = {path: code.place(path) for path in code.device_files()}
DEVICE = pytest.mark.parametrize("path", NAMES, ids=NAMES.values())
LACKING = {"dataclasses", "enum", "typing", "functools", "contextlib", "abc", "pathlib", "logging", "__future__"}


def found(path, test):
    return [code.place(path, node) for node in ast.walk(code.tree(path)) if test(node)]


def test_first_line_of_every_file_says_what_it_is():
    folders = [ROOT / name for name in ("lib", "firmware", "boards", "tools", "tests")]
    silent = [code.place(path) for path in code.files(*folders) if not speaks(path.read_text(encoding="utf-8"))]
    assert silent == []


def speaks(text):
    first = text.split("\n", 1)[0]
    return first.startswith(("# ", '"""')) and len(first) > 20


@DEVICE
def test_device_file_owns_something(path):
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    assert "wns " in first or path.name == "__init__.py"


@DEVICE
def test_device_file_uses_no_syntax_that_the_device_lacks(path):
    assert found(path, lambda node: isinstance(node, (ast.Match, ast.TryStar))) == []
    assert found(path, lambda node: isinstance(node, ast.arguments) and bool(node.posonlyargs)) == []
    assert found(path, lambda node: isinstance(node, ast.Dict) and None in node.keys) == []
    assert not code.roots(path) & LACKING


@DEVICE
def test_device_file_computes_without_floats(path):
    def floats(node):
        if isinstance(node, ast.Constant):
            return isinstance(node.value, (float, complex))
        if isinstance(node, (ast.BinOp, ast.AugAssign)):
            return isinstance(node.op, ast.Div)
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"

    assert found(path, floats) == []
    assert "math" not in code.roots(path)


@DEVICE
def test_device_file_does_not_ask_for_the_bench(path):
    def asks(node):
        text = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            text = " ".join(str(side.value) for side in sides if isinstance(side, ast.Constant))
        return "bench" in text.lower()

    assert found(path, asks) == []


@DEVICE
def test_device_file_catches_what_it_names(path):
    def broad(node):
        if not isinstance(node, ast.ExceptHandler):
            return False
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
        return node.type is None or bool(names & {"Exception", "BaseException"}) and path.name != "supervisor.py"

    assert found(path, broad) == []


def test_library_prints_nothing():
    def prints(node):
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input")

    assert [place for path in code.files(code.LIB) for place in found(path, prints)] == []


def test_only_boards_name_pins():
    def pin(node):
        return isinstance(node, ast.Attribute) and node.attr in ("Pin", "PWM", "ADC", "WDT")

    assert [place for path in code.files(code.LIB, code.FIRMWARE) for place in found(path, pin)] == []


def test_log_lines_carry_no_bytes():
    """Device code prints words and numbers; `hex`, `repr` and `%r` would be a way for identifiers to get out."""

    def shows(node):
        return isinstance(node, ast.Call) and (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("hex", "hexlify")
            or isinstance(node.func, ast.Name)
            and node.func.id in ("hex", "repr", "hexlify")
        )

    assert [place for path in code.files(code.LIB, code.FIRMWARE) for place in found(path, shows)] == []


def test_no_place_of_a_machine_is_written_down():
    """Tracked text names no folder of the machine that it was written on."""
    needles = ["/" + name + "/" for name in ("work", "tmp", "root")]
    folders = [ROOT / name for name in ("lib", "firmware", "boards", "tools", "tests", "scenarios", "docs")]
    texts = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".py", ".toml", ".md", ".sh", ".j2", ".svg", ".json")
    ]
    bad = [code.place(path) for path in texts if any(n in path.read_text(encoding="utf-8") for n in needles)]
    assert bad == []


@DEVICE
def test_device_file_pairs_with_nobody(path):
    """So there is no passkey, fixed or not, and no bond that would outlive an address."""
    pairing = {"gap_pair", "gap_passkey", "bond", "mitm", "le_secure", "passkey", "pair"}

    def pairs(node):
        if isinstance(node, ast.Call):
            return bool({keyword.arg for keyword in node.keywords} & pairing)
        return isinstance(node, ast.Attribute) and node.attr in pairing

    assert found(path, pairs) == []
    assert any(pairs(node) for node in ast.walk(ast.parse("ble.config(bond=True)\nconnection.pair()")))
