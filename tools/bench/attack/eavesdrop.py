# What someone with an antenna can tell of a visit: number, sizes, directions and times of its packets, and two
# classifiers that try to tell a warned token, or an upload, from any other. Knows no key and no message.
from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emask import spec
from tools.bench.attack.stage import Stage
from tools.bench.image import Image
from tools.bench.run import TOKEN_HEAP_KIB
from tools.bench.scenario import START_UTC
from tools.kiosk.wish import Wish

_CODE = "ABCDEFGHJKLM"
_DECIDES_S = (6.0, 14.0)  # a wearer counts the pulses, then holds the button
_HOLD_MS = 2500.0
_REST_S = (330.0, 700.0)  # a button held into a sleep is heard again from the next window on
_OF_A_LIFE = 8  # visits
_SURE = 3.1  # standard deviations: once in a thousand by chance
_NEAREST = 5
_PACKETS = 60  # of a visit, that are looked at
_LIFE = """
import struct
import device
from emask import alert
plain = device.Device.wake
def wake(self, reason):
    plain(self, reason)
    {known}
device.Device.wake = wake
import boot, main
"""
# What a token of a kind knows from its first boot on: an F1 its alert, an F2 what the list of contacts came to.
_KNOWN = {
    "alerted": "self.set_alert(alert.pack({day}, alert.GRADE_CONTACT, 0, 5, {day} + 14))",
    "contact": f"self.store.append({spec.SECOND}, self.slot(), "
    "struct.pack('<HBBIH80x', {day}, alert.GRADE_CONTACT, 1, 5, {day} + 14))",
}
KINDS = ("calm", "alerted", "contact", "upload")
_STATES = {"alerted": spec.STATE_ALERT, "contact": spec.STATE_LESSER}

Packet = tuple[int, int, float]  # 0 from the kiosk, 1 from the token; bytes; ms since the connection began


def run(
    image: Image, visits: int, seed: int, tell: Callable[[], None], kinds: tuple[str, ...] = KINDS
) -> dict[str, Any]:
    """Record so many visits of each kind, eight in the life of a token; what two classifiers make of them."""
    seen: dict[str, list[list[Packet]]] = {kind: [] for kind in kinds}
    for kind in kinds:
        life = 0
        while len(seen[kind]) < visits:
            seen[kind] += _life(
                image, kind, [seed, life, KINDS.index(kind)], min(_OF_A_LIFE, visits - len(seen[kind])), tell
            )
            life += 1
    found: dict[str, Any] = {"visits_of_each": visits}
    for kind in kinds[1:]:
        if kind == "upload":
            found["upload_without_times"] = compare(_timeless(seen["calm"]), _timeless(seen["upload"]), seed)
        found[kind] = compare(seen["calm"], seen[kind], seed)
    return found


