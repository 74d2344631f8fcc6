"""Owns the few SVG elements that the charts draw with, escaped. Knows no chart."""

from markupsafe import Markup, escape


def element(name: str, content: str | Markup = "", /, **attributes: object) -> Markup:
    """One element; `_` in an attribute's name stands for `-`, a trailing `_` is dropped (class_)."""
    pairs = " ".join(
        f'{key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name} {pairs}>{escape(content)}</{name}>")


def text(x: float, y: float, content: object, class_: str | None = None, **more: object) -> Markup:
    return element("text", str(content), x=x, y=y, class_=class_, **more)


def rect(x: float, y: float, width: float, height: float, title: str = "", **more: object) -> Markup:
    """A rectangle; `title` is what a reader or a pointer is told about it."""
    return element("rect", element("title", title) if title else "", x=x, y=y, width=width, height=height, **more)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def picture(width: float, height: float, label: str, parts: list[Markup]) -> Markup:
    """The whole drawing, scaled to its place, with `label` as its text for those who don't see it."""
    return element(
        "svg",
        Markup("\n").join(parts),
        viewBox=f"0 0 {_short(width)} {_short(height)}",
        role="img",
        aria_label=label,
        style=f"max-width:{_short(width)}px",
    )


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round values between `low` and `high`, some `about` of them."""
    if high <= low:
        return [low]
    step = 10.0**-6
    for factor in [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5)]:
        step = factor
        if (high - low) / factor <= about:
            break
    first = int(low / step) + (low % step > 0)
    return [round(step * k, 9) for k in range(first, int(high / step + 1e-9) + 1)]


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
