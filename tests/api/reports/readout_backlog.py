"""The planning backlog with a week of news: things finished, results recorded, decisions, due dates, reviews."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from backlint.api.commands.report_weekly import gather
from backlint.api.readout import Facts, build_readout
from backlint.api.readout.facts import BacklogScore
from backlint.api.reports.readout import Audience, Readout
from backlint.model import Comment, FieldChange, Issue, IssueType, Link, LinkKind, Person, Status, StatusCategory
from backlint.sync.check import make_backlog
from tests.api.reports.backlog import DOING, DONE, GOOD, NOW, READY, an_item
from tests.api.reports.planning_backlog import CRITERIA, SETTINGS, candidates, in_progress, past_sprints

OUTCOME = "## Outcome\n\nInvoice questions per 1,000 customers from 42 to 25 by 2026-09-30.\n"
DESIGN = Status("7", "Ready for design", StatusCategory.WAITING)
SCORES = (BacklogScore("PAY", 75, 14),)


def days_ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def news() -> Iterator[Issue]:
    yield an_item(
        4000, (120, DOING), (50, DONE), type=IssueType.EPIC, team="Payments", title="Clear invoices", body=OUTCOME,
        created=200, comments=(Comment(id="1", at=days_ago(2), author="mia", body="Result: 42 → 39, below target"),),
    )  # fmt: skip
    yield an_item(
        4001, (100, DOING), (45, DONE), type=IssueType.EPIC, team="Payments", title="Reminders", body=OUTCOME,
        created=200,
    )  # fmt: skip
    yield an_item(
        4002, (60, DOING), type=IssueType.EPIC, team="Payments", title="Self-service", body=OUTCOME, created=100,
        review_on=date(2026, 5, 20),
        changes=(FieldChange(at=days_ago(3), field="target", before="25", after="28", actor="ana"),),
    )  # fmt: skip
    yield an_item(
        4003, (6, DOING), (3, DONE), team="Payments", title="Show the due date first", body=CRITERIA, parent="14002",
    )  # fmt: skip
    yield an_item(4004, (5, DOING), (2, DONE), team="Payments", title="Upgrade the database driver", body="Needed.")
    yield an_item(
        4005, (9, DOING), (1, DONE), team="Payments", type=IssueType.DECISION, title="Which bank",
        body="## Options\n\n- A\n- B\n\n## Decision\n\nWe take bank B.\n\n## Rationale\n\nIt is cheaper.\n",
    )  # fmt: skip
    yield an_item(4006, (4, READY), team="Payments", type=IssueType.DECISION, title="Keep the old export?")
    yield an_item(
        4007, (12, DOING), team="Payments", title="Refund by letter", due_on=date(2026, 5, 10), body=CRITERIA,
        links=(Link(LinkKind.BLOCKED_BY, "13010"),), created=40,
    )  # fmt: skip
    yield an_item(4008, (8, DOING), (5, DESIGN), team="Payments", title="New receipt", body=CRITERIA, priority=1)
    yield an_item(4009, team="Payments", type=IssueType.BUG, title="Total is off by a cent", created=3)
    yield an_item(
        4010, (30, DOING), (20, DONE), team="Payments", title="Print the address", due_on=date(2026, 5, 15),
        body=CRITERIA,
    )  # fmt: skip


def the_facts(**given: Any) -> Facts:
    issues = (*past_sprints(), *in_progress(), *candidates(), *news())
    values: dict[str, Any] = {"scope": "Payments", "name": "everything", "scores": SCORES}
    people = {("acme", "ana"): Person(id="ana", name="Ana Example", is_active=True, last_seen_at=NOW)}
    return gather(make_backlog(issues, SETTINGS, now=NOW, people=people), SETTINGS, **{**values, **given})


def a_readout(audience: Audience | None = None, **given: Any) -> Readout:
    facts = the_facts(**given) if given else _usual_facts()
    return _of_no_version(build_readout(facts, audience=audience, health=given.get("health", (GOOD,))))


@cache
def _usual_facts() -> Facts:
    return the_facts()


def an_empty_week() -> Readout:
    """Nothing finished, three items in progress; nobody has planned or written anything."""
    backlog = make_backlog(in_progress(), SETTINGS, now=NOW)
    return _of_no_version(build_readout(gather(backlog, SETTINGS, scope=None, name="Pilot")))


def _of_no_version(report: Readout) -> Readout:
    """The approved files need not change with every rule."""
    return replace(report, rules_version="2026.1")
