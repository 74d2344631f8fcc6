# How strongly one antenna hears another: constant, by positions, or as recorded. Knows no radio protocol.
from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Callable, Collection
from typing import Protocol

from tools.bench.recording import Recording

Level = Callable[[int], float | None]
_SWAY_US = 1_200_000_000
_REACH_US = 1_000_000  # levels move slowly: one evaluation a second and link


class Model(Protocol):
    """What drives links: which pairs, how strong at a time (None: not at all), and how a packet's level is spread."""

    def knows(self, sender: str, receiver: str) -> bool: ...

    def joins(self, t_us: int) -> bool: ...

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None: ...

    def fading_db(self, rng: random.Random) -> float: ...


class LinkTable:
    """Directed links by name. The first model that knows a pair drives it."""

    def __init__(self, rng: Callable[..., random.Random]) -> None:
        self._rng = rng
        self._models: list[Model] = []
        self._chosen: dict[tuple[str, str], Model | None] = {}
        self._cache: dict[tuple[str, str], tuple[int, float | None]] = {}
        self._fading: dict[str, random.Random] = {}
        self._partners: dict[str, tuple[int, tuple[str, ...]]] = {}

    def add(self, model: Model) -> None:
        self._models.append(model)

    def changes_us(self) -> list[int]:
        """When links come or go that are told by times; between two of them joined() stays as it is."""
        ends = {t for model in self._models if isinstance(model, ConstantLink) for t in (model.from_us, model.to_us)}
        return sorted(t for t in ends if t)

    def joined(self, names: Collection[str], t_us: int) -> list[tuple[str, str]]:
        """The pairs of names that may hear each other from t_us until the next change."""
        pairs = itertools.combinations(names, 2)
        return [pair for pair in pairs if (model := self._model(pair)) and model.joins(t_us)]

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None:
        pair = (sender, receiver)
        model = self._model(pair)
        if model is None:
            return None
        if isinstance(model, ConstantLink):
            return model.level_dbm(sender, receiver, t_us)
        cached = self._cache.get(pair)
        second = t_us // _REACH_US
        if cached is None or cached[0] != second:
            cached = self._cache[pair] = (second, model.level_dbm(sender, receiver, t_us))
        return cached[1]

    def partners(self, sender: str, names: Collection[str]) -> tuple[str, ...]:
        """Those of names that some model joins with the sender, ever; a level may still be None at times."""
        known = self._partners.get(sender)
        if known is None or known[0] != len(names):
            some = tuple(name for name in names if name != sender and self._model((sender, name)))
            known = self._partners[sender] = (len(names), some)
        return known[1]

    def _model(self, pair: tuple[str, str]) -> Model | None:
        try:
            return self._chosen[pair]
        except KeyError:
            found = self._chosen[pair] = next((m for m in self._models if m.knows(*pair)), None)
            return found

    def fading_db(self, sender: str, receiver: str) -> float:
        """One draw for one packet; each receiver has a stream of its own."""
        model = self._model((sender, receiver))
        rng = self._fading.get(receiver)
        if rng is None:
            rng = self._fading[receiver] = self._rng("fading", receiver)
        return model.fading_db(rng) if model else 0.0

    def note_heard(self, sender: str, receiver: str, t_us: int) -> None:
        model = self._model((sender, receiver))
        if isinstance(model, RecordedLinks):
            model.note_heard(sender, receiver, t_us)


class ConstantLink:
    """The same level all the time, both ways, between a and b ("*": anyone). sway_db: worn tokens don't hear one level
    for long; it goes up and down by so much in all, every 20 minutes."""

    def __init__(
        self, a: str, b: str, rssi_dbm: float, from_us: int = 0, to_us: int | None = None, sway_db: float = 0.0
    ) -> None:
        self.a, self.b, self.rssi_dbm = a, b, rssi_dbm
        self.from_us, self.to_us = from_us, to_us
        self.sway_db = sway_db

    def knows(self, sender: str, receiver: str) -> bool:
        return self._is(sender, receiver) or self._is(receiver, sender)

    def joins(self, t_us: int) -> bool:
        return t_us >= self.from_us and (self.to_us is None or t_us < self.to_us)

    def _is(self, a: str, b: str) -> bool:
        return self.a in (a, "*") and self.b in (b, "*")

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None:
        if not self.joins(t_us):
            return None
        return self.rssi_dbm + self.sway_db / 2 * math.sin(2 * math.pi * t_us / _SWAY_US)

    def fading_db(self, rng: random.Random) -> float:
        return 0.0


