"""PLN003: planned for one sprint after the other, and not done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, Sprint, SprintMembership
from backlint.rules.evidence import of_value
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, Rule
from backlint.rules.sprint_figures import end_of, is_in, was_in_at_end

MANY = 5  # sprints from which it is an error (catalogue PLN003)


def a_sprint(number: int, **given: object) -> Sprint:
    """Two weeks each; number 12 is running."""
    start: datetime = EXAMPLE_NOW - timedelta(days=5) + timedelta(days=14 * (number - 12))
    state = "closed" if number < 12 else "active" if number == 12 else "future"
    values = {"id": str(number), "name": f"Sprint {number}", "state": state, "starts_at": start}
    return Sprint(**{**values, "ends_at": start + timedelta(days=13), **given})  # type: ignore[arg-type]


def in_sprints(*numbers: int) -> tuple[SprintMembership, ...]:
    """In all of them to the end, as Jira keeps them."""
    return tuple(SprintMembership(sprint=a_sprint(number)) for number in numbers)


def a_story(*sprints: SprintMembership, **given: object) -> Issue:
    return an_issue(sprints=sprints, created_at=EXAMPLE_NOW - timedelta(days=120), **given)


class CarriedOver(Rule):
    """Carried over from sprint to sprint.

    Why it matters: it takes up planning again and again and is finished in none of them.

    How to fix: split it, stop it, or name what is missing.

    Severity: from five sprints on it is an error.

    Not flagged: two sprints; sprints that never started; sprints that it was taken out of before the end. Parallel
    sprints with the same end count once. Sprints are told apart by their ids, whatever they are called.
    """

    code = "PLN003"
    name = "carried-over"
    label = "carried-over"
    severity = Severity.WARNING
    question = "Split it, stop it, or what is missing?"
    waits_for_triage = True
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.STORY, IssueType.TASK, IssueType.BUG})
    n: int = 3  # sprints, the running one included (catalogue PLN003)

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if not issue.sprints:
            yield self.not_applicable(issue, "never in a sprint")
            return
        sprints = sprints_endured(issue, context.now)
        if len(sprints) >= self.n:
            evidence = [of_value("H", "sprint", sprint.name) for sprint in sprints[-5:]]
            severity = Severity.ERROR if len(sprints) >= MANY else None
            message = f"In its {_ordinal(len(sprints))} sprint."
            yield self.fail(issue, context, message, evidence=evidence, severity=severity)

    flagged = (
        Example("sprints 9, 10 and 11", a_story(*in_sprints(9, 10, 11)), severity=Severity.WARNING),
        Example("two ended and the running one", a_story(*in_sprints(10, 11, 12)), evidence="Sprint 12"),
        Example("five sprints", a_story(*in_sprints(8, 9, 10, 11, 12)), severity=Severity.ERROR),
        Example(
            "moved on at the end of each, as Linear records it",
            a_story(
                *(
                    SprintMembership(
                        sprint=a_sprint(number),
                        added_at=a_sprint(number).starts_at,
                        removed_at=a_sprint(number).ends_at,
                    )
                    for number in (9, 10, 11)
                )
            ),
        ),
    )
    passed = (
        Example("two sprints", a_story(*in_sprints(11, 12))),
        Example("planned into sprints that have not started", a_story(*in_sprints(11, 12, 13, 14))),
        Example(
            "taken out before the end",
            a_story(
                *in_sprints(10, 11),
                SprintMembership(
                    sprint=a_sprint(9), removed_at=(a_sprint(9).ends_at or EXAMPLE_NOW) - timedelta(days=3)
                ),
            ),
        ),
        Example(
            "two boards with sprints that end on the same day",
            a_story(*in_sprints(10, 11), SprintMembership(sprint=a_sprint(11, id="99", name="Platform 11"))),
        ),
    )
    declined = (
        Example("never in a sprint", an_issue()),
        Example("an epic", a_story(*in_sprints(9, 10, 11), type=IssueType.EPIC)),
    )


def sprints_endured(issue: Issue, now: datetime) -> Sequence[Sprint]:
    """The started sprints it was in to the end, and the running one, by their end; those that end together once."""
    by_end: dict[object, Sprint] = {}
    for sprint in {membership.sprint.id: membership.sprint for membership in issue.sprints}.values():
        end = end_of(sprint)
        has_ended = sprint.state == "closed" and end is not None and end <= now
        if (has_ended and was_in_at_end(issue, sprint)) or (sprint.state == "active" and is_in(issue, sprint.id)):
            by_end.setdefault(end.date() if end is not None else sprint.id, sprint)
    return sorted(by_end.values(), key=lambda each: (end_of(each) or now, each.id))


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
