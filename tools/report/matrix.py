"""Owns the contact matrix: recorded minutes of each pair, and beside it who was alerted. Knows no other chart."""

from markupsafe import Markup

from tools.report import svg

_CELL = 30
_LABEL = 74
_TOP = 64


def draw(data: dict) -> Markup:
    """SVG of the matrix; keys `people`, `case`, `contacts`, `rule_minutes`, `outcomes` of the report's dict."""
    people, case = data["people"], data.get("case")
    minutes = {frozenset((pair["a"], pair["b"])): pair["minutes"] for pair in data["contacts"]}
    parts = [*_names(people, case)]
    for row, one in enumerate(people):
        for column, other in enumerate(people):
            if one != other:
                value = minutes.get(frozenset((one, other)), 0)
                parts.append(_cell(row, column, one, other, value, data["rule_minutes"]))
    parts += _case_frame(people, case) + _verdict_columns(people, case, data["outcomes"])
    side = _CELL * len(people)
    label = (
        f"Matrix of {len(people)} people: minutes within two metres by the recording; "
        "columns on the right: contact with the case, and alert of the token. The table below says the same."
    )
    return svg.picture(_LABEL + side + 150, _TOP + side + 12, label, parts)


def _names(people: list[str], case: str | None) -> list[Markup]:
    parts = []
    for index, name in enumerate(people):
        kind = "case-name" if name == case else "name"
        middle = index * _CELL + _CELL / 2
        parts.append(svg.text(_LABEL - 8, _TOP + middle + 4, name, kind, text_anchor="end"))
        x = _LABEL + middle + 4
        parts.append(svg.text(x, _TOP - 8, name, kind, transform=f"rotate(-60 {x:g} {_TOP - 8})"))
    return parts


def _cell(row: int, column: int, one: str, other: str, minutes: float | None, rule: float) -> Markup:
    x, y = _LABEL + column * _CELL, _TOP + row * _CELL
    if minutes is None:
        title = f"{one} and {other}: distance not recorded"
        box = svg.rect(x + 1, y + 1, _CELL - 2, _CELL - 2, title, class_="cell-none")
        return box + svg.text(x + _CELL / 2, y + 20, "?", "cell-text", text_anchor="middle")
    strength = min(1.0, minutes / (rule or 1))
    counts = minutes >= rule
    box = svg.rect(
        x + 1,
        y + 1,
        _CELL - 2,
        _CELL - 2,
        f"{one} and {other}: {minutes:g} min within 2 m",
        rx=3,
        class_="cell",
        style=f"fill-opacity:{0.06 + 0.94 * strength:.2f}",
    )
    if minutes < 0.5:
        return box
    return box + svg.text(
        x + _CELL / 2, y + 20, f"{minutes:.0f}", "cell-text strong" if counts else "cell-text", text_anchor="middle"
    )


def _case_frame(people: list[str], case: str | None) -> list[Markup]:
    if case not in people:
        return []
    at, side = people.index(case) * _CELL, _CELL * len(people)
    return [
        svg.rect(_LABEL, _TOP + at, side, _CELL, class_="case-frame"),
        svg.rect(_LABEL + at, _TOP, _CELL, side, class_="case-frame"),
    ]


def _verdict_columns(people: list[str], case: str | None, outcomes: dict) -> list[Markup]:
    left = _LABEL + _CELL * len(people) + 18
    parts = [
        svg.text(left + 22, _TOP - 8, "contact", "head", text_anchor="middle"),
        svg.text(left + 84, _TOP - 8, "alert", "head", text_anchor="middle"),
    ]
    for row, name in enumerate(people):
        y = _TOP + row * _CELL + 20
        if name == case:
            parts.append(svg.text(left + 53, y, "the case", "case-name", text_anchor="middle"))
        elif name in outcomes:
            truth, alert = outcomes[name]["truth"], outcomes[name]["alert"]
            odd = truth is not None and truth != bool(alert)
            if odd:
                parts.append(svg.rect(left - 8, y - 18, 124, 26, f"{name}: they differ", rx=4, class_="differ"))
            parts += [_mark(left + 22, y, truth), _mark(left + 84, y, bool(alert))]
    return parts


def _mark(x: float, y: float, value: bool | None) -> Markup:
    if value is None:
        return svg.text(x, y, "?", "mark", text_anchor="middle")
    return svg.text(x, y, "● yes" if value else "○ no", "mark yes" if value else "mark", text_anchor="middle")
