"""AC002: there is a place for acceptance criteria, and nobody filled it."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, Judgement, Severity, StatusCategory
from backlint.rules.criteria_text import CriteriaRule
from backlint.rules.rule import Context, Example

SLOTS = """\
### Acceptance Criteria

~~~gherkin
Given [some context]
When [certain action is taken]
Then [the outcome of the action should be observed]
~~~
"""
SLOT_TABLE = r"""
| | |
| --- | --- |
| GIVEN | `\<\>` |
| **WHEN** | **`\<\>`** |
| **THEN** | **`\<\>`** |
"""
SHELL_BOXES = "- [ ] (Given)/(When)/(Then)\n- [ ] (Given)/(When)/(Then)\n"
STRUCK = "## Acceptance criteria\n\n- ~~The file opens in a spreadsheet~~\n- ~~Amounts keep two decimals~~\n"


class AcceptanceTemplateUntouched(CriteriaRule):
    """The acceptance criteria section is still the empty template.

    Why it matters: a heading alone looks like criteria in every overview, and nobody notices that there are
    none.

    How to fix: replace the template's lines by the real conditions, or write "N/A - reason" under the
    heading.

    Not flagged: a template heading with at least one real line; criteria in another place of the same
    issue; brackets that an author uses on purpose ("[Save] stays disabled").
    """

    code = "AC002"
    name = "acceptance-template-untouched"
    label = "needs-acceptance-criteria"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "Could you replace the template lines with the real conditions?"
    on_create = True
    dimension = "clarity"

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        criteria = self.criteria(issue, context)
        if criteria.waiver is not None:
            yield self.waived_inline(issue, criteria.waiver)
        elif criteria.found is not None:
            yield self.ok(issue, f"criteria found ({criteria.found.kind})", evidence=[criteria.found])
        elif criteria.unreadable is not None:
            yield self.unknown(issue, criteria.unreadable)
        elif criteria.shells:
            yield self.fail(
                issue,
                context,
                "The acceptance criteria section is still the empty template.",
                evidence=criteria.shells,
            )
        else:
            yield self.not_applicable(issue, "there is no place for criteria: AC001 says it")

    flagged = (
        Example("three bracketed slots", an_issue(body=SLOTS), evidence="Acceptance Criteria"),
        Example("heading and TBD", an_issue(body="## Acceptance criteria\n\n- [ ] TBD\n")),
        Example("heading and N/A without a reason", an_issue(body="## Acceptance criteria\n\nN/A\n")),
        Example("table of Given, When and Then slots", an_issue(body=SLOT_TABLE)),
        Example("boxes that only name the keywords", an_issue(body=SHELL_BOXES)),
        Example("all criteria struck out", an_issue(body=STRUCK)),
        Example("heading with nothing under it", an_issue(body="Export for finance.\n\n## Acceptance criteria\n")),
        Example(
            "a field that says to be defined",
            an_issue(fields={"acceptance_criteria": "to be defined"}),
            evidence="to be defined",
        ),
        Example(
            "near, hence an error",
            an_issue(body="## Acceptance criteria\n\n- [ ] TBD\n", category=StatusCategory.ACTIVE),
            severity=Severity.ERROR,
        ),
    )
    passed = (
        Example(
            "template heading and one real line",
            an_issue(body="## Acceptance criteria\n\n- [ ] The file opens in a spreadsheet\n- [ ] TBD\n"),
            evidence="The file opens in a spreadsheet",
        ),
        Example(
            "brackets used on purpose",
            an_issue(body="## Acceptance criteria\n\n- [Save] button stays disabled until a row is chosen\n"),
        ),
        Example(
            "slots replaced by real steps",
            an_issue(
                body=SLOTS.replace("[some context]", "an invoice list with three rows")
                .replace("[certain action is taken]", "the user presses Export")
                .replace("[the outcome of the action should be observed]", "a file with three rows is downloaded")
            ),
        ),
    )
    declined = (
        Example(
            "not applicable for a reason",
            an_issue(body="## Acceptance criteria\n\nN/A – copy change, no behaviour to accept\n"),
        ),
        Example("no place at all belongs to AC001", an_issue(body="Export the invoice list for finance.")),
    )
