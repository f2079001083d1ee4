"""PLN004: the due date is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.history import counted, short_date
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule

LONG = 14  # days from which a near issue is an error (catalogue PLN004)


class DueDatePast(Rule):
    """The due date has passed.

    Why it matters: whoever relies on the date has not been told, and other dates are believed less.

    How to fix: agree on a new date, on less, or drop it.

    Severity: more than 14 days ago is an error for near issues.

    Not flagged: due today, in the team's time zone; issues that are done, however late. The date of a milestone
    counts where `milestone_due` says so.
    """

    code = "PLN004"
    name = "due-date-past"
    label = "overdue"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "New date, smaller scope, or drop?"
    waits_for_triage = True
    dimension = "planning"

    types: frozenset[IssueType] = EVERY_TYPE
    milestone_due: bool = False  # whether the date of its milestone is the issue's, where it has none of its own

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        field, due = self._due(issue)
        if due is None:
            yield self.not_applicable(issue, "no due date")
            return
        late = (context.today - due).days
        if late > 0:
            message = f"Due {short_date(due, context.today)}, {counted(late, 'day')} ago."
            severity = Severity.ERROR if late > LONG and context.is_near(issue) else None
            evidence = [of_value("F", field, due.isoformat())]
            yield self.fail(issue, context, message, evidence=evidence, severity=severity)

    def _due(self, issue: Issue) -> tuple[str, date | None]:
        if issue.due_on is not None or not self.milestone_due:
            return "due_on", issue.due_on
        try:
            return "fields.milestone_due_on", date.fromisoformat(str(issue.fields.get("milestone_due_on", ""))[:10])
        except ValueError:
            return "fields.milestone_due_on", None

    flagged = (
        Example(
            "five days ago",
            an_issue(due_on=date(2026, 3, 5), category=StatusCategory.TODO),
            severity=Severity.WARNING,
            evidence="2026-03-05",
        ),
        Example(
            "twenty days ago",
            an_issue(due_on=date(2026, 2, 18), category=StatusCategory.ACTIVE),
            severity=Severity.ERROR,
        ),
        Example("twenty days ago, but far", an_issue(due_on=date(2026, 2, 18)), severity=Severity.INFO),
        Example(
            "yesterday where the day has begun",
            an_issue(due_on=date(2026, 3, 10)),
            context={"timezone": "Pacific/Kiritimati"},
        ),
        Example(
            "its milestone's date, where that counts",
            an_issue(fields={"milestone": "2.0", "milestone_due_on": "2026-03-01"}),
            options={"milestone_due": True},
        ),
    )
    passed = (
        Example("due today", an_issue(due_on=date(2026, 3, 10))),
        Example("due next week", an_issue(due_on=date(2026, 3, 17))),
    )
    declined = (
        Example("done late", an_issue(due_on=date(2026, 3, 1), category=StatusCategory.DONE)),
        Example("no date", an_issue()),
        Example("its milestone's date, by default", an_issue(fields={"milestone_due_on": "2026-03-01"})),
        Example(
            "a milestone without a readable date",
            an_issue(fields={"milestone_due_on": "soon"}),
            options={"milestone_due": True},
        ),
    )
