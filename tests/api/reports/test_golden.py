"""Every report in every format against a file that a person has looked at.

Run with BACKLINT_TEST_REGENERATE=1 to write the files anew, then look at the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backlint.api.reports import Report, ReportFormat, rendered
from tests.api.reports.backlog import a_cycle_time_report, a_small_cycle_time_report, an_audit, an_empty_audit

GOLDEN = Path(__file__).parent / "golden"
REPORTS = {
    "audit": an_audit,
    "audit-clean": an_empty_audit,
    "cycle-time": a_cycle_time_report,
    "cycle-time-small": a_small_cycle_time_report,
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
