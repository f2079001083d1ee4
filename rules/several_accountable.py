"""OWN002: more than one person makes the final call."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.backlog import Backlog
from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Person, Severity
from backlint.rules.evidence import of_part, of_value
from backlint.rules.people_text import Named, owners, raci_rows, resolve
from backlint.rules.rule import Context, Example, Rule

TWO_IN_ONE_ROW = """\
| Decision | Ana | Ben | Cid |
| --- | --- | --- | --- |
| Release the export | A | A/R | I |
"""
ONE_PER_ROW = """\
| Decision | Ana | Ben | Cid |
| --- | --- | --- | --- |
| Release the export | A/R | C | I |
| Withdraw it | C | A | I |
"""
LEGEND = """\
| Letter | Meaning | Number |
| --- | --- | --- |
| A | Accountable | one |
| R | Responsible | many |
"""
ONE_PERSON_TWICE = {
    ("demo", "ana"): Person(id="ana", name="Ana Example", handle="ana", email="ana@example.com"),
    ("demo", "ana-old"): Person(id="ana-old", name="A. Example", handle="ana-old", email="ana@example.com"),
}


class SeveralAccountable(Rule):
    """Several people are accountable; exactly one can be.

    Why it matters: where two decide, a disagreement has no end, and each waits for the other.

    How to fix: keep one name as accountable and list the others as responsible or consulted.

    Not flagged: several assignees, which share the work and not the decision; one accountable person in
    each row of a RACI table; one person under two accounts; companies whose name holds an "and".
    """

    code = "OWN002"
    name = "several-accountable"
    label = "needs-owner"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "Which one decides if you disagree?"
    waits_for_triage = True
    dimension = "ownership"

    types: frozenset[IssueType] = frozenset({IssueType.INITIATIVE, IssueType.EPIC, IssueType.STORY, IssueType.DECISION})
    assignees_are_accountable: bool = False  # assignees share the work; on where a team means the decision by it

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        for names, evidence in self._groups(issue, context):
            people = distinct(context.backlog, issue.source, names)
            if len(people) > 1:
                message = f"{len(people)} people are accountable; exactly one can be."
                yield self.fail(issue, context, message, evidence=evidence)
                return

    def _groups(self, issue: Issue, context: Context) -> Iterator[tuple[list[str], list[Evidence]]]:
        """Names that claim the same decision: a field and the lines together, each RACI row by itself."""
        document = context.texts.body(issue)
        rows = list(raci_rows(document))
        in_rows = {line.start for line, _ in rows}
        named = [each for each in owners(issue, document) if each.is_accountable and not _is_at(each, in_rows)]
        if self.assignees_are_accountable:
            named += [Named(who, of_value("F", "assignees", who)) for who in issue.assignees]
        yield [each.who for each in named], [each.evidence for each in named]
        for line, holders in rows:
            yield list(holders), [of_part(document, line, kind="S", field="body")]

    flagged = (
        Example("two names on one line", an_issue(body="Accountable: Ana and Ben"), evidence="Ana and Ben"),
        Example("a RACI row with two A", an_issue(body=TWO_IN_ONE_ROW), evidence="Release the export"),
        Example("two people in the field", an_issue(accountable=("ana", "ben"))),
        Example("German list of handles", an_issue(body="Accountable: @ana und @ben")),
        Example(
            "assignees, where they are accountable",
            an_issue(assignees=("ana", "ben")),
            options={"assignees_are_accountable": True},
        ),
    )
    passed = (
        Example("three assignees, one accountable", an_issue(assignees=("ana", "ben", "cid"), accountable=("ana",))),
        Example(
            "one person under two accounts",
            an_issue(accountable=("ana", "ana-old")),
            context={"people": ONE_PERSON_TWICE},
        ),
        Example("one accountable per row", an_issue(body=ONE_PER_ROW)),
        Example("a legend is no RACI row", an_issue(body=LEGEND)),
        Example("a company whose name holds an and", an_issue(body="Accountable: Example and Sons Ltd")),
        Example("nobody named", an_issue()),
    )
    declined = (Example("a bug", an_issue(type=IssueType.BUG, accountable=("ana", "ben"))),)


def _is_at(named: Named, places: set[int]) -> bool:
    return named.evidence.field == "body" and named.evidence.start in places


def distinct(backlog: Backlog, source: str, names: list[str]) -> set[str]:
    """The people behind the names, accounts of one person counted once."""
    people: set[str] = set()
    for name in names:
        person = resolve(backlog, source, name)
        if person is None:
            people.add(name.casefold())
        else:
            people.add(min(f"{account.name}\n{account.id}" for account in backlog.accounts(person)))
    return people
