"""OUT010: key results that are no results, and objectives with too few or too many of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.measure_text import measure
from backlint.rules.objective_text import (
    KEY_RESULT_TYPES,
    OBJECTIVE_TYPES,
    is_key_result,
    is_objective,
    period_end,
)
from backlint.rules.rule import Context, Example, Rule


def an_objective(**given: object) -> Issue:
    values = {
        "id": "100",
        "type": IssueType.INITIATIVE,
        "type_name": "Objective",
        "title": "Invoices need no calls",
        "body": "",
    }
    return an_issue(**{**values, **given})


def a_key_result(title: str, **given: object) -> Issue:
    return an_issue(**{"type": IssueType.EPIC, "type_name": "Key Result", "title": title, "body": "", **given})


def key_results(count: int) -> tuple[Issue, ...]:
    return tuple(
        a_key_result("MAU 50k → 150k by 31 Dec", id=str(number), parent="100") for number in range(1, count + 1)
    )


class WeakKeyResult(Rule):
    """A key result has no number or no deadline, or an objective has too few or too many of them.

    Why it matters: "launch the app" is done on the day it ships, whether anybody uses it or not.

    How to fix: what is counted, from what value to what value, by which day; three to five for each objective.

    Not flagged: the objective's own text, which may be a quality; a key result without a day of its own whose
    objective or project has one.
    """

    code = "OUT010"
    name = "weak-key-result"
    severity = Severity.WARNING
    question = "What value, by which date?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset(IssueType)
    objective_types: tuple[str, ...] = OBJECTIVE_TYPES  # names of issue types or labels that mean an objective
    key_result_types: tuple[str, ...] = KEY_RESULT_TYPES  # names of issue types or labels that mean a key result
    min: int = 3  # catalogue OUT010: fewer do not cover an objective
    max: int = 5  # catalogue OUT010: more are a list of tasks

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if is_key_result(issue, self.key_result_types):
            yield from self._key_result(issue, context)
        elif is_objective(issue, self.objective_types):
            yield from self._objective(issue, context)
        else:
            yield self.not_applicable(issue, "neither an objective nor a key result")

    def _key_result(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        lines = (item.text for item in context.texts.body(issue).items)
        target = str(issue.fields.get("target") or "")
        found = measure("\n".join([issue.title, *lines, target]))
        has_number = found.target is not None or any(character.isdigit() for character in target)
        missing = [] if has_number else ["number"]
        if found.limit is None and not _has_deadline(issue, context):
            missing.append("deadline")
        if missing:
            yield self.fail(issue, context, f"Key result has no {' and no '.join(missing)}.")

    def _objective(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        children = context.backlog.children(issue)
        count = sum(child.is_open and is_key_result(child, self.key_result_types) for child in children)
        if not self.min <= count <= self.max:
            plural = "result" if count == 1 else "results"
            message = f"Objective has {count} key {plural} ({self.min}–{self.max} advised)."
            question = "Which of them decide whether the objective is reached?" if count else self.question
            yield self.fail(issue, context, message, question=question)

    flagged = (
        Example("a launch", a_key_result("Launch new app")),
        Example("a launch with a day", a_key_result("Launch new app by 31 Dec")),
        Example("a number without a day", a_key_result("MAU 50k → 150k")),
        Example("eight key results", an_objective(), others=key_results(8)),
        Example("two key results", an_objective(), others=key_results(2)),
    )
    passed = (
        Example("value and day", a_key_result("MAU 50k → 150k by 31 Dec")),
        Example("four key results", an_objective(), others=key_results(4)),
        Example(
            "the objective's period",
            a_key_result("MAU 50k → 150k", parent="100"),
            others=(an_objective(due_on=date(2026, 12, 31)),),
        ),
        Example("fields", a_key_result("Active users", fields={"target": "150k", "by": "2026-12-31"})),
    )
    declined = (Example("an epic", an_issue(type=IssueType.EPIC, body="Launch new app")),)


def _has_deadline(issue: Issue, context: Context) -> bool:
    """A day of its own, of its project, or of the objective above it."""
    project = context.backlog.project(issue)
    if issue.due_on is not None or issue.fields.get("by") or (project is not None and project.target_on is not None):
        return True
    if any(membership.sprint.ends_at is not None for membership in issue.sprints):
        return True
    above = context.backlog.ancestors(issue, depth=2)
    return any(each.due_on is not None or period_end(each.title, context.now.date()) is not None for each in above)
