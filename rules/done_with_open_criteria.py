"""AC005: closed while boxes of its criteria were open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.model import ChecklistItem, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.criteria_list import criteria
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule

TICKED = "## Acceptance criteria\n\n" + "".join(f"- [x] Column number {n} is in the file\n" for n in range(1, 6))
THREE_OF_FOUR = """\
## Acceptance criteria

- [x] The file opens in a spreadsheet
- [x] Amounts keep two decimals
- [x] Rows keep their order
- [ ] The header is translated
"""
STRUCK = THREE_OF_FOUR.replace("- [ ] The header is translated", "- [ ] ~~The header is translated~~")


def a_closed(days: float = 5, **given: object) -> Issue:
    closed = a_transition(EXAMPLE_NOW - timedelta(days=days), StatusCategory.ACTIVE, StatusCategory.DONE)
    values = {"category": StatusCategory.DONE, "transitions": (closed,), "created_at": EXAMPLE_NOW - timedelta(days=90)}
    return an_issue(**{**values, **given})


def finished(count: int, body: str) -> tuple[Issue, ...]:
    return tuple(a_closed(days=20, id=f"f{number}", body=body) for number in range(1, count + 1))


class DoneWithOpenCriteria(Rule):
    """Closed with criteria unticked.

    Why it matters: nobody can tell whether they were forgotten, dropped, or done and not ticked.

    How to fix: tick what is true, strike out what was dropped, and open an issue for what is still to do.

    Not flagged: boxes struck out; teams that tick under a fifth of the boxes on finished items; the first day after
    closing, since many people tick afterwards; what was closed more than 30 days ago.
    """

    code = "AC005"
    name = "done-with-open-criteria"
    severity = Severity.WARNING
    question = "Were these dropped or do they need a follow-up?"
    judges_closed = True
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.BUG})
    max_open: int = 0  # boxes that may stay open
    settle_hours: int = 24  # catalogue AC005: boxes are often ticked minutes after closing
    max_days: int = 30  # catalogue AC005: older ones are history

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        declined = self._why_declined(issue, context)
        if declined is not None:
            yield self.not_applicable(issue, declined)
            return
        closed_at = _closed_at(issue)
        if closed_at is None:
            yield self.unknown(issue, "the history does not say when it was closed")
            return
        since = context.now - closed_at
        if since < timedelta(hours=self.settle_hours) or since > timedelta(days=self.max_days):
            yield self.not_applicable(issue, f"closed {since.days} days ago")
            return
        boxes = [each for each in criteria(issue, context) if each.is_ticked is not None]
        still_open = [each for each in boxes if not each.is_ticked]
        if not boxes:
            yield self.not_applicable(issue, "no criteria with boxes")
        elif len(still_open) > self.max_open:
            message = f"Closed with {len(still_open)} of {len(boxes)} criteria unticked."
            yield self.fail(issue, context, message, evidence=[each.evidence for each in still_open[:3]])

    def _why_declined(self, issue: Issue, context: Context) -> str | None:
        if issue.status.category is not StatusCategory.DONE:
            return "not done"
        habits = context.backlog.habits(issue)
        if habits.ticks_boxes is None:
            return "too few boxes on finished items to tell whether the team ticks them"
        return None if habits.ticks_boxes else f"the team ticked under a fifth of its last {habits.boxes} boxes"

    flagged = (
        Example(
            "three of four", a_closed(body=THREE_OF_FOUR), others=finished(2, TICKED), evidence="header is translated"
        ),
        Example(
            "none of five, in a team that ticks",
            a_closed(body=TICKED.replace("[x]", "[ ]")),
            others=finished(4, TICKED),
        ),
        Example(
            "the tracker's own checklist",
            a_closed(checklist=(ChecklistItem("Opens in a spreadsheet", True), ChecklistItem("Header is translated"))),
            others=finished(2, TICKED),
        ),
        Example("a bug", a_closed(type=IssueType.BUG, body=THREE_OF_FOUR), others=finished(2, TICKED)),
    )
    passed = (
        Example("all ticked", a_closed(body=TICKED), others=finished(2, TICKED)),
        Example("struck out", a_closed(body=STRUCK), others=finished(2, TICKED)),
        Example(
            "as many as may stay open",
            a_closed(body=THREE_OF_FOUR),
            others=finished(2, TICKED),
            options={"max_open": 1},
        ),
    )
    declined = (
        Example(
            "cancelled", a_closed(body=THREE_OF_FOUR, category=StatusCategory.CANCELLED), others=finished(2, TICKED)
        ),
        Example("closed an hour ago", a_closed(days=1 / 24, body=THREE_OF_FOUR), others=finished(2, TICKED)),
        Example("closed long ago", a_closed(days=45, body=THREE_OF_FOUR), others=finished(2, TICKED)),
        Example(
            "a team that does not tick", a_closed(body=THREE_OF_FOUR), others=finished(6, TICKED.replace("[x]", "[ ]"))
        ),
        Example("still open", an_issue(body=THREE_OF_FOUR), others=finished(2, TICKED)),
        Example("no history", an_issue(body=THREE_OF_FOUR, category=StatusCategory.DONE), others=finished(2, TICKED)),
    )


def _closed_at(issue: Issue) -> datetime | None:
    moves = [move.at for move in issue.transitions if move.after.category is StatusCategory.DONE]
    return moves[-1] if moves else None
