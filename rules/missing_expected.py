"""BUG002: what should have happened is left to the reader."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.bug_text import crash_text, stated_expected
from backlint.rules.evidence import of_dropped
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Meaning

ONLY_IN_STEPS = """\
## Steps to reproduce

1. Open the list, which should have three rows
2. Press Export
"""


def a_bug(**given: object) -> Issue:
    return an_issue(**{"type": IssueType.BUG, "title": "Order of the list", **given})


class MissingExpected(Rule):
    """Expected behaviour not stated.

    Why it matters: what one calls a fault another calls a feature; half of all "works as designed" is this.

    How to fix: one line: "It should ...".

    Severity: only information, since two of three real reports do not state it; it rides along when another
    question is asked.

    Not flagged: a mapped field, a section, "should", "expected" or "instead of" outside the steps; a crash or an
    error text, which nobody expects.
    """

    code = "BUG002"
    name = "missing-expected"
    label = "needs-repro"
    severity = Severity.INFO
    question = "What should have happened?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.BUG})
    crash_implies: bool = True  # a crash or an error text implies that none was expected

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        document = context.texts.body(issue)
        waived = next((each.waiver for each in document.under(Meaning.EXPECTED) if each.waiver), None)
        found = stated_expected(issue, context)
        crash = crash_text(issue, document) if self.crash_implies and found is None else None
        if waived is not None:
            yield self.waived_inline(issue, waived)
        elif found is not None:
            yield self.ok(issue, "stated", evidence=[found])
        elif crash is not None:
            yield self.ok(issue, "implied by a crash or an error", evidence=[crash])
        else:
            evidence = of_dropped(document, field="body")
            yield self.fail(issue, context, "Expected behaviour not stated.", evidence=evidence, confidence=0.8)

    flagged = (
        Example("only what there is", a_bug(body="List is sorted by name.")),
        Example("an unanswered form", a_bug(body="### Expected Behavior\n\n_No response_\n"), evidence="No response"),
        Example("a should inside the steps", a_bug(body=ONLY_IN_STEPS)),
        Example(
            "a crash, where it implies nothing",
            a_bug(body="The export crashes at once."),
            options={"crash_implies": False},
        ),
    )
    passed = (
        Example("should", a_bug(body="The list should be sorted by date."), evidence="should be sorted"),
        Example("a stack trace", a_bug(body="```\nValueError: no rows in the list\n```\n")),
        Example("a section", a_bug(body="### Expected behaviour\n\nSorted by the date of the invoice\n")),
        Example("instead of", a_bug(body="Rows come by name instead of by date.")),
        Example("French section", a_bug(body="### Résultat attendu\n\nLe fichier contient trois lignes\n")),
        Example("German", a_bug(body="Die Liste sollte nach Datum sortiert sein.")),
        Example("a mapped field", a_bug(fields={"expected": "Sorted by date"})),
    )
    declined = (
        Example("not applicable for a reason", a_bug(body="### Expected\n\nN/A - there is no specified order\n")),
        Example("a story", an_issue(body="List is sorted by name.")),
    )