def _life(image: Image, kind: str, seeds: list[int], count: int, tell: Callable[[], None]) -> list[list[Packet]]:
    seed = seeds[0] * 10_000 + seeds[1] * 10 + seeds[2]
    found: list[list[Packet]] = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "life.py"
        known = _KNOWN.get(kind, "pass").format(day=int(START_UTC.timestamp()) // 86400)
        script.write_text(_LIFE.format(known=known))
        with Stage(
            image,
            Path(folder),
            seed=seed,
            detail="full",
            script=script,
            heap_kib=TOKEN_HEAP_KIB,
            report_latency_ms=250.0,
        ) as stage:
            stage.run(stage.visit())  # certificates are known, the time is
            stage.wait(4000)
            ear = Ear(stage)
            for _ in range(count):
                stage.run(_visit(stage, kind))
                found.append(ear.packets)
                tell()
                stage.wait(stage.engine.rng("rest", stage.now_s).uniform(*_REST_S))
    return found


async def _visit(stage: Stage, kind: str) -> None:
    after_s = stage.engine.rng("decides", stage.now_s).uniform(*_DECIDES_S)

    def show(_: tuple[int, int]) -> None:
        stage.engine.at(stage.node.name, stage.engine.now_us + int(after_s * 1e6), stage.press, _HOLD_MS)

    result = await stage.visit(wish=Wish(code=_CODE) if kind == "upload" else None, show=show)
    told = result.status["state"] & (spec.STATE_ALERT | spec.STATE_LESSER)
    if (kind == "upload") != (result.upload == "taken") or told != _STATES.get(kind, 0):
        raise AssertionError(f"the bench played no visit of a token: {kind}")


class Ear:
    """Hears the packets of the last connection: lengths and times, as anyone near does."""

    def __init__(self, stage: Stage) -> None:
        self.packets: list[Packet] = []
        self._since_us = 0
        stage.engine.log.watch.append(self._event)

    def _event(self, event: dict[str, Any]) -> None:
        if event["ev"] == "link" and event["state"] == "up":
            self.packets, self._since_us = [], event["t_us"]
        elif event["ev"] == "air":
            at_ms = (event["t_us"] - self._since_us) / 1000
            self.packets.append((int(event["node"] == "token"), event["bytes"], at_ms))


def _timeless(visits: list[list[Packet]]) -> list[list[Packet]]:
    """Only what is sent, in each direction by itself: no times, nor what they decide about the order."""
    return [[(way, size, 0.0) for way in (0, 1) for w, size, _ in visit if w == way] for visit in visits]


def compare(one: list[list[Packet]], other: list[list[Packet]], seed: int) -> dict[str, Any]:
    """How often each classifier is right about a visit that it has not seen; chance is a half."""
    rows = np.array([features(visit) for visit in [*one, *other]])
    is_other = np.array([0] * len(one) + [1] * len(other))
    right = {"nearest": _nearest(rows, is_other), "best_feature": _best_feature(rows, is_other, seed)}
    spread = _SURE * 0.5 / len(is_other) ** 0.5
    return {
        **{name: round(share, 3) for name, share in right.items()},
        "chance_up_to": round(0.5 + spread, 3),
        "within_chance": all(share <= 0.5 + spread for share in right.values()),
    }


def features(visit: list[Packet]) -> list[float]:
    """Of one visit: packets, bytes and their number by direction, how long it took, and the first 60 packets' own."""
    ways = [[packet for packet in visit if packet[0] == way] for way in (0, 1)]
    found = [float(len(visit)), visit[-1][2]]
    found += [float(len(packets)) for packets in ways] + [float(sum(packet[1] for packet in p)) for p in ways]
    padded = visit[:_PACKETS] + [(0, 0, 0.0)] * (_PACKETS - len(visit))
    gaps = [later[2] - earlier[2] for earlier, later in zip(padded, padded[1:], strict=False)]
    return found + [float(p[0] * 1000 + p[1]) for p in padded] + gaps


def _nearest(rows: np.ndarray, is_other: np.ndarray) -> float:
    """Each visit is what most of the five are that are most like it; of features that differ at all."""
    varying = rows[:, rows.std(axis=0) > 1e-9]
    if not varying.size:
        return 0.5
    scaled = (varying - varying.mean(axis=0)) / varying.std(axis=0)
    apart = ((scaled[:, None, :] - scaled[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    votes = is_other[np.argsort(apart, axis=1)[:, :_NEAREST]].mean(axis=1) > 0.5
    return float((votes == is_other).mean())


def _best_feature(rows: np.ndarray, is_other: np.ndarray, seed: int) -> float:
    """The threshold of one feature that tells one half of the visits best apart, tried on the other half; both ways."""
    order = np.random.default_rng(seed).permutation(len(is_other))
    halves = order[::2], order[1::2]
    right = [_threshold(rows, is_other, *pair) for pair in (halves, halves[::-1])]
    return float(np.mean(right))


def _threshold(rows: np.ndarray, is_other: np.ndarray, learn: np.ndarray, judge: np.ndarray) -> float:
    best = (-1.0, 0, 0.0, 1)
    for column in range(rows.shape[1]):
        values = np.unique(rows[learn, column])
        for level in (values[1:] + values[:-1]) / 2:
            share = float(((rows[learn, column] > level) == is_other[learn]).mean())
            for sign, found in ((1, share), (0, 1 - share)):
                best = max(best, (found, column, float(level), sign))
    if best[0] < 0:
        return 0.5
    _, column, level, sign = best
    return float((((rows[judge, column] > level) == is_other[judge]) == bool(sign)).mean())


def leaks(found: dict[str, Any]) -> bool:
    """Whether a visit tells what it must not. That an upload takes its time is known, and is the control."""
    return not all(found[kind]["within_chance"] for kind in ("alerted", "contact", "upload_without_times"))


def text(found: dict[str, Any]) -> str:
    names = {
        "alerted": "an alerted token, by everything",
        "contact": "one warned as F2, by everything",
        "upload_without_times": "an upload, by numbers and sizes",
        "upload": "an upload, by times too",
    }
    lines = [f"{found['visits_of_each']} visits of each kind; share of visits that a listener names rightly:"]
    for key, name in names.items():
        row = found[key]
        verdict = "within chance" if row["within_chance"] else "seen"
        lines.append(
            f"{name:<32} nearest {row['nearest']:.2f}, best feature {row['best_feature']:.2f}; "
            f"chance up to {row['chance_up_to']:.2f}: {verdict}"
        )
    return "\n".join(lines)