class PathLinks:
    """Log-distance path loss between moving points: level = ref_dbm - 10 n log10(d / 1 m) - body_loss_db -
    shadowing.
    """

    def __init__(
        self,
        paths: dict[str, list[tuple[int, float, float]]],
        rng: Callable[..., random.Random],
        *,
        ref_dbm: float = -55.0,
        exponent: float = 2.2,
        body_loss_db: float = 0.0,
        shadowing_db: float = 3.0,
        fading_db: float = 5.0,
    ) -> None:
        self._paths = paths
        self._rng = rng
        self.ref_dbm, self.exponent, self.body_loss_db = ref_dbm, exponent, body_loss_db
        self.shadowing_db, self._fading_db = shadowing_db, fading_db
        self._shadow: dict[tuple[str, str], float] = {}

    def knows(self, sender: str, receiver: str) -> bool:
        return sender in self._paths and receiver in self._paths

    def joins(self, t_us: int) -> bool:
        return True

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None:
        distance = max(0.1, self.distance_m(sender, receiver, t_us))
        loss = 10 * self.exponent * math.log10(distance) + self.body_loss_db
        return self.ref_dbm - loss + self._shadowing(sender, receiver)

    def distance_m(self, a: str, b: str, t_us: int) -> float:
        ax, ay = self._where(a, t_us)
        bx, by = self._where(b, t_us)
        return math.hypot(ax - bx, ay - by)

    def _where(self, name: str, t_us: int) -> tuple[float, float]:
        path = self._paths[name]
        after = bisect.bisect_right(path, t_us, key=lambda point: point[0])
        if after == 0 or after == len(path):
            return path[max(0, after - 1)][1:]
        (t0, x0, y0), (t1, x1, y1) = path[after - 1], path[after]
        share = (t_us - t0) / (t1 - t0)
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share

    def _shadowing(self, a: str, b: str) -> float:
        pair = (min(a, b), max(a, b))
        if pair not in self._shadow:
            self._shadow[pair] = self._rng("shadowing", *pair).gauss(0, self.shadowing_db)
        return self._shadow[pair]

    def fading_db(self, rng: random.Random) -> float:
        """Rayleigh-like quick fading, dB: 10 log10 of an exponential variate, scaled; bounded at +-20."""
        return max(-20.0, min(20.0, rng.gauss(0, self._fading_db)))


class RecordedLinks:
    """Levels of a recording from start_us on; people[id in the recording] = name in the scenario."""

    def __init__(self, recording: Recording, people: dict[str, str], start_us: int) -> None:
        self.recording, self.people, self.start_us = recording, people, start_us
        self._ids = {name: person for person, name in people.items()}
        self.heard_measured = 0
        self.heard_interpolated = 0

    def knows(self, sender: str, receiver: str) -> bool:
        return sender in self._ids and receiver in self._ids

    def joins(self, t_us: int) -> bool:
        return True

    def level_dbm(self, sender: str, receiver: str, t_us: int) -> float | None:
        return self.recording.level_dbm(self._ids[receiver], self._ids[sender], (t_us - self.start_us) / 1e6)

    def fading_db(self, rng: random.Random) -> float:
        residuals = self.recording.residuals_db
        return residuals[int(rng.random() * len(residuals))]

    def note_heard(self, sender: str, receiver: str, t_us: int) -> None:
        if self.recording.in_burst(self._ids[receiver], self._ids[sender], (t_us - self.start_us) / 1e6):
            self.heard_measured += 1
        else:
            self.heard_interpolated += 1
