"""Charts as SVG that stands inside a page: no scripts, colours from the page's style sheet, dots that are links.

Drawn by pygal (docs/decisions/0004-charts.md); what it adds for its own script is taken out again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as Tree

from backlint.api.reports.tables import is_web

WIDTH, HEIGHT = 620, 300
# Beyond, dots only hide each other and the file grows: the slowest are kept, the rest is thinned evenly.
MOST_DOTS = 1500
_LABEL_SPACE = 17  # of two line labels, so that they never overprint
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
    pygal = _pygal()

    highest = top or max([*(dot.y for dot in dots), *(line.y for line in lines), *(band.y for band in bands), 1.0])
    chart = pygal.XY(
        **_settings(margin_right=96 if lines else 24),
        range=(0, highest),
        xrange=x_range,
        x_labels=[place for place, _ in ticks],
        y_labels=_even_ticks(highest),
        x_value_formatter=_names(ticks),
    )
    frame = [(x_range[0], 0), (x_range[1], highest)]
    chart.add("frame", frame, stroke=True, show_dots=False)
    for line in lines:
        chart.add(line.label, [(x_range[0], line.y), (x_range[1], line.y)], stroke=True, show_dots=False)
    for band in bands:
        chart.add("", [(band.first, band.y), (band.last, band.y)], stroke=True, show_dots=False)
    styles = ["frame", *(f"line {line.style}" for line in lines), *(f"band {band.style}" for band in bands)]
    root = _cleaned(chart, styles)
    _place_dots(root, thinned(dots), x_range, highest)
    if lines:
        _label_lines(root, [line.label for line in lines])
    return _serialised(root, title)


def bars(values: Sequence[tuple[str, float]], *, title: str, every: int = 1) -> str:
    """One bar for each name; `every` says how many of the names are printed."""
    pygal = _pygal()

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
    return _serialised(_cleaned(chart, ["bars"]), title)


def stacked(series: Mapping[str, Sequence[float]], names: Sequence[str], *, title: str, every: int) -> str:
    """Areas on top of each other, the first at the bottom."""
    pygal = _pygal()

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
    return _serialised(_cleaned(chart, [f"area area-{place}" for place in range(len(series))]), title)


def lines(series: Mapping[str, Sequence[float | None]], names: Sequence[str], *, title: str, every: int) -> str:
    """Lines over the same names. The last one of several is dashed: a limit or a mark."""
    pygal = _pygal()

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
    return _serialised(_cleaned(chart, styles), title)


def thinned(dots: Sequence[Dot], most: int = MOST_DOTS) -> Sequence[Dot]:
    """At most so many dots: the slower half of them all, and every n-th of the others."""
    if len(dots) <= most:
        return dots
    slowest = sorted(dots, key=lambda dot: -dot.y)
    kept, rest = slowest[: most // 2], slowest[most // 2 :]
    step = -(-len(rest) // (most - len(kept)))
    return [*kept, *rest[::step]]


def _pygal() -> Any:
    """pygal, loaded when the first chart is drawn."""
    import pygal

    # It leaves a finder of the old kind in the import system, which warns at every later import; its plug-ins, which
    # that finder is for, are not used here.
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
    return pygal


def _settings(*, margin_right: int = 24) -> dict[str, Any]:
    _pygal()
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


def _cleaned(chart: Any, styles: Sequence[str]) -> Tree.Element:
    # Through text, since pygal builds its tree with whichever XML library it finds installed.
    root = Tree.fromstring(chart.render(is_unicode=True))  # noqa: S314 - drawn here, from escaped texts
    _name_series(root, styles)
    _drop(root, _is_for_the_script)
    for node in root.iter():
        _tidy(node)
    _drop(root, lambda node: _tag(node) == "desc" or (_tag(node) == "title" and not node.get("keep")))
    for node in root.iter():
        node.attrib.pop("keep", None)
    return root


def _is_for_the_script(node: Tree.Element) -> bool:
    """Parts of a drawing that serve only pygal's own script and style sheet."""
    if _tag(node) in ("defs", "script", "style"):
        return True
    classes = _classes(node)
    return bool({"titles", "text-overlay", "tooltip-overlay", "tooltip", "legends", "background"} & set(classes))


def _place_dots(root: Tree.Element, dots: Sequence[Dot], x_range: tuple[float, float], highest: float) -> None:
    """Put the dots where pygal's axes say: drawn by pygal, a thousand of them take a fifth of a second.

    The frame, a line from one corner of the plot to the other, tells where the axes are, and goes.
    """
    plot = next(node for node in root.iter() if any("frame" in _classes(child) for child in node))
    frame = next(child for child in plot if "frame" in _classes(child))
    left, bottom, right, top = _points(frame[0])
    plot.remove(frame)
    group = Tree.SubElement(plot, "g", {"class": "dots"})
    for dot in dots:
        x = left + (dot.x - x_range[0]) / (x_range[1] - x_range[0]) * (right - left)
        y = bottom + min(dot.y, highest) / highest * (top - bottom)
        # A keyboard need not pass them: the table holds the same links.
        link = {"href": str(dot.url), "tabindex": "-1"} if is_web(dot.url) else {}
        holder = Tree.SubElement(group, "a" if link else "g", link)
        Tree.SubElement(holder, "title").text = dot.title
        name = "dot above" if dot.y > highest else "dot"
        Tree.SubElement(holder, "circle", {"cx": _short(str(x)), "cy": _short(str(y)), "r": "3", "class": name})


def _points(path: Tree.Element) -> tuple[float, ...]:
    """The coordinates of a path of straight lines."""
    return tuple(float(number) for number in re.findall(r"-?[0-9.]+", path.get("d") or ""))


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
    """Short numbers, and a title for each bar that a browser shows without a script."""
    label = next((child.text for child in node if _tag(child) == "desc" and child.get("class") == "label"), None)
    if label and _tag(node) == "g":
        title = Tree.Element("title", {"keep": "1"})
        title.text = label
        node.insert(0, title)
    for name, value in list(node.attrib.items()):
        if name in ("cx", "cy", "x", "y", "width", "height", "r"):
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
    plot = next(node for node in root.iter() if any("line" in _classes(child) for child in node if _tag(child) == "g"))
    drawn = [child for child in plot if _tag(child) == "g" and "line" in _classes(child)]
    ends = [_points(node[0])[-2:] for node in drawn]
    last = float("-inf")
    for (right, height), label in sorted(zip(ends, labels, strict=True), key=lambda each: each[0][1]):
        last = max(height + 4, last + _LABEL_SPACE)
        place = {"x": _short(str(right + 4)), "y": f"{last:.1f}", "class": "label"}
        Tree.SubElement(plot, "text", place).text = label


def _serialised(root: Tree.Element, title: str) -> str:
    root.attrib.clear()
    root.attrib.update({"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": title, "class": "chart"})
    for node in root.iter():
        node.tag = _tag(node)
    return Tree.tostring(root, encoding="unicode")
