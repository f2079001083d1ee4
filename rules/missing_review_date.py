"""REV001: no day is set on which someone looks whether it worked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.evidence import of_span, of_value
from backlint.rules.review_text import review_date
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Document, Meaning


class MissingReviewDate(Rule):
    """No review date.

    Why it matters: an outcome that nobody looks at on a set day is never missed, and the work is never
    stopped or repeated.

    How to fix: write "Review date: 30 Sep 2026", or fill the review field; "review in two weeks" counts
    from the last edit.

    Severity: for a story it is only information.

    Not flagged: issues below one that has a date; dates whose day and month cannot be told apart.
    """

    code = "REV001"
    name = "missing-review-date"
    label = "needs-review-date"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "On which day will someone look at whether this worked?"
    waits_for_triage = True
    dimension = "ownership"

    types: frozenset[IssueType] = frozenset({IssueType.INITIATIVE, IssueType.EPIC, IssueType.DECISION, IssueType.STORY})
    due_counts: bool = False  # a due date says when it is finished, not whether it worked
    inherit_depth: int = 3  # parents looked at upwards, as for outcomes

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        found = self._date(issue, context)
        if found is not None:
            yield self.ok(issue, "a review date is set", evidence=[found])
            return
        for above in context.backlog.ancestors(issue, depth=self.inherit_depth):
            inherited = self._date(above, context)
            if inherited is not None:
                yield self.ok(
                    issue, f"inherited from {above.key}", evidence=[of_value("F", "parent", inherited.excerpt)]
                )
                return
        waived = next((each.waiver for each in context.texts.body(issue).under(Meaning.REVIEW) if each.waiver), None)
        if waived is not None:
            yield self.waived_inline(issue, waived)
            return
        severity = Severity.INFO if issue.type is IssueType.STORY else None
        yield self.fail(
            issue, context, "No review date.", evidence=_undated(context.texts.body(issue)), severity=severity
        )

    def _date(self, issue: Issue, context: Context) -> Evidence | None:
        found = review_date(issue, context.texts.body(issue))
        if found is not None and found.evidence.kind == "F":
            return found.evidence
        if self.due_counts and issue.due_on is not None:
            return of_value("F", "due_on", issue.due_on.isoformat())
        return found.evidence if found is not None else None

    flagged = (
        Example(
            "epic with an outcome and no date",
            an_issue(type=IssueType.EPIC, body="Outcome: activation 31 % → 36 %", category=StatusCategory.ACTIVE),
            severity=Severity.WARNING,
        ),
        Example("some time next quarter", an_issue(type=IssueType.EPIC, body="Review: some time next quarter")),
        Example("a story is only information", an_issue(category=StatusCategory.ACTIVE), severity=Severity.INFO),
        Example("a due date is no review date", an_issue(type=IssueType.EPIC, due_on=date(2026, 9, 30))),
        Example("a day that does not exist", an_issue(type=IssueType.EPIC, body="Review date: 31 February 2026")),
    )
    passed = (
        Example("a written date", an_issue(body="Review date: 30 Sep 2026"), evidence="30 Sep 2026"),
        Example(
            "story whose epic has one",
            an_issue(id="2", parent="1"),
            others=(an_issue(id="1", type=IssueType.EPIC, review_on=date(2026, 9, 30)),),
        ),
        Example("a section", an_issue(body="## Review date\n\n2026-09-30\n")),
        Example("German", an_issue(body="Überprüfung am 30. September 2026")),
        Example("Spanish", an_issue(body="Fecha de revisión: 30 de septiembre de 2026")),
        Example("relative to the edit", an_issue(body="We review this again in two weeks.")),
        Example("day and month cannot be told apart", an_issue(body="Review date: 03/04/2026")),
        Example("a mapped field", an_issue(review_on=date(2026, 9, 30))),
        Example("the due date, where it counts", an_issue(due_on=date(2026, 9, 30)), options={"due_counts": True}),
    )
    declined = (
        Example("a task", an_issue(type=IssueType.TASK)),
        Example("not applicable for a reason", an_issue(body="## Review date\n\nN/A - the law demands it for ever\n")),
    )


def _undated(document: Document) -> Iterator[Evidence]:
    for section in document.under(Meaning.REVIEW):
        yield of_span(document, section.start, section.end, kind="S", field="body", note="no day")
