"""OUT007: a hypothesis that nothing could disprove."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity
from backlint.rules.evidence import of_part
from backlint.rules.measure_text import Measure, measure
from backlint.rules.rule import Context, Example, Rule
from backlint.text.document import Document

_HEADING = re.compile(
    r"\b(?:hypothes[ie]s|hypothese|hypoth[èe]se|hip[óo]tes[ie]s?|hip[óo]tese|ipotesi|hipoteza|assumption to test)\b",
    re.IGNORECASE,
)
_MOVES = (
    r"(?:increas|improv|grow|drop|decreas|rise|rising|fall|reduc|convert|doubl|halv|steig|sink|verbesser|augment"
    r"|diminu|am[ée]lior"
    r"|aument|mejor|disminu|melhor|ridu|miglior|verhog|verlag|wzro|spad)\w*"
)
_BELIEF = re.compile(
    rf"""(?<!\w)(?:we\ (?:believe|hypothesi[sz]e|predict|bet|expect|assume)\b(?=[^.;\n]{{0,160}}?\b(?:will|would
        |{_MOVES})\b)
        |hypothes[ie]s\s*[:：] | our\ (?:hypothesis|bet|assumption)\ is
        |wir\ (?:glauben|nehmen\ an|erwarten)\b|nous\ (?:pensons|croyons)\ que|creemos\ que|acreditamos\ que
        |crediamo\ che|wij?\ (?:geloven|denken)\ dat|wierzymy,?\ że
        |if\ we\ [^.;\n]{{3,150}}?,\s*(?:then\s+)?[^.;\n]{{0,80}}?\b{_MOVES}\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_SIGNED = re.compile(
    r"[-+−±]\s*\d|→|->|=>|[<>≤≥]"
    r"|\b(?:from|to|by|under|below|above|over|at least|at most|von|auf|um|de|à|desde|hasta)\s+[-+−]?\d",
    re.IGNORECASE,
)


def an_epic(body: str, **given: object) -> Issue:
    return an_issue(**{"type": IssueType.EPIC, "title": "Templates", "body": body, **given})


class HypothesisNotFalsifiable(Rule):
    """The hypothesis names no expected movement.

    Why it matters: "users will like it" is never wrong, so nothing is learned whatever happens.

    How to fix: a metric, a direction and an amount, and by when: "activation +3 % in four weeks".

    Not flagged: issues without a hypothesis, unless one is required; bugs, where "if we" reports a condition; steps of
    a scenario.
    """

    code = "OUT007"
    name = "hypothesis-not-falsifiable"
    severity = Severity.INFO
    question = "If we do this, which metric moves by how much, in what time?"
    dimension = "outcome"

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.STORY, IssueType.SPIKE})
    require: bool = False  # whether every item has to state one

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        stated = list(_hypotheses(context.texts.body(issue)))
        if not stated:
            if self.require:
                yield self.fail(issue, context, "No hypothesis.")
            else:
                yield self.ok(issue, "no hypothesis")
            return
        text = "\n".join(text for text, _ in stated)
        missing = _missing(text, measure(text))
        evidence = [evidence for _, evidence in stated[:2]]
        if missing:
            message = f"The hypothesis names no {' and no '.join(missing)}."
            yield self.fail(issue, context, message, evidence=evidence, confidence=0.7)
        else:
            yield self.ok(issue, "metric, direction and amount", evidence=evidence)

    flagged = (
        Example("a liking", an_epic("We believe users will like templates"), evidence="users will like"),
        Example("a direction without an amount", an_epic("If we pre-load templates, activation improves.")),
        Example("a section", an_epic("## Hypothesis\n\nTemplates make the start easier for new users.\n")),
        Example("none, where one is required", an_epic("- Templates for invoices\n"), options={"require": True}),
    )
    passed = (
        Example(
            "a movement",
            an_epic("We believe that with templates activation rises by +3 % in 4 weeks"),
            evidence="activation rises",
        ),
        Example("no hypothesis", an_epic("- Templates for invoices\n")),
        Example("a section that can fail", an_epic("## Hypothesis\n\nConversion goes from 8 % to 10 % by June.\n")),
        Example(
            "if in a scenario",
            an_issue(
                body="When the user asks if we have templates, will be shown\nThen the list of templates is shown\n"
            ),
        ),
    )
    declined = (Example("a bug", an_issue(type=IssueType.BUG, body="If we open the list, it will crash.")),)


def _hypotheses(document: Document) -> Iterator[tuple[str, Evidence]]:
    seen: set[int] = set()
    for section in document.sections:
        if _HEADING.search(section.heading):
            for item in section.items:
                seen.add(item.start)
                yield item.text, of_part(document, item, kind="S", field="body")
    for item in document.items:
        if item.start not in seen and not document.is_in_scenario(item.start) and _BELIEF.search(item.text):
            yield item.text, of_part(document, item, kind="P", field="body")


def _missing(text: str, found: Measure) -> list[str]:
    has_direction = found.direction is not None or _SIGNED.search(text) is not None
    parts = (("metric", found.metric is not None), ("direction", has_direction), ("amount", found.target is not None))
    return [name for name, is_there in parts if not is_there]
