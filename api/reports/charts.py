"""Charts as SVG that stands inside a page: no scripts, colours from the page's style sheet, dots that are links.

Drawn by pygal (docs/decisions/0004-charts.md); what it adds for its own script is taken out again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as Tree

from backlint.api.reports.tables import is_web

WIDTH, HEIGHT = 620, 300
# Beyond, dots only hide each other and the file grows: the slowest are kept, the rest is thinned evenly.
MOST_DOTS = 1500
_LABEL_SPACE = 14  # of two line labels, so that they never overprint
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a scatter with the issue it stands for."""

    x: float
    y: float
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A level across a scatter. `style` is a class of the style sheet: solid, dashed or dotted."""

    y: float
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Band:
    """A short mark across one column of an ageing chart."""

    first: float
    last: float
    y: float
    style: str


Ticks = Sequence[tuple[float, str]]


def scatter(
    dots: Sequence[Dot],
    *,
    title: str,
    ticks: Ticks,
    x_range: tuple[float, float],
    lines: Sequence[Line] = (),
    bands: Sequence[Band] = (),
    top: float | None = None,
) -> str:
    """Dots over an axis of numbers. Dots above `top` are drawn at its edge, hollow."""
    import pygal

    highest = top or max([*(dot.y for dot in dots), *(line.y for line in lines), *(band.y for band in bands), 1.0])
    chart = pygal.XY(
        **_settings(margin_right=96 if lines else 12),
        stroke=False,
        dots_size=3,
        range=(0, highest),
        xrange=x_range,
        x_labels=[place for place, _ in ticks],
        y_labels=_even_ticks(highest),
        x_value_formatter=_names(ticks),
    )
    shown = thinned(dots)
    chart.add("dots", [_point(dot, highest) for dot in shown if dot.y <= highest])
    for line in lines:
        chart.add(line.label, [(x_range[0], line.y), (x_range[1], line.y)], stroke=True, show_dots=False)
    for band in bands:
        chart.add("", [(band.first, band.y), (band.last, band.y)], stroke=True, show_dots=False)
    chart.add("above", [_point(dot, highest) for dot in shown if dot.y > highest])
    styles = ["dots", *(f"line {line.style}" for line in lines), *(f"band {band.style}" for band in bands), "above"]
    return _finished(chart, title, styles, labels=[line.label for line in lines])


def bars(values: Sequence[tuple[str, float]], *, title: str, every: int = 1) -> str:
    """One bar for each name; `every` says how many of the names are printed."""
    import pygal

    highest = max([value for _, value in values] or [1])
    names = [name for name, _ in values]
    chart = pygal.Bar(
        **_settings(),
        x_labels=names,
        x_labels_major=names[::every],
        show_minor_x_labels=False,
        range=(0, highest or 1),
        y_labels=_even_ticks(highest or 1, whole=True),
    )
    chart.add("bars", [{"value": value, "label": f"{name}: {value:g}"} for name, value in values])
    return _finished(chart, title, ["bars"], keeps_titles=True)


def stacked(series: Mapping[str, Sequence[float]], names: Sequence[str], *, title: str, every: int) -> str:
    """Areas on top of each other, the first at the bottom."""
    import pygal

    highest = max((sum(column) for column in zip(*series.values(), strict=True)), default=1) or 1
    chart = pygal.StackedLine(
        **_settings(),
        fill=True,
        show_dots=False,
        x_labels=names,
        x_labels_major=names[::every],
        show_minor_x_labels=False,
        range=(0, highest),
        y_labels=_even_ticks(highest, whole=True),
    )
    for name, values in series.items():
        chart.add(name, list(values))
    return _finished(chart, title, [f"area area-{place}" for place in range(len(series))])


def lines(series: Mapping[str, Sequence[float | None]], names: Sequence[str], *, title: str, every: int) -> str:
    """Lines over the same names. The last one of several is dashed: a limit or a mark."""
    import pygal

    known = [value for values in series.values() for value in values if value is not None]
    highest = max(known, default=1) or 1
    chart = pygal.Line(
        **_settings(),
        show_dots=False,
        x_labels=names,
        x_labels_major=names[::every],
        show_minor_x_labels=False,
        range=(0, highest),
        y_labels=_even_ticks(highest, whole=True),
    )
    for name, values in series.items():
        chart.add(name, list(values))
    styles = ["line run", *(["line dashed"] * (len(series) - 1))]
    return _finished(chart, title, styles)


def thinned(dots: Sequence[Dot], most: int = MOST_DOTS) -> Sequence[Dot]:
    """At most so many dots: the slower half of them all, and every n-th of the others."""
    if len(dots) <= most:
        return dots
    slowest = sorted(dots, key=lambda dot: -dot.y)
    kept, rest = slowest[: most // 2], slowest[most // 2 :]
    step = -(-len(rest) // (most - len(kept)))
    return [*kept, *rest[::step]]


def _settings(*, margin_right: int = 12) -> dict[str, Any]:
    from pygal.style import Style

    return {
        # Only for its measurements: the page's style sheet decides, and shows larger letters on a phone.
        "style": Style(label_font_size=15, major_label_font_size=15),
        "width": WIDTH,
        "height": HEIGHT,
        "margin": 6,
        "margin_right": margin_right,
        "show_legend": False,
        "js": (),
        "css": (),
        "disable_xml_declaration": True,
        "truncate_label": -1,
        "no_prefix": True,
        "include_x_axis": True,
        "title": None,
        "no_data_text": "",
        "explicit_size": False,
    }


def _point(dot: Dot, highest: float) -> dict[str, Any]:
    point: dict[str, Any] = {"value": (dot.x, min(dot.y, highest)), "label": dot.title}
    if is_web(dot.url):
        point["xlink"] = {"href": dot.url}
    return point


def _names(ticks: Ticks) -> Callable[[float], str]:
    named = dict(ticks)
    return lambda place: named.get(place, "")


def _even_ticks(highest: float, *, whole: bool = False) -> list[float]:
    """Four or five round steps from 0."""
    rough = highest / 4
    size = 10.0 ** (len(str(int(rough))) - 1) if rough >= 1 else 0.1
    step = next((size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough), rough)
    if whole or highest >= 4:
        step = max(1.0, float(round(step)))
    count = int(highest / step)
    return [round(step * place, 6) for place in range(count + 1)]


# -- what pygal draws, made fit for our pages -----------------------------------------------------------------------


def _finished(
    chart: Any, title: str, styles: Sequence[str], *, labels: Sequence[str] = (), keeps_titles: bool = False
) -> str:
    # Through text, since pygal builds its tree with whichever XML library it finds installed.
    root = Tree.fromstring(chart.render(is_unicode=True))  # noqa: S314 - drawn here, from escaped texts
    _drop(root, lambda node: _tag(node) in ("defs", "script", "style") or not isinstance(node.tag, str))
    _drop(
        root, lambda node: _tag(node) == "g" and node.get("class") in ("titles", "text-overlay", "tooltip", "legends")
    )
    _drop(root, lambda node: "text-overlay" in (node.get("class") or "") or "tooltip" in _classes(node)[:1])
    _name_series(root, styles)
    for node in root.iter():
        _tidy(node)
    _drop(root, lambda node: _tag(node) == "desc")
    _drop(root, lambda node: _tag(node) == "title" and node.get("keep") is None)
    _drop(root, lambda node: _tag(node) == "rect" and node.get("class") == "background")
    for node in root.iter():
        node.attrib.pop("keep", None)
    if labels:
        _label_lines(root, labels)
    root.attrib.clear()
    root.attrib.update({"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": title, "class": "chart"})
    return _serialised(root)


def _tag(node: Tree.Element) -> str:
    return node.tag.rsplit("}", 1)[-1] if isinstance(node.tag, str) else ""


def _classes(node: Tree.Element) -> list[str]:
    return (node.get("class") or "").split()


def _drop(root: Tree.Element, is_unwanted: Callable[[Tree.Element], bool]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if is_unwanted(child):
                parent.remove(child)


def _name_series(root: Tree.Element, styles: Sequence[str]) -> None:
    for node in root.iter():
        classes = _classes(node)
        if "series" in classes:
            place = next((int(name[6:]) for name in classes if name.startswith("serie-")), 0)
            node.set("class", styles[place] if place < len(styles) else "")


def _tidy(node: Tree.Element) -> None:
    """Short numbers, a title for each dot and bar, links that a keyboard need not pass: the table holds them, too."""
    label = next((child.text for child in node if _tag(child) == "desc" and child.get("class") == "label"), None)
    if label and _tag(node) in ("a", "g"):
        title = Tree.Element("title", {"keep": "1"})
        title.text = label
        node.insert(0, title)
    for name, value in list(node.attrib.items()):
        if name.endswith("}href"):
            del node.attrib[name]
            node.set("href", value)
            node.set("tabindex", "-1")
        elif name in ("cx", "cy", "x", "y", "width", "height", "r"):
            node.set(name, _short(value))
        elif name == "class":
            kept = [
                each for each in value.split() if each not in ("reactive", "tooltip-trigger", "always_show", "nofill")
            ]
            node.set(name, " ".join(kept))


def _short(number: str) -> str:
    try:
        return f"{float(number):.1f}".removesuffix(".0")
    except ValueError:
        return number


def _label_lines(root: Tree.Element, labels: Sequence[str]) -> None:
    """The name of each level behind its right end; lower ones move down when they would overprint."""
    for parent in root.iter():
        drawn = [node for node in parent if "line" in _classes(node) and _tag(node) == "g" and len(node)]
        if not drawn:
            continue
        placed: list[tuple[float, str]] = []
        right = 0.0
        for node, label in zip(drawn, labels, strict=False):
            points = (node[0].get("d") or "").replace("M", "").replace("L", "").split()
            right, height = float(points[-2]), float(points[-1])
            placed.append((height, label))
        last = float("-inf")
        for height, label in sorted(placed):
            last = max(height + 4, last + _LABEL_SPACE)
            text = Tree.SubElement(parent, "text", {"x": _short(str(right + 4)), "y": f"{last:.1f}", "class": "label"})
            text.text = label
        return


def _serialised(root: Tree.Element) -> str:
    for node in root.iter():
        if isinstance(node.tag, str):
            node.tag = _tag(node)
    return Tree.tostring(root, encoding="unicode", short_empty_elements=True)
