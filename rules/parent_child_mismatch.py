"""HIE002: an issue and its children contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.model import Issue, IssueType, Judgement, Presence, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.history import closed_at, counted, short_date
from backlint.rules.order import by_key
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule

SHOWN = 3  # children named as evidence
NOT_STARTED = frozenset({StatusCategory.TRIAGE, StatusCategory.BACKLOG, StatusCategory.TODO})


def days_ago(days: float) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def an_epic(category: StatusCategory = StatusCategory.ACTIVE, **given: object) -> Issue:
    return an_issue(type=IssueType.EPIC, category=category, **given)


def a_child(id: str, category: StatusCategory, days: float = 10, **given: object) -> Issue:
    """A child of issue 1, in its status since so many days."""
    moved = a_transition(days_ago(days), StatusCategory.BACKLOG, category)
    steps = () if category is StatusCategory.BACKLOG else (moved,)
    return an_issue(id=id, parent="1", category=category, transitions=steps, created_at=days_ago(60), **given)


class ParentChildMismatch(Rule):
    """The parent and its children contradict each other.

    Why it matters: a finished epic hides open work, and an open one whose children are all finished looks
    like work that nobody does. Every forecast counts one of the two wrongly.

    How to fix: close the parent, move the open children to another one, or reopen it.

    Severity: near when the parent or one of the contradicting children is near.

    Not flagged: parents labelled `evergreen`; children that were finished less than three days ago; children
    that started today. Children that were not read are not counted.
    """

    code = "HIE002"
    name = "parent-child-mismatch"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Close, move or reopen?"
    waits_for_triage = True
    judges_closed = True
    judges_cancelled = True
    dimension = "planning"

    types: frozenset[IssueType] = EVERY_TYPE
    grace: int = 3  # days after the last child before an open parent is said (catalogue HIE002)
    started_days: float = 1  # days a child is in progress before its parent should be, too (catalogue HIE002)
    evergreen_labels: tuple[str, ...] = ("evergreen",)  # parents that are never finished

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        present = (each for each in context.backlog.children(issue) if each.presence is Presence.PRESENT)
        children = sorted(present, key=by_key)
        if not children:
            yield self.not_applicable(issue, "no children")
            return
        evergreen = {label.casefold() for label in self.evergreen_labels}
        if evergreen & {label.casefold() for label in issue.labels}:
            yield self.ok(issue, "evergreen")
            return
        found = next(self._mismatches(issue, children, context), None)
        if found is not None:
            message, contradicting = found
            is_near = context.is_near(issue) or any(context.is_near(child) for child in contradicting)
            yield self.fail(
                issue,
                context,
                message,
                severity=self.severity if is_near else self.severity_far,
                evidence=[
                    of_value("F", "children", child.key, note=child.status.name) for child in contradicting[:SHOWN]
                ],
            )

    def _mismatches(
        self, issue: Issue, children: Sequence[Issue], context: Context
    ) -> Iterator[tuple[str, Sequence[Issue]]]:
        """What is wrong with the children that show it, the gravest first."""
        kind = issue.type.value.capitalize()
        still_open = [child for child in children if child.is_open]
        if not issue.is_open:
            if still_open:
                state = issue.status.category.value
                yield f"{kind} {state}, {counted(len(still_open), 'child', 'children')} open.", still_open
            return
        if not still_open:
            last = max((at for child in children if (at := closed_at(child)) is not None), default=None)
            if last is not None and context.now - last >= timedelta(days=self.grace):
                days = counted((context.now - last).days, "day")
                which = "its only child" if len(children) == 1 else f"all {len(children)} children"
                yield f"{kind} open, {which} closed for {days}.", children
            return
        if issue.status.category in NOT_STARTED:
            started = [child for child in still_open if self._is_long_started(child, context.now)]
            if started:
                yield f"{kind} not started, {counted(len(started), 'child', 'children')} in progress.", started
        yield from _due_later(issue, still_open, context.today)

    def _is_long_started(self, child: Issue, now: datetime) -> bool:
        if not child.is_started:
            return False
        since = child.created_at if child.history_is_complete else None
        for step in child.transitions:
            if step.after.category.is_started and not step.before.category.is_started:
                since = step.at
        return since is not None and now - since >= timedelta(days=self.started_days)

    flagged = (
        Example(
            "epic done, two children open",
            an_epic(StatusCategory.DONE),
            others=(a_child("2", StatusCategory.BACKLOG), a_child("3", StatusCategory.BACKLOG)),
            severity=Severity.INFO,
            evidence="DEMO-2",
        ),
        Example(
            "epic done, a child in progress",
            an_epic(StatusCategory.DONE),
            others=(a_child("2", StatusCategory.ACTIVE),),
            severity=Severity.WARNING,
        ),
        Example(
            "not started, a child in progress",
            an_epic(StatusCategory.BACKLOG),
            others=(a_child("2", StatusCategory.ACTIVE, 2),),
            severity=Severity.WARNING,
        ),
        Example(
            "open, all children finished",
            an_epic(),
            others=(a_child("2", StatusCategory.DONE, 3), a_child("3", StatusCategory.CANCELLED, 9)),
        ),
        Example(
            "cancelled, a child open",
            an_epic(StatusCategory.CANCELLED),
            others=(a_child("2", StatusCategory.TODO),),
        ),
        Example(
            "a child due after its parent",
            an_epic(due_on=date(2026, 3, 14)),
            others=(a_child("2", StatusCategory.BACKLOG, due_on=date(2026, 3, 28)),),
        ),
        Example(
            "a story with a subtask at work",
            an_issue(),
            others=(a_child("2", StatusCategory.ACTIVE, 4, type=IssueType.SUBTASK),),
        ),
    )
    passed = (
        Example("children finished yesterday", an_epic(), others=(a_child("2", StatusCategory.DONE, 1),)),
        Example(
            "evergreen",
            an_epic(labels=frozenset({"Evergreen"})),
            others=(a_child("2", StatusCategory.DONE, 30),),
        ),
        Example(
            "a child started this morning",
            an_epic(StatusCategory.TODO),
            others=(a_child("2", StatusCategory.ACTIVE, 0.2),),
        ),
        Example(
            "done with all its children",
            an_epic(StatusCategory.DONE),
            others=(a_child("2", StatusCategory.DONE, 5), a_child("3", StatusCategory.CANCELLED, 9)),
        ),
    )
    declined = (
        Example("no children", an_epic()),
        Example(
            "its only child was deleted",
            an_epic(),
            others=(a_child("2", StatusCategory.BACKLOG, presence=Presence.DELETED),),
        ),
    )


def _due_later(issue: Issue, children: Sequence[Issue], today: date) -> Iterator[tuple[str, Sequence[Issue]]]:
    due = issue.due_on
    if due is None:
        return
    later = [child for child in children if child.due_on is not None and child.due_on > due]
    if later:
        last = max(later, key=lambda child: child.due_on or due)
        ends = short_date(last.due_on or due, today)
        yield f"Due {short_date(due, today)}, but its child {last.key} is due {ends}.", later
