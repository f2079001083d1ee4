"""OUT004: which objective it serves is not said, or that one is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Severity, StatusCategory
from backlint.rules.objective_text import Objective, keeps_objectives, objectives
from backlint.rules.rule import Context, Example, Rule

INITIATIVE = an_issue(id="100", type=IssueType.INITIATIVE, title="Invoices without calls", body="")


def an_epic(**given: object) -> Issue:
    return an_issue(**{"id": "10", "type": IssueType.EPIC, "title": "Exports", "body": "", **given})


class OutcomeNotLinked(Rule):
    """Not linked to a current objective.

    Why it matters: an epic that serves no objective is somebody's wish, and one that serves last quarter's is
    habit.

    How to fix: link the initiative or objective it serves, or say that it serves none and why.

    Not flagged: an objective, key result, goal or initiative in a field, above it, linked, or named by its key in
    the outcome section; up to two weeks after its period; exempt labels; sources that hold no objective at all, since
    they are kept elsewhere.
    """

    code = "OUT004"
    name = "outcome-not-linked"
    label = "needs-outcome"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Which current objective does this serve?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE})  # stories inherit their epic's
    goal_sources: tuple[str, ...] = (
        "objective", "key_result", "goal", "initiative", "okr", "parent", "link",
    )  # fields and relations in which an objective may be named  # fmt: skip
    milestones_are_goals: bool = False  # a release milestone says when, not what for
    exempt_labels: tuple[str, ...] = ("ktlo",)  # keeping the lights on
    grace_days: int = 14  # catalogue OUT004: after the end of the objective's period
    inherit_depth: int = 3  # parents looked at upwards, as for outcomes

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        exempt = {label.casefold() for label in issue.labels} & {label.casefold() for label in self.exempt_labels}
        if exempt:
            yield self.not_applicable(issue, f"labelled {min(exempt)}")
            return
        sources = (*self.goal_sources, "milestone") if self.milestones_are_goals else self.goal_sources
        chain = (issue, *context.backlog.ancestors(issue, depth=self.inherit_depth))
        found = [each for one in chain for each in objectives(one, context, sources)]
        running = next((each for each in found if not self._is_over(each, context)), None)
        if running is not None:
            yield self.ok(issue, f"serves {running.name}", evidence=[running.evidence])
        elif found:
            over = found[0]
            ended = f"ended on {over.ended_on.isoformat()}" if over.ended_on and not over.is_closed else "is closed"
            message = f"Linked to an objective that {ended}."
            yield self.fail(issue, context, message, evidence=[over.evidence])
        elif not keeps_objectives(issue, context):
            yield self.not_applicable(issue, "this source holds no objectives")
        elif issue.type is IssueType.INITIATIVE:
            yield self.not_applicable(issue, "an initiative is what others are linked to")
        else:
            yield self.fail(issue, context, "Not linked to an objective or key result.")

    def _is_over(self, objective: Objective, context: Context) -> bool:
        if objective.is_closed:
            return True
        ended = objective.ended_on
        return ended is not None and context.now.date() > ended + timedelta(days=self.grace_days)

    flagged = (
        Example(
            "near and serves nothing",
            an_epic(category=StatusCategory.ACTIVE),
            others=(INITIATIVE,),
            severity=Severity.WARNING,
        ),
        Example(
            "last year's objective",
            an_epic(fields={"objective": "Q4 2025: fewer calls about invoices"}),
            evidence="Q4 2025",
        ),
        Example(
            "an initiative that is closed",
            an_epic(parent="100"),
            others=(an_issue(id="100", type=IssueType.INITIATIVE, category=StatusCategory.DONE),),
        ),
    )
    passed = (
        Example("an initiative above", an_epic(parent="100"), others=(INITIATIVE,)),
        Example("an objective in a field", an_epic(fields={"objective": "2026 Q2: fewer calls about invoices"})),
        Example("linked", an_epic(links=(Link(LinkKind.RELATES, "100"),)), others=(INITIATIVE,)),
        Example("named by its key", an_epic(body="## Outcome\n\nFewer calls, see DEMO-100\n"), others=(INITIATIVE,)),
        Example(
            "two weeks after its end",
            an_epic(parent="100"),
            others=(an_issue(id="100", type=IssueType.INITIATIVE, due_on=date(2026, 2, 28)),),
        ),
        Example(
            "inherited from two steps above",
            an_epic(parent="50"),
            others=(an_epic(id="50", parent="100"), INITIATIVE),
        ),
    )
    declined = (
        Example("keeping the lights on", an_epic(labels=frozenset({"ktlo"})), others=(INITIATIVE,)),
        Example("no objectives kept here", an_epic()),
        Example("a story inherits", an_issue(id="2", parent="10"), others=(an_epic(), INITIATIVE)),
    )
