"""Sprint-planning prep as a page to open in the meeting."""

from __future__ import annotations

from itertools import accumulate

from markupsafe import Markup

from backlint.api.reports import charts, figures
from backlint.api.reports.page import drawn, rendered
from backlint.api.reports.sprint_prep import SprintPrep
from backlint.api.reports.sprint_prep_formats import (
    HEADINGS,
    days,
    depends,
    fit_of,
    fits,
    left_over,
    nothing,
    people,
    planned,
    points_of,
    room,
    sliced,
    title,
)
from backlint.readiness import Standing

EXPLAINED = {
    Standing.READY: "All gates pass and readiness is high enough.",
    Standing.NEARLY: "One answer away, as a rule: ask it before the meeting ends.",
    Standing.NOT_READY: "Waits for something, or lacks too much to be promised.",
}


def to_html(report: SprintPrep) -> str:
    """The whole report as one file."""
    return rendered(
        "sprint_prep.html.jinja",
        report,
        chart=_chart(report),
        title=title(report),
        days_in_words=days(report),
        people=people(report),
        fits=fits(report),
        planned=planned(report),
        left_over=left_over(report),
        room=room(report),
        nothing=nothing(report).replace("*", ""),
        groups=[
            (standing, HEADINGS[standing], EXPLAINED[standing], report.of_standing(standing)) for standing in Standing
        ],
        outcome_rows=[
            (each.name, each.items, points_of(each.points or None), figures.percent(each.share))
            for each in report.outcomes
        ],
        past_rows=[
            (name, f"{total:g}", found)
            for (name, total), found in zip(report.capacity.past, report.capacity.past_issues, strict=True)
        ],
        points_of=points_of,
        sums=list(zip(report.candidates, accumulate(each.counts for each in report.candidates), strict=True)),
        fit_of=fit_of,
        depends=depends,
        sliced=sliced,
    )


def _chart(report: SprintPrep) -> Markup:
    """The plan as it grows item by item, against what is finished 85 and 50 % of the time."""
    capacity, candidates = report.capacity, report.candidates
    limits = [("85 %", capacity.likely), ("50 %", capacity.even)]
    if capacity.set_to is not None:
        limits = [("capacity", capacity.set_to)]
    known = [(name, limit) for name, limit in limits if limit is not None]
    if report.is_backlog or len(candidates) < 2 or not known:
        return Markup("")
    total, dots = 0.0, []
    for place, each in enumerate(candidates, start=1):
        total += each.counts
        dots.append(charts.Dot(place, total, f"{each.key} {each.title}: {total:g} {capacity.unit} so far", each.url))
    styles = ("solid", "dashed")
    lines = [
        charts.Line(limit, f"{name}: {limit:g}", style) for (name, limit), style in zip(known, styles, strict=False)
    ]
    every = -(-len(candidates) // 8)
    ticks = [(float(place), str(place)) for place in range(1, len(candidates) + 1, every)]
    svg = charts.scatter(
        dots,
        title=f"Plan of {figures.counted(len(candidates), 'item')}, added up in {capacity.unit}",
        ticks=ticks,
        x_range=(0.5, len(candidates) + 0.5),
        lines=lines,
        top=1.05 * max(total, *(limit for _, limit in known)),
    )
    return drawn(svg)
