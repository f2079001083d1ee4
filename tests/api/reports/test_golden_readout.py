"""The readout and its audience views, in every format, against files that a person has looked at.

Run with BACKLINT_TEST_REGENERATE=1 to write the files anew, then look at the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from backlint.api.reports import ReportFormat, rendered
from backlint.api.reports.readout import Audience, Readout
from tests.api.reports.readout_backlog import a_readout, an_empty_week

GOLDEN = Path(__file__).parent / "golden"
REPORTS: Mapping[str, Callable[[], Readout]] = {
    "weekly": a_readout,
    "weekly-empty": an_empty_week,
    **{f"weekly-{audience}": partial(a_readout, audience) for audience in Audience},
}


@pytest.mark.parametrize("format", ["html", "md", "json", "csv"])
@pytest.mark.parametrize("name", REPORTS)
def test_the_readout_reads_as_approved(name: str, format: ReportFormat) -> None:
    file = GOLDEN / f"{name}.{format}"

    text = rendered(REPORTS[name](), format)

    if os.environ.get("BACKLINT_TEST_REGENERATE"):
        file.write_text(text, encoding="utf-8", newline="")
    assert text == file.read_bytes().decode()
