"""The audit as a page: its charts and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from backlint.api.reports import charts, figures
from backlint.api.reports.audit import AuditReport
from backlint.api.reports.audit_formats import (
    WAIVER_COLUMNS,
    change,
    first_run,
    rules_note,
    runtime,
    verdict,
    waived,
    waiver_rows,
)
from backlint.api.reports.page import drawn, rendered

RULES_DRAWN = 12
MOST_ROWS = 300
FIRST_ROWS = 25


def to_html(report: AuditReport) -> str:
    """The whole report as one file."""
    return rendered(
        "audit.html.jinja",
        report,
        charts=_charts(report),
        verdict=verdict(report),
        first_run=first_run(report),
        runtime=runtime(report),
        change=change,
        findings=report.about_issues[:MOST_ROWS],
        worst=report.issues[:FIRST_ROWS],
        night_rows=_night_rows,
        rules_note=rules_note(report),
        waived=waived(report),
        waiver_columns=WAIVER_COLUMNS,
        waiver_rows=waiver_rows(report),
    )


def _night_rows(report: AuditReport) -> list[tuple[object, ...]]:
    """Newest first."""
    return [(each.on, each.open_findings, "–" if each.mark is None else each.mark) for each in report.nights[::-1]]


def _charts(report: AuditReport) -> dict[str, Markup]:
    drawings = dict.fromkeys(("rules", "bands", "trend"), Markup(""))
    counted = [(rule.rule, rule.open) for rule in report.rules if rule.open][:RULES_DRAWN]
    if counted:
        total = sum(count for _, count in counted)
        title = f"{figures.counted(total, 'open finding')} by rule"
        drawings["rules"] = drawn(charts.bars(counted, title=title, every=-(-len(counted) // 7)))
    if report.issues:
        title = f"{figures.counted(len(report.issues), 'issue')} by score band"
        drawings["bands"] = drawn(charts.bars(report.bands, title=title))
    if len(report.nights) > 1:
        names = [f"{night.on.day} {night.on:%b}" for night in report.nights]
        series: dict[str, Sequence[float | None]] = {"open findings": [night.open_findings for night in report.nights]}
        if any(night.mark is not None for night in report.nights):
            series["lowest so far"] = [night.mark for night in report.nights]
        title = f"Open findings over {figures.counted(len(names), 'night')}"
        drawings["trend"] = drawn(charts.lines(series, names, title=title, every=-(-len(names) // 5)))
    return drawings
