"""FLO004: done was not done, more than once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from backlint.examples import a_transition, an_issue
from backlint.flow import FlowOptions, reopenings, timeline
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory, Transition
from backlint.rules.evidence import of_value
from backlint.rules.rule import EVERY_TYPE, EXAMPLE_NOW, Context, Example, Rule

ACTIVE, DONE = StatusCategory.ACTIVE, StatusCategory.DONE


def steps(*days: float, is_bot: bool) -> tuple[Transition, ...]:
    """Alternating moves between active and done, so many days ago."""
    found = []
    before = ACTIVE
    for each in days:
        after = DONE if before is ACTIVE else ACTIVE
        found.append(a_transition(EXAMPLE_NOW - timedelta(days=each), before, after, is_bot=is_bot))
        before = after
    return tuple(found)


def reopened(*days: float, is_bot: bool = False) -> Issue:
    created: datetime = EXAMPLE_NOW - timedelta(days=200)
    return an_issue(category=ACTIVE, created_at=created, transitions=steps(*days, is_bot=is_bot))


class ReopenedRepeatedly(Rule):
    """Reopened again and again.

    Why it matters: each time somebody believed that it was finished; what "done" means was not agreed.

    How to fix: write down what was missed as an acceptance criterion before closing it again.

    Not flagged: slips that were undone within ten minutes; reopenings more than 90 days ago; changes that a
    transfer between projects replays.
    """

    code = "FLO004"
    name = "reopened-repeatedly"
    label = "bouncing"
    severity = Severity.WARNING
    question = "What does done mean here that was missed?"
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE
    min: int = 2  # reopenings (catalogue FLO004)
    days: int = 90  # in which they count (catalogue FLO004)
    undo_window: int = 10  # minutes in which a move to done may be taken back (catalogue FLO004)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        options = FlowOptions(undo_window=timedelta(minutes=self.undo_window))
        since = context.now - timedelta(days=self.days)
        found = [at for at in reopenings(timeline(issue, context.now), options=options) if at >= since]
        if len(found) >= self.min:
            evidence = [of_value("H", "status", at.date().isoformat(), note="reopened") for at in found[-3:]]
            yield self.fail(issue, context, f"Reopened {len(found)} times in {self.days} days.", evidence=evidence)
        elif not issue.history_is_complete:
            yield self.unknown(issue, "the history is not complete")

    flagged = (
        Example("twice", reopened(30, 28, 20, 18), severity=Severity.WARNING, evidence="2026-02-20"),
        Example("three times by automation, on reverted merges", reopened(30, 29, 20, 19, 10, 9, is_bot=True)),
    )
    passed = (
        Example("once", reopened(30, 28)),
        Example("a slip, taken back after two minutes", reopened(30, 28, 20, 20 - 2 / 1440)),
        Example("twice, half a year ago", reopened(180, 178, 170, 168)),
        Example("never", an_issue()),
    )
    declined = (
        Example("history cut off", an_issue(category=ACTIVE, history_is_complete=False)),
        Example("done", an_issue(category=DONE)),
    )
