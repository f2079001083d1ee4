"""What every report answers to a question that cannot be answered: a stated reason, never a wrong number."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backlint.model import Issue, StatusCategory
from backlint.normalised import to_dict
from tests.api.conftest import CommandLine
from tests.factory import a_transition, an_issue

REPORTS = ("audit", "cycle-time", "forecast", "sprint-prep", "weekly")
ACTIVE, DONE, TODO = StatusCategory.ACTIVE, StatusCategory.DONE, StatusCategory.TODO


def a_file(*issues: Issue) -> str:
    Path("issues.jsonl").write_text("".join(json.dumps(to_dict(issue)) + "\n" for issue in issues), encoding="utf-8")
    return "issues.jsonl"


def an_open_item() -> Issue:
    return an_issue(id="1", category=TODO, created_at=datetime.now(UTC) - timedelta(days=20))


def a_finished_item() -> Issue:
    ended = datetime.now(UTC) - timedelta(days=2)
    steps = (a_transition(ended - timedelta(days=3), TODO, ACTIVE), a_transition(ended, ACTIVE, DONE))
    return an_issue(id="2", category=DONE, transitions=steps, created_at=ended - timedelta(days=5))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("cycle-time", "--since", "2026-03-09", "--until", "2026-03-02"), "--since 2026-03-09 is after --until"),
        (("cycle-time", "--until", "March"), "write a day as 2026-03-31"),
        (("cycle-time", "--mode", "elapse"), "use elapsed, in_progress, last_run"),
        *(((report, "--format", "pdf"), "use html, md, json, csv") for report in REPORTS),
        *(((report, "--scope", "DEMI"), "nothing belongs to 'DEMI'; there is demo") for report in REPORTS),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_the_right_one(
    backlint: CommandLine, options: tuple[str, ...], said: str
) -> None:
    outcome = backlint("report", *options, "--input", a_file(an_open_item()))

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


@pytest.mark.parametrize("report", REPORTS)
def test_a_time_zone_that_does_not_exist_is_refused_with_the_near_one(
    backlint: CommandLine, monkeypatch: pytest.MonkeyPatch, report: str
) -> None:
    monkeypatch.setenv("BACKLINT_TIMEZONE", "Europe/Berlim")

    outcome = backlint("report", report, "--input", a_file(an_open_item()))

    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean 'Europe/Berlin'" in outcome.err


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("audit", "1 issue"),
        ("cycle-time", "**Nothing to measure.** No items finished in this period and none is in progress (1 issue)."),
        ("forecast", "**No forecast.** No item was ever finished (1 issue looked at)."),
        ("sprint-prep", "What fits cannot be said: no item was ever finished"),
        ("weekly", "**Nothing finished; 0 items in progress.**"),
    ],
)
def test_a_scope_without_finished_items_gets_the_reason(backlint: CommandLine, report: str, said: str) -> None:
    outcome = backlint("report", report, "--input", a_file(an_open_item()))

    assert outcome.code == 0
    assert said in outcome.out


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("cycle-time", "| cycle time, median | – |"),
        ("forecast", "**No forecast.**"),
        ("sprint-prep", "What fits cannot be said"),
        ("weekly", "**1 item finished, 0 in progress.**"),
    ],
)
def test_of_one_item_no_statistic_is_made(backlint: CommandLine, report: str, said: str) -> None:
    outcome = backlint("report", report, "--input", a_file(an_open_item(), a_finished_item()))

    assert outcome.code == 0
    assert said in outcome.out
