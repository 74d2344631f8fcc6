# The trial of the flash ring by cuts of power: every place of short lives, random places of long ones. Prints nothing.
from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from emask.cells import StoreError
from tools.ring.dual.flashmodel import ERASE_COST, Chance, Flash, PowerCut
from tools.ring.trial import Life, Wrong, until_cut

SMALL = (16, 2048)  # blocks and their bytes: everything happens often
_ENOUGH = 9  # good blocks; with fewer there is no room to live in


@dataclass
class Figures:
    """What a trial did. failures: one line each, with what is needed to see it again."""

    cuts: int = 0
    cuts_in_recovery: int = 0
    lives: int = 0
    operations: int = 0
    slow_mounts: int = 0
    full: int = 0
    erases: int = 0
    bad_blocks: int = 0
    worn_out: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class _Forking(Flash):
    """Before each operation that changes the flash, tries every way in which the power can fail in it."""

    trial: Callable[[Flash, str], None] | None = None
    operation = 0

    def writeblocks(self, block, buf, offset):
        self._fork(len(buf), lambda flash: Flash.writeblocks(flash, block, buf, offset))
        super().writeblocks(block, buf, offset)

    def _erase(self, block):
        self._fork(ERASE_COST, lambda flash: Flash._erase(flash, block))
        return super()._erase(block)

    def _fork(self, cost: int, change: Callable[[Flash], object]) -> None:
        self.operation += 1
        if not self.trial:
            return
        for power in range(cost):
            fork = Flash(len(self.erases), self.block_bytes, Chance(self.operation * 10000 + power))
            fork.data[:] = self.data
            fork.power = power
            try:
                change(fork)
            except PowerCut:
                pass
            fork.power = None
            self.trial(fork, f"operation {self.operation}, after {power}")


def text(short: Figures, long: Figures) -> str:
    """Lines for people."""
    lines = []
    for name, figures in (("Short lives, cut everywhere", short), ("Long lives, cut at random", long)):
        lines.append(
            f"{name}: {figures.lives} lives, {figures.cuts} cuts and {figures.cuts_in_recovery} more in the recovery, "
            f"{figures.erases} erases, {figures.slow_mounts} mounts without a root."
        )
    lines.append(
        f"Blocks that wore out: {long.bad_blocks}; lives that ended because too few were left: {long.worn_out}. "
        f"Records refused because the flash was full: {long.full}."
    )
    failures = short.failures + long.failures
    return "\n".join([*lines, *failures, f"Lost, resurrected or still readable: {len(failures) or 'nothing'}."])


def exhaustive(seed: int, steps: int, every: int = 1, tell: Callable[[int, int], None] | None = None) -> Figures:
    """Cut one life of so many steps at every byte of every program and at 16 places of every erase.

    every: try only each so-manieth cut. tell(steps done, cuts) is called after each step.
    """
    figures = Figures(lives=1)
    flash = _Forking(*SMALL, Chance(seed))
    life = Life(flash, seed)
    count = [0]

    def trial(fork: Flash, where: str) -> None:
        count[0] += 1
        if count[0] % every:
            return
        figures.cuts += 1
        _judge_fork(life, fork, f"seed {seed}, {where}", figures)

    flash.trial = trial
    life.boot()
    for step in range(steps):
        life.step()
        if tell:
            tell(step + 1, figures.cuts)
    figures.operations = flash.operation
    figures.slow_mounts = life.slow_mounts
    figures.erases = sum(flash.erases)
    return figures


def _judge_fork(life: Life, fork: Flash, where: str, figures: Figures) -> None:
    other = copy.copy(life)
    other.flash = fork
    other.random = random.Random(where)
    other.acked = {kind: list(records) for kind, records in life.acked.items()}
    other.gone = list(life.gone)
    try:
        _recover(other, figures)
        other.goes_on()
    except (Wrong, StoreError) as error:
        figures.failures.append(f"{where}: {error}")


def _recover(life: Life, figures: Figures) -> None:
    # Boot after a cut, with more cuts in the boot itself and in what follows it.
    for _ in range(life.random.choice((0, 0, 1, 2))):
        life.flash.power = life.random.randrange(120)
        try:
            life.after_cut()
            life.append(5)
        except PowerCut:
            figures.cuts_in_recovery += 1
        life.flash.power = None
    life.after_cut()


def lives(seed: int, cuts: int, worn: bool = False) -> Iterator[Figures]:
    """Long lives cut at random, `cuts` times in all; yields the figures after each cut. worn: blocks wear out early."""
    figures = Figures()
    chance = random.Random(seed)
    while figures.cuts < cuts:
        life = _new_life(chance, worn)
        figures.lives += 1
        length = chance.randrange(50, 3000)
        try:
            while figures.cuts < cuts and length and _good(life) >= _ENOUGH:
                length -= 1
                _one_cut(life, chance, figures)
                yield figures
            figures.worn_out += _good(life) < _ENOUGH
        except (Wrong, StoreError) as error:
            if isinstance(error, StoreError) and _good(life) < _ENOUGH:
                figures.worn_out += 1  # the end of a flash, not a fault
            else:
                figures.failures.append(f"seed {seed}, life {figures.lives}, cut {figures.cuts}: {error}")
        figures.full += life.fulls
        figures.slow_mounts += life.slow_mounts
        figures.erases += sum(life.flash.erases)
        figures.bad_blocks += len(life.flash.erases) - _good(life)
    yield figures


def _new_life(chance: random.Random, worn: bool) -> Life:
    blocks, size = SMALL
    lasts = [chance.randrange(20, 400) for _ in range(blocks)] if worn else None
    return Life(Flash(blocks, size, Chance(chance.randrange(1 << 30)), lasts), chance.randrange(1 << 30))


def _good(life: Life) -> int:
    size = life.flash.block_bytes
    data = life.flash.data
    return sum(1 for at in range(0, len(data), size) if any(data[at : at + 32]))


def _one_cut(life: Life, chance: random.Random, figures: Figures) -> None:
    life.flash.power = chance.randrange(3000)
    try:
        if not hasattr(life, "store"):
            life.boot()
        if not until_cut(life, 200):
            life.flash.power = None
            return
    except PowerCut:
        life.flash.power = None
    figures.cuts += 1
    _recover(life, figures)
