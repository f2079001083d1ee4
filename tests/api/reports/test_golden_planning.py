"""The reports that look ahead, in every format, against files that a person has looked at.

Run with BACKLINT_TEST_REGENERATE=1 to write the files anew, then look at the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backlint.api.reports import Report, ReportFormat, rendered
from tests.api.reports.planning_backlog import (
    a_forecast,
    a_forecast_without_history,
    a_sprint_prep,
    a_sprint_prep_of_the_backlog,
)

GOLDEN = Path(__file__).parent / "golden"
REPORTS = {
    "forecast": a_forecast,
    "forecast-short": a_forecast_without_history,
    "sprint-prep": a_sprint_prep,
    "sprint-prep-backlog": a_sprint_prep_of_the_backlog,
}


@pytest.mark.parametrize("format", ["html", "md", "json", "csv"])
@pytest.mark.parametrize("name", REPORTS)
def test_the_report_reads_as_approved(name: str, format: ReportFormat) -> None:
    report: Report = REPORTS[name]()
    file = GOLDEN / f"{name}.{format}"

    text = rendered(report, format)

    if os.environ.get("BACKLINT_TEST_REGENERATE"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    assert text == file.read_bytes().decode()
