"""The reports: pure views of figures and findings, and the formats they are written in."""

from __future__ import annotations

from typing import Literal

from backlint.api.reports.audit import AuditReport, build_audit
from backlint.api.reports.audit_formats import to_csv as _audit_csv
from backlint.api.reports.audit_formats import to_json as _audit_json
from backlint.api.reports.audit_formats import to_markdown as _audit_markdown
from backlint.api.reports.audit_page import to_html as _audit_page
from backlint.api.reports.cycle_time import CycleTimeReport, build_cycle_time
from backlint.api.reports.cycle_time_formats import to_csv as _cycle_time_csv
from backlint.api.reports.cycle_time_formats import to_json as _cycle_time_json
from backlint.api.reports.cycle_time_formats import to_markdown as _cycle_time_markdown
from backlint.api.reports.cycle_time_page import to_html as _cycle_time_page
from backlint.api.reports.health import Answer, SourceHealth

Report = AuditReport | CycleTimeReport
ReportFormat = Literal["html", "md", "json", "csv"]


def to_html(report: Report) -> str:
    """One self-contained file."""
    return _audit_page(report) if isinstance(report, AuditReport) else _cycle_time_page(report)


def to_markdown(report: Report) -> str:
    return _audit_markdown(report) if isinstance(report, AuditReport) else _cycle_time_markdown(report)


def to_json(report: Report) -> str:
    return _audit_json(report) if isinstance(report, AuditReport) else _cycle_time_json(report)


def to_csv(report: Report) -> str:
    return _audit_csv(report) if isinstance(report, AuditReport) else _cycle_time_csv(report)


def rendered(report: Report, format: ReportFormat) -> str:
    """The report in the format asked for."""
    return {"html": to_html, "md": to_markdown, "json": to_json, "csv": to_csv}[format](report)


__all__ = [
    "Answer",
    "AuditReport",
    "CycleTimeReport",
    "Report",
    "ReportFormat",
    "SourceHealth",
    "build_audit",
    "build_cycle_time",
    "rendered",
    "to_csv",
    "to_html",
    "to_json",
    "to_markdown",
]
