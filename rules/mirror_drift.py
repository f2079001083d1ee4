"""SYN001: an issue and its mirror in another tracker say different things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.model import (
    Evidence,
    Issue,
    IssueType,
    Judgement,
    Link,
    LinkKind,
    Presence,
    Severity,
    StatusCategory,
    Tracker,
)
from backlint.rules.evidence import excerpt, of_value
from backlint.rules.history import closed_at, counted
from backlint.rules.mirrors import is_record, names, peers
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule
from backlint.rules.similar_titles import title_of

URL = "https://example.com/browse/DEMO-1"
SHOWN_TITLE = 40  # characters in the message
ACTIVE, WAITING, DONE = StatusCategory.ACTIVE, StatusCategory.WAITING, StatusCategory.DONE
CHANGES = {
    "owner": ("assignee", "assignees"), "title": ("title",), "priority": ("priority",), "estimate": ("estimate",),
    "due date": ("due_on",), "parent": ("parent",),
}  # fmt: skip


def record(minutes: float = 120, category: StatusCategory = DONE, **given: object) -> Issue:
    """In Jira; moved to its status so many minutes ago."""
    moved = a_transition(EXAMPLE_NOW - timedelta(minutes=minutes), StatusCategory.TODO, category)
    values = {"tracker": Tracker.JIRA, "url": URL, "category": category, "transitions": (moved,)}
    return an_issue(**{**values, **given})


def mirror(category: StatusCategory = ACTIVE, **given: object) -> Issue:
    """In Linear, a day younger than the record; started a day ago."""
    moved = a_transition(EXAMPLE_NOW - timedelta(days=1), StatusCategory.TODO, category)
    values = {
        "id": "9", "key": "ENG-9", "source": "linear", "tracker": Tracker.LINEAR, "category": category,
        "transitions": (moved,), "links": (Link(LinkKind.MIRRORS, URL),), "created_at": EXAMPLE_NOW - timedelta(days=7),
    }  # fmt: skip
    return an_issue(**{**values, **given})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which the two sides differ, since when at the latest."""

    field: str
    own: str
    other: str
    since: datetime | None


class MirrorDrift(Rule):
    """An issue and its mirror in another tracker differ.

    Why it matters: two teams plan with two truths; the one who looks in the wrong place is wrong.

    How to fix: say which one is right, and correct the other; backlint corrects neither.

    Not flagged: differences younger than an hour, which a synchronisation may still settle; statuses of one class, such
    as "In review" and "In progress"; fields that one side does not have; fields in `ignore_fields`, for mirrors that
    go one way on purpose. One finding for each pair, on the system of record.
    """

    code = "SYN001"
    name = "mirror-drift"
    label = "mirror-drift"
    severity = Severity.WARNING
    question = "Which one is right?"
    judges_closed = True
    judges_cancelled = True
    dimension = "consistency"

    types: frozenset[IssueType] = EVERY_TYPE
    tolerance: int = 60  # minutes for which the two may differ (catalogue SYN001)
    closed_days: int = 30  # how long a pair is compared after both were closed
    ignore_fields: tuple[str, ...] = ()  # of state, owner, title, priority, estimate, due date, parent
    records: tuple[str, ...] = ()  # sources in order of precedence; else the older issue is the record

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        others = [each for each in peers(issue, context) if each.presence is Presence.PRESENT]
        if not others:
            yield self.not_applicable(issue, "no mirror that can be read")
            return
        for other in others:
            if not is_record(issue, other, self.records):
                yield self.not_applicable(issue, f"compared on {other.key}, the system of record")
            elif self._is_settled(issue, other, context.now):
                yield self.ok(issue, f"closed, as {other.key} is")
            else:
                yield self._compared(issue, other, context)

    def _is_settled(self, issue: Issue, other: Issue, now: datetime) -> bool:
        since = now - timedelta(days=self.closed_days)
        moments = [closed_at(issue), closed_at(other)]
        same = issue.status.category is other.status.category
        return same and all(at is not None and at < since for at in moments)

    def _compared(self, issue: Issue, other: Issue, context: Context) -> Judgement:
        limit = context.now - timedelta(minutes=self.tolerance)
        found = [
            each
            for each in _differences(issue, other, context)
            if each.field not in self.ignore_fields and (each.since is None or each.since < limit)
        ]
        if not found:
            return self.ok(issue, f"agrees with {other.key}")
        first = found[0]
        own, theirs = names(issue, other)
        lasts = f" (for {_span(context.now - first.since)})" if first.since is not None else ""
        message = f"{own} says {first.own}, {theirs} says {first.other}{lasts}."
        if len(found) > 1:
            message += f" Different as well: {', '.join(each.field for each in found[1:])}."
        return self.fail(
            issue, context, message, evidence=list(_evidence(found)), discriminator=":".join(other.identity)
        )

    flagged = (
        Example("done and started", record(), others=(mirror(),), severity=Severity.WARNING, evidence="done"),
        Example(
            "due on different days",
            record(category=ACTIVE, due_on=date(2026, 3, 20)),
            others=(mirror(due_on=date(2026, 3, 27)),),
            evidence="2026-03-20",
        ),
        Example("another title", record(category=ACTIVE), others=(mirror(title="Import the invoice list"),)),
        Example(
            "the younger one is the record",
            mirror(DONE),
            others=(record(category=ACTIVE),),
            options={"records": ["linear"]},
        ),
        Example("cancelled and started", record(category=StatusCategory.CANCELLED), others=(mirror(),)),
    )
    passed = (
        Example("twenty minutes apart", record(20), others=(mirror(),)),
        Example("in review and in progress", record(category=WAITING), others=(mirror(),)),
        Example(
            "capitals and punctuation",
            record(category=ACTIVE),
            others=(mirror(title="Export the invoice list, as CSV!"),),
        ),
        Example(
            "the key in front of the title",
            record(category=ACTIVE),
            others=(mirror(title="DEMO-1: Export the invoice list as CSV"),),
        ),
        Example("only one side has a date", record(category=ACTIVE, due_on=date(2026, 3, 20)), others=(mirror(),)),
        Example("one way on purpose", record(), others=(mirror(),), options={"ignore_fields": ["state"]}),
    )
    declined = (
        Example("no mirror", an_issue()),
        Example("the other side carries the finding", mirror(), others=(record(),)),
        Example("the mirror is gone", record(), others=(mirror(presence=Presence.DELETED),)),
    )


