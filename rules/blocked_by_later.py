"""BLK003: the blocker is planned for later than what it blocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backlint.examples import an_issue
from backlint.model import (
    Issue,
    IssueType,
    Judgement,
    Link,
    LinkKind,
    Severity,
    Sprint,
    SprintMembership,
    StatusCategory,
)
from backlint.rules.blocking import blockers
from backlint.rules.evidence import of_value
from backlint.rules.history import short_date
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule
from backlint.rules.sprint_figures import Planned, planned

BLOCKED = (Link(LinkKind.BLOCKED_BY, "7"),)


def in_sprint(number: int, **rest: object) -> tuple[SprintMembership, ...]:
    """Sprint 12 is running and ends on 14 March; each further one ends two weeks later."""
    start: datetime = EXAMPLE_NOW - timedelta(days=9) + timedelta(days=14 * (number - 12))
    state = "active" if number == 12 else "future"
    values = {"name": f"Sprint {number}", "state": state, "starts_at": start, "ends_at": start + timedelta(days=13)}
    return (SprintMembership(sprint=Sprint(id=str(number), **{**values, **rest})),)  # type: ignore[arg-type]


class BlockedByLater(Rule):
    """Blocked by something that is planned for later.

    Why it matters: the plan cannot come true, and that is known today.

    How to fix: move one of the two.

    Not flagged: both in the same sprint, or due on the same day; blockers that are closed. Dates are compared,
    not names, so that teams may have sprints of different length. Where a blocker is in a sprint without dates,
    or cannot be read, nothing is said.
    """

    code = "BLK003"
    name = "blocked-by-later"
    label = "blocked-check"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "Move one of the two?"
    waits_for_triage = True
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        own = planned(issue, context)
        if not own.is_planned:
            yield self.not_applicable(issue, "neither in a sprint nor due")
            return
        found = blockers(issue, context)
        worst = max(
            ((blocker, plan) for blocker in found.open if _is_later(plan := planned(blocker, context), own)),
            key=lambda pair: (pair[1].until is None, pair[1].until or date.min, pair[0].key),
            default=None,
        )
        if worst is not None:
            blocker, plan = worst
            evidence = [of_value("F", "links", blocker.key, note="blocks this")]
            message = _message(blocker, plan, own, context.today)
            yield self.fail(issue, context, message, evidence=evidence)
        elif found.unread:
            yield self.unknown(issue, "a blocker cannot be read")

    flagged = (
        Example(
            "in sprint 12, the blocker in sprint 13",
            an_issue(sprints=in_sprint(12), links=BLOCKED),
            others=(an_issue(id="7", sprints=in_sprint(13)),),
            severity=Severity.ERROR,
            evidence="DEMO-7",
        ),
        Example(
            "in the current sprint, the blocker without a plan",
            an_issue(sprints=in_sprint(12), links=BLOCKED),
            others=(an_issue(id="7"),),
            severity=Severity.ERROR,
        ),
        Example(
            "due before its blocker",
            an_issue(due_on=date(2026, 4, 1), links=BLOCKED),
            others=(an_issue(id="7", due_on=date(2026, 4, 15)),),
            severity=Severity.INFO,
        ),
        Example(
            "the blocker's sprint ends after the due date",
            an_issue(due_on=date(2026, 3, 20), links=BLOCKED),
            others=(an_issue(id="7", sprints=in_sprint(13)),),
        ),
    )
    passed = (
        Example(
            "the same sprint",
            an_issue(sprints=in_sprint(12), links=BLOCKED),
            others=(an_issue(id="7", sprints=in_sprint(12)),),
        ),
        Example(
            "the blocker is done",
            an_issue(sprints=in_sprint(12), links=BLOCKED),
            others=(an_issue(id="7", sprints=in_sprint(13), category=StatusCategory.DONE),),
        ),
        Example(
            "another team's sprint of another name that ends sooner",
            an_issue(sprints=in_sprint(13), links=BLOCKED),
            others=(an_issue(id="7", sprints=in_sprint(12, name="Spring II")),),
        ),
        Example(
            "planned for later, the blocker without a plan yet",
            an_issue(sprints=in_sprint(14), links=BLOCKED),
            others=(an_issue(id="7"),),
        ),
        Example(
            "the blocker is in a sprint without dates",
            an_issue(sprints=in_sprint(12), links=BLOCKED),
            others=(an_issue(id="7", sprints=in_sprint(20, starts_at=None, ends_at=None)),),
        ),
    )
    declined = (
        Example("not planned", an_issue(links=BLOCKED), others=(an_issue(id="7"),)),
        Example("the blocker cannot be read", an_issue(sprints=in_sprint(12), links=BLOCKED)),
    )


def _is_later(blocker: Planned, own: Planned) -> bool:
    if not blocker.is_planned:
        return own.is_current
    if own.sprint is not None and blocker.sprint is not None and own.sprint.id == blocker.sprint.id:
        return False
    return own.until is not None and blocker.until is not None and blocker.until > own.until


def _message(blocker: Issue, plan: Planned, own: Planned, today: date) -> str:
    if plan.until is None or own.until is None:
        return f"Planned for the current sprint; blocker {blocker.key} has no plan."
    ends, later = short_date(own.until, today), short_date(plan.until, today)
    return f"Planned until {ends}; blocker {blocker.key} is planned for {later}."
