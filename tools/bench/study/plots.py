# The study's two pictures, as SVG files that stand alone. Knows no simulation.
from __future__ import annotations

import math
from dataclasses import dataclass, field

from markupsafe import Markup

from tools.report import svg
from tools.report.energy import HUES

_WIDTH, _HEIGHT, _LEFT, _TOP = 620.0, 300.0, 60.0, 24.0
_STYLE = (
    "text{font:13px sans-serif;fill:#333}.grid{stroke:#ddd}.tick{font-size:12px}svg{background:#fff}"
    ".curve{fill:none;stroke-width:2}"
)


@dataclass
class Curve:
    """Named points (x, y); joined: a line, else marks only."""

    name: str
    points: list[tuple[float, float]] = field(default_factory=list)
    joined: bool = True


def draw(title: str, x_label: str, y_label: str, curves: list[Curve], log_x: bool = False) -> str:
    """A chart of shares (y from 0 to 1) over x."""
    xs = [x for curve in curves for x, _ in curve.points]
    low, high = min(xs), max(xs)
    scale = _Scale(low, high, log_x)
    parts = [element for tick in (0, 0.25, 0.5, 0.75, 1.0) for element in _level(tick)]
    for tick in scale.ticks():
        x = scale.x(tick)
        parts.append(svg.line(x, _TOP, x, _TOP + _HEIGHT, "grid"))
        parts.append(svg.text(x, _TOP + _HEIGHT + 16, f"{tick:g}", "tick", text_anchor="middle"))
    for index, curve in enumerate(curves):
        parts += _curve(curve, scale, HUES[index % len(HUES)], index)
    parts.append(svg.text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 36, x_label, text_anchor="middle"))
    parts.append(svg.text(_LEFT, _TOP - 8, y_label))
    height = _TOP + _HEIGHT + 54 + 18 * len(curves)
    picture = svg.picture(_LEFT + _WIDTH + 30, height, title, [svg.element("style", Markup(_STYLE)), *parts])
    return str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


class _Scale:
    def __init__(self, low: float, high: float, log: bool) -> None:
        self.low, self.high, self.log = low, max(high, low + 1e-9), log

    def x(self, value: float) -> float:
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return _LEFT + share * _WIDTH

    def ticks(self) -> list[float]:
        if not self.log:
            return svg.ticks(self.low, self.high, 8)
        return [t for e in range(-2, 4) for m in (1, 2, 5) if self.low <= (t := m * 10.0**e) <= self.high]


def _y(share: float) -> float:
    return _TOP + (1 - share) * _HEIGHT


def _level(tick: float) -> list[Markup]:
    y = _y(tick)
    return [
        svg.line(_LEFT, y, _LEFT + _WIDTH, y, "grid"),
        svg.text(_LEFT - 8, y + 4, f"{100 * tick:g} %", "tick", text_anchor="end"),
    ]


def _curve(curve: Curve, scale: _Scale, hue: str, row: int) -> list[Markup]:
    places = [(scale.x(x), _y(y)) for x, y in sorted(curve.points)]
    y = _TOP + _HEIGHT + 56 + 18 * row
    parts = [svg.rect(_LEFT, y - 10, 12, 12, fill=hue), svg.text(_LEFT + 18, y, curve.name)]
    if curve.joined and len(places) > 1:
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        parts.append(svg.element("polyline", points=line, class_="curve", stroke=hue))
    for (px, py), (x, share) in zip(places, sorted(curve.points), strict=True):
        title = svg.element("title", f"{curve.name}: {x:g}, {100 * share:.2f} %")
        parts.append(svg.element("circle", title, cx=px, cy=py, r=3.5, fill=hue))
    return parts
