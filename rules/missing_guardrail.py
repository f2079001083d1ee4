"""OUT006: it is said what shall get better, not what must not get worse."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.evidence import of_span
from backlint.rules.guardrail_text import guardrails
from backlint.rules.outcome_text import own_outcomes
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Meaning

ALONE = "Outcome: sign-ups +10 % by 30 Sep"


def an_epic(body: str, **given: object) -> Issue:
    return an_issue(**{"type": IssueType.EPIC, "title": "Sign-up", "body": body, **given})


class MissingGuardrail(Rule):
    """No guardrail: what must not get worse?

    Why it matters: any one number can be raised at the cost of another, and it will be.

    How to fix: one line: "without raising the refund rate above 2 %".

    Not flagged: a field, a section with a line in it, a phrase ("must not increase", "without", "no worse than"); a
    limit with a number among the acceptance criteria. Without an outcome of its own there is nothing to guard.
    """

    code = "OUT006"
    name = "missing-guardrail"
    severity = Severity.INFO
    question = "Which latency, error, complaint or churn limit would make you stop?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE})

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        document = context.texts.body(issue)
        if not own_outcomes(issue, context):
            yield self.not_applicable(issue, "no outcome of its own: OUT001 says it")
            return
        sections = document.under(Meaning.GUARDRAIL)
        waived = next((each.waiver for each in sections if each.waiver), None)
        if waived is not None:
            yield self.waived_inline(issue, waived)
            return
        found = next(guardrails(issue, document), None)
        if found is not None:
            yield self.ok(issue, "a guardrail is stated", evidence=[found])
            return
        evidence = [of_span(document, each.start, each.end, kind="S", field="body") for each in sections]
        yield self.fail(issue, context, "No guardrail: what must not get worse?", evidence=evidence, confidence=0.8)

    flagged = (
        Example("an outcome alone", an_epic(ALONE)),
        Example("to be defined", an_epic(f"{ALONE}\n\n## Guardrails\n\nTBD\n"), evidence="Guardrails"),
        Example("a field without one", an_epic("", fields={"outcome": "sign-ups +10 %"})),
    )
    passed = (
        Example("a phrase", an_epic(f"{ALONE} without raising refund rate above 2 %"), evidence="without raising"),
        Example("a section", an_epic(f"{ALONE}\n\n## Guardrails\n\n- Refund rate at most 2 %\n")),
        Example("a field", an_epic(ALONE, fields={"guardrail": "refund rate ≤ 2 %"})),
        Example(
            "a limit among the criteria",
            an_epic(f"{ALONE}\n\n## Acceptance criteria\n\n- The page answers in under 300 ms\n"),
        ),
        Example("German", an_epic("Ziel: Anmeldungen +10 % bis Ende Q3. Die Ladezeit darf nicht steigen.")),
    )
    declined = (
        Example("no outcome at all", an_epic("- Export of invoices as CSV\n")),
        Example("not applicable for a reason", an_epic(f"{ALONE}\n\n## Guardrails\n\nN/A - nothing else can change\n")),
        Example("a story", an_issue(body=ALONE)),
    )
