"""Facts of `emask ring`: images of any bytes, cuts of power, budgets, and the ring beside a plain list."""

import json
import random

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from emask import spec
from emask.store import Store
from tools.cli import main
from tools.ring import compare, powercut, year
from tools.ring import image as ring_image
from tools.ring.dual.flashmodel import Chance, Flash, PowerCut
from tools.ring.trial import Life

_SLOT = 20000 * 96
_KINDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)


def image(tmp_path, data):
    path = tmp_path / "image.bin"
    path.write_bytes(data)
    return str(path)


def used():
    flash = Flash(20)
    store = Store(flash)
    store.mount()
    store.append(spec.KEY, _SLOT, b"SECRETKEY" * 5 + b"xyz")
    for number in range(200):
        store.append(spec.HEARD, _SLOT + number // 4, b"IDENTIFIER-" + bytes(14))
        store.append(spec.SIGHTING, _SLOT + number, b"IDENTIFIER-" + bytes(21))
    return flash


def run(*words):
    return CliRunner().invoke(main, ["ring", *words])


# -- inspect


def test_image_is_shown_by_block_kind_and_day(tmp_path):
    flash = used()
    result = run("inspect", image(tmp_path, bytes(flash.data)), "--json")
    facts = json.loads(result.output)
    assert result.exit_code == 0 and facts["ring"] and facts["damaged"] == 0 and facts["bad_blocks"] == 0
    assert facts["records"] == {"entries": 7, "keys": 1, "minutes": 200, "sightings": 200}
    assert facts["days"]["20000"] == {"minutes": 200, "sightings": 96}
    assert facts["days"]["20002"] == {"sightings": 8}
    assert facts["states"]["lasting"] == 1 and facts["states"]["never used"] > 0


def test_image_shows_no_key_and_no_identifier(tmp_path):
    path = image(tmp_path, bytes(used().data))
    for words in ((), ("--json",)):
        output = run("inspect", path, *words).output
        for secret in ("SECRET", "IDENTIFIER", b"SECRET".hex(), b"IDENT".hex()):
            assert secret.lower() not in output.lower()


def test_damage_and_bad_blocks_are_counted(tmp_path):
    flash = used()
    place = bytes(flash.data).index(b"IDENTIFIER")
    flash.data[place] ^= 1
    flash.data[-4096:] = bytes(4096)
    facts = json.loads(run("inspect", image(tmp_path, bytes(flash.data)), "--json").output)
    assert facts["damaged"] == 1 and facts["bad_blocks"] == 1


def test_partition_within_a_larger_image_is_found(tmp_path):
    data = bytes(used().data)
    path = image(tmp_path, b"\x5a" * 10000 + data + bytes(500))
    result = run("inspect", path, "--offset", "10000", "--size", str(len(data)))
    assert result.exit_code == 0 and "2024-10-04" in result.output


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 50000, 983040])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_any_bytes_are_said_to_hold_no_ring(tmp_path, size, seed):
    data = b"\xff" * size if seed is None else random.Random(seed).randbytes(size)
    for words in ((), ("--json",)):
        result = run("inspect", image(tmp_path, data), *words)
        assert result.exit_code == 1 and not isinstance(result.exception, (ValueError, IndexError, OSError))
    assert f"{size // 4096} blocks" in run("inspect", image(tmp_path, data)).output


def test_image_with_every_bit_flipped_somewhere_never_fails(tmp_path):
    whole = used().data
    chance = random.Random(5)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(200):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        ring_image.text(ring_image.look(bytes(data)))


def test_missing_image_is_bad_input(tmp_path):
    assert run("inspect", str(tmp_path / "none")).exit_code == 2


# -- cuts of power (the whole trial: make powercut)


def test_short_life_cut_in_every_place_loses_nothing():
    figures = powercut.exhaustive(3, 100, every=7)
    assert figures.failures == [] and figures.cuts > 700


@pytest.mark.parametrize("worn", [False, True])
def test_long_lives_cut_at_random_lose_nothing(worn):
    figures = list(powercut.lives(4, 1200, worn))[-1]
    assert figures.failures == [] and figures.cuts == 1200 and figures.cuts_in_recovery > 500
    assert bool(figures.bad_blocks) == worn


def test_trial_notices_a_store_that_forgets(monkeypatch):
    append = Store.append

    def forgetful(store, kind, slot, payload):
        if payload[-1:] != b"\0":
            append(store, kind, slot, payload)

    monkeypatch.setattr(Store, "append", forgetful)
    assert list(powercut.lives(4, 20))[-1].failures


def test_trial_command_tells_its_figures():
    result = run("powercut", "--steps", "3", "--short", "1", "--cuts", "30", "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == 0 and facts["long"]["cuts"] == 30 and facts["short"]["cuts"] > 100


class Beside(RuleBasedStateMachine):
    """The ring and a plain list of what it acknowledged, under any operations and cuts."""

    @initialize(seed=st.integers(0, 1 << 16))
    def start(self, seed):
        self.life = Life(Flash(14, 2048, Chance(seed)), seed)
        self.life.boot()

    @rule(kind=st.sampled_from(_KINDS), times=st.integers(1, 12))
    def append(self, kind, times):
        for _ in range(times):
            self.life.append(kind)

    @rule()
    def next_day(self):
        self.life.next_day()

    @rule(cold=st.booleans())
    def restart(self, cold):
        self.life.cold = cold
        self.life.boot()

    @rule(power=st.integers(0, 2000), kinds=st.lists(st.sampled_from((*_KINDS, None)), max_size=8))
    def cut(self, power, kinds):
        self.life.flash.power = power
        try:
            for kind in kinds:
                self.life.next_day() if kind is None else self.life.append(kind)
            self.life.boot()
        except PowerCut:
            pass
        self.life.flash.power = None
        self.life.cold = True
        self.life.after_cut()

    @invariant()
    def holds_what_it_must(self):
        if hasattr(self, "life"):
            self.life.judge()


Beside.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestBesideAList = Beside.TestCase


# -- budgets


def test_two_months_keep_to_the_budgets():
    facts = year.live(60, 1).facts()
    assert facts["programmed_to_budgets"] <= 1.15 and facts["mount_reads"] <= 10


def test_littlefs_needs_more_of_the_same_flash():
    found = compare.measure(4)
    assert found["littlefs, sync per record"]["to_ring"]["bytes_programmed"] > 50
    slot = found["littlefs, sync per slot"]["to_ring"]
    assert slot["bytes_programmed"] > 1 and slot["erases"] > 1
    assert found["ring"]["mount_reads"] <= 10 and "sync per slot" in compare.text(found)
