"""What every report says when there is nothing: nothing wrong, nothing to measure, or that it cannot say.

Run with BACKLINT_TEST_REGENERATE=1 to write the files anew, then look at the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backlint.api.commands.report_sprint_prep import build_from_backlog
from backlint.api.commands.report_weekly import gather
from backlint.api.readout import build_readout
from backlint.api.reports import Answer, Report, ReportFormat, build_audit, build_cycle_time, build_forecast, rendered
from backlint.sync.check import make_backlog
from tests.api.reports.backlog import BROKEN, DOING, DONE, GOOD, NOW, READY, an_item, the_backlog
from tests.api.reports.planning_backlog import SETTINGS, past_sprints

GOLDEN = Path(__file__).parent / "golden"
UNREAD = replace(BROKEN, name="acme", tracker="jira", error="Jira refused the token (401): make a new one", issues=43)


def an_audit(answer: Answer) -> Report:
    health = (UNREAD,) if answer is Answer.CANNOT_SAY else (GOOD,)
    return build_audit(scope="Payments", as_of=NOW, rules_version="2026.1", health=health, checked=0)


def a_cycle_time(answer: Answer) -> Report:
    health = (UNREAD,) if answer is Answer.CANNOT_SAY else (GOOD,)
    issues = the_backlog() if answer is Answer.CANNOT_SAY else (an_item(1, (5, READY)),)
    return build_cycle_time(issues, scope="Payments", now=NOW, since=date(2026, 4, 1), health=health)


def a_forecast(answer: Answer) -> Report:
    health = (UNREAD,) if answer is Answer.CANNOT_SAY else (GOOD,)
    return build_forecast((an_item(1, (5, READY)),), scope="Payments", now=NOW, health=health)


def a_sprint_prep(answer: Answer) -> Report:
    """A team of which everything is done: neither a sprint nor a backlog."""
    health = (UNREAD,) if answer is Answer.CANNOT_SAY else (GOOD,)
    backlog = make_backlog(tuple(past_sprints())[-20:], SETTINGS, now=NOW)
    return replace(build_from_backlog(backlog, SETTINGS, scope="Payments", health=health), rules_version="2026.1")


def a_readout(answer: Answer) -> Report:
    health = (UNREAD,) if answer is Answer.CANNOT_SAY else (GOOD,)
    issues = (an_item(1, (5, DONE)),) if answer is Answer.CANNOT_SAY else ()
    facts = gather(make_backlog(issues, SETTINGS, now=NOW), SETTINGS, scope=None, name="Payments", health=health)
    return replace(build_readout(facts, health=health), rules_version="2026.1")


REPORTS: Mapping[str, Callable[[Answer], Report]] = {
    "audit": an_audit,
    "cycle-time": a_cycle_time,
    "forecast": a_forecast,
    "sprint-prep": a_sprint_prep,
    "weekly": a_readout,
}
ANSWERS = {"unread": Answer.CANNOT_SAY, "nothing": Answer.NOTHING_TO_MEASURE}


@pytest.mark.parametrize("state", ANSWERS)
@pytest.mark.parametrize("name", REPORTS)
def test_the_report_knows_that_it_has_no_figures(name: str, state: str) -> None:
    assert REPORTS[name](ANSWERS[state]).answer is ANSWERS[state]


@pytest.mark.parametrize("format", ["html", "md", "json", "csv"])
@pytest.mark.parametrize("state", ANSWERS)
@pytest.mark.parametrize("name", REPORTS)
def test_the_empty_report_reads_as_approved(name: str, state: str, format: ReportFormat) -> None:
    file = GOLDEN / f"{name}-{state}.{format}"

    text = rendered(REPORTS[name](ANSWERS[state]), format)

    if os.environ.get("BACKLINT_TEST_REGENERATE"):
        file.write_text(text, encoding="utf-8", newline="")
    assert text == file.read_bytes().decode()


@pytest.mark.parametrize("build", [build_cycle_time, build_forecast])
def test_a_scope_that_was_not_read_is_no_empty_one(build: Callable[..., Any]) -> None:
    """Another source is complete, and holds nothing of it."""
    issues = (an_item(1, (9, DOING), (5, DONE)), an_item(2, (5, READY), source="oss"))
    health = (replace(UNREAD, name="acme"), replace(GOOD, name="oss"))

    of_unread = build(issues, scope="x", now=NOW, health=health, select=lambda issue: issue.source == "acme")
    of_read = build(issues, scope="x", now=NOW, health=health, select=lambda issue: issue.source == "oss")

    assert (of_unread.answer, of_read.answer) == (Answer.CANNOT_SAY, Answer.NOTHING_TO_MEASURE)
