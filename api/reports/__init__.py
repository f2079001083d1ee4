"""The reports: pure views of figures and findings, and the formats they are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

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
from backlint.api.reports.forecast import ForecastReport, build_forecast
from backlint.api.reports.forecast_formats import to_csv as _forecast_csv
from backlint.api.reports.forecast_formats import to_json as _forecast_json
from backlint.api.reports.forecast_formats import to_markdown as _forecast_markdown
from backlint.api.reports.forecast_page import to_html as _forecast_page
from backlint.api.reports.health import Answer, SourceHealth
from backlint.api.reports.readout import Readout
from backlint.api.reports.readout_formats import to_csv as _readout_csv
from backlint.api.reports.readout_formats import to_json as _readout_json
from backlint.api.reports.readout_formats import to_markdown as _readout_markdown
from backlint.api.reports.readout_page import to_html as _readout_page
from backlint.api.reports.sprint_prep import SprintPrep
from backlint.api.reports.sprint_prep_formats import to_csv as _sprint_prep_csv
from backlint.api.reports.sprint_prep_formats import to_json as _sprint_prep_json
from backlint.api.reports.sprint_prep_formats import to_markdown as _sprint_prep_markdown
from backlint.api.reports.sprint_prep_page import to_html as _sprint_prep_page

Report = AuditReport | CycleTimeReport | ForecastReport | Readout | SprintPrep
ReportFormat = Literal["html", "md", "json", "csv"]
_WRITERS: Mapping[type[Any], Mapping[str, Callable[[Any], str]]] = {
    AuditReport: {"html": _audit_page, "md": _audit_markdown, "json": _audit_json, "csv": _audit_csv},
    CycleTimeReport: {
        "html": _cycle_time_page, "md": _cycle_time_markdown, "json": _cycle_time_json, "csv": _cycle_time_csv,
    },
    ForecastReport: {"html": _forecast_page, "md": _forecast_markdown, "json": _forecast_json, "csv": _forecast_csv},
    Readout: {"html": _readout_page, "md": _readout_markdown, "json": _readout_json, "csv": _readout_csv},
    SprintPrep: {
        "html": _sprint_prep_page, "md": _sprint_prep_markdown, "json": _sprint_prep_json, "csv": _sprint_prep_csv,
    },
}  # fmt: skip


def rendered(report: Report, format: ReportFormat) -> str:
    """The report in the format asked for; HTML is one self-contained file."""
    return _WRITERS[type(report)][format](report)


def to_html(report: Report) -> str:
    return rendered(report, "html")


def to_markdown(report: Report) -> str:
    return rendered(report, "md")


def to_json(report: Report) -> str:
    return rendered(report, "json")


def to_csv(report: Report) -> str:
    return rendered(report, "csv")


__all__ = [
    "Answer",
    "AuditReport",
    "CycleTimeReport",
    "ForecastReport",
    "Readout",
    "Report",
    "ReportFormat",
    "SourceHealth",
    "SprintPrep",
    "build_audit",
    "build_cycle_time",
    "build_forecast",
    "rendered",
    "to_csv",
    "to_html",
    "to_json",
    "to_markdown",
]
