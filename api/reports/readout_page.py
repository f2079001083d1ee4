"""The readout as a page."""

from __future__ import annotations

from backlint.api.reports.entries import Entry
from backlint.api.reports.page import rendered
from backlint.api.reports.readout import Readout, Section
from backlint.api.reports.readout_formats import heading, name, nothing

SHOWN = 25  # lines of a section before the rest is folded in
MOST_BEHIND = 300  # of a figure; the CSV has them all


def to_html(report: Readout) -> str:
    """The whole report as one file."""
    return rendered(
        "readout.html.jinja",
        report,
        name=name(report),
        nothing=nothing(report).replace("*", ""),
        heading=heading,
        behind=_behind,
        shown=SHOWN,
        most_behind=MOST_BEHIND,
    )


def _behind(section: Section) -> list[tuple[tuple[Entry, ...], list[str]]]:
    """The issues behind the figures; those that several figures share, once, and those that are listed anyway, not."""
    listed = {(x.source, x.key) for x in section.entries}
    groups: dict[tuple[Entry, ...], list[str]] = {}
    for figure in section.figures:
        if figure.behind and {(x.source, x.key) for x in figure.behind} != listed:
            groups.setdefault(figure.behind, []).append(figure.name)
    return list(groups.items())
