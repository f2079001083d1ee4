"""OUT005: finished, and nobody wrote down whether it worked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backlint.examples import a_comment, a_transition, an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.criteria_text import is_allowed
from backlint.rules.evidence import of_value
from backlint.rules.outcome_text import own_outcomes
from backlint.rules.result_text import recorded_results
from backlint.rules.review_text import review_date
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule

OUTCOME = "Outcome: activation from 31 % to 36 % by 30 Jan"


def a_finished(days: float, **given: object) -> Issue:
    closed = a_transition(EXAMPLE_NOW - timedelta(days=days), StatusCategory.ACTIVE, StatusCategory.DONE)
    values = {
        "type": IssueType.EPIC, "body": OUTCOME, "category": StatusCategory.DONE, "transitions": (closed,),
        "created_at": EXAMPLE_NOW - timedelta(days=300),
    }  # fmt: skip
    return an_issue(**{**values, **given})


class DoneWithoutMeasuredOutcome(Rule):
    """Done, and the result was never recorded.

    Why it matters: a team that does not look at what came of its bets makes the same ones again.

    How to fix: one line "Result: 31 % → 33 %, below target", here or in a comment; "no effect" is a good answer.

    Not flagged: the first 30 days, or longer where a review date says so; results in a field, a section or a comment;
    what was finished more than 180 days ago, or before backlint looked for the first time; stories without an outcome
    of their own.
    """

    code = "OUT005"
    name = "done-without-measured-outcome"
    label = "needs-result"
    severity = Severity.WARNING
    question = "What did the metric do? “No effect” is a good answer."
    judges_closed = True
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE, IssueType.STORY})
    measure_after_days: int = 30  # catalogue OUT005: most metrics need a month to move
    max_days: int = 180  # catalogue OUT005: after half a year nobody will measure it any more
    accept_links: tuple[str, ...] = ()  # domains where results may live

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if issue.status.category is not StatusCategory.DONE:
            yield self.not_applicable(issue, "not done")
            return
        finished_at = _finished_at(issue)
        if finished_at is None:
            yield self.unknown(issue, "the history does not say when it was finished")
            return
        declined = self._why_declined(issue, finished_at, context)
        if declined is not None:
            yield self.not_applicable(issue, declined)
            return
        found = next(self._results(issue, context), None)
        if found is not None:
            yield self.ok(issue, "a result is recorded", evidence=[found])
            return
        days = (context.now - finished_at).days
        evidence = [each.evidence for each in own_outcomes(issue, context)[:1]]
        yield self.fail(issue, context, f"Done {days} days ago; the result was never recorded.", evidence=evidence)

    def _why_declined(self, issue: Issue, finished_at: datetime, context: Context) -> str | None:
        if issue.type is IssueType.STORY and not own_outcomes(issue, context):
            return "no outcome of its own"
        watched_since = context.backlog.watched_since.get(issue.source)
        if watched_since is not None and finished_at < watched_since:
            return "finished before the first pull"
        since = context.now - finished_at
        if since > timedelta(days=self.max_days):
            return f"finished {since.days} days ago"
        if since < self._wait(issue, finished_at, context):
            return "too early to measure"
        return None

    def _wait(self, issue: Issue, finished_at: datetime, context: Context) -> timedelta:
        least = timedelta(days=self.measure_after_days)
        review = review_date(issue, context.texts.body(issue))
        if review is None or review.day is None:
            return least
        return max(least, timedelta(days=(review.day - finished_at.date()).days + 1))

    def _results(self, issue: Issue, context: Context) -> Iterator[Evidence]:
        document = context.texts.body(issue)
        yield from recorded_results(issue, document)
        for link in document.links:
            if is_allowed(link, self.accept_links):
                yield of_value("P", "body", link, note="link")

    flagged = (
        Example("45 days ago", a_finished(45), evidence="activation from 31 %"),
        Example("the review was yesterday", a_finished(40, review_on=date(2026, 3, 9))),
        Example("a section without a result", a_finished(45, body=f"{OUTCOME}\n\n## Results\n\nTBD\n")),
        Example("a comment of a bot", a_finished(45, comments=(a_comment("Result: built in 3 s", is_bot=True),))),
    )
    passed = (
        Example("a line", a_finished(45, body=f"{OUTCOME}\n\nResult: 31 % → 33 %, below target\n"), evidence="33 %"),
        Example(
            "a section that says no effect", a_finished(45, body=f"{OUTCOME}\n\n## Results\n\nThere was no effect.\n")
        ),
        Example("a comment", a_finished(45, comments=(a_comment("Outcome: activation stayed where it was"),))),
        Example("a field", a_finished(45, fields={"measured_result": "33 %"})),
        Example(
            "a page of results",
            a_finished(45, body=f"{OUTCOME}\n\nhttps://wiki.example.com/results"),
            options={"accept_links": ("example.com",)},
        ),
    )
    declined = (
        Example("ten days ago", a_finished(10)),
        Example("half a year ago", a_finished(200)),
        Example("a review that is still to come", a_finished(45, review_on=date(2026, 3, 20))),
        Example("cancelled", a_finished(45, category=StatusCategory.CANCELLED)),
        Example("a story without an outcome", a_finished(45, type=IssueType.STORY, body="Export the list.")),
        Example(
            "finished before the first pull",
            a_finished(45),
            context={"watched_since": {"demo": EXAMPLE_NOW - timedelta(days=20)}},
        ),
        Example("no history", an_issue(type=IssueType.EPIC, body=OUTCOME, category=StatusCategory.DONE)),
    )


def _finished_at(issue: Issue) -> datetime | None:
    moves = [move.at for move in issue.transitions if move.after.category is StatusCategory.DONE]
    return moves[-1] if moves else None
