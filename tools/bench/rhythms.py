# The token's rhythms as one picture and as sounds, so that people can judge them. Knows lib's steps, no firmware.
from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from markupsafe import Markup

from emask import rhythm
from tools.report import svg

Steps = list[tuple[int, int, int]]
PICTURE = "rhythms.svg"
_LANES = ((rhythm.MOTOR, "vibration"), (rhythm.LED, "light"), (rhythm.BUZZER, "buzzer"))
_RATE_HZ = 22_050
_HUM_HZ, _TONE_HZ = 170, 2_700  # a coin motor; the firmware's buzzer
_HUM_LEVEL, _TONE_LEVEL, _CLICK_LEVEL = 0.7, 0.4, 0.15
_PX_A_S, _LEFT_PX, _TOP_PX, _LANE_PX, _MIN_PX = 60, 190, 8, 16, 2
_MADE = "<!-- Written by `emask bench rhythms`; do not edit. -->"
_LABEL = "When vibration, light and buzzer are on in each rhythm"
_STYLE = (
    "text { font: 12px sans-serif; fill: #222 } .name { font-weight: bold; font-size: 14px } "
    "rect { fill: #0a3d8f } .paper { fill: #fff } .mark { stroke: #ccc }"
)


def named() -> dict[str, Steps]:
    """All rhythms, by what they say."""
    low = {f"battery low, {level}": rhythm.light(level) for level in (1, 2, 3)}
    return {
        "contact, aloud": rhythm.alert(1, False, True),
        "contact": rhythm.alert(1, False, False),
        "lesser grade": rhythm.alert(2, False, False),
        "heard: the daily reminder": rhythm.alert(1, True, False),
        "taken back": rhythm.taken_back(),
        **low,
        "alive": rhythm.light(0),
        "the end, at the button": rhythm.ended(),
    }


def picture(rhythms: dict[str, Steps]) -> str:
    """One SVG: for each rhythm its lanes over time; what is on is a bar. Lanes that say nothing are left out."""
    body: list[Markup] = []
    y = _TOP_PX
    for name, steps in rhythms.items():
        body.append(svg.text(8, y + 14, name, "name"))
        y += _LANE_PX + 6
        for part, lane in _LANES:
            if bars := _bars(steps, part):
                body += [svg.text(24, y + 12, lane), *(_bar(at_ms, on_ms, y) for at_ms, on_ms in bars)]
                y += _LANE_PX + 4
        y += _LANE_PX
    longest_ms = max(sum(on_ms + off_ms for on_ms, off_ms, _ in steps) for steps in rhythms.values())
    marks = [part for second in range(0, longest_ms // 1000 + 1, 2) for part in _mark(second, y)]
    width, height = _LEFT_PX + longest_ms * _PX_A_S // 1000 + 10, y + _LANE_PX + 4
    paper = svg.rect(0, 0, width, height, class_="paper")
    parts = Markup("\n").join([svg.element("style", Markup(_STYLE)), paper, *marks, *body])
    whole = svg.element(
        "svg", parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", role="img", aria_label=_LABEL
    )
    return f"{_MADE}\n{whole}\n"


def _bars(steps: Steps, part: int) -> list[tuple[int, int]]:
    """(begins at, lasts), ms, of one part."""
    found, at_ms = [], 0
    for on_ms, off_ms, one in steps:
        if one & part:
            found.append((at_ms, on_ms))
        at_ms += on_ms + off_ms
    return found


def _bar(at_ms: int, on_ms: int, y: int) -> Markup:
    width = max(_MIN_PX, on_ms * _PX_A_S / 1000)
    return svg.rect(_LEFT_PX + at_ms * _PX_A_S / 1000, y, width, _LANE_PX, rx=2)


def _mark(second: int, high: int) -> tuple[Markup, Markup]:
    x = _LEFT_PX + second * _PX_A_S
    return svg.line(x, _TOP_PX, x, high, "mark"), svg.text(x - 8, high + 14, f"{second} s")


def sound(steps: Steps) -> np.ndarray:
    """16-bit samples: the motor hums, the buzzer sounds, the light is a faint noise so that it can be heard too."""
    chance = np.random.default_rng(1)
    pieces = []
    for on_ms, off_ms, part in steps:
        at_s = np.arange(_RATE_HZ * on_ms // 1000) / _RATE_HZ
        if part & rhythm.MOTOR:
            piece = _HUM_LEVEL * np.sin(2 * np.pi * _HUM_HZ * at_s)
        elif part == rhythm.BUZZER:
            piece = _TONE_LEVEL * np.sign(np.sin(2 * np.pi * _TONE_HZ * at_s))
        else:
            piece = _CLICK_LEVEL * chance.uniform(-1, 1, at_s.size)
        pieces += [piece, np.zeros(_RATE_HZ * off_ms // 1000)]
    return (np.concatenate(pieces) * 32_767).astype("<i2")


def write(out: Path) -> list[Path]:
    """PICTURE and a WAV file for each rhythm into `out`; their paths."""
    out.mkdir(parents=True, exist_ok=True)
    made = [out / PICTURE]
    made[0].write_text(picture(named()), encoding="utf-8")
    for name, steps in named().items():
        path = out / ("-".join(name.replace(",", "").replace(":", "").split()) + ".wav")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE_HZ)
            file.writeframes(sound(steps).tobytes())
        made.append(path)
    return made
