"""Facts about the release of device code: image, signature, bundle, layout, the contract and mip's package."""

import hashlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools import ROOT, device_types
from tools.build import BOARDS
from tools.cli import main
from tools.firmware import bundle, image, layout, package

VM = Path(sys.executable).with_name("micropython")
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    bundle.make("esp32c3", folder / "b", KEY)
    return folder / "b"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], standalone_mode=True)


def test_same_source_gives_the_same_bundle_in_another_folder_too(made, tmp_path):
    for folder in ("lib", "firmware", "boards"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    bundle.make("esp32c3", tmp_path / "again", KEY, root=tmp_path / "copy")
    names = sorted(path.name for path in made.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    assert all((made / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)


def test_every_board_has_a_sound_folder_and_an_image_that_fits(tmp_path):
    for board in BOARDS:
        facts = bundle.make(board, tmp_path / board)
        assert facts["files"]["product.emfw"]["bytes"] <= 128 + image.PAYLOAD_MAX
        assert bundle.load(tmp_path / board).board == board


def test_image_runs_from_romfs_on_the_real_vm(made, tmp_path):
    """The real MicroPython mounts the image and imports the library from it, by the path that a token has."""
    script = tmp_path / "mount.py"
    script.write_text(
        "import sys, vfs\n"
        f"data = open({str(made / 'product.romfs')!r}, 'rb').read()\n"
        "vfs.mount(vfs.VfsRom(data), '/rom')\n"
        "sys.path[:] = ['/rom', '.frozen']\n"
        "import os\n"
        "from emask import bluezone, keys\n"
        "import supervisor\n"
        "print(keys.__file__, supervisor.__file__, sorted(os.listdir('/rom'))[:3], 'main.py' in os.listdir('/rom'))\n"
        "print(open('/rom/main.py').read().split('\\n')[-2])\n"
    )
    done = subprocess.run([str(VM), str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[0].startswith("/rom/emask/keys.mpy /rom/supervisor.mpy"), done.stderr + done.stdout
    assert done.stdout.splitlines()[1] == "import token_main"


def test_vector_of_the_device_tests_is_what_the_builder_makes():
    golden = json.loads((ROOT / "tests" / "vectors" / "image.json").read_text())
    old = image.build("esp32c3", 1, bytes(range(256)) * 20, image.load_key(KEY))
    assert (golden["old"], golden["public"]) == (old.head.hex(), image.public_key(KEY).hex())


def test_damaged_images_are_refused(made):
    data = (made / "product.emfw").read_bytes()
    public = image.public_key(KEY)
    assert image.parse(data, public).version == bundle.firmware_version()
    for wrong in (data[:100], data[:-1], b"X" + data[1:], data[:-1] + bytes([data[-1] ^ 1])):
        with pytest.raises(image.ImageError):
            image.parse(wrong, public)
    with pytest.raises(image.ImageError, match="release key"):
        image.parse(data, image.public_key(bytes(32)))
    with pytest.raises(image.ImageError, match="slot"):
        image.build("esp32c3", 1, bytes(image.PAYLOAD_MAX + 1))


def test_changed_bundle_is_refused_with_the_name_of_the_file(made, tmp_path):
    shutil.copytree(made, tmp_path / "b")
    (tmp_path / "b" / "product.emfw").write_bytes(b"other")
    answer = run("firmware", "check", tmp_path / "b")
    assert answer.exit_code == 2 and "product.emfw" in answer.output
    (tmp_path / "b" / "bundle.json").write_text("[]")
    assert run("firmware", "check", tmp_path / "b").exit_code == 2
    assert run("firmware", "check", tmp_path).exit_code == 2
    assert run("firmware", "check", made).exit_code == 0


def test_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(bundle.BundleError, match="no bundle"):
        bundle.make("esp32c3", tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_base_of_another_partition_table_is_refused(tmp_path):
    for inside in ("bootloader/bootloader.bin", "partition_table/partition-table.bin", "micropython.bin"):
        (tmp_path / inside).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / inside).write_bytes(b"\xe9" * 4096)
    with pytest.raises(bundle.BundleError, match="partition table"):
        bundle.make("esp32c3", tmp_path / "out", base=tmp_path)


def test_key_is_for_its_owner_only_and_never_replaced(tmp_path):
    assert run("firmware", "key", tmp_path / "release").exit_code == 0
    assert (tmp_path / "release").stat().st_mode & 0o777 == 0o600
    assert run("firmware", "key", tmp_path / "release").exit_code == 1
    assert (tmp_path / "release.pub").read_bytes() == image.public_key((tmp_path / "release").read_bytes())


def test_partition_table_keeps_the_contract_or_is_refused(tmp_path):
    text = (ROOT / "boards" / "partitions.csv").read_text()
    assert {part.name for part in layout.partition_table(ROOT / "boards" / "partitions.csv")} >= {"slot_a", "slot_b"}
    for old, new in (("0xf0000,", "0xe0000,"), ("0x250000", "0x240000"), ("0x392000", "0x3c0000")):
        (tmp_path / "t.csv").write_text(text.replace(old, new))
        with pytest.raises(layout.LayoutError):
            layout.partition_table(tmp_path / "t.csv")


def test_manifest_requires_the_aioble_that_the_bench_and_the_makefile_use(tmp_path):
    found = layout.manifest(ROOT / "boards" / "manifest.py")
    assert (
        re.search(r"^AIOBLE_VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1)
        == found.required["aioble"]
    )
    (tmp_path / "manifest.py").write_text("require('aioble')")
    with pytest.raises(layout.LayoutError, match="version"):
        layout.manifest(tmp_path / "manifest.py")
    (tmp_path / "manifest.py").write_text("freeze('.', 'gone.py')\nrequire('aioble', version='1')")
    with pytest.raises(layout.LayoutError, match="gone.py"):
        layout.manifest(tmp_path / "manifest.py")


def test_board_that_breaks_the_contract_is_noticed(tmp_path, capfd):
    stubs = ROOT / "build" / "stubs"
    stubs.mkdir(parents=True, exist_ok=True)
    device_types.lay_out(stubs)
    text = (ROOT / "boards" / "esp32c3" / "board.py").read_text()
    (tmp_path / "board.py").write_text(
        text.replace("BATTERY_MAH = 400", 'BATTERY_MAH = "much"').replace("HAS_MOTION = False", "")
    )
    assert device_types.check_boards(stubs, [str(tmp_path)]) == [str(tmp_path)]
    told = capfd.readouterr().out
    assert "BATTERY_MAH" in told and "HAS_MOTION" in told


def test_every_name_of_the_contract_is_in_the_specification():
    contract = (ROOT / "boards" / "contract.pyi").read_text().split("class Board(Protocol):")[1]
    names = re.findall(r"^    (?:def )?(\w+)[:(]", contract, re.M)
    text = (ROOT / "docs" / "SPEC-board.md").read_text()
    assert len(names) > 25 and [name for name in names if name not in text] == []


def test_package_of_mip_is_up_to_date():
    assert package.main(["--check"]) == 0


def test_real_mip_installs_the_package(tmp_path):
    """The real `mip` of the VM, from a server of this machine; aioble from an index that is one file here."""
    index = tmp_path / "index" / "package" / "py" / "aioble"
    index.mkdir(parents=True)
    digest = hashlib.sha256(b"# aioble\n").hexdigest()[:8]
    version = layout.manifest(ROOT / "boards" / "manifest.py").required["aioble"]
    (index / f"{version}.json").write_text(json.dumps({"v": 1, "version": version, "hashes": [["aioble.py", digest]]}))
    file = tmp_path / "index" / "file" / digest[:2]
    file.mkdir(parents=True)
    (file / digest).write_bytes(b"# aioble\n")
    (tmp_path / "site").symlink_to(ROOT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    target = tmp_path / "device"
    command = [str(VM), "-m", "mip", "install", "--no-mpy", "--target", str(target), "--index", f"{url}/index"]
    done = subprocess.run(
        [*command, f"{url}/site/boards/esp32c3/package.json"], capture_output=True, text=True, timeout=60
    )
    server.shutdown()
    assert (target / "board.py").exists() and (target / "emask" / "spec.py").exists(), done.stdout + done.stderr
    assert (target / "board.py").read_bytes() == (ROOT / "boards" / "esp32c3" / "board.py").read_bytes()
