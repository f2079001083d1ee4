"""OUT001: it is said what to build and not what it is for."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Project, Severity, StatusCategory
from backlint.rules.evidence import of_dropped
from backlint.rules.outcome_text import inherited_outcome, outcome_sections, own_outcomes
from backlint.rules.rule import Context, Example, Rule

UNUSED = "## Goal\n\nMany columns of the list are no longer filled. We should remove them.\n"
FAULT = """\
### Actual result

The list is sluggish and the export is frustrating to use.

### Expected result

The list opens.
"""
FEATURES = """\
## Scope

- Export of invoices as CSV
- Export of orders as CSV
- A page that lists all exports
"""
MEASURED = "Outcome: activation 31 % → 36 % by 30 Sep"
EPIC = an_issue(id="10", type=IssueType.EPIC, title="Exports", body=MEASURED)


class MissingOutcome(Rule):
    """No outcome: what changes for whom if this works?

    Why it matters: a team that knows only what to build cannot choose a smaller way to the same result, and
    nobody can tell afterwards whether it was worth the work.

    How to fix: one line "Outcome: metric from x to y by date" in the epic; a story may inherit it or say
    "so that ...".

    Severity: an epic or initiative is told as an error, a story as a warning.

    Not flagged: stories under an epic or in a project that states one; stories that say who benefits or
    which pain goes away; work that is exempt by its label. "Goal: implement X" is an outcome stated badly,
    which is OUT002; a goal section of a story that only repeats its title or its task is no outcome.
    """

    code = "OUT001"
    name = "missing-outcome"
    label = "needs-outcome"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "Which one result should this move, and how will we see it?"
    on_create = True
    on_create_types = frozenset({IssueType.EPIC})
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.INITIATIVE, IssueType.EPIC, IssueType.STORY})
    exempt_labels: tuple[str, ...] = ("chore", "tech-debt", "security", "compliance")  # work that is its own reason
    inherit_depth: int = 3  # parents looked at upwards; 0 looks at none, and not at the project

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        exempt = {label.casefold() for label in issue.labels} & {label.casefold() for label in self.exempt_labels}
        if exempt:
            yield self.not_applicable(issue, f"labelled {min(exempt)}")
            return
        document = context.texts.body(issue)
        waived = next((each.waiver for each in outcome_sections(document, issue.type) if each.waiver), None)
        if waived is not None:
            yield self.waived_inline(issue, waived)
            return
        own = own_outcomes(issue, context)
        if own:
            yield self.ok(issue, "an outcome is stated", evidence=[own[0].evidence])
            return
        inherited = inherited_outcome(issue, context, depth=self.inherit_depth)
        if inherited is not None:
            yield self.ok(issue, "inherited from above", evidence=[inherited.evidence])
        elif document.images and not document.items:
            yield self.unknown(issue, "the description is only an image")
        else:
            yield self.fail(
                issue,
                context,
                "No outcome: what changes for whom if this works?",
                evidence=of_dropped(document, field="body"),
                severity=self._severity(issue, context),
            )

    def _severity(self, issue: Issue, context: Context) -> Severity:
        """A story without an outcome is a warning: its epic is where the result belongs."""
        severity = self.severity_for(issue, context)
        is_story = issue.type not in (IssueType.EPIC, IssueType.INITIATIVE)
        return Severity.WARNING if is_story and severity is Severity.ERROR else severity

    flagged = (
        Example(
            "epic with a feature list",
            an_issue(type=IssueType.EPIC, body=FEATURES, category=StatusCategory.ACTIVE),
            severity=Severity.ERROR,
        ),
        Example(
            "benefit that repeats the work",
            an_issue(body="As a clerk I want to export the invoices so that it is done.", category=StatusCategory.TODO),
            severity=Severity.WARNING,
        ),
        Example(
            "so that it works",
            an_issue(title="Export", body="As a clerk I want an export so that it works."),
            severity=Severity.INFO,
        ),
        Example("a wish without a purpose", an_issue(body="As a clerk I can export the invoice list as CSV.")),
        Example(
            "a form's goal that holds the task", an_issue(body="## Goal\n\nRemove the old column from the list.\n")
        ),
        Example("work behind an opening sentence", an_issue(title="Columns", body=UNUSED)),
        Example("a pain that only tells of a fault", an_issue(title="List is slow", body=FAULT)),
        Example("an outcome heading over nothing", an_issue(body="## Outcome\n\nTBD\n")),
        Example(
            "benefit clause in an epic is no outcome",
            an_issue(type=IssueType.EPIC, body="An export of invoices so that finance has it."),
        ),
        Example(
            "an epic above that states none",
            an_issue(id="2", body="Export the invoice list as CSV.", parent="10"),
            others=(an_issue(id="10", type=IssueType.EPIC, title="Exports", body=FEATURES),),
        ),
    )
    passed = (
        Example("an outcome line with a measure", EPIC, evidence="activation 31 %"),
        Example("a story under that epic", an_issue(id="2", body="", parent="10"), others=(EPIC,)),
        Example(
            "so that with a benefit",
            an_issue(
                body="As a support clerk I want canned answers so that support handles 30 % fewer tickets by June."
            ),
            evidence="support handles 30 % fewer tickets",
        ),
        Example(
            "goal that is an output: OUT002 speaks of it",
            an_issue(type=IssueType.EPIC, body="Goal: implement single sign-on"),
        ),
        Example(
            "French expected result in an epic",
            an_issue(type=IssueType.EPIC, body="### Résultat attendu\n\nLes clients trouvent leurs factures seuls\n"),
        ),
        Example("a mapped field", an_issue(fields={"outcome": "Fewer questions about invoices"})),
        Example(
            "German purpose",
            an_issue(body="Als Buchhalterin will ich exportieren, damit der Abschluss einen Tag früher fertig ist."),
        ),
        Example("a pain that goes away", an_issue(body="Typing the list by hand is tedious and takes finance a day.")),
        Example(
            "the project states it",
            an_issue(body="Export the invoice list as CSV."),
            context={"projects": {("demo", "DEMO"): Project(source="demo", id="DEMO", name="Demo", body=MEASURED)}},
        ),
    )
    declined = (
        Example("technical debt", an_issue(body="Rename the module.", labels=frozenset({"tech-debt"}))),
        Example("not applicable for a reason", an_issue(body="## Outcome\n\nN/A - demanded by the tax office\n")),
        Example(
            "a bug", an_issue(type=IssueType.BUG, body="### Résultat attendu\n\nLe fichier contient trois lignes\n")
        ),
    )
