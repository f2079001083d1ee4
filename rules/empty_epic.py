"""HIE003: an epic was started and holds no work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.flow import items
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Presence, Severity, StatusCategory
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule


def days_ago(days: float) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def a_started_epic(days: float, **given: object) -> Issue:
    started = a_transition(days_ago(days), StatusCategory.BACKLOG, StatusCategory.ACTIVE)
    values = {"transitions": (started,), "category": StatusCategory.ACTIVE, "created_at": days_ago(90)}
    return an_issue(type=IssueType.EPIC, **{**values, **given})


class EmptyEpic(Rule):
    """Started epic without children.

    Why it matters: something large is said to be in progress and nobody can see what is being done.

    How to fix: name the first slice as a child, or move the epic back until there is one.

    Not flagged: epics started less than a week ago; epics with an estimate of their own; children by another
    relation, where `child_links` names it.
    """

    code = "HIE003"
    name = "empty-epic"
    severity = Severity.INFO
    question = "Which first slice is being worked on?"
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC})
    started_days: int = 7  # catalogue HIE003
    child_links: frozenset[str] = frozenset()  # kinds of links that also lead to children: relates, blocked_by ...

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if not issue.is_started:
            yield self.not_applicable(issue, "not started")
            return
        if any(child.status.category is not StatusCategory.CANCELLED for child in self._children(issue, context)):
            yield self.ok(issue, "it has children")
            return
        if issue.estimate is not None:
            yield self.ok(issue, "estimated as a whole")
            return
        age = items((issue,), context.now)[0].age(context.now)
        if age is None:
            yield self.unknown(issue, "the history does not say when it was started")
        elif age >= timedelta(days=self.started_days):
            yield self.fail(issue, context, f"Started {age.days} days ago, without children.")

    def _children(self, issue: Issue, context: Context) -> Iterator[Issue]:
        for child in context.backlog.children(issue):
            if child.presence is Presence.PRESENT:
                yield child
        for link in issue.links:
            linked = context.backlog.linked(issue, link.target) if link.kind.value in self.child_links else None
            if linked is not None:
                yield linked

    flagged = (
        Example("in progress for ten days", a_started_epic(10), severity=Severity.INFO),
        Example(
            "all children cancelled",
            a_started_epic(10),
            others=(an_issue(id="2", parent="1", category=StatusCategory.CANCELLED),),
        ),
        Example(
            "children by a relation that does not count",
            a_started_epic(10, links=(Link(LinkKind.RELATES, "2"),)),
            others=(an_issue(id="2"),),
        ),
    )
    passed = (
        Example("in progress for three days", a_started_epic(3)),
        Example(
            "one child, done",
            a_started_epic(10),
            others=(an_issue(id="2", parent="1", category=StatusCategory.DONE),),
        ),
        Example("estimated as a whole", a_started_epic(10, estimate=40)),
        Example(
            "children by another relation",
            a_started_epic(10, links=(Link(LinkKind.RELATES, "2"),)),
            others=(an_issue(id="2"),),
            options={"child_links": ["relates"]},
        ),
    )
    declined = (
        Example("not started", an_issue(type=IssueType.EPIC)),
        Example("a story", an_issue(category=StatusCategory.ACTIVE)),
        Example("history cut off", a_started_epic(10, transitions=(), history_is_complete=False)),
    )
