"""BUG003: what happened is not said."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.bug_text import stated_actual
from backlint.rules.evidence import of_dropped
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Meaning

ONLY_STEPS = "## Steps to reproduce\n\n1. Open the list of invoices\n2. Press the button Export\n"


def a_bug(**given: object) -> Issue:
    return an_issue(**{"type": IssueType.BUG, "title": "Order of the list", **given})


class MissingActual(Rule):
    """Observed behaviour not stated.

    Why it matters: steps alone say where to look, not what to look for; the fault may not even show elsewhere.

    How to fix: what you saw, word for word: the message, the wrong value, or a screenshot.

    Not flagged: a mapped field or section; error text or a trace, in a fence as well; a screenshot; wording of a
    fault in text or title ("fails", "nothing happens", "cannot"), but not inside what was expected.
    """

    code = "BUG003"
    name = "missing-actual"
    label = "needs-repro"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "What happened, word for word?"
    on_create = True
    on_create_types = frozenset({IssueType.BUG})
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.BUG})

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        document = context.texts.body(issue)
        waived = next((each.waiver for each in document.under(Meaning.ACTUAL) if each.waiver), None)
        found = stated_actual(issue, context)
        if waived is not None:
            yield self.waived_inline(issue, waived)
        elif found is not None:
            yield self.ok(issue, "stated", evidence=[found])
        else:
            evidence = of_dropped(document, field="body")
            yield self.fail(issue, context, "Observed behaviour not stated.", evidence=evidence, confidence=0.8)

    flagged = (
        Example("only steps", a_bug(body=ONLY_STEPS)),
        Example("only what was expected", a_bug(body="Expected: sorted by date")),
        Example("a negation inside what was expected", a_bug(body="Expected: the list does not lose any row")),
        Example(
            "near, hence a warning", a_bug(body=ONLY_STEPS, category=StatusCategory.TODO), severity=Severity.WARNING
        ),
        Example("an unanswered form", a_bug(body="### Actual behaviour\n\n_No response_\n"), evidence="No response"),
    )
    passed = (
        Example("a trace in a fence", a_bug(body="```\nValueError: no rows in the list\n```\n"), evidence="ValueError"),
        Example("a screenshot", a_bug(body="![list](https://example.com/list.png)")),
        Example("nothing happens", a_bug(body="I press Export and nothing happens."), evidence="nothing happens"),
        Example("a section", a_bug(body="### Actual behaviour\n\nSorted by the name of the customer\n")),
        Example("the title says it", a_bug(title="Export fails for empty lists", body=ONLY_STEPS)),
        Example("German", a_bug(body="Die Liste wird nicht sortiert.")),
        Example("French", a_bug(body="Le bouton ne marche pas sur la liste.")),
    )
    declined = (Example("a story", an_issue(body="Export the list.")),)
