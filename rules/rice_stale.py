"""PRI004: the priority score is older than what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from backlint.examples import an_issue
from backlint.model import FieldChange, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.history import counted
from backlint.rules.priority_inputs import ALL_INPUTS, inputs, score
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule

INPUTS = frozenset(ALL_INPUTS)
BASIS = frozenset({"estimate", "outcome", "target"})  # what a score rests on beside its inputs (catalogue PRI004)


def days_ago(days: float) -> datetime:
    return EXAMPLE_NOW - timedelta(days=days)


def changed(field: str, days: float) -> FieldChange:
    return FieldChange(at=days_ago(days), field=field, before="1", after="2", actor="ana")


def scored(*changes: FieldChange, **given: object) -> Issue:
    values = {
        "type": IssueType.EPIC,
        "category": StatusCategory.TODO,
        "fields": {"reach": 5000, "impact": 2, "confidence": 0.8, "effort": 2},
        "created_at": days_ago(300),
        "changes": changes,
    }
    return an_issue(**{**values, **given})


class RiceStale(Rule):
    """The priority score is old, or older than what it rests on.

    Why it matters: the order of the backlog rests on what was believed then.

    How to fix: look at the inputs once more; confirming one of them is enough.

    Not flagged: far and finished epics. Trackers that keep no history of these fields cannot tell: nothing is said.
    An import that sets all fields on one day makes every score as young as itself.
    """

    code = "PRI004"
    name = "rice-stale"
    label = "rescore"
    severity = Severity.INFO
    question = "Still true?"
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE})
    max_age: int = 90  # days (catalogue PRI004)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if not context.is_near(issue) or (score(issue) is None and not inputs(issue)):
            yield self.not_applicable(issue, "not scored" if context.is_near(issue) else "far")
            return
        scored_at = _last(issue, INPUTS)
        if scored_at is None:
            yield self.unknown(issue, "the history does not say when it was scored")
            return
        days = (context.now - scored_at).days
        after = [change for change in issue.changes if change.field in BASIS and change.at > scored_at]
        if days > self.max_age or after:
            why = f", before the {after[-1].field} changed" if after else ""
            evidence = [of_value("H", "score", scored_at.date().isoformat(), note="last change of an input")]
            yield self.fail(issue, context, f"Scored {counted(days, 'day')} ago{why}.", evidence=evidence)

    flagged = (
        Example("120 days ago", scored(changed("impact", 120)), severity=Severity.INFO, evidence="2025-11-10"),
        Example("the target was halved afterwards", scored(changed("reach", 30), changed("target", 10))),
    )
    passed = (
        Example("30 days ago", scored(changed("impact", 120), changed("confidence", 30))),
        Example("scored after the estimate changed", scored(changed("estimate", 40), changed("effort", 30))),
    )
    declined = (
        Example("done", scored(changed("impact", 120), category=StatusCategory.DONE)),
        Example("far", scored(changed("impact", 120), category=StatusCategory.BACKLOG)),
        Example("not scored", scored(changed("impact", 120), fields={})),
        Example("no history of the inputs", scored()),
    )


def _last(issue: Issue, fields: frozenset[str]) -> datetime | None:
    return max((change.at for change in issue.changes if change.field in fields), default=None)
