"""FLO001: nobody has touched the issue for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backlint.examples import a_comment, a_transition, an_issue
from backlint.model import (
    FieldChange,
    Issue,
    IssueType,
    Judgement,
    Link,
    LinkKind,
    Severity,
    StatusCategory,
)
from backlint.rules.evidence import of_value
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule


def days_ago(days: int) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def bulk_moved(count: int) -> tuple[Issue, ...]:
    """Issues created 200 days ago and moved to the backlog by one person in one minute, yesterday."""
    moved = a_transition(days_ago(1), StatusCategory.TODO, StatusCategory.BACKLOG, actor="ana")
    return tuple(
        an_issue(id=str(number), created_at=days_ago(200), transitions=(moved,)) for number in range(1, count + 1)
    )


class Stale(Rule):
    """No human activity for long.

    Why it matters: a backlog full of things that nobody looks at hides the ones that matter.

    How to fix: say in one line whether it is still wanted and when to look again, or close it. backlint
    never closes anything.

    Not flagged: issues with a parked label and a review date in the future. Bots, re-ranking, our own
    writes and edits of twenty issues at once are no activity.
    """

    code = "FLO001"
    name = "stale"
    label = "stale"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Still wanted? If yes, when will you look again?"
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE
    triage_days: int = 14  # catalogue FLO001: someone waits for an answer
    backlog_days: int = 180  # catalogue FLO001: half a year is long even for an idea
    todo_days: int = 60  # catalogue FLO001: ready work goes off
    started_days: int = 14  # catalogue FLO001, also for waiting
    parked_labels: tuple[str, ...] = ("parked", "on-hold", "later")  # with a review date in the future

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        limit = self._limit(issue.status.category)
        if limit is None:
            yield self.unknown(issue, "the status has no category yet")
            return
        if issue.review_on is not None and self._is_parked(issue) and issue.review_on > context.now.date():
            yield self.ok(issue, "parked until a review date")
            return
        last_at = context.backlog.last_human_activity(issue)
        if last_at is None or not issue.history_is_complete:
            yield self.unknown(issue, "the history is not complete")
            return
        idle = context.now - last_at
        if idle > timedelta(days=limit):
            evidence = [of_value("H", "activity", last_at.date().isoformat(), note="last human activity")]
            yield self.fail(issue, context, f"No human activity for {idle.days} days.", evidence=evidence)

    def _limit(self, category: StatusCategory) -> int | None:
        return {
            StatusCategory.TRIAGE: self.triage_days,
            StatusCategory.BACKLOG: self.backlog_days,
            StatusCategory.TODO: self.todo_days,
            StatusCategory.ACTIVE: self.started_days,
            StatusCategory.WAITING: self.started_days,
        }.get(category)

    def _is_parked(self, issue: Issue) -> bool:
        parked = {label.casefold() for label in self.parked_labels}
        return any(label.casefold() in parked for label in issue.labels)

    flagged = (
        Example(
            "ready and untouched for 75 days",
            an_issue(created_at=days_ago(75), category=StatusCategory.TODO),
            severity=Severity.WARNING,
        ),
        Example(
            "bulk-moved yesterday, else silent for 200 days",
            bulk_moved(20)[0],
            others=bulk_moved(20)[1:],
            severity=Severity.INFO,
        ),
        Example(
            "only a bot and ourselves",
            an_issue(
                created_at=days_ago(200),
                updated_at=days_ago(1),
                comments=(
                    a_comment("Built.", days_ago(2), is_bot=True),
                    a_comment("Checked.", days_ago(1), id="c2", is_own=True),
                ),
            ),
            evidence="2025-08-22",
        ),
        Example(
            "re-ranking is no activity",
            an_issue(created_at=days_ago(200), changes=(FieldChange(at=days_ago(1), field="Rank", actor="ana"),)),
        ),
        Example(
            "parked, but the review date has passed",
            an_issue(created_at=days_ago(200), labels=frozenset({"parked"}), review_on=date(2026, 3, 1)),
        ),
    )
    passed = (
        Example("backlog for 120 days", an_issue(created_at=days_ago(120))),
        Example(
            "pull request pushed yesterday",
            an_issue(
                created_at=days_ago(100),
                category=StatusCategory.ACTIVE,
                links=(Link(LinkKind.PULL_REQUEST, "https://example.com/pull/1", days_ago(1)),),
            ),
        ),
        Example(
            "a comment last week",
            an_issue(created_at=days_ago(300), comments=(a_comment("Still wanted.", days_ago(7)),)),
        ),
        Example("exactly at the limit", an_issue(created_at=days_ago(180))),
        Example(
            "nineteen issues at once are still an edit of each",
            bulk_moved(19)[0],
            others=bulk_moved(19)[1:],
        ),
        Example(
            "parked until a day in the future",
            an_issue(created_at=days_ago(300), labels=frozenset({"parked"}), review_on=date(2026, 6, 1)),
        ),
    )
    declined = (
        Example("history cut off", an_issue(created_at=days_ago(300), history_is_complete=False)),
        Example("a status nobody has mapped", an_issue(created_at=days_ago(300), category=StatusCategory.UNKNOWN)),
    )
