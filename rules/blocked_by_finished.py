"""BLK002: what blocked the issue is over, and it is still marked as blocked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Presence, Severity, StatusCategory
from backlint.rules.blocking import BLOCKED_LABELS, BLOCKED_STATUSES, blocked_mark, blockers
from backlint.rules.evidence import of_value
from backlint.rules.history import ago, closed_at
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule

DONE, CANCELLED = StatusCategory.DONE, StatusCategory.CANCELLED


def closed(id: str, days: float, category: StatusCategory = DONE, **given: object) -> Issue:
    """A blocker that was closed so many days ago."""
    at = EXAMPLE_NOW - timedelta(days=days)
    step = a_transition(at, StatusCategory.ACTIVE, category)
    created: datetime = at - timedelta(days=9)
    return an_issue(**{"id": id, "category": category, "transitions": (step,), "created_at": created, **given})


def blocked_by(*ids: str, **given: object) -> Issue:
    """In progress, labelled as blocked, with links to its blockers."""
    links = tuple(Link(LinkKind.BLOCKED_BY, id) for id in ids)
    labels = frozenset({"blocked"})
    return an_issue(**{"category": StatusCategory.ACTIVE, "labels": labels, "links": links, **given})


class BlockedByFinished(Rule):
    """Still marked as blocked, although what blocked it is over.

    Why it matters: it could go on, and everybody who looks at the board believes that it cannot.

    How to fix: take the mark off and go on, or say what it waits for now. Where the blocker was cancelled, decide
    what that means.

    Not flagged: a blocker closed less than a day ago; a second blocker that is still open; issues that only
    keep the link to a finished one and carry no flag, label or status that says blocked.
    """

    code = "BLK002"
    name = "blocked-by-finished"
    label = "blocked-check"
    severity = Severity.WARNING
    question = "Can this continue?"
    waits_for_triage = True
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE
    blocked_labels: tuple[str, ...] = BLOCKED_LABELS  # labels that mark an issue as blocked
    blocked_statuses: tuple[str, ...] = BLOCKED_STATUSES  # words in the name of a status that mean blocked
    grace: float = 1  # days after the last blocker was closed (catalogue BLK002)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if blocked_mark(issue, statuses=self.blocked_statuses, labels=self.blocked_labels) is None:
            yield self.not_applicable(issue, "not marked as blocked")
            return
        found = blockers(issue, context)
        if found.open:
            over = ", ".join(each.key for each in found.issues if each not in found.open)
            yield self.ok(issue, f"blocked by {found.open[0].key}" + (f"; over are {over}" if over else ""))
        elif found.unread:
            yield self.unknown(issue, "a blocker cannot be read")
        elif not found.issues:
            yield self.not_applicable(issue, "no link says what blocks it")
        elif self._is_over(found.issues, context.now):
            evidence = [of_value("F", "links", each.key, note=each.status.name) for each in found.issues[:3]]
            message = _message(found.issues, context.now)
            yield self.fail(issue, context, message, evidence=evidence, question=_question(found.issues))

    def _is_over(self, issues: Sequence[Issue], now: datetime) -> bool:
        return all(now - at >= timedelta(days=self.grace) for each in issues if (at := closed_at(each)) is not None)

    flagged = (
        Example(
            "the only blocker was done three days ago",
            blocked_by("7"),
            others=(closed("7", 3),),
            severity=Severity.WARNING,
            evidence="DEMO-7",
        ),
        Example("the blocker was cancelled", blocked_by("7"), others=(closed("7", 3, CANCELLED),)),
        Example("the blocker was deleted", blocked_by("7"), others=(an_issue(id="7", presence=Presence.DELETED),)),
        Example("both blockers are over", blocked_by("7", "8"), others=(closed("7", 30), closed("8", 4, CANCELLED))),
        Example(
            "only the blocker knows of the link",
            blocked_by(),
            others=(closed("7", 3, links=(Link(LinkKind.BLOCKS, "1"),)),),
        ),
    )
    passed = (
        Example("done two hours ago", blocked_by("7"), others=(closed("7", 2 / 24),)),
        Example("a second blocker is open", blocked_by("7", "8"), others=(closed("7", 3), an_issue(id="8"))),
        Example("the blocker is open", blocked_by("7"), others=(an_issue(id="7"),)),
    )
    declined = (
        Example("the link alone is no mark", blocked_by("7", labels=frozenset()), others=(closed("7", 3),)),
        Example("blocked by nothing that is linked", blocked_by()),
        Example("the blocker cannot be read", blocked_by("7")),
        Example(
            "the blocker may not be read any more",
            blocked_by("7"),
            others=(an_issue(id="7", presence=Presence.UNREADABLE),),
        ),
    )


def _message(issues: Sequence[Issue], now: datetime) -> str:
    last = max(issues, key=lambda each: (closed_at(each) is not None, closed_at(each) or now))
    at = closed_at(last)
    what = _end(last)
    when = f" {ago((now - at).days)}" if at is not None and last.presence is Presence.PRESENT else ""
    others = f", the last of {len(issues)} blockers" if len(issues) > 1 else ""
    if what == "finished":
        return f"{last.key} finished{when}{others}; still marked blocked."
    return f"{last.key} was {what}{when}{others}; still marked blocked. What now?"


def _end(issue: Issue) -> str:
    if issue.presence is Presence.DELETED:
        return "deleted"
    return "cancelled" if issue.status.category is CANCELLED else "finished"


def _question(issues: Sequence[Issue]) -> str | None:
    """None: the usual one."""
    return None if any(_end(each) == "finished" for each in issues) else "The blocker is gone; what now?"
