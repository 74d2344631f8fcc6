"""Owns the timeline of one token's radio: lanes of spans, the whole run and a piece of it. Knows no other chart."""

from markupsafe import Markup

from tools.report import svg

_LEFT = 104
_WIDTH = 760
_LANE = 26
_NARROWEST = 0.7
_RARE, _RARE_NARROWEST = 60, 2.5  # so few spans in a lane are drawn wide enough to be seen


def draw(data: dict) -> dict[str, Markup | str | None]:
    """{"whole": SVG, "zoom": SVG or None, "token": name} of the report's `timeline`."""
    whole = _panel(data, data["start_s"], data["end_s"], "Radio over the whole run")
    zoom = data.get("zoom")
    return {
        "token": data["token"],
        "whole": whole,
        "zoom": _panel(data, zoom[0], zoom[1], "The same, a piece of it enlarged") if zoom else None,
    }


def _panel(data: dict, start_s: float, end_s: float, label: str) -> Markup:
    lanes, length_s = data["lanes"], max(end_s - start_s, 1e-6)
    scale = _WIDTH / length_s
    top, bottom = 30, 30 + _LANE * len(lanes)
    parts = _axis(start_s, end_s, scale, top, bottom)
    for index, lane in enumerate(lanes):
        parts += _lane(lane, index, start_s, end_s, scale, top + index * _LANE)
    parts += _marks(data.get("marks", []), start_s, end_s, scale, top, bottom)
    seen = "; ".join(f"{lane['name']}: {_covered(lane, start_s, end_s):.1f} s" for lane in lanes)
    return svg.picture(_LEFT + _WIDTH + 20, bottom + 40, f"{label}, {length_s:.0f} s long. {seen}", parts)


def _axis(start_s: float, end_s: float, scale: float, top: float, bottom: float) -> list[Markup]:
    parts, minutes = [], end_s - start_s > 300
    unit = 60 if minutes else 1
    for tick in svg.ticks(start_s / unit, end_s / unit, 10):
        x = _LEFT + (tick * unit - start_s) * scale
        parts.append(svg.line(x, top, x, bottom, "grid"))
        parts.append(svg.text(x, bottom + 16, f"{tick:g}", "tick", text_anchor="middle"))
    parts.append(
        svg.text(_LEFT + _WIDTH / 2, bottom + 33, "minutes" if minutes else "seconds", "tick", text_anchor="middle")
    )
    return parts


def _lane(lane: dict, index: int, start_s: float, end_s: float, scale: float, top: float) -> list[Markup]:
    steps = []
    narrowest = _RARE_NARROWEST if len(lane["spans"]) < _RARE else _NARROWEST
    for begin, end in lane["spans"]:
        if end >= start_s and begin <= end_s:
            begin, end = max(begin, start_s), min(end, end_s)
            width = max((end - begin) * scale, narrowest)
            steps.append(f"M{_LEFT + (begin - start_s) * scale:.1f} {top + _LANE / 2:g}h{width:.1f}")
    seconds = _covered(lane, start_s, end_s)
    share = 100 * seconds / max(end_s - start_s, 1e-6)
    title = svg.element("title", f"{lane['name']}: {seconds:.1f} s, {share:.2f} % of the time shown")
    return [
        svg.text(_LEFT - 8, top + _LANE / 2 + 4, lane["name"], "name", text_anchor="end"),
        svg.line(_LEFT, top + _LANE, _LEFT + _WIDTH, top + _LANE, "grid"),
        svg.element("path", title, d="".join(steps), class_="span", style=f"stroke:var(--hue-{index % 8})"),
    ]


def _covered(lane: dict, start_s: float, end_s: float) -> float:
    return sum(max(0.0, min(end, end_s) - max(begin, start_s)) for begin, end in lane["spans"])


def _marks(marks: list[dict], start_s: float, end_s: float, scale: float, top: float, bottom: float) -> list[Markup]:
    parts: list[Markup] = []
    shown = [mark for mark in marks if start_s <= mark["at_s"] <= end_s]
    free_from = [-1e9, -1e9]
    for mark in sorted(shown, key=lambda mark: mark["at_s"]):
        x = _LEFT + (mark["at_s"] - start_s) * scale
        parts.append(svg.line(x, top - 4, x, bottom, "event"))
        room = 7.0 * len(mark["label"])
        at_end = x + room > _LEFT + _WIDTH + 16
        left = x - room if at_end else x
        row = 0 if left >= free_from[0] else 1
        if left >= free_from[row]:
            parts.append(
                svg.text(
                    x, top - 7 - 12 * row, mark["label"], "tick event-name", text_anchor="end" if at_end else "start"
                )
            )
            free_from[row] = left + room + 6
    return parts
