"""Facts about the phone's words, and about the page as it is built: nothing of it comes from elsewhere."""

import base64
import hashlib
import json
import re
from datetime import date

import pytest
from click.testing import CliRunner

from tests.kiosk.test_words import GRADES, PROMISES, shown
from tools.cli import main
from tools.kiosk.hall import words
from tools.phone import site, table

LANGUAGES = table.languages()
FIELDS = {"day": date(2026, 11, 24), "phone": "1900\N{NO-BREAK SPACE}9095", "code": "P52", "a": 3, "b": 5}
everywhere = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
ROOT = bytes(range(32))


@everywhere
@pytest.mark.parametrize("name", table.ROWS)
def test_screen_has_at_most_twelve_words_with_its_buttons(language, name):
    longest = max((language.say(name, **FIELDS, **grades) for grades in GRADES), key=words.count)
    texts = shown(longest, language, name, table.ROWS[name], LANGUAGES)
    assert sum(map(words.count, texts)) <= words.MOST_WORDS, texts


@everywhere
def test_nothing_says_that_anyone_is_well(language):
    promise = re.compile(PROMISES[language.tag], re.IGNORECASE)
    for text in (*language.screen.values(), *language.tap.values(), *table.keeper(language).values()):
        assert not promise.search(text.replace("_", " ")), text


def test_every_screen_leads_to_one_that_a_phone_has():
    for row in table.ROWS.values():
        assert {*row.taps.values(), row.then} <= {*table.ROWS, "result", "rest"}


def test_language_without_words_for_a_phone_is_named(tmp_path):
    (tmp_path / "km.toml").write_text((words.FOLDER / "en.toml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(words.WordsError, match="km"):
        table.languages(tmp_path)
    (tmp_path / "phone").mkdir()
    own = (table.FOLDER / "en.toml").read_text(encoding="utf-8")
    (tmp_path / "phone/km.toml").write_text(own, encoding="utf-8")
    assert table.languages(tmp_path)["km"].label("find") == "Find token"


@pytest.fixture
def page(tmp_path):
    root = tmp_path / "root.pub"
    root.write_text(ROOT.hex())
    (tmp_path / "more/vi").mkdir(parents=True)
    (tmp_path / "more/vi/start.wav").write_bytes(b"RIFF")
    command = ["phone", "build", "--out", str(tmp_path / "page"), "--root", str(root), "--phone", "1900 9095", "--json"]
    done = CliRunner().invoke(main, [*command, "--languages", str(tmp_path / "more")], catch_exceptions=False)
    files = [path for path in (tmp_path / "page").rglob("*") if path.is_file()]
    assert json.loads(done.output)["files"] == len(files)
    return tmp_path / "page"


def test_service_worker_names_every_other_file_with_its_hash(page):
    named = json.loads(re.search(r"FILES = (\{.*?\});", (page / "sw.js").read_text(), re.DOTALL).group(1))
    files = {path.relative_to(page).as_posix(): path for path in page.rglob("*") if path.is_file()}
    assert set(named) | {"sw.js"} == set(files) and "voice/vi/start.wav" in named
    for name, integrity in named.items():
        digest = base64.b64encode(hashlib.sha256(files[name].read_bytes()).digest()).decode()
        assert integrity == f"sha256-{digest}", name


def test_page_takes_nothing_from_elsewhere(page):
    for path in page.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in text and "'unsafe" not in text
        assert not re.search(r"(src|href)=\"(https?:)?//", text) and "<script>" not in text
    for path in page.glob("*.js"):
        assert "http" not in re.sub(r"http://www.w3.org/\S+", "", path.read_text(encoding="utf-8")), path


def test_lists_of_another_host_are_allowed_by_the_policy_and_nothing_else_is(tmp_path):
    site.build(tmp_path, site.Options(ROOT, "1", "https://lists.example.org/vn/"))
    policy = re.search(r'Policy" content="([^"]*)"', (tmp_path / "index.html").read_text()).group(1)
    assert "connect-src 'self' https://lists.example.org;" in policy


def test_vendored_cipher_is_the_published_one():
    folder = next((site.STATIC / "vendor").iterdir())
    held = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "SOURCE").read_text(), re.MULTILINE)
    assert {name for _, name in held} == {path.name for path in folder.glob("*.js")}
    for digest, name in held:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_root_that_is_no_key_is_bad_input(tmp_path):
    (tmp_path / "root.pub").write_text("rubbish")
    asked = ["phone", "build", "--out", str(tmp_path), "--root", str(tmp_path / "root.pub"), "--phone", "1"]
    assert CliRunner().invoke(main, asked).exit_code == 2
