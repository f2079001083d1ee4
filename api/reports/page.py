"""Turns a report's view into one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from backlint.api.reports import figures
from backlint.api.reports.health import SourceHealth
from backlint.api.reports.tables import is_web

_FOLDER = Path(__file__).parent


class Report(Protocol):
    """What every report has, whatever it is about."""

    @property
    def scope(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def zone(self) -> ZoneInfo: ...
    @property
    def health(self) -> tuple[SourceHealth, ...]: ...
    @property
    def unreadable(self) -> tuple[SourceHealth, ...]: ...


def rendered(template: str, report: Report, **view: Any) -> str:
    """The page; every value is escaped unless it is a chart of ours."""
    return _environment().get_template(template).render(report=report, **view)


def drawn(svg: str) -> Markup:
    """A chart, which is markup of our own making with its texts escaped."""
    return Markup(svg)  # noqa: S704


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["web"] = is_web
    environment.globals.update(
        css=Markup((_FOLDER / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        cannot_say=cannot_say,
        counted=figures.counted,
        days=figures.in_days,
        day=figures.day,
        moment=figures.moment,
        percent=figures.percent,
        signed=figures.signed,
        source_rows=source_rows,
    )
    return environment


def cannot_say(source: SourceHealth, zone: ZoneInfo) -> str:
    """Why nothing is said about a source's issues."""
    when = f" at {figures.moment(source.as_of, zone)}" if source.as_of else ""
    why = f": {source.error.rstrip('.')}" if source.error else ""
    count = "none of its issues is judged"
    if source.issues:
        count = f"its {figures.counted(source.issues, 'issue is', 'issues are')} not judged"
    return f"The pull from {source.tracker} did not finish{when}{why}; {count}, and nothing is written back there."


def source_rows(report: Report) -> Sequence[Sequence[object]]:
    """One line for each source, as every report prints them."""
    return [
        (
            source.name,
            source.tracker,
            "complete" if source.complete else "incomplete",
            figures.moment(source.as_of, report.zone),
            f"{source.issues:,}",
            f"{source.requests:,}",
            f"{source.seconds:.1f}",
        )
        for source in report.health
    ]
