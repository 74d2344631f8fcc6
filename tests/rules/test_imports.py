"""Rules: imports point down only, the library is pure, one file has the radio and the boards have the machine."""

from tests.rules import code
from tools import ROOT

# Pure, and there on both interpreters. No clock, no chance, no I/O, no asyncio.
LIB_MAY = {
    "emask",
    "emask_crypto",
    "struct",
    "hashlib",
    "cryptolib",
    "micropython",
    "binascii",
    "errno",
    "array",
    "collections",
}
FIRMWARE_MAY = LIB_MAY | {"asyncio", "gc", "sys", "time", "board", "token_config"}
BOARD_MAY = {"machine", "esp32", "micropython", "os", "time", "board_config", "espchip", "slots"}
# The base is what every start goes through, and checks signatures before there is a product.
BASE_MAY = BOARD_MAY | LIB_MAY | {"sys", "vfs"}
RADIO_MAY = {"aioble", "bluetooth"}
FIRMWARE_NAMES = {path.stem for path in code.files(code.FIRMWARE)}


def strangers(folders, allowed):
    return [
        f"{code.place(path)} imports {name}"
        for path in code.files(*folders)
        for name in sorted(code.roots(path))
        if name not in allowed(path)
    ]


def test_library_imports_only_itself_and_pure_modules():
    assert strangers([code.LIB], lambda path: LIB_MAY) == []


def test_firmware_imports_library_board_and_itself():
    def allowed(path):
        return FIRMWARE_MAY | FIRMWARE_NAMES | (RADIO_MAY if path.name == "radio.py" else set())

    assert strangers([code.FIRMWARE], allowed) == []


def test_one_file_imports_the_radio():
    users = [code.place(path) for path in code.device_files() if code.roots(path) & RADIO_MAY]
    assert users == ["firmware/radio.py"]


def test_only_boards_import_the_machine():
    above = code.files(code.LIB, code.FIRMWARE)
    users = [code.place(path) for path in above if code.roots(path) & {"machine", "esp32"}]
    assert users == []


def test_boards_import_only_the_machine():
    assert strangers(code.PRODUCT_BOARDS, lambda path: BASE_MAY if path.parent.name == "base" else BOARD_MAY) == []


def test_firmware_has_no_cycle():
    graph = {path.stem: code.roots(path) & FIRMWARE_NAMES for path in code.files(code.FIRMWARE)}
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, f"cycle: {' -> '.join([*open_, name])}"
        if name not in done:
            open_.append(name)
            for other in sorted(graph[name]):
                visit(other)
            open_.pop()
            done.add(name)

    for name in sorted(graph):
        visit(name)


def test_firmware_names_hide_no_module_of_the_chip():
    taken = {"machine", "bluetooth", "asyncio", "time", "select", "os", "sys", "json", "random", "network", "esp32"}
    assert not FIRMWARE_NAMES & taken


def test_host_programs_import_no_device_code_but_the_library():
    device = FIRMWARE_NAMES | {"board", "firmware", "boards", "tests", "machine", "esp32", "bluetooth", "aioble"}
    device -= {"main", "session", "state", "power", "lists", "visit"}  # names that host packages use too, as tools.x
    users = [
        f"{code.place(path)} imports {name}"
        for path in code.files(ROOT / "tools")
        for name in code.imported(path)
        if name.split(".")[0] in device
    ]
    assert users == []


def test_programs_do_not_import_the_bench():
    users = [
        code.place(path)
        for path in code.files(ROOT / "tools")
        for name in code.imported(path)
        if name.startswith("tools.bench") and "bench" not in path.relative_to(ROOT / "tools").parts
    ]
    assert users == []


def test_shipped_code_does_not_know_the_bench():
    stands_in = {"time", "os", "hashlib", "cryptolib", "machine", "esp32", "bluetooth", "select"}
    shims = {path.stem for path in code.BENCH_BOARD.glob("*.py")} - stands_in - {"main"}
    users = [code.place(path) for path in code.device_files() if code.roots(path) & shims]
    assert users == []
