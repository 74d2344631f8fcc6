# Facts about the model of flash: what real NOR flash does, refuses, and leaves behind when power goes in the middle.
# Knows no VM.
from __future__ import annotations

import random

import pytest

from tools.bench.flash import BLOCK, PAGE, Flash, FlashError, PowerCut

SIZES = {"sightings": 4 * BLOCK, "lists": 2 * BLOCK}


def flash(folder, seed=1):
    return Flash(folder / "image", SIZES, random.Random(seed))


@pytest.fixture
def part(tmp_path):
    made = flash(tmp_path)
    yield made
    made.close()


def image(part):
    return part.path.read_bytes()


def test_new_flash_is_all_ones(part):
    assert image(part) == b"\xff" * 6 * BLOCK


def test_programming_clears_bits_and_touches_nothing_else(part):
    part.program(0, 10, b"\xf0\x0f")
    assert image(part)[8:14] == b"\xff\xff\xf0\x0f\xff\xff"
    part.program(0, 10, b"\x50\x0a")
    assert image(part)[10:12] == b"\x50\x0a"


@pytest.mark.parametrize("was, new", [(0x00, 0x01), (0xF0, 0xF1), (0x7F, 0xFF), (0x0F, 0xF0)])
def test_setting_a_single_bit_is_refused_and_changes_nothing(part, was, new):
    part.program(0, 5, bytes([was]))
    before = image(part)
    with pytest.raises(FlashError, match=r"sightings\+4: programs a 0 to a 1"):
        part.program(0, 4, bytes([0x00, new]))
    assert image(part) == before


def test_erase_sets_one_block_to_ones_and_no_other(part):
    for address in range(0, 4 * BLOCK, BLOCK):
        part.program(0, address, bytes(BLOCK))
    part.erase(0, BLOCK)
    data = image(part)
    assert data[BLOCK : 2 * BLOCK] == b"\xff" * BLOCK
    assert data[:BLOCK] == bytes(BLOCK) and data[2 * BLOCK : 4 * BLOCK] == bytes(2 * BLOCK)
    part.program(0, BLOCK, b"\x12")
    assert part.erases == {1: 1}


def test_partitions_lie_apart_and_their_ends_are_kept(part):
    part.program(1, 0, b"\x01")
    assert image(part)[4 * BLOCK] == 1
    for number, address, length in ((0, 4 * BLOCK - 1, 2), (0, -1, 1), (1, 2 * BLOCK, 1), (2, 0, 1)):
        with pytest.raises(FlashError):
            part.program(number, address, bytes(length))
    with pytest.raises(FlashError, match="not a block"):
        part.erase(0, 100)


def test_pages_touched_are_counted_across_their_borders(part):
    assert part.program(0, 0, bytes(PAGE)) == 1
    assert part.program(0, PAGE - 1, bytes(2)) == 2
    assert part.program(0, 3 * PAGE, bytes(2 * PAGE + 1)) == 3


def test_cut_in_a_program_leaves_a_beginning_of_it(tmp_path):
    lengths = set()
    data = bytes(range(64))
    for seed in range(60):
        (tmp_path / str(seed)).mkdir()
        part = flash(tmp_path / str(seed), seed)
        part.program(0, 0, b"\x00")
        part.cut_at = 2
        with pytest.raises(PowerCut):
            part.program(0, 100, data)
        got = image(part)[100:164]
        done = next((n for n in range(64) if got[n] != data[n]), 64)
        assert got == data[:done] + b"\xff" * (64 - done)
        lengths.add(done)
        part.close()
    assert min(lengths) < 5 and max(lengths) > 55 and len(lengths) > 20


def test_cut_in_an_erase_leaves_old_bytes_behind_new_ones(tmp_path):
    part = flash(tmp_path)
    part.program(0, 0, bytes(BLOCK))
    part.cut_at = 2
    with pytest.raises(PowerCut):
        part.erase(0, 0)
    left = image(part)[:BLOCK]
    erased = left.rstrip(b"\0")
    assert erased == b"\xff" * len(erased) and 0 < len(erased) < BLOCK
    part.close()


def test_image_outlives_its_owner(tmp_path):
    first = flash(tmp_path)
    first.program(1, 7, b"kept")
    first.close()
    again = flash(tmp_path)
    assert image(again)[4 * BLOCK + 7 :][:4] == b"kept"
    again.close()
