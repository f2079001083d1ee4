"""AC004: so many criteria that it is more than one slice."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.criteria_list import criteria, scenarios
from backlint.rules.rule import Context, Example, Rule

NESTED = "## Acceptance criteria\n\n" + "".join(
    f"- Column {number} is in the file\n  - with its name in the header\n  - with its values below\n"
    for number in range(1, 7)
)
OUTLINE = (
    """\
```gherkin
Scenario Outline: export
  Given an invoice list with <rows> rows
  When the user presses Export
  Then a file with <rows> rows is downloaded

  Examples:
    | rows |
"""
    + "".join(f"    | {number} |\n" for number in range(1, 21))
    + "```\n"
)
SCENARIOS = (
    "```gherkin\n"
    + "".join(
        f"Scenario: case {number}\n  Given a list with {number} rows\n  When the user presses Export\n"
        f"  Then {number} rows are written\n\n"
        for number in range(1, 8)
    )
    + "```\n"
)


def bullets(count: int) -> str:
    return "## Acceptance criteria\n\n" + "".join(
        f"- Column number {number} is in the file\n" for number in range(1, count + 1)
    )


class TooManyCriteria(Rule):
    """So many acceptance criteria that it is probably more than one slice.

    Why it matters: a story of fourteen conditions is finished when the last is, and the first thirteen wait.

    How to fix: take the conditions that would already prove the idea, and make the rest stories of their own.

    Not flagged: nested bullets, which count with the one above them; an outline with many examples, which is one
    scenario; issues with an exempt label, where the law writes the list.
    """

    code = "AC004"
    name = "too-many-criteria"
    label = "too-big"
    severity = Severity.INFO
    question = "Which subset would already prove or disprove the idea?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.STORY})
    max_items: int = 10  # catalogue AC004
    max_scenarios: int = 6  # catalogue AC004: a scenario says more than a bullet
    exempt_labels: tuple[str, ...] = ("regulatory", "compliance", "checklist")  # lists that somebody else wrote

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        exempt = {label.casefold() for label in issue.labels} & {label.casefold() for label in self.exempt_labels}
        if exempt:
            yield self.not_applicable(issue, f"labelled {min(exempt)}")
            return
        listed = [each for each in criteria(issue, context) if each.depth == 0]
        told = scenarios(issue, context)
        if not listed and not told:
            yield self.not_applicable(issue, "no criteria: AC001 says it")
        elif len(listed) > self.max_items:
            message = f"{len(listed)} acceptance criteria: probably more than one slice."
            yield self.fail(issue, context, message, evidence=[listed[self.max_items].evidence])
        elif len(told) > self.max_scenarios:
            message = f"{len(told)} scenarios: probably more than one slice."
            yield self.fail(issue, context, message, evidence=[told[self.max_scenarios][1]])

    flagged = (
        Example("fourteen bullets", an_issue(body=bullets(14)), evidence="Column number 11"),
        Example("seven scenarios", an_issue(body=SCENARIOS)),
        Example("a mapped field", an_issue(fields={"acceptance_criteria": bullets(11).partition("\n\n")[2]})),
    )
    passed = (
        Example("eight bullets", an_issue(body=bullets(8))),
        Example("ten bullets", an_issue(body=bullets(10))),
        Example("an outline with twenty examples", an_issue(body=OUTLINE)),
        Example("nested bullets count with their parent", an_issue(body=NESTED)),
    )
    declined = (
        Example("a list that the law wrote", an_issue(body=bullets(14), labels=frozenset({"regulatory"}))),
        Example("no criteria at all", an_issue(body="Export the list.")),
    )
