"""PRI002: some of the inputs of a priority score are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.evidence import of_value
from backlint.rules.priority_inputs import Input, inputs, usage
from backlint.rules.rule import Context, Example, Rule

QUESTIONS = {
    "reach": "How many people or events will it touch in a quarter?",
    "impact": "How much does it change for each of them: 3, 2, 1, 0.5 or 0.25?",
    "confidence": "How sure are we: 100, 80 or 50 %?",
    "effort": "How many person-months does it take, all roles together?",
    "ease": "How easy is it, from 1 to 10?",
}
WHOLE: Mapping[str, float | str] = {"reach": 5000, "impact": 2, "confidence": "80 %", "effort": 2}


def an_epic(id: str = "1", *, without: tuple[str, ...] = (), **given: object) -> Issue:
    fields = {name: value for name, value in WHOLE.items() if name not in without}
    return an_issue(**{"id": id, "type": IssueType.EPIC, "category": StatusCategory.TODO, "fields": fields, **given})


OTHERS = tuple(an_epic(str(number)) for number in range(2, 7))
ICE_OTHERS = tuple(an_epic(str(number), fields={"impact": 7, "confidence": 5, "ease": 3}) for number in range(2, 7))


class RiceIncomplete(Rule):
    """A priority score lacks some of its inputs.

    Why it matters: a score without confidence or effort orders the backlog by hope.

    How to fix: fill in the missing input, or take all of them out.

    Not flagged: epics without any input; far epics; projects in which fewer than five items are scored; calculated
    fields that are 0 throughout.
    """

    code = "PRI002"
    name = "rice-incomplete"
    label = "rescore"
    severity = Severity.INFO
    question = "How sure are we: 100, 80 or 50 %?"
    dimension = "planning"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE})
    min_items: int = 5  # scored items in the project before the rule speaks (catalogue PRI002)
    require: bool = False  # whether an item without any input is incomplete, too

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if not context.is_near(issue):
            yield self.not_applicable(issue, "far: scores are asked of near issues alone")
            return
        used = usage(issue, context)
        if used.complete < self.min_items and not context.backlog.habits_are_on:
            yield self.not_applicable(
                issue, f"{used.complete} scored items in the project; {self.min_items} show a habit"
            )
            return
        found = inputs(issue)
        missing = [name for name in used.scheme if name not in found]
        if not missing:
            return
        if len(missing) == len(used.scheme) and not self.require:
            yield self.ok(issue, "not scored")
            return
        yield self.fail(
            issue,
            context,
            f"{used.name} has {_listed([name for name in used.scheme if name in found])} but no {_listed(missing)}.",
            evidence=_evidence(found),
            question=QUESTIONS[missing[0]],
        )

    flagged = (
        Example("without effort", an_epic(without=("effort",)), others=OTHERS, severity=Severity.INFO),
        Example("only impact", an_epic(without=("reach", "confidence", "effort")), others=OTHERS, evidence="2"),
        Example("ICE without ease", an_epic(fields={"impact": 7, "confidence": 5}), others=ICE_OTHERS),
        Example("nothing, where a score is required", an_epic(fields={}), others=OTHERS, options={"require": True}),
    )
    passed = (
        Example("all four", an_epic(), others=OTHERS),
        Example("none", an_epic(fields={}), others=OTHERS),
        Example(
            "calculated fields that are 0",
            an_epic(fields=dict.fromkeys(("reach", "impact", "confidence"), 0)),
            others=OTHERS,
        ),
    )
    declined = (
        Example("far", an_epic(without=("effort",), category=StatusCategory.BACKLOG), others=OTHERS),
        Example("a project that does not score", an_epic(without=("effort",)), others=OTHERS[:3]),
        Example("a story", an_epic(without=("effort",), type=IssueType.STORY), others=OTHERS),
    )


def _listed(names: list[str]) -> str:
    if not names:
        return "nothing"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _evidence(found: Mapping[str, Input]) -> list[Evidence]:
    return [of_value("F", f"fields.{name}", each.text) for name, each in found.items()]
