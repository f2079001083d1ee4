"""OUT008: one item is to move several numbers."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Severity
from backlint.rules.guardrail_text import without_guardrails
from backlint.rules.metric_text import pairs
from backlint.rules.objective_text import objectives
from backlint.rules.outcome_text import own_outcomes
from backlint.rules.rule import Context, Example, Rule

LINKED = ("objective", "key_result", "goal", "initiative", "okr", "parent", "link")


def an_epic(body: str, **given: object) -> Issue:
    return an_issue(**{"id": "10", "type": IssueType.EPIC, "title": "Exports", "body": body, **given})


class SeveralOutcomes(Rule):
    """Several outcomes on one item.

    Why it matters: when one number rises and the other falls, nobody can say whether it worked.

    How to fix: mark the one that decides as primary, and move the others to the guardrails or to items of their own.

    Not flagged: baseline and target of one metric; one metric for two segments; numbers among the guardrails; a
    statement that marks one as primary.
    """

    code = "OUT008"
    name = "several-outcomes"
    severity = Severity.INFO
    question = "Which one decides success? Move the others to guardrails or other items."
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.STORY})
    max_outcomes: int = 1  # more than one cannot decide

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        stated = own_outcomes(issue, context)
        found = [pair for each in stated for pair in pairs(without_guardrails(each.text))]
        metrics = dict.fromkeys(pair.metric for pair in found)
        served = {each.name for each in objectives(issue, context, LINKED)}
        if not stated and len(served) < 2:
            yield self.not_applicable(issue, "no outcome of its own: OUT001 says it")
        elif len(metrics) > self.max_outcomes and not any(pair.is_primary for pair in found):
            message = f"{len(metrics)} outcomes on one item: {', '.join(list(metrics)[:3])}."
            yield self.fail(issue, context, message, evidence=[each.evidence for each in stated[:2]], confidence=0.7)
        elif len(served) > self.max_outcomes:
            evidence = [each.evidence for each in objectives(issue, context, LINKED)]
            message = f"{len(served)} outcomes on one item: it serves {', '.join(sorted(served)[:3])}."
            yield self.fail(issue, context, message, evidence=evidence[:2])

    flagged = (
        Example(
            "two metrics with targets", an_epic("Outcome: activation +5 % and churn −2 % by June"), evidence="churn"
        ),
        Example(
            "two initiatives",
            an_epic("", links=(Link(LinkKind.RELATES, "100"), Link(LinkKind.RELATES, "101"))),
            others=(an_issue(id="100", type=IssueType.INITIATIVE), an_issue(id="101", type=IssueType.INITIATIVE)),
        ),
        Example(
            "two rates", an_epic("## Outcome\n\n- Error rate from 5 % to 2 %\n- Conversion rate from 8 % to 9 %\n")
        ),
    )
    passed = (
        Example("one outcome", an_epic("Outcome: activation from 31 % to 36 % by June")),
        Example(
            "one outcome and a guardrail",
            an_epic("Outcome: activation from 31 % to 36 % by June, without raising churn above 2 %"),
        ),
        Example("one metric for two segments", an_epic("Outcome: activation +5 % for teams and +3 % for single users")),
        Example("one is primary", an_epic("Outcome: activation +5 % (primary) and churn −2 %")),
        Example(
            "guardrails in their own section",
            an_epic(
                "Outcome: activation +5 % by June\n\n## Guardrails\n\n- Churn at most 2 %\n- Error rate under 1 %\n"
            ),
        ),
    )
    declined = (Example("no outcome", an_epic("- Export of invoices as CSV\n")),)
