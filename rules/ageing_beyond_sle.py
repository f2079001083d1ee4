"""FLO002: work in progress is older than nearly everything the team finished."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from backlint.examples import a_comment, a_transition, an_issue
from backlint.flow import ServiceLevel, items
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Severity, StatusCategory, Transition
from backlint.rules.evidence import of_value
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule

TENTH = timedelta(days=0.1)
ZOMBIE = timedelta(days=10)  # catalogue FLO002
SLE = {"levels": {("demo", "1"): ServiceLevel(8.0, 47, "team", "stories")}}


def started(days: float) -> tuple[Transition, ...]:
    """Started so many days ago."""
    at = EXAMPLE_NOW - timedelta(days=days)
    return (a_transition(at, StatusCategory.BACKLOG, StatusCategory.ACTIVE, actor="ana"),)


def an_item(days: float, **given: object) -> Issue:
    values = {
        "category": StatusCategory.ACTIVE,
        "transitions": started(days),
        "created_at": EXAMPLE_NOW - timedelta(days=90),
    }
    return an_issue(**{**values, **given})


class AgeingBeyondSle(Rule):
    """In progress for longer than the service level expectation.

    Why it matters: an item that is older than 85 % of those finished seldom finishes by waiting; each day
    makes it less likely.

    How to fix: name the next step and what is in the way; split it, or put it back.

    Severity: at twice the expectation it is an error, whether near or far; started work is always near.

    Not flagged: an age exactly at the expectation; items moved back to the backlog, which are paused;
    epics. Blocked items keep ageing on purpose, with the blocker named. Where too little was finished for
    an expectation, 14 days are information only.
    """

    code = "FLO002"
    name = "ageing-beyond-sle"
    label = "ageing"
    severity = Severity.WARNING
    question = "What is the next step, and what is in the way?"
    dimension = "flow"

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK, IssueType.BUG, IssueType.SPIKE})
    fallback_days: int = 14  # catalogue FLO002, used where the class has no service level expectation
    error_factor: float = 2.0  # times the expectation at which a warning becomes an error

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        item = items((issue,), context.now)[0]
        if not item.is_in_progress:
            yield self.not_applicable(issue, item.why_outside or "not in progress")
            return
        time = item.age(context.now)
        if time is None or item.current is None or item.current.started_at is None:
            yield self.unknown(issue, "the history does not say when it was started")
            return
        level = context.service_level(issue)
        if time > timedelta(days=level.days if level else self.fallback_days):
            evidence = [of_value("H", "status", item.current.started_at.date().isoformat(), note="started")]
            message = self._message(issue, time, level, context)
            yield self.fail(issue, context, message, evidence=evidence, severity=self._severity(time, level))

    def _severity(self, age: timedelta, level: ServiceLevel | None) -> Severity:
        if level is None:
            return Severity.INFO
        return Severity.ERROR if age >= timedelta(days=self.error_factor * level.days) else Severity.WARNING

    def _message(self, issue: Issue, age: timedelta, level: ServiceLevel | None, context: Context) -> str:
        fact = f"In progress {_tenths(age)} days"
        if level is None:
            expectation = f"; more than {self.fallback_days}, and too few finished items for an expectation."
        else:
            whose = "" if level.scope == "team" else f" of the {level.scope}"
            expectation = f"; 85 % of the last {level.sample} {level.kind}{whose} took ≤ {level.days:.1f}."
        blockers = ", ".join(_open_blockers(issue, context))
        blocked = f" Blocked by {blockers}." if blockers else ""
        return f"{fact}{expectation}{blocked}{self._zombie(issue, context)}"

    @staticmethod
    def _zombie(issue: Issue, context: Context) -> str:
        last_at = context.backlog.last_human_activity(issue)
        idle = context.now - last_at if last_at is not None else None
        return f" Zombie: no activity for {idle.days} days." if idle is not None and idle > ZOMBIE else ""

    flagged = (
        Example("age 12, expectation 8", an_item(12), context=SLE, severity=Severity.WARNING),
        Example("age 16, expectation 8", an_item(16), context=SLE, severity=Severity.ERROR),
        Example("no expectation, 20 days", an_item(20), severity=Severity.INFO),
        Example(
            "blocked items keep ageing",
            an_item(12, links=(Link(LinkKind.BLOCKED_BY, "2"),)),
            others=(an_issue(id="2"),),
            context=SLE,
        ),
        Example(
            "reopened three days after it was done",
            an_item(
                12,
                transitions=(
                    *started(12),
                    a_transition(EXAMPLE_NOW - timedelta(days=5), StatusCategory.ACTIVE, StatusCategory.DONE),
                    a_transition(EXAMPLE_NOW - timedelta(days=2), StatusCategory.DONE, StatusCategory.ACTIVE),
                ),
            ),
            context=SLE,
        ),
    )
    passed = (
        Example("age exactly 8.0", an_item(8), context=SLE),
        Example("no expectation, 10 days", an_item(10)),
        Example(
            "reopened a month after it was done: a new episode",
            an_item(
                60,
                transitions=(
                    *started(60),
                    a_transition(EXAMPLE_NOW - timedelta(days=40), StatusCategory.ACTIVE, StatusCategory.DONE),
                    a_transition(EXAMPLE_NOW - timedelta(days=3), StatusCategory.DONE, StatusCategory.ACTIVE),
                ),
                comments=(a_comment("Again.", EXAMPLE_NOW - timedelta(days=3)),),
            ),
            context=SLE,
        ),
    )
    declined = (
        Example(
            "moved back: paused",
            an_item(
                12,
                category=StatusCategory.TODO,
                transitions=(
                    *started(12),
                    a_transition(EXAMPLE_NOW - timedelta(days=1), StatusCategory.ACTIVE, StatusCategory.TODO),
                ),
            ),
            context=SLE,
        ),
        Example("an epic", an_item(200, type=IssueType.EPIC)),
        Example("history cut off", an_item(30, transitions=(), history_is_complete=False)),
    )


def _open_blockers(issue: Issue, context: Context) -> Iterator[str]:
    for link in issue.links:
        blocker = context.backlog.find(issue.source, link.target) if link.kind is LinkKind.BLOCKED_BY else None
        if blocker is not None and blocker.is_open:
            yield blocker.key


def _tenths(age: timedelta) -> str:
    """Days with one decimal. Only whole tenths and the middle between two are asked for, so that it is known how long
    the answer holds."""
    whole = age // TENTH
    middle = TENTH * whole + TENTH / 2
    if age == middle:
        return f"{age / timedelta(days=1):.1f}"
    return f"{(whole + (age > middle)) / 10:.1f}"