def _differences(issue: Issue, other: Issue, context: Context) -> Iterator[Difference]:
    own, theirs = _class(issue), _class(other)
    if own and theirs and own != theirs:
        yield Difference("state", own, theirs, _moved_at(issue, other))
    for field, left, right in (
        ("title", *_titles(issue, other)),
        ("owner", *_owners(issue, other, context)),
        ("priority", _number(issue.priority), _number(other.priority)),
        ("estimate", *_estimates(issue, other)),
        ("due date", _day(issue.due_on), _day(other.due_on)),
        ("parent", *_parents(issue, other, context)),
    ):
        if left is not None and right is not None and left != right:
            yield Difference(field, f"{field} {left}", f"{field} {right}", _changed_at(field, issue, other))


def _class(issue: Issue) -> str | None:
    """The class in which trackers have to agree."""
    category = issue.status.category
    if category is StatusCategory.UNKNOWN:
        return None
    if category.is_started:
        return "in progress"
    return "open" if category.is_open else category.value


def _titles(issue: Issue, other: Issue) -> tuple[str | None, str | None]:
    """In small letters, without punctuation and without the other one's key."""
    keys = (issue.key, other.key)
    left, right = (" ".join(title_of(_without(each.title, keys)).words) for each in (issue, other))
    return (_shown(issue.title), _shown(other.title)) if left != right else (None, None)


def _shown(title: str) -> str:
    return f"'{excerpt(title)[:SHOWN_TITLE]}'"


def _without(title: str, keys: Iterable[str]) -> str:
    for key in keys:
        title = title.replace(key, "")
    return title


def _owners(issue: Issue, other: Issue, context: Context) -> tuple[str | None, str | None]:
    """Only persons whose accounts can be told apart by a mail address are compared."""
    left, right = (_mails(each, context) for each in (issue, other))
    return ("one person", "another one") if left and right and not left & right else (None, None)


def _mails(issue: Issue, context: Context) -> set[str]:
    people = [context.backlog.person(issue.source, each) for each in issue.assignees]
    if any(person is None or not person.email for person in people):
        return set()
    return {(person.email or "").casefold() for person in people if person is not None}


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _estimates(issue: Issue, other: Issue) -> tuple[str | None, str | None]:
    if issue.estimate_unit != other.estimate_unit:
        return None, None
    return _number(issue.estimate), _number(other.estimate)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _parents(issue: Issue, other: Issue, context: Context) -> tuple[str | None, str | None]:
    """Parents are compared where both are mirrored; they agree when they are a pair themselves."""
    left, right = context.backlog.parent(issue), context.backlog.parent(other)
    if left is None or right is None or not peers(left, context) or not peers(right, context):
        return None, None
    return (None, None) if right in peers(left, context) else (left.key, right.key)


def _moved_at(issue: Issue, other: Issue) -> datetime | None:
    return max((step.at for each in (issue, other) for step in each.transitions[-1:]), default=None)


def _changed_at(field: str, issue: Issue, other: Issue) -> datetime | None:
    changes = (change.at for each in (issue, other) for change in each.changes if change.field in CHANGES[field])
    return max(changes, default=None)


def _evidence(found: Iterable[Difference]) -> Iterator[Evidence]:
    for each in found:
        note = f"last change {each.since.isoformat(timespec='minutes')}" if each.since else None
        yield of_value("F", each.field, f"{each.own} / {each.other}", note=note)


def _span(duration: timedelta) -> str:
    """`2 h`, `3 days`."""
    hours = int(duration / timedelta(hours=1))
    return f"{hours} h" if hours < 48 else counted(duration.days, "day")
