"""REV002: the day of the review is over, and nothing was said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backlint.examples import a_comment, an_issue
from backlint.model import FieldChange, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.review_text import review_date
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule

SATURDAY = 5
RESULT_FIELDS = ("measured_result", "result")


def an_epic(**given: object) -> Issue:
    values = {"type": IssueType.EPIC, "category": StatusCategory.ACTIVE, "created_at": EXAMPLE_NOW - timedelta(days=90)}
    return an_issue(**{**values, **given})


class ReviewDatePassed(Rule):
    """The review date has passed; nothing recorded since.

    Why it matters: a review that is skipped once is skipped for good, and the work goes on unquestioned.

    How to fix: one line that says keep, change or stop; or a new date.

    Not flagged: the day itself and three working days after it; a comment of a person, a result or a change of the
    date on or after that day. A date whose day and month cannot be told apart is not judged.
    """

    code = "REV002"
    name = "review-date-passed"
    label = "needs-review-date"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Keep, change or stop? One line is enough."
    waits_for_triage = True
    dimension = "ownership"

    types: frozenset[IssueType] = frozenset({IssueType.INITIATIVE, IssueType.EPIC, IssueType.DECISION, IssueType.STORY})
    grace: int = 3  # working days after the date, catalogue REV002
    date_order: str = ""  # "dmy" or "mdy" settles 03/04/2026

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        review = review_date(issue, context.texts.body(issue), date_order=self.date_order)
        if review is None:
            yield self.not_applicable(issue, "no review date of its own: REV001 says it")
            return
        if review.day is None:
            yield self.unknown(issue, "the day of the review cannot be told", evidence=[review.evidence])
            return
        if _local(context.now, context) <= _after_working_days(review.day, self.grace):
            yield self.ok(issue, "not over yet", evidence=[review.evidence])
            return
        said = _recorded(issue, review.day, context)
        if said is not None:
            yield self.ok(issue, said, evidence=[review.evidence])
            return
        message = f"Review was due on {review.day.day} {review.day:%b %Y}; nothing recorded since."
        yield self.fail(issue, context, message, evidence=[review.evidence])

    flagged = (
        Example("ten days of silence", an_epic(review_on=date(2026, 2, 28)), severity=Severity.WARNING),
        Example(
            "only bots since",
            an_epic(
                review_on=date(2026, 2, 28),
                comments=(a_comment("Built.", EXAMPLE_NOW - timedelta(days=2), is_bot=True),),
                changes=(FieldChange(at=EXAMPLE_NOW - timedelta(days=2), field="labels", actor="bot", is_bot=True),),
            ),
        ),
        Example("a date in the text", an_epic(body="Review date: 28 Feb 2026"), evidence="28 Feb 2026"),
        Example(
            "far, hence information",
            an_epic(review_on=date(2026, 2, 28), category=StatusCategory.BACKLOG),
            severity=Severity.INFO,
        ),
        Example(
            "a day that the team's order settles", an_epic(body="Review: 02/03/2026"), options={"date_order": "dmy"}
        ),
    )
    passed = (
        Example("moved to next month", an_epic(review_on=date(2026, 4, 10))),
        Example(
            "reviewed in a comment",
            an_epic(
                review_on=date(2026, 2, 28), comments=(a_comment("Reviewed: keep", EXAMPLE_NOW - timedelta(days=5)),)
            ),
        ),
        Example("within three working days", an_epic(review_on=date(2026, 3, 5))),
        Example(
            "a result is recorded", an_epic(review_on=date(2026, 2, 28), fields={"measured_result": "31 % → 33 %"})
        ),
    )
    declined = (
        Example("no date", an_epic(body="Review: some time next quarter")),
        Example("day and month cannot be told apart", an_epic(body="Review date: 02/03/2026")),
        Example("a task", an_issue(type=IssueType.TASK, review_on=date(2026, 2, 28))),
    )


def _local(at: datetime, context: Context) -> date:
    return at.astimezone(ZoneInfo(context.timezone)).date()


def _after_working_days(day: date, count: int) -> date:
    """The last day of grace; weekends are no working days. Holidays are not known here."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day


def _recorded(issue: Issue, day: date, context: Context) -> str | None:
    """What a person recorded on or after the day."""
    if any(str(issue.fields.get(name) or "").strip() for name in RESULT_FIELDS):
        return "a result is recorded"
    for comment in issue.comments:
        if not comment.is_bot and not comment.is_own and _local(comment.at, context) >= day:
            return "a comment since"
    for change in issue.changes:
        if not change.is_bot and "review" in change.field.casefold() and _local(change.at, context) >= day:
            return "the date was looked at again"
    return None
