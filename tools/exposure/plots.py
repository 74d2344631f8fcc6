"""Owns the three plots of an evaluation as SVG files: ROC, calibration, minutes. Draws with tools.report.svg."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from tools.exposure import evaluate, stats
from tools.report import svg

_SIDE, _LEFT, _TOP, _FOOT = 360, 64, 24, 60
_HUES = ("#0b6e4f", "#8a8a8a", "#c0582b", "#4a6fa5", "#a04668")
_DASHES = (None, "2 3", "7 3", "7 3 2 3", "1 2")
_STYLE = Markup(
    "<style>text{font:13px sans-serif;fill:#222}.axis{stroke:#222}.guide{stroke:#bbb;stroke-dasharray:4 4}"
    ".small{font-size:11px}</style>"
)


def write(folder: Path, judged: Sequence[evaluate.Table], bins: Sequence[dict]) -> list[Path]:
    """roc.svg, calibration.svg, minutes.svg in `folder`; the first table is the engine's."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {"roc.svg": roc(judged), "calibration.svg": calibration(bins), "minutes.svg": minutes(judged[0])}
    for name, picture in pictures.items():
        drawn = str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        (folder / name).write_text(drawn + "\n", encoding="utf-8")
    return [folder / name for name in pictures]


def roc(judged: Sequence[evaluate.Table]) -> Markup:
    """True against false positive share of 5-minute windows, one line per method."""
    frame = _Frame(1, 1, "windows further than 2 m said to be near", "windows within 2 m said to be near")
    parts = [*frame.axes(), frame.line([(0, 0), (1, 1)], "#bbb", "4 4")]
    for at, one in enumerate(judged):
        false, true = stats.roc(one.scores, one.near)
        hue, dash = _HUES[at % len(_HUES)], _DASHES[at % len(_DASHES)]
        parts.append(frame.line(list(zip(false, true, strict=True)), hue, dash, 2.5 if at == 0 else 1.5))
        auc = stats.auc(one.scores, one.near)
        label = one.method.name if auc is None else f"{one.method.name} {auc:.3f}"
        y = _TOP + _SIDE - 20 - 18 * (len(judged) - 1 - at)
        parts.append(
            svg.element("path", d=f"M{_LEFT + 170} {y - 4}h26", stroke=hue, stroke_width=2, stroke_dasharray=dash)
        )
        parts.append(svg.text(_LEFT + 202, y, label, "small"))
    return frame.picture("ROC of 5-minute windows, with the area under each curve", parts)


def calibration(bins: Sequence[dict]) -> Markup:
    """Share of windows that were within 2 m against the probability that the engine gave."""
    frame = _Frame(1, 1, "probability that the engine gives", "share that was within 2 m")
    parts = [*frame.axes(), frame.line([(0, 0), (1, 1)], "#bbb", "4 4")]
    parts.append(frame.line([(b["said"], b["true"]) for b in bins], _HUES[0], None, 2))
    for one in bins:
        title = f"{one['windows']} windows: said {one['said']:.2f}, true {one['true']:.2f}"
        parts.append(frame.dot(one["said"], one["true"], title, 5))
    return frame.picture("Calibration of the engine, windows in groups of equal number", parts)


def minutes(engine: evaluate.Table) -> Markup:
    """Minutes within 2 m of each directed pair, true and by the engine; a dot's area is the number of pairs."""
    top = max([5.0, *(p.true_minutes for p in engine.pairs), *(p.minutes for p in engine.pairs)])
    frame = _Frame(top, top, "true minutes within 2 m", "minutes by the engine")
    counts: dict[tuple[float, float], int] = {}
    for pair in engine.pairs:
        counts[pair.true_minutes, pair.minutes] = counts.get((pair.true_minutes, pair.minutes), 0) + 1
    parts = [*frame.axes(), frame.line([(0, 0), (top, top)], "#bbb", "4 4")]
    for (true, said), count in sorted(counts.items()):
        title = f"{count} pairs: {true:g} min true, {said:g} min by the engine"
        parts.append(frame.dot(true, said, title, 2 + 1.2 * count**0.5))
    return frame.picture("Minutes within 2 m per pair, true against estimated", parts)


class _Frame:
    """A square with axes from 0 to the given values."""

    def __init__(self, across: float, up: float, x_name: str, y_name: str) -> None:
        self._across, self._up = across, up
        self._x_name, self._y_name = x_name, y_name

    def _x(self, value: float) -> float:
        return _LEFT + _SIDE * value / self._across

    def _y(self, value: float) -> float:
        return _TOP + _SIDE * (1 - value / self._up)

    def axes(self) -> list[Markup]:
        middle = _TOP + _SIDE / 2
        parts = [
            svg.line(_LEFT, _TOP, _LEFT, _TOP + _SIDE, "axis"),
            svg.line(_LEFT, _TOP + _SIDE, _LEFT + _SIDE, _TOP + _SIDE, "axis"),
            svg.text(_LEFT + _SIDE / 2, _TOP + _SIDE + 44, self._x_name, text_anchor="middle"),
            svg.text(0, 0, self._y_name, text_anchor="middle", transform=f"translate(16 {middle}) rotate(-90)"),
        ]
        for value in svg.ticks(0, self._across, 6):
            parts.append(svg.text(self._x(value), _TOP + _SIDE + 18, f"{value:g}", "small", text_anchor="middle"))
        for value in svg.ticks(0, self._up, 6):
            parts.append(svg.text(_LEFT - 8, self._y(value) + 4, f"{value:g}", "small", text_anchor="end"))
        return parts

    def line(self, points: list[tuple[float, float]], hue: str, dash: str | None = None, width: float = 1.5) -> Markup:
        path = "M" + "L".join(f"{self._x(x):.1f} {self._y(y):.1f}" for x, y in points)
        return svg.element("path", d=path, fill="none", stroke=hue, stroke_width=width, stroke_dasharray=dash)

    def dot(self, x: float, y: float, title: str, radius: float) -> Markup:
        inside = svg.element("title", title)
        place = {"cx": round(self._x(x), 1), "cy": round(self._y(y), 1), "r": round(radius, 1)}
        return svg.element("circle", inside, **place, fill=_HUES[0], fill_opacity=0.75)

    def picture(self, label: str, parts: list[Markup]) -> Markup:
        return svg.picture(_LEFT + _SIDE + 24, _TOP + _SIDE + _FOOT, label, [_STYLE, *parts])
