"""BUG001: nobody but the reporter can see the fault."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Person, Severity, StatusCategory
from backlint.rules.bug_text import only_video, stated_steps
from backlint.rules.evidence import of_dropped
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Meaning

BLANK_NUMBERS = "## Steps to reproduce\n\n1. \n2. \n3. \n"
FORM = """\
**To Reproduce**

1. Go to '...'
2. Click on '....'
3. See error
"""
COMMAND = "## To reproduce\n\n```\nexport --format csv invoices\n```\n"
COMBINED = "### What did you do? What did you expect?\n\nI opened the list and expected to see all rows.\n"


def a_bug(**given: object) -> Issue:
    return an_issue(**{"type": IssueType.BUG, "title": "Export loses rows", **given})


class MissingSteps(Rule):
    """No steps to reproduce.

    Why it matters: a fault that cannot be seen is guessed at, and nobody can tell whether the fix fixed it.

    How to fix: what you did, step by step, from a starting point that others have, too: or one command.

    Not flagged: steps in a mapped field, under a heading in any enabled language, as a list of actions, as a
    command or request, as a link to a reproduction, or told in a sentence ("when I open the list and press
    Export"); reports of crash robots; bugs labelled intermittent or security. Where only a film shows it, this is
    information.
    """

    code = "BUG001"
    name = "missing-steps"
    label = "needs-repro"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "What exactly did you do, from which starting point?"
    on_create = True
    on_create_types = frozenset({IssueType.BUG})
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.BUG})
    exempt_labels: tuple[str, ...] = ("intermittent", "security", "vulnerability")  # no steps, or none in public
    crash_robots: tuple[str, ...] = ("sentry", "crashlytics", "bugsnag", "rollbar")  # reporters beside known bots

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        exempt = {label.casefold() for label in issue.labels} & {label.casefold() for label in self.exempt_labels}
        if exempt:
            yield self.not_applicable(issue, f"labelled {min(exempt)}")
            return
        if self._is_robot(issue, context):
            yield self.not_applicable(issue, "reported by a program")
            return
        document = context.texts.body(issue)
        waived = next((each.waiver for each in document.under(Meaning.STEPS) if each.waiver), None)
        if waived is not None:
            yield self.waived_inline(issue, waived)
            return
        found = stated_steps(issue, context)
        if found is not None:
            yield self.ok(issue, "steps are stated", evidence=[found])
        elif only_video(document):
            yield self.fail(issue, context, "The steps are only on film.", severity=Severity.INFO)
        else:
            yield self.fail(
                issue, context, "No steps to reproduce.", evidence=of_dropped(document, field="body"), confidence=0.8
            )

    def _is_robot(self, issue: Issue, context: Context) -> bool:
        if issue.reporter is None:
            return False
        person = context.backlog.person(issue.source, issue.reporter)
        name = (person.name if person else issue.reporter).casefold()
        return (person is not None and person.is_bot) or any(robot.casefold() in name for robot in self.crash_robots)

    flagged = (
        Example("blank numbers", a_bug(body=BLANK_NUMBERS)),
        Example("an untouched form", a_bug(body=FORM), evidence="Go to '...'"),
        Example("only a complaint", a_bug(body="The list of invoices is wrong.")),
        Example(
            "near, hence a warning",
            a_bug(body="The list of invoices is wrong.", category=StatusCategory.TODO),
            severity=Severity.WARNING,
        ),
        Example("only a stack trace", a_bug(body="```\nValueError: no rows\n  at write (export.js:12:3)\n```\n")),
        Example(
            "only a film",
            a_bug(body="See https://youtu.be/abc for it.", category=StatusCategory.TODO),
            severity=Severity.INFO,
        ),
    )
    passed = (
        Example("one command under the heading", a_bug(body=COMMAND), evidence="export --format csv invoices"),
        Example(
            "told in a sentence",
            a_bug(body="When I open a 0-byte file from Mail the preview is shown, then tap Share and it is gone."),
            evidence="When I open a 0-byte file",
        ),
        Example(
            "numbered lines without a heading", a_bug(body="1. Open the list\n2. Press Export\n3. Rows are lost\n")
        ),
        Example("a combined heading", a_bug(body=COMBINED)),
        Example("a mapped field", a_bug(fields={"steps": "Open the list and press Export"})),
        Example("a reproduction to run", a_bug(body="See https://codesandbox.io/s/rows-lost-abc for it.")),
        Example("a request", a_bug(body="The answer to GET /invoices?page=2 holds no rows.")),
        Example("German", a_bug(body="## Schritte zur Reproduktion\n\n1. Liste der Rechnungen öffnen\n")),
        Example("French", a_bug(body="Quand je clique sur Exporter, rien ne se passe.")),
    )
    declined = (
        Example("an intermittent fault", a_bug(body="It fails at night.", labels=frozenset({"intermittent"}))),
        Example(
            "a crash robot",
            a_bug(body="NullPointerException", reporter="robot"),
            context={"people": {("demo", "robot"): Person(id="robot", name="Sentry")}},
        ),
        Example(
            "not applicable for a reason", a_bug(body="## Steps to reproduce\n\nN/A - seen in the code by review\n")
        ),
        Example("a story", an_issue(body="Export the list.")),
    )
