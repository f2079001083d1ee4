"""OUT002: the outcome is stated so that nobody could tell whether it was reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.measure_text import Measure, is_output, measure
from backlint.rules.outcome_text import Stated, own_outcomes
from backlint.rules.rule import Context, Example, Rule

_TIME_BOX = re.compile(
    r"\b(?:time[- ]?box\w*|at most|max(?:imum)?|no more than|within)\b[^.\n]{0,30}\b(?:hours?|days?|weeks?)\b", re.I
)

# Three in four such findings are right by readers' labels (docs/accuracy.md), wherever the outcome stands.
CONFIDENCE = 0.7


class OutcomeNotMeasurable(Rule):
    """The outcome has no number, no metric or no date.

    Why it matters: "users are happier" is never wrong, so nothing is learned when it is not reached.

    How to fix: name what is counted, from what value to what value, and by when.

    Severity: where only the date is missing it is information.

    Not flagged: three parts anywhere in the statement or in the fields metric, target and by; spikes with a
    question to decide and a time box. A missing date alone is only information. Numbers that are no targets
    do not count: versions, years, ids, "3 new buttons".
    """

    code = "OUT002"
    name = "outcome-not-measurable"
    label = "needs-outcome"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "From what value to what value, by when?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.INITIATIVE, IssueType.EPIC, IssueType.STORY})

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        stated = own_outcomes(issue, context)
        if not stated:
            yield self.not_applicable(issue, "no outcome of its own")
            return
        if issue.type is IssueType.SPIKE and _is_bounded_question(issue):
            yield self.ok(issue, "a question to decide and a time box")
            return
        best, found = self._best(issue, stated)
        evidence = [best.evidence, *_parts(best, found)]
        if not found.missing:
            yield self.ok(issue, "metric, target and time limit", evidence=evidence)
            return
        yield self.fail(
            issue,
            context,
            _lack(best, found),
            evidence=evidence,
            severity=Severity.INFO if found.missing == ("date",) else None,
            confidence=CONFIDENCE,
        )

    def _best(self, issue: Issue, stated: tuple[Stated, ...]) -> tuple[Stated, Measure]:
        """The statement that says most; metric, target and date may also stand in fields of their own."""
        measured = [(each, _with_fields(issue, measure(each.text))) for each in stated]
        return min(measured, key=lambda pair: len(pair[1].missing))

    flagged = (
        Example(
            "a feeling",
            an_issue(
                type=IssueType.EPIC, body="Outcome: Users are happier with search", category=StatusCategory.ACTIVE
            ),
            severity=Severity.WARNING,
            evidence="Users are happier",
        ),
        Example(
            "an output",
            an_issue(type=IssueType.EPIC, body="Goal: implement SSO for all customers"),
            severity=Severity.INFO,
        ),
        Example(
            "numbers that are no targets",
            an_issue(type=IssueType.EPIC, body="Goal: Ship v2.0 with 3 new buttons in 2026"),
        ),
        Example(
            "only the date is missing",
            an_issue(
                type=IssueType.EPIC, body="Outcome: checkout drop-off from 42 % to 35 %", category=StatusCategory.ACTIVE
            ),
            severity=Severity.INFO,
        ),
        Example("a direction without a number", an_issue(type=IssueType.EPIC, body="Outcome: more sign-ups by June")),
        Example(
            "an idiom that counts nothing", an_issue(body="Outcome: less to maintain in a reasonable amount of time")
        ),
        Example("a field without a number", an_issue(type=IssueType.EPIC, fields={"outcome": "Faster invoices"})),
    )
    passed = (
        Example(
            "what somebody can do in what time",
            an_issue(
                type=IssueType.EPIC, body="Goal: a clerk must be able to export the list within 2 minutes by 2026-09-30"
            ),
        ),
        Example(
            "metric, from and to, date",
            an_issue(type=IssueType.EPIC, body="Outcome: Checkout drop-off from 42 % to 35 % by 2026-09-30"),
        ),
        Example(
            "a percentile, a comparator, a period",
            an_issue(type=IssueType.EPIC, body="Outcome: p95 search < 300 ms within two weeks of release"),
        ),
        Example(
            "a benefit clause with all three",
            an_issue(
                body="As a support clerk I want canned answers so that support handles 30 % fewer tickets by June."
            ),
        ),
        Example(
            "decimal comma and a German quarter",
            an_issue(type=IssueType.EPIC, body="Ziel: Abbruchquote von 4,5 % auf 3,9 % bis Ende Q3"),
        ),
        Example(
            "fields for metric, target and date",
            an_issue(type=IssueType.EPIC, fields={"metric": "activation", "target": "36 %", "by": "2026-09-30"}),
        ),
        Example(
            "a spike with a question and a time box",
            an_issue(
                type=IssueType.SPIKE,
                title="Which export library should we take?",
                body="Goal: decide which library to take. Time box: two days.",
            ),
            options={"types": ("spike",)},
        ),
    )
    declined = (
        Example("no outcome at all belongs to OUT001", an_issue(body="Export the invoice list as CSV.")),
        Example("a task", an_issue(type=IssueType.TASK, body="Goal: implement SSO")),
    )


def _with_fields(issue: Issue, found: Measure) -> Measure:
    """The parts found in the text, completed from the mapped fields metric, target and by."""
    target = issue.fields.get("target")
    has_number = target is not None and re.search(r"\d", str(target))
    return Measure(
        metric=found.metric or _text(issue.fields.get("metric")),
        target=found.target or (str(target) if has_number else None),
        direction=found.direction,
        limit=found.limit or _text(issue.fields.get("by")),
    )


def _text(value: object) -> str | None:
    return str(value).strip() or None if value is not None else None


def _parts(best: Stated, found: Measure) -> Iterator[Evidence]:
    """What was recognised in the statement, part by part: shown so that a person can see what is missing."""
    for name, part in (
        ("metric", found.metric),
        ("target", found.target),
        ("direction", found.direction),
        ("limit", found.limit),
    ):
        if part is not None:
            yield of_value(best.evidence.kind, best.evidence.field, part, note=name)


def _lack(best: Stated, found: Measure) -> str:
    if found.target is None and is_output(best.text):
        return "This is an output: it says what to build."
    return f"The outcome has no {' and no '.join(found.missing)}."


def _is_bounded_question(issue: Issue) -> bool:
    text = f"{issue.title}\n{issue.body}"
    asks = "?" in text or re.search(r"\b(?:decide|decision|whether|find out|which)\b", text, re.IGNORECASE)
    return bool(asks and (_TIME_BOX.search(text) or re.search(r"\btime[- ]?box", text, re.IGNORECASE)))
