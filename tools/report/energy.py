"""Owns the chart of charge by consumer: one stacked bar per token. Knows no other chart."""

from markupsafe import Markup

from tools.report import svg

# Okabe and Ito's palette: told apart by most people with colour-blindness; the last is for whatever else.
HUES = ("#56b4e9", "#e69f00", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#8a7a00", "#7f7f7f")

_LEFT = 84
_WIDTH = 640
_BAR = 22


def draw(data: dict) -> Markup:
    """SVG of the report's `energy`: {"unit", "consumers", "tokens": [{"name", "values"}]}."""
    tokens, consumers, unit = data["tokens"], data["consumers"], data["unit"]
    longest = max((sum(token["values"]) for token in tokens), default=0) or 1
    scale = _WIDTH / (longest * 1.02)
    legend, top = _legend(consumers)
    bottom = top + _BAR * len(tokens)
    parts = legend + _axis(longest, scale, top, bottom, unit)
    for row, token in enumerate(tokens):
        parts += _bar(token, consumers, unit, scale, top + row * _BAR)
    label = f"Charge by consumer in {unit}, one bar per token. The table below gives the figures."
    return svg.picture(_LEFT + _WIDTH + 70, bottom + 40, label, parts)


def _legend(consumers: list[str]) -> tuple[list[Markup], float]:
    parts: list[Markup] = []
    x, y = float(_LEFT), 6.0
    for index, name in enumerate(consumers):
        room = 26 + 7.2 * len(name)
        if x + room > _LEFT + _WIDTH + 60:
            x, y = float(_LEFT), y + 20
        parts.append(svg.rect(x, y, 12, 12, rx=2, style=f"fill:var(--hue-{index % 8})"))
        parts.append(svg.text(x + 17, y + 11, name, "legend"))
        x += room
    return parts, y + 28


def _axis(longest: float, scale: float, top: float, bottom: float, unit: str) -> list[Markup]:
    parts = []
    for tick in svg.ticks(0, longest, 8):
        x = _LEFT + tick * scale
        parts.append(svg.line(x, top, x, bottom, "grid"))
        parts.append(svg.text(x, bottom + 16, f"{tick:g}", "tick", text_anchor="middle"))
    parts.append(svg.text(_LEFT + _WIDTH / 2, bottom + 33, unit, "tick", text_anchor="middle"))
    return parts


def _bar(token: dict, consumers: list[str], unit: str, scale: float, top: float) -> list[Markup]:
    parts = [svg.text(_LEFT - 8, top + 15, token["name"], "name", text_anchor="end")]
    x = float(_LEFT)
    for index, (consumer, value) in enumerate(zip(consumers, token["values"], strict=True)):
        if value > 0:
            title = f"{token['name']}, {consumer}: {value:.3g} {unit}"
            parts.append(svg.rect(x, top + 3, value * scale, _BAR - 6, title, style=f"fill:var(--hue-{index % 8})"))
        x += value * scale
    parts.append(svg.text(x + 6, top + 15, f"{sum(token['values']):.3g}", "tick"))
    return parts
