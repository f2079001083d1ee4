"""The acceptance criteria of an issue one by one: for rules that weigh or count them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backlint.model import Evidence, Issue
from backlint.rules.criteria_text import FIELD, field_text, is_choice
from backlint.rules.evidence import of_part, of_value, section_lines
from backlint.rules.rule import Context
from backlint.rules.words import opens_with_work
from backlint.text.document import Document, Dropped, Item, Meaning, Scenario
from backlint.text.gherkin import KEYWORDS

MIN_BOXES = 2  # as for AC001: one box is a reminder
_EXAMPLES = re.compile(
    r"\W*(?:examples?|scenarios|beispiele?|exemples?|ejemplos?|exemplos?|esempi|voorbeelden|przyk[łl]ady)\W*",
    re.IGNORECASE,
)
_SCENARIO = re.compile(
    r"\W*(?:scenario|feature|background|szenario|sc[ée]nario|escenario|cen[áa]rio|scenariusz)\b[^:]{0,40}:",
    re.IGNORECASE,
)
_STEP = re.compile(r"\W*(?:given|when|then)\s", re.IGNORECASE)
_BEFORE_THEN = re.compile(r"\W*(?:given|when|and|but)\s", re.IGNORECASE)
MIN_STEPS = 2  # a line may begin with "when" by chance
_THENS = "|".join(re.escape(word) for roles in KEYWORDS.values() for word in roles["then"])
_THEN = re.compile(rf"(?:^|\W)(?:{_THENS})\W", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion; `depth` 0 stands for itself, deeper ones belong to the one above. None: it has no box."""

    text: str
    evidence: Evidence
    depth: int = 0
    is_ticked: bool | None = None
    is_linked: bool = False  # says more on a page elsewhere


def criteria(issue: Issue, context: Context) -> tuple[Criterion, ...]:
    """All criteria that are listed: field, sections, and boxes anywhere; scenarios are apart (`scenarios`)."""
    return context.once("criteria list", issue, lambda: tuple(_criteria(issue, context)))


def _criteria(issue: Issue, context: Context) -> Iterator[Criterion]:
    document = context.texts.body(issue)
    text = field_text(issue, FIELD)
    if text.strip():
        read = context.texts.read(text, issue.markup)
        yield from _levelled(read, _listed(read, read.items, _examples(read)), f"fields.{FIELD}")
    seen: set[int] = set()
    examples = _examples(document)
    for section in document.under(Meaning.ACCEPTANCE):
        lines = [line for line in _listed(document, section_lines(section), examples) if line.start not in seen]
        seen |= {line.start for line in lines}
        yield from _levelled(document, lines, "body")
    boxes = [item for item in _boxes(document) if item.start not in seen]
    if len(boxes) >= MIN_BOXES and 2 * sum(not opens_with_work(item.text) for item in boxes) > len(boxes):
        yield from _levelled(document, boxes, "body")
    for entry in issue.checklist:
        yield Criterion(entry.text, of_value("C", "checklist", entry.text), is_ticked=entry.is_ticked)


def _examples(document: Document) -> set[int]:
    """Where the rows of scenarios' examples start."""
    return {
        line.start for section in document.sections if _EXAMPLES.fullmatch(section.heading) for line in section.items
    }


def _listed(document: Document, lines: tuple[Item | Dropped, ...], examples: set[int]) -> list[Item | Dropped]:
    """The lines that are criteria: no steps of a scenario, no rows of its examples, no label before a list."""
    # Steps that make no scenario by the book, such as one without a When: each Then stands for its own.
    is_told = sum(_STEP.match(line.text) is not None for line in lines) >= MIN_STEPS
    return [
        line
        for line in lines
        if line.start not in examples
        and not (is_told and _BEFORE_THEN.match(line.text))
        and not document.is_in_scenario(line.start)
        and not line.text.rstrip().endswith((":", "："))
        and not _SCENARIO.match(line.text)
        and not (isinstance(line, Item) and line.is_code)
    ]


def _levelled(document: Document, lines: list[Item] | list[Item | Dropped], field: str) -> Iterator[Criterion]:
    top = min((_depth(line) for line in lines), default=0)
    for line in lines:
        kind = "S" if line.ticked is None else "C"
        evidence = of_part(document, line, kind="F" if field != "body" else kind, field=field)
        yield Criterion(line.text, evidence, _depth(line) - top, line.ticked, _is_linked(document, line))


def _is_linked(document: Document, line: Item | Dropped) -> bool:
    raw = document.text[line.start : line.end]
    return "://" in raw or "](" in raw


def _depth(line: Item | Dropped) -> int:
    return line.depth if isinstance(line, Item) else 0


def _boxes(document: Document) -> list[Item]:
    excluded = {item.start for section in document.under(Meaning.EXCLUDED, Meaning.STEPS) for item in section.items}
    boxes = (item for item in document.items if item.ticked is not None and item.start not in excluded)
    return [item for item in boxes if not is_choice(item.text)]


def scenarios(issue: Issue, context: Context) -> tuple[tuple[Scenario, Evidence], ...]:
    """The filled scenarios in the field and the body; an outline with examples is one."""
    found = [(context.texts.body(issue), "body")]
    text = field_text(issue, FIELD)
    if text.strip():
        found.append((context.texts.read(text, issue.markup), f"fields.{FIELD}"))
    return tuple(
        (scenario, of_part(document, scenario, kind="G", field=field))
        for document, field in found
        for scenario in document.scenarios
        if not scenario.is_shell
    )


def results(scenario: Scenario) -> str:
    """What a scenario promises, from its Then on; what is given may be as vague as life is."""
    then = _THEN.search(scenario.text)
    return scenario.text[then.start() :] if then else ""
